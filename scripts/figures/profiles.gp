# SPDX-License-Identifier: GPL-3.0-or-later
# A dozen virtual patients one by one: thin lines, with the cohort's median and outer ribbon behind them.
# By hand: gnuplot -e "file='x.h5'" scripts/figures/profiles.gp
# Variables: common.gp. of: the output (clonazepam_Cp). arm: which arm (the first). people: how many (12).
figure = 'profiles'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (of eq '') { of = 'clonazepam_Cp' }
if (!exists("people")) { people = 12 }
people = people > n_subjects ? n_subjects : people
a = chosen < 0 ? 0 : chosen

set print $Q
asked = table(of.'_quantiles'.of_arm(a)); eval print_asked
unset print
h = $Q[1]
set print $P
do for [k = 1:people] { asked = table(of.of_arm(a).sprintf(" --subject %d", k)); eval print_asked }
unset print
value = column_of($P[1], of)
clock = column_of($P[1], 'time')
who = column_of($P[1], 'subject')
eval canvas(1600, 1000)

stats $Q using (column(high_column(h, 1))) skip 1 name 'Q' nooutput
stats $P using (column(value)) name 'P' nooutput
top = P_max > Q_max ? P_max : Q_max
bottom = log ? top/1e3 : 0
# The axis ends where nobody has anything left.
stats $P using (column(value) > (log ? bottom : 0.005*top) ? column(clock)/24 : 0) name 'E' nooutput
if (E_max <= 0) { E_max = 1.0 }
Y(y) = log && !(y > bottom) ? NaN : y
F(y) = log && !(y > bottom) ? bottom : y
eval frame(attribute('/', 'title'), sprintf("%d of %d subjects%s%s", people, n_subjects, n_arms > 1 ? '; arm: '.arm_name(a) : '', log ? '; logarithmic axis' : ''))
eval panel(130, 1570, 150, 870)
set xlabel 'time [d]'
set ylabel axis(of)
set xrange [0:1.04*E_max]
set yrange [bottom:top*(log ? 1.5 : 1.05)]
if (log) { set logscale y; set format y '%g' }
set key at screen pixel_x(1570),pixel_y(136) right bottom horizontal
plot $Q using ($2/24):(F(column(low_column(h, 1)))):(F(column(high_column(h, 1)))) skip 1 with filledcurves fc rgb '#EBEBEB' title 'cohort '.ribbon_name(h, 1), \
     for [k = 1:people] $P using (column(clock)/24):(column(who) == k ? Y(column(value)) : NaN) with lines lw 0.7 lc rgb colour((k - 1) % 6) title (k == 1 ? 'one subject each' : ''), \
     $Q using ($2/24):(Y(column(median_column(h)))) skip 1 with lines lw 1.6 lc rgb black title 'cohort median', \
     for [o = 1:n_observed] $observed using ($1/24):2:3 with yerrorbars pt 7 ps 0.8 lw 1 lc rgb black title 'observed'
