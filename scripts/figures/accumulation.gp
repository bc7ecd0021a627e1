# SPDX-License-Identifier: GPL-3.0-or-later
# How a drug piles up: the cohort's concentration over days in every arm (median and ribbons), and beside it one dosing
# interval late in the study, in hours. By hand: gnuplot -e "file='x.h5'" scripts/figures/accumulation.gp
# Variables: common.gp. of: the output (clonazepam_Cp). arm: one arm only; otherwise the first 8 that hold drug.
figure = 'accumulation'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (of eq '') { of = 'clonazepam_Cp' }
most_arms = 8

# Which arms hold drug at all, and how high the picture must be.
drawn = ''; left_out = ''; n_more = 0; n = 0; top = 0.0; last_day = 0.0; low = 1e300
do for [a = 0:n_arms - 1] {
    if (chosen >= 0 && a != chosen) { continue }
    set print $Q
    asked = table(of.'_quantiles'.of_arm(a)); eval print_asked
    unset print
    h = $Q[1]
    stats $Q using ($2/24):(column(high_column(h, 1))) skip 1 name 'S' nooutput
    if (S_max_y <= 0) { left_out = left_out.(left_out eq '' ? '' : ', ').arm_name(a); continue }
    if (n >= most_arms) { n_more = n_more + 1; continue }
    drawn = drawn.sprintf(" %d", a); n = n + 1
    top = S_max_y > top ? S_max_y : top
    last_day = S_max_x > last_day ? S_max_x : last_day
}
if (n == 0) { print of." is zero in every arm"; exit status 2 }
row = n == 1 ? 640 : n == 2 ? 360 : n == 3 ? 240 : 190
eval canvas(1600, 276 + n*row)

# The interval to zoom on: the latest between two doses of this drug whose grid holds 20 times, or else 8.
zooms = has('doses/time')
longest = 0.0
array zoom_from[n]; array zoom_to[n]
do for [p = 1:n] {
    zoom_from[p] = 0.0; zoom_to[p] = 0.0
    if (!zooms) { continue }
    a = int(word(drawn, p))
    eval doses_of_arm(a)
    set print $Q
    asked = table(of.'_quantiles'.of_arm(a)); eval print_asked
    unset print
    set table $given
    plot $doses using (dose_value('time')) skip 1 with table if (dose_is(drug(of)))
    unset table
    do for [i = |$given| - 1:(|$given| > 150 ? |$given| - 150 : 1):-1] {
        t0 = $given[i] + 0.0; t1 = $given[i + 1] + 0.0
        if (t1 - t0 > 200) { continue }
        stats $Q using ($2 >= t0 && $2 <= t1 ? 1 : 0) skip 1 name 'Z' nooutput
        if (Z_sum >= (zoom_to[p] > 0 ? 20 : 8)) { zoom_from[p] = t0; zoom_to[p] = t1 }
        if (Z_sum >= 20) { break }
    }
    longest = zoom_to[p] - zoom_from[p] > longest ? zoom_to[p] - zoom_from[p] : longest
}
right = longest > 0 ? 1060 : 1570

bottom = log ? top/1e3 : 0
Y(y) = log && !(y > bottom) ? bottom : y

set multiplot
eval frame(attribute('/', 'title'), counted(n_subjects, 'subject').', one panel per arm'.(log ? ', logarithmic axis' : '') \
    .(n_more > 0 ? sprintf(', the first %d of %d', n, n + n_more) : '') \
    .(left_out eq '' ? '' : '; without '.drug(of).', not drawn: '.left_out))
set label 905 axis(of) at screen pixel_x(32),pixel_y(156 + n*row/2) center rotate by 90 font font_axis
set yrange [bottom:(log ? top*1.5 : top*1.06)]
if (log) { set logscale y; set format y '%g' } else { set ytics step_for(top, row/45) }
do for [p = 1:n] {
    a = int(word(drawn, p))
    set print $Q
    asked = table(of.'_quantiles'.of_arm(a)); eval print_asked
    unset print
    h = $Q[1]; m = median_column(h); c = colour(p - 1)
    above = 156 + (p - 1)*row + 34; below = 156 + p*row - 16
    eval panel(120, right, above, below)
    set xrange [0:last_day]; set xtics autofreq
    set format x (p == n ? '%g' : '')
    set xlabel (p == n ? 'time [d]' : '')
    set label 1 arm_name(a) at graph 0,1 offset (dumb ? 1 : 0),(dumb ? 1 : 0.8) left font font_panel tc rgb c
    if (p == 1) { set key at screen pixel_x(1570),pixel_y(132) right bottom horizontal } else { unset key }
    plot for [k = 1:pairs(h)] $Q using ($2/24):(Y(column(low_column(h, k)))):(Y(column(high_column(h, k)))) skip 1 \
           with filledcurves fc rgb (k == 1 ? faint(c) : soft(c)) title ribbon_name(h, k), \
         $Q using ($2/24):(Y(column(m))) skip 1 with lines lw 1.5 lc rgb c title 'median', \
         for [o = 1:n_observed] $observed using ($1/24):2:3 with yerrorbars pt 7 ps 0.8 lw 1 lc rgb black title 'observed'
    eval no_frame
    unset label 905
    if (zoom_to[p] <= zoom_from[p]) { continue }
    eval panel(1170, 1570, above, below)
    set xrange [0:longest]; set xtics 0,step_for(longest, 6)
    set xlabel (p == n ? 'time after a dose [h]' : '')
    set label 1 sprintf("dose of day %.4g", zoom_from[p]/24)
    unset key
    plot for [k = 1:pairs(h)] $Q using ($2 >= zoom_from[p] && $2 <= zoom_to[p] ? $2 - zoom_from[p] : NaN):(Y(column(low_column(h, k)))):(Y(column(high_column(h, k)))) \
           skip 1 with filledcurves fc rgb (k == 1 ? faint(c) : soft(c)), \
         $Q using ($2 >= zoom_from[p] && $2 <= zoom_to[p] ? $2 - zoom_from[p] : NaN):(Y(column(m))) skip 1 with lines lw 1.5 lc rgb c, \
         for [o = 1:n_observed] $observed using ($1 >= zoom_from[p] && $1 <= zoom_to[p] ? $1 - zoom_from[p] : NaN):2:3 with yerrorbars pt 7 ps 0.8 lw 1 lc rgb black
}
unset multiplot
