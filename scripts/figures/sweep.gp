# SPDX-License-Identifier: GPL-3.0-or-later
# What a sweep found: a metric against the first factor, one colour per level of the second. Boxes hold the middle half of
# the cohort, whiskers 90 %. By hand: gnuplot -e "file='x.h5'; metric='clonazepam_Cp_Cmax'" scripts/figures/sweep.gp
# Variables: common.gp. metric: which one (the first of `of`, or of the file).
figure = 'sweep'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (!exists("metric")) { metric = '' }
found = strstrt(attributes, "\nmetrics/".of)
if (metric eq '' && found > 0) { metric = first_field(attributes[found + 9:*]) }
if (metric eq '') { print "the file has no metric of ".of; exit status 2 }

set print $D
print system(table('design'))
unset print
n_factors = fields($D[1]) - 1
factor(k) = field($D[1], 1 + k)
level(i, k) = field($D[2 + i], 1 + k)
series_of(i) = n_factors < 2 ? '' : level(i, 2)
# The distinct levels, in order of appearance.
xs = "\t"; ss = "\t"
do for [i = 0:n_arms - 1] {
    if (strstrt(xs, "\t".level(i, 1)."\t") == 0) { xs = xs.level(i, 1)."\t" }
    if (strstrt(ss, "\t".series_of(i)."\t") == 0) { ss = ss.series_of(i)."\t" }
}
place(list, text) = fields(list[1:strstrt(list, "\t".text."\t")]) - 1
n_x = fields(xs) - 2; n_s = fields(ss) - 2
eval canvas(1600, 1000)

# A factor in short: the end of its path, with its unit. "arms.patch and clonazepam.fentanyl.0.patch" is too long for a legend.
path_of(k) = attribute('design/'.factor(k), 'path') eq '' ? factor(k) : attribute('design/'.factor(k), 'path')
short(path) = strstrt(path, '.') == 0 || strlen(path) <= 34 ? path : short(path[strstrt(path, '.') + 1:*])
factor_unit(k) = attribute('design/'.factor(k), 'units')
with_unit(text, u) = u eq '' ? text : text.' '.pretty(u)
factor_axis(k) = short(path_of(k)).(factor_unit(k) eq '' ? ' [1]' : ' ['.pretty(factor_unit(k)).']')

metric_name(m) = attribute('metrics/'.m, 'long_name') eq '' ? m : attribute('metrics/'.m, 'long_name')
set print $M
print system(table('metrics/'.metric))
unset print
value = fields($M[1])
stats $M using (column(value)) skip 1 name 'M' nooutput
per_arm = (|$M| - 1)/n_arms

eval frame(attribute('/', 'title'), counted(n_subjects, 'subject').' in '.counted(n_arms, 'arm').'; boxes: middle half, whiskers: 90 %, line: median')
eval panel(140, n_s > 1 ? 1250 : 1570, 130, 850)
set label 905 metric_name(metric).' ['.unit('metrics/'.metric).']' at screen pixel_x(36),pixel_y(490) center rotate by 90 font font_axis
set xlabel factor_axis(1)
set xrange [0.4:n_x + 0.6]
set yrange [0:*]
set xtics (field(xs, 2) 1)
do for [i = 2:n_x] { set xtics add (field(xs, i + 1) i) }
set style boxplot fraction 0.90 nooutliers
set style data boxplot
set style fill solid 0.35 border
box = 0.8/n_s
spot(i) = place(xs, level(i, 1)) - 0.4 + box*(place(ss, series_of(i)) - 0.5)
first_of_series(i) = sum [j = 0:i] (series_of(j) eq series_of(i) ? 1 : 0)
set key at screen pixel_x(1275),pixel_y(130) left top Left reverse vertical title (n_s > 1 ? wrap(factor_axis(2), 20) : '') left font font_note
plot for [i = 0:n_arms - 1] $M every ::(1 + i*per_arm)::((i + 1)*per_arm) using (spot(i)):(column(value)):(box*0.85) lw 1 lc rgb colour(place(ss, series_of(i)) - 1) \
         title (n_s > 1 && first_of_series(i) == 1 ? with_unit(series_of(i), factor_unit(2)) : '')
