# SPDX-License-Identifier: GPL-3.0-or-later
# The terminal half-lives of the cohort: histogram, cumulative share, and how many lie in the 19-60 h seen in eight
# volunteers (Berlin and Dahlstrom 1975). By hand: gnuplot -e "file='x.h5'" scripts/figures/half_life.gp
# Variables: common.gp. of: the output whose metric `half_life` is drawn (clonazepam_Cp). arm: which arm (the first).
# band_low, band_high: the band [h], equal for none (19 and 60 for clonazepam).
figure = 'half_life'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (of eq '') { of = 'clonazepam_Cp' }
if (!exists("band_low"))  { band_low  = drug(of) eq 'clonazepam' ? 19.0 : 0.0 }
if (!exists("band_high")) { band_high = drug(of) eq 'clonazepam' ? 60.0 : 0.0 }
a = chosen < 0 ? 0 : chosen
banded = band_high > band_low

set print $M
asked = table('metrics/'.of.'_half_life'.of_arm(a)); eval print_asked
unset print
stats $M using 3 skip 1 name 'H' nooutput
stats $M using ($3 >= band_low && $3 <= band_high ? 1 : 0) skip 1 name 'I' nooutput
# Freedman and Diaconis: twice the interquartile range over the cube root of the count, made round.
spread = H_up_quartile - H_lo_quartile
width = spread > 0 ? round_step(spread/(H_records**(1.0/3))) : 1
eval canvas(1600, 1000)

# The axis ends where all but a few per mille have; who lies beyond is counted.
end = H_up_quartile + 5*spread
end = H_max < end ? H_max : end
end = width*ceil((end > band_high*1.15 ? end : band_high*1.15)/width + 0.5)
stats $M using ($3 > end ? 1 : 0) skip 1 name 'B' nooutput
beyond = int(B_sum + 0.5)

bin(x) = width*(floor(x/width) + 0.5)
eval frame('Half-lives of '.drug(of).' in the cohort', attribute('/', 'title').(n_arms > 1 ? '; arm: '.arm_name(a) : ''))
eval panel(140, 1450, 150, 870)
set style fill solid 1.0 border rgb '#ffffff'
set boxwidth width
set xrange [0:end]
set yrange [0:*]
set table $bins
plot $M using (bin($3)):(1) skip 1 smooth frequency
unset table
set datafile separator whitespace
stats $bins using 2 name 'T' nooutput
set datafile separator "\t"
set yrange [0:T_max*1.08]
set y2range [0:108]
tic = T_max < 6 ? 1 : step_for(T_max, 8)
set ytics tic; set y2tics 0,20,100 nomirror font font_tics
set border 11
set xlabel 'terminal half-life ['.unit('metrics/'.of.'_half_life').']'
set label 905 sprintf("subjects per %g h", width) at screen pixel_x(40),pixel_y(510) center rotate by 90 font font_axis
set label 906 'subjects with a shorter half-life [%]' at screen pixel_x(1565),pixel_y(510) center rotate by 90 font font_axis
if (banded) {
    set object 1 rectangle from band_low,graph 0 to band_high,graph 1 behind fc rgb '#E3F1FA' fs solid 1.0 noborder
    set label 2 sprintf("%.1f %% between %g and %g h", 100*I_mean, band_low, band_high) \
        at (band_low + band_high)/2,graph 1 offset 0,0.7 center font font_panel tc rgb blue
}
set arrow 1 from H_median,graph 0 to H_median,graph 1 nohead front lc rgb vermillion lw 1.4 dt 2
if (H_median > 0.8*end) { set label 3 sprintf("median %.3g h ", H_median) at H_median,graph 0.955 right front font font_panel tc rgb vermillion }
else { set label 3 sprintf(" median %.3g h", H_median) at H_median,graph 0.955 left front font font_panel tc rgb vermillion }
if (beyond > 0) { set label 4 sprintf("%d beyond the axis, the longest %.3g h", beyond, H_max) at graph 0.99,0.56 right front font font_note tc rgb '#444444' }
set key at graph 0.99,0.75 right top
plot $M using (bin($3)):(1) skip 1 smooth frequency with boxes fc rgb sky title 'subjects', \
     $M using 3:(100.0/H_records) skip 1 smooth cumulative axes x1y2 with steps lw 1.8 lc rgb black title 'with a shorter half-life'
