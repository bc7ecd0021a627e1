# SPDX-License-Identifier: GPL-3.0-or-later
# What a sweep found: a metric against the first factor, one colour per level of the others and arm of the study. Boxes
# hold the middle half of the cohort, whiskers 90 %. By hand: gnuplot -e "file='x.h5'; metric='clonazepam_Cp_Cmax'" scripts/figures/sweep.gp
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
asked = table('design'); eval print_asked
unset print
# Columns of the design that a sweep made: facts that arms state are none.
said_path(c) = attribute('design/'.field($D[1], c), 'path')
columns = ''
do for [c = 2:fields($D[1])] { if (said_path(c)[1:6] ne 'facts.') { columns = columns.sprintf('%d ', c) } }
n_factors = words(columns)
if (n_factors == 0) { print 'the file has no factor of a sweep'; exit status 2 }
factor(k) = field($D[1], int(word(columns, k)))
level(i, k) = field($D[2 + i], int(word(columns, k)))

# A factor in short: the end of its path, with its unit. "arms.patch and clonazepam.fentanyl.0.patch" is too long for a legend.
path_of(k) = attribute('design/'.factor(k), 'path') eq '' ? factor(k) : attribute('design/'.factor(k), 'path')
short(path) = strstrt(path, '.') == 0 || strlen(path) <= 34 ? path : short(path[strstrt(path, '.') + 1:*])
factor_unit(k) = attribute('design/'.factor(k), 'units')
with_unit(text, u) = u eq '' || u eq '1' ? text : text.' '.pretty(u)
factor_axis(k) = short(path_of(k)).(attribute('design/'.factor(k), 'flag_meanings') ne '' ? '' : factor_unit(k) eq '' ? ' [1]' : ' ['.pretty(factor_unit(k)).']')
comma(text) = text eq '' ? '' : ', '

# What stands side by side at a level of the first factor: the levels of the others, and the study's own arms where
# several have the same levels. An arm's name ends in its levels: "patch and tablets, TVCL=2 L/h".
levels(i, k) = k > n_factors ? '' : level(i, k)."\t".levels(i, k + 1)
several = 0
do for [i = 1:n_arms - 1] { do for [j = 0:i - 1] { if (levels(i, 1) eq levels(j, 1)) { several = 1 } } }
piece(s) = s[1:strstrt(s.', ', ', ') - 1]
own_name(s) = strstrt(s, ', ') == 0 ? s : strstrt(piece(s[strstrt(s, ', ') + 2:*]), '=') > 0 ? piece(s) : piece(s).', '.own_name(s[strstrt(s, ', ') + 2:*])
level_texts(i, k) = k > n_factors ? '' : with_unit(level(i, k), factor_unit(k)).comma(levels(i, k + 1)).level_texts(i, k + 1)
series_of(i) = (several ? own_name(arm_name(i)).comma(levels(i, 2)) : '').level_texts(i, 2)
axes(k) = k > n_factors ? '' : factor_axis(k).comma(levels(0, k + 1)).axes(k + 1)
# The distinct levels, in order of appearance.
xs = "\t"; ss = "\t"
do for [i = 0:n_arms - 1] {
    if (strstrt(xs, "\t".level(i, 1)."\t") == 0) { xs = xs.level(i, 1)."\t" }
    if (strstrt(ss, "\t".series_of(i)."\t") == 0) { ss = ss.series_of(i)."\t" }
}
place(list, text) = fields(list[1:strstrt(list, "\t".text."\t")]) - 1
n_x = fields(xs) - 2; n_s = fields(ss) - 2
eval canvas(1600, 1000)

metric_name(m) = attribute('metrics/'.m, 'long_name') eq '' ? m : attribute('metrics/'.m, 'long_name')
set print $M
asked = table('metrics/'.metric); eval print_asked
unset print
value = fields($M[1])
per_arm = (|$M| - 1)/n_arms
# Fewer than five values are no box; an arm without any is left out.
boxes = ''; dots = ''
do for [i = 0:n_arms - 1] {
    n_values = 0
    do for [j = 1:(per_arm < 5 ? per_arm : 0)] { n_values = n_values + (field($M[1 + i*per_arm + j], value) ne 'NaN') }
    if (per_arm >= 5) { stats $M every ::(1 + i*per_arm)::((i + 1)*per_arm) using (valid(value) ? 1 : 0) name 'N' nooutput; n_values = int(N_sum) }
    if (n_values >= 5) { boxes = boxes.sprintf('%d ', i) } else { if (n_values > 0) { dots = dots.sprintf('%d ', i) } }
}
if (boxes eq '' && dots eq '') { print metric.' has no value in any arm'; exit status 2 }

eval frame(attribute('/', 'title'), counted(n_subjects, 'subject').' in '.counted(n_arms, 'arm').(boxes eq '' ? '' : '; boxes: middle half, whiskers: 90 %, line: median').(dots eq '' ? '' : '; points: single subjects'))
letters = 0 # of the longest line of the legend
do for [i = 0:n_arms - 1] { letters = strlen(series_of(i)) > letters ? strlen(series_of(i)) : letters }
do for [i = 1:words(axes(2))] { letters = strlen(word(axes(2), i)) > letters + 4 ? strlen(word(axes(2), i)) - 4 : letters }
right = n_s < 2 ? 1570 : letters < 22 ? 1250 : letters > 60 ? 850 : 1470 - 10*letters
eval panel(140, right, 130, 850)
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
set key at screen pixel_x(right + 25),pixel_y(130) left top Left reverse vertical title (n_s > 1 ? wrap((several ? 'arm'.comma(axes(2)) : '').axes(2), letters < 20 ? 20 : letters) : '') left font font_note
in_legend(i) = n_s > 1 && first_of_series(i) == 1 ? series_of(i) : ''
# An empty list is read once all the same.
boxed(n) = n > words(boxes) ? 0 : int(word(boxes, n)); dotted(n) = n > words(dots) ? 0 : int(word(dots, n))
plot for [n = 1:words(boxes)] $M every ::(1 + boxed(n)*per_arm)::((boxed(n) + 1)*per_arm) using (spot(boxed(n))):(column(value)):(box*0.85) \
         lw 1 lc rgb colour(place(ss, series_of(boxed(n))) - 1) title in_legend(boxed(n)), \
     for [n = 1:words(dots)] $M every ::(1 + dotted(n)*per_arm)::((dotted(n) + 1)*per_arm) using (spot(dotted(n))):(column(value)) \
         with points pt 7 ps 1.6 lc rgb colour(place(ss, series_of(dotted(n))) - 1) title in_legend(dotted(n))
