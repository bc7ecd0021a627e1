# SPDX-License-Identifier: GPL-3.0-or-later
# Tapers in the plane of risk and duration: how long each lasts against the highest index that the wanted share of the
# cohort stays below (of a bound at any time: against the largest share above it at once); beside them what they give in all. A vertical line is the certificate: no taper of these products
# that keeps the bound can be shorter. By hand: gnuplot -e "file='x.h5'" scripts/figures/taper_plane.gp
# Variables: common.gp; bound, share, certificate: see _tapers.gp. of: the index (clonazepam_withdrawal_index), with its highest value as a metric (Cmax).
figure = 'taper_plane'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (of eq '') { of = 'clonazepam_withdrawal_index' }
eval canvas(1600, 1000)
load here.'_tapers.gp'

limit = bound
if (at_once) {
    limit = 100*(1 - share)
    do for [p = 1:n_arms] { highest[p] = counted_in[p] > 0 ? 100.0*(1 - 1.0*kept[p]/counted_in[p]) : 0 }
}
high_D = 0.0; high_W = limit; high_G = 0.0
do for [p = 1:n_arms] {
    high_D = days[p] > high_D ? days[p] : high_D
    high_W = highest[p] > high_W ? highest[p] : high_W
    high_G = taken[p] > high_G ? taken[p] : high_G
}
high_D = certificate > high_D ? certificate : high_D
if (high_D <= 0) { high_D = 1.0 }
if (high_G <= 0) { high_G = 1.0 }

set multiplot
eval frame(attribute('/', 'title'), sprintf('%s; an arm keeps the bound when at least %g %% of its subjects stay at or below %g%s', counted(n_subjects, 'subject'), 100*share, bound, at_once ? ' at any time' : '').(grade(of) eq '' ? '' : '; '.plain_name(of).grade(of)))
l = 165; r = 900; t = 130; b = 860
eval panel(l, r, t, b)
set xrange [-0.04*high_D:high_D*1.08]; set xtics 0,step_for(high_D, 8)
set yrange [0:high_W*1.1]; set ytics step_for(high_W, 8)
set xlabel 'duration of the taper [d]'
set label 911 wrap(at_once ? sprintf('subjects above %g at the worst moment [%%]', bound) : sprintf('%s that %g %% stay below [%s]', named(of), 100*share, unit(of)), 46) at screen pixel_x(28),pixel_y((t + b)/2.0) center rotate by 90 font font_axis
set arrow 1 from graph 0,first limit to graph 1,first limit nohead lw 1.4 dt 2 lc rgb black
set label 1 sprintf(at_once ? '%g %%' : 'bound %g', limit) at graph 1,first limit right offset -0.3,0.6 font font_small tc rgb black
if (certificate >= 0) {
    set arrow 2 from certificate,graph 0 to certificate,graph 1 nohead lw 1.4 dt 4 lc rgb black
    set object 1 rectangle from graph 0,graph 0 to certificate,limit fs solid 1.0 noborder fc rgb '#EFEFEF' behind
    words = sprintf("certificate %g d: on the subjects\ndesigned on, none is shorter", certificate)
    if (certificate > 0.5*high_D) {
        set label 2 words at certificate,graph 0.04 right offset -0.8,0.6 front font font_small tc rgb black
    } else {
        set label 2 words at certificate,graph 0.04 left offset 0.8,0.6 front font font_small tc rgb black
    }
}
# Points on one another share a label beside them: "2, 3".
near(p, q) = abs(days[p] - days[q]) < 0.02*high_D && abs(highest[p] - highest[q]) < 0.03*high_W
before(p) = p < 2 ? 0 : sum [q = 1:p - 1] (near(p, q) ? 1 : 0)
all_near(p, q) = q > n_arms ? '' : (near(p, q) ? (before(p) == 0 && q > p ? ', ' : '').sprintf('%d', q) : '').all_near(p, q + 1)
alone(p) = (sum [q = 1:n_arms] (near(p, q) ? 1 : 0)) == 1
# ... to the left where another point or the table stands close on the right, above them where one stands on either side.
beside(p, side) = (sum [q = 1:n_arms] (!near(p, q) && side*(days[q] - days[p]) > 0 && side*(days[q] - days[p]) < 0.25*high_D && abs(highest[q] - highest[p]) < 0.04*high_W ? 1 : 0)) > 0
fits_left(p) = days[p]/high_D*0.85*(r - l) > 10*strlen(all_near(p, 1)) + 30
place(p) = !beside(p, 1) && days[p] < 0.9*high_D ? 1 : !beside(p, -1) && fits_left(p) ? 2 : days[p] < 0.6*high_D ? 1 : 3
together(p) = !alone(p) && before(p) == 0 ? all_near(p, 1) : ' '
set print $points
do for [p = 1:n_arms] { print sprintf("%g\t%g\t%d\t%s\t%s\t%s\t%s", days[p], highest[p], keeps(p) ? 1 : 0, alone(p) ? sprintf('%d', p) : ' ', place(p) == 1 ? together(p) : ' ', place(p) == 2 ? together(p) : ' ', place(p) == 3 ? together(p) : ' ') }
unset print
set label 3 '● keeps the bound' at screen pixel_x(r - 130),pixel_y(t - 18) right font font_note tc rgb blue front
set label 4 '■ does not' at screen pixel_x(r),pixel_y(t - 18) right font font_note tc rgb vermillion front
plot $points using 1:($3 > 0 ? $2 : NaN) with points pt 7 ps 3.8 lc rgb blue notitle, \
     $points using 1:($3 > 0 ? NaN : $2) with points pt 5 ps 3.3 lc rgb vermillion notitle, \
     $points using 1:2:4 with labels font bold(n_arms > 9 ? 12 : 14) tc rgb 'white' notitle, \
     $points using 1:2:5 with labels left offset 1.8,0 font bold(14) tc rgb '#333333' notitle, \
     $points using 1:2:6 with labels right offset -1.8,0 font bold(14) tc rgb '#333333' notitle, \
     $points using 1:2:7 with labels center offset 0,2.2 font bold(14) tc rgb '#333333' notitle
