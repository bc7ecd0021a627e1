# SPDX-License-Identifier: GPL-3.0-or-later
# The plane of both drugs at their effect sites: the cohort's median path (coloured by day) and a few subjects, over the
# isoboles of sedation. By hand: gnuplot -e "file='x.h5'" scripts/figures/overlap_plane.gp
# Variables: common.gp. arm: which arm (the first). people: how many subjects (8).
# across, up: the variables on the axes (clonazepam_Ce, fentanyl_Ce).
#
# An isobole is where half of the patients are at least at a Ramsay level s, for the typical subject without tolerance:
#     u = (a + f + alpha a f)/stim = (p/(1 - p))^(1/n),   a = R CZ/C50B_s,   f = CF/C50F_s   (Greco; n only matters for p
# other than one half). Its constants are those of models/sedation_overlap.yaml; `halflife plot` passes the values of the
# study that made the file, by hand they can be set: R, stim, n_sed, C50B_2 ... alpha_6 [ng/mL].
figure = 'overlap_plane'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (!exists("across")) { across = 'clonazepam_Ce' }
if (!exists("up"))     { up = 'fentanyl_Ce' }
if (!exists("people")) { people = 8 }
if (!exists("R"))      { R = 6.0 }
if (!exists("stim"))   { stim = 1.0 }
if (!exists("n_sed"))  { n_sed = 3.0 }
defaults = 'C50B_2=68 C50B_3=101 C50B_4=208 C50B_5=400 C50B_6=520 C50F_2=2 C50F_3=3.5 C50F_4=5.5 C50F_5=7.5 C50F_6=9.5 alpha_2=3.5 alpha_3=3.5 alpha_4=6 alpha_5=9 alpha_6=9'
do for [i = 1:words(defaults)] {
    name = word(defaults, i)[1:strstrt(word(defaults, i), '=') - 1]
    if (!exists(name)) { eval name.' = 1.0*'.word(defaults, i)[strlen(name) + 2:*] }
}
array C50B[6] = [0, C50B_2, C50B_3, C50B_4, C50B_5, C50B_6]
array C50F[6] = [0, C50F_2, C50F_3, C50F_4, C50F_5, C50F_6]
array alpha[6] = [0, alpha_2, alpha_3, alpha_4, alpha_5, alpha_6]
dash(s) = s == 2 ? 1 : s
level_name(s) = word('none drowsy to_command brisk_response sluggish no_response', s)
spaced(s) = strstrt(s, '_') == 0 ? s : s[1:strstrt(s, '_') - 1].' '.s[strstrt(s, '_') + 1:*]
people = people > n_subjects ? n_subjects : people
a = chosen < 0 ? 0 : chosen

set print $X; asked = table(across.'_quantiles'.of_arm(a)); eval print_asked; unset print
set print $Y; asked = table(up.'_quantiles'.of_arm(a)); eval print_asked; unset print
m = median_column($X[1])
set print $P
do for [k = 1:people] { asked = table(across.' '.up.of_arm(a).sprintf(" --subject %d", k)); eval print_asked }
unset print
cx = column_of($P[1], across); cy = column_of($P[1], up)
stats $P using cx:cy name 'P' nooutput
stats $X using ($2/24):(column(m)) skip 1 name 'X' nooutput
stats $Y using ($2/24):(column(m)) skip 1 name 'Y' nooutput

# Where an isobole of probability p is, and how far the axes go: the paths, and the first level entirely.
need(p) = stim*(p/(1 - p))**(1.0/n_sed)
other(u, alpha_s, given) = (u - given)/(1 + alpha_s*given)
iso_x(s, p, y) = C50B[s]/R*other(need(p), alpha[s], y/C50F[s])
iso_y(s, p, x) = C50F[s]*other(need(p), alpha[s], R*x/C50B[s])
end_x(s, p) = C50B[s]/R*need(p)
end_y(s, p) = C50F[s]*need(p)
larger(a, b) = a > b ? a : b
top_x = 1.2*larger(end_x(2, 0.5), larger(P_max_x, X_max_y))
top_y = 1.15*larger(end_y(2, 0.5), larger(P_max_y, Y_max_y))

eval canvas(1600, 1000)
eval frame(attribute('/', 'title'), sprintf("cohort's median path and %s%s", counted(people, 'subject'), n_arms > 1 ? '; arm: '.arm_name(a) : ''))
set label 905 'curves: half of patients at Ramsay level s or deeper, u = (a + f + α·a·f)/stim = 1 (Greco); typical subject without tolerance; surrogate data' \
    at screen pixel_x(30),pixel_y(high - 46) left font font_small tc rgb '#444444'
eval panel(130, 1230, 158, 840)
set xrange [0:top_x]; set yrange [0:top_y]
set xlabel axis(across)
set label 906 axis(up) at screen pixel_x(36),pixel_y(500) center rotate by 90 font font_axis
set grid xtics ytics
set palette defined (0 '#440154', 0.25 '#3B528B', 0.5 '#21918C', 0.75 '#5EC962', 1 '#FDE725')
set cbrange [0:X_max_x]
set cblabel 'day [d]' font font_axis
set colorbox user origin pixel_x(1460),pixel_y(840) size pixel_x(28),682.0/high
# Names stand beside a curve's lower end, or outside the frame where it leaves to the right.
do for [s = 2:6] {
    called = sprintf("s = %d, %s", s, spaced(spaced(level_name(s))))
    if (end_x(s, 0.5) < top_x) {
        set label 20 + s called at iso_x(s, 0.5, 0.03*top_y),0.03*top_y offset -0.8,0 right front font font_small tc rgb colour(s)
    } else {
        if (iso_y(s, 0.5, top_x) < top_y) { set label 20 + s called at top_x,iso_y(s, 0.5, top_x) offset 0.8,0 left front font font_small tc rgb colour(s) }
    }
}
set key at screen pixel_x(1230),pixel_y(140) right bottom horizontal
set samples 400
iso(s, t) = iso_x(s, 0.5, t*end_y(s, 0.5))
plot for [k = 1:people] $P using (column(column_of($P[1], 'subject')) == k ? column(cx) : NaN):(column(cy)) with lines lw 0.5 lc rgb '#B0B0B0' title (k == 1 ? 'one subject each' : ''), \
     for [s = 2:6] [t = 0:1] '+' using (iso(s, t)):(t*end_y(s, 0.5)) with lines lw 1.6 dt dash(s) lc rgb colour(s) title '', \
     [t = 0:1] '+' using (iso_x(4, 0.05, t*end_y(4, 0.05))):(t*end_y(4, 0.05)) with lines lw 1 dt 3 lc rgb colour(4) title '5 % at s = 4', \
     $X using (column(m)):(field($Y[$0 + 2], m) + 0.0):($2/24) skip 1 with lines lw 2.4 lc palette z title 'cohort median'
