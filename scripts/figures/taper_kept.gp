# SPDX-License-Identifier: GPL-3.0-or-later
# How surely a taper keeps its bound: per arm (a taper, or a situation it is tested under) the share of the cohort that
# stays at or below the bound, with its 95 % confidence interval (Wilson 1927, J Am Stat Assoc 22:209), which says how
# much another cohort of this size may differ. By hand: gnuplot -e "file='x.h5'" scripts/figures/taper_kept.gp
# Variables: common.gp; bound, share: see _tapers.gp. of: the index (clonazepam_withdrawal_index), with its highest value as a metric (Cmax).
figure = 'taper_kept'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (of eq '') { of = 'clonazepam_withdrawal_index' }
eval canvas(1600, 1000)
load here.'_tapers.gp'

z = 1.959963984540054
middle(k, n) = (k + z*z/2)/(n + z*z)
half(k, n) = z/(n + z*z)*sqrt(k*(n - k)/(1.0*n) + z*z/4)
set print $rows
do for [p = 1:n_arms] {
    n = 1.0*counted_in[p]
    if (n > 0) { print sprintf("%g\t%g\t%g\t%g\t%d", p, 100*kept[p]/n, 100*(middle(kept[p], n) - half(kept[p], n)), 100*(middle(kept[p], n) + half(kept[p], n)), keeps(p) ? 1 : 0) }
}
unset print
eval frame(attribute('/', 'title'), sprintf('share of %s with %s at or below %g%s, and its 95 %% confidence interval', counted(n_subjects, 'subject'), named(of), bound, at_once ? ' at the worst moment' : '').(grade(of) eq '' ? '' : '; '.plain_name(of).grade(of)))
l = 470; r = 1480; t = 140; b = 860
eval panel(l, r, t, b)
set xrange [0:100]; set xtics 0,10; set mxtics 2
set yrange [n_arms + 0.6:0.4]; unset ytics
unset grid
set grid xtics lc rgb '#E4E4E4' lw 0.8 lt 1
set border 1
set xlabel sprintf('subjects that stay at or below %g [%%]', bound)
set arrow 1 from 100*share,graph 0 to 100*share,graph 1 nohead lw 1.4 dt 2 lc rgb black
set label 1 sprintf('wanted: %g %%', 100*share) at 100*share,graph 1 center offset 0,0.7 font font_small tc rgb black
do for [p = 1:n_arms] {
    set label 100 + p row_name(p, 34) at graph 0,first p right offset -1,row_lift(p, 34) font (is_designed(p) ? bold(16) : size_of(16))
    set label 200 + p sprintf('%.1f', counted_in[p] > 0 ? 100.0*kept[p]/counted_in[p] : 0) at graph 1,first p left offset 1,0 font size_of(16)
}
plot $rows using 2:($5 > 0 ? $1 : NaN):3:4 with xerrorbars pt 7 ps 2 lw 2 lc rgb blue notitle, \
     $rows using 2:($5 > 0 ? NaN : $1):3:4 with xerrorbars pt 5 ps 1.8 lw 2 lc rgb vermillion notitle