eval no_frame
unset label 911; unset label 1; unset label 2; unset label 3; unset label 4; unset arrow 1; unset arrow 2; unset object 1; unset xlabel

# A row per arm: its number and name, what it gives from the first lower dose on, its days, who keeps the bound.
eval panel(1225, 1330, t, b)
set border 0
unset xtics; unset ytics; unset grid
set xrange [0:high_G]; set yrange [n_arms + 0.5:0.5]
set label 5 mine."\n".unit('doses/amount') at screen pixel_x(1415),pixel_y(t - 33) right font font_small tc rgb '#444444'
set label 6 'days' at screen pixel_x(1485),pixel_y(t - 15) right font font_small tc rgb '#444444'
set label 7 "keep it\n[%]" at screen pixel_x(1570),pixel_y(t - 33) right font font_small tc rgb '#444444'
do for [p = 1:n_arms] {
    set object 10 + p rectangle from 0,p - 0.2 to taken[p],p + 0.2 fs solid 1.0 noborder fc rgb (keeps(p) ? soft(blue) : soft(vermillion))
    set label 100 + p sprintf('%d', p) at screen pixel_x(945),first p center font bold(16) tc rgb (keeps(p) ? blue : vermillion)
    set label 200 + p row_name(p, 22) at screen pixel_x(968),first p left offset 0,row_lift(p, 22) font (is_designed(p) ? bold(n_arms > 12 ? 13 : 15) : font_note)
    set label 300 + p sprintf('%.4g', taken[p]) at screen pixel_x(1415),first p right font font_note
    set label 400 + p sprintf('%d', days[p]) at screen pixel_x(1485),first p right font font_note
    set label 500 + p sprintf('%.1f', counted_in[p] > 0 ? 100.0*kept[p]/counted_in[p] : 0) at screen pixel_x(1570),first p right font font_note
}
set label 8 'amounts '.(others eq '' ? '' : 'of '.mine.' alone ').'and days count from the first lower dose'.(any_differ ? '; medians' : '') at screen pixel_x(1570),pixel_y(b + 28) right font font_small tc rgb '#444444'
plot NaN notitle
unset multiplot
