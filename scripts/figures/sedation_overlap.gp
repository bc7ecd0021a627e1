# SPDX-License-Identifier: GPL-3.0-or-later
# Both drugs at their effect sites, the sedation index and the share of the cohort at risk, above one another on one time
# axis. The first arm (or the one chosen) has ribbons, up to three others are lines: their medians.
# By hand: gnuplot -e "file='x.h5'" scripts/figures/sedation_overlap.gp
# Variables: common.gp. arm: the one with ribbons, alone.
# upper, lower, sedation, hypoxaemia: the variables (clonazepam_Ce, fentanyl_Ce, overlap_sedation, overlap_P_hyp).
# The shares are those above each variable's first stored threshold.
figure = 'sedation_overlap'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (!exists("upper")) { upper = 'clonazepam_Ce' }
if (!exists("lower")) { lower = 'fentanyl_Ce' }
if (!exists("sedation")) { sedation = 'overlap_sedation' }
if (!exists("hypoxaemia")) { hypoxaemia = 'overlap_P_hyp' }
variables = upper.' '.lower.' '.sedation
shares = (has(sedation.'_fraction_above') ? sedation.' ' : '').(has(hypoxaemia.'_fraction_above') ? hypoxaemia : '')

main = chosen < 0 ? 0 : chosen
drawn = sprintf("%d", main)
do for [a = 0:n_arms - 1] { if (chosen < 0 && a > 0 && words(drawn) < 4) { drawn = drawn.sprintf(" %d", a) } }
n = words(drawn)
n_panels = 3 + words(shares)
eval canvas(1600, 244 + 210*n_panels)
head = 150
set key at screen pixel_x(1570),pixel_y(head - 4) right bottom horizontal maxrows 1 width -4

set multiplot
others = n > 1 ? '; ribbons: '.arm_name(main) : n_arms > 1 ? '; arm: '.arm_name(main) : ''
eval frame(attribute('/', 'title'), 'medians of '.counted(n_subjects, 'subject').others)
do for [p = 1:n_panels] {
    above = head + (p - 1)*210 + 36; below = above + 150
    eval panel(110, 1570, above, below)
    set format x (p == n_panels ? '%g' : '')
    set xlabel (p == n_panels ? 'time [d]' : '')
    set xrange [0:*] noextend
    is_share = p > 3
    name = is_share ? word(shares, p - 3) : word(variables, p)
    quantity = name.(is_share ? '_fraction_above' : '_quantiles')
    set print $T
    do for [i = 1:n] { print system(table(quantity.of_arm(int(word(drawn, i))))) }
    unset print
    h = $T[1]; last = |$T|/n
    set label 1 (is_share ? 'subjects with '.named(name).' above '.threshold(field(h, 3)).' [%]' : axis(name)).grade(name) \
        at graph 0,1 offset 0,0.8 left font font_panel tc rgb black
    set yrange [0:*]
    if (is_share) { stats $T using (100*column(3)) skip 1 name 'F' nooutput; set yrange [0:(F_max > 40 ? 100 : F_max > 8 ? 40 : 10)]; tic = F_max > 40 ? 25 : F_max > 8 ? 10 : 2; set ytics tic }
    set ytics autofreq
    if (!is_share) { stats $T using (column(high_column(h, 1))) every ::1::(last - 1) name 'F' nooutput; set ytics step_for(F_max, 4) }
    m = is_share ? 3 : median_column(h)
    factor = is_share ? 100.0 : 1.0
    lines = ''
    do for [i = n:1:-1] {
        lines = lines.sprintf(", $T every ::%d::%d using ($2/24):(factor*column(m)) with lines lw %g lc rgb '%s' title '%s'", \
            (i - 1)*last + 1, i*last - 1, i == 1 ? 1.6 : 1.2, colour(i - 1), p == 1 && n > 1 ? gp_quoted(arm_name(int(word(drawn, i)))) : '')
    }
    eval "plot for [k = 1:(is_share ? 0 : pairs(h))] $T every ::1::(last - 1) using ($2/24):(column(low_column(h, k))):(column(high_column(h, k))) with filledcurves fc rgb (k == 1 ? faint(blue) : soft(blue)) title (p == 1 ? ribbon_name(h, k) : '')".lines
    eval no_frame
    unset label 1
}
unset multiplot
