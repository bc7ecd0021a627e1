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
eval canvas(1600, 216 + 28*((n + 1)/2) + 210*n_panels)
head = 122 + 28*((n + 1)/2)
unset key

# The arms' names in their colours, two to a line.
size = 18
do for [i = 1:n] {
    name_of_arm = '— '.arm_name(int(word(drawn, i))).(i == 1 ? ' (ribbons)' : '')
    if (int(720/(0.85*strlen(name_of_arm))) < size) { size = int(720/(0.85*strlen(name_of_arm))) }
}
font_arm = bold(size)
do for [i = 1:n] {
    name_of_arm = '— '.arm_name(int(word(drawn, i))).(i == 1 ? ' (ribbons)' : '')
    set label 910 + i name_of_arm at screen pixel_x(110 + 740*((i - 1) % 2)),pixel_y(116 + 28*((i - 1)/2)) left font font_arm tc rgb colour(i - 1)
}

set multiplot
set print $T; asked = table(upper.'_quantiles'.of_arm(main)); eval print_asked; unset print
h = $T[1]
about = pairs(h) == 0 ? '' : ' and ribbons ('.ribbon_name(h, 1).(pairs(h) > 1 ? ', '.ribbon_name(h, 2) : '').')'
eval frame(attribute('/', 'title'), 'medians'.about.' of '.counted(n_subjects, 'subject').(n < n_arms && chosen < 0 ? sprintf('; the first %d of %d arms', n, n_arms) : ''))
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
    do for [i = 1:n] { asked = table(quantity.of_arm(int(word(drawn, i)))); eval print_asked }
    unset print
    h = $T[1]; last = |$T|/n
    set label 1 (is_share ? 'subjects with '.named(name).' above '.threshold(field(h, 3)).' [%]' : axis(name)).grade(name) \
        at graph 0,1 offset (dumb ? 1 : 0),(dumb ? 1 : 0.8) left font font_panel tc rgb black
    set yrange [0:*]
    if (is_share) {
        stats $T using (100*column(3)) skip 1 name 'F' nooutput
        tic = F_max > 40 ? 25 : F_max > 8 ? 10 : 2
        set yrange [0:(F_max > 40 ? 100 : F_max > 8 ? 40 : 10)]
    } else {
        stats $T using (column($0 < last - 1 ? high_column(h, 1) : median_column(h))) skip 1 name 'F' nooutput
        tic = step_for(F_max, 4)
    }
    set ytics tic
    m = is_share ? 3 : median_column(h)
    factor = is_share ? 100.0 : 1.0
    lines = ''
    do for [i = n:1:-1] {
        lines = lines.sprintf(", $T every ::%d::%d using ($2/24):(factor*column(m)) with lines lw %g lc rgb '%s'", \
            (i - 1)*last + 1, i*last - 1, i == 1 ? 1.6 : 1.2, colour(i - 1))
    }
    eval "plot for [k = 1:(is_share ? 0 : pairs(h))] $T every ::1::(last - 1) using ($2/24):(column(low_column(h, k))):(column(high_column(h, k))) with filledcurves fc rgb (k == 1 ? faint(blue) : soft(blue))".lines
    eval no_frame
    do for [i = 1:n] { unset label 910 + i }
    unset label 1
}
unset multiplot
