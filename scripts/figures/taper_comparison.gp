# SPDX-License-Identifier: GPL-3.0-or-later
# Tapers side by side: a column per arm; what is taken per day, the concentration that follows, the withdrawal index.
# By hand: gnuplot -e "file='x.h5'" scripts/figures/taper_comparison.gp
# Variables: common.gp. of: the concentration (clonazepam_Cp). arm: one arm only; otherwise the first 8.
# index: the withdrawal index (of an interaction where there is one, else clonazepam_withdrawal_index). Where the second
# drug has one, too, it is a line of its own.
# second: another drug whose doses are shown, to a scale of their own (the first other one that is given; '' for none).
figure = 'taper_comparison'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (of eq '') { of = 'clonazepam_Cp' }
# Whose withdrawal indices there are. One that belongs to no drug counts several together: in a
# crossover only that one holds. Beside an index as `of` stands another one.
owners = system(export('attributes')." | cut -f1 | sed -n 's/_withdrawal_index_quantiles$//p' | sort -u")
main = given_drug(of)
if (!exists("index")) {
    index = main.'_withdrawal_index'
    do for [i = words(owners):1:-1] {
        owner = word(owners, i)
        if (!is_given(owner) || !has(index.'_quantiles') || index eq of) { index = owner.'_withdrawal_index' }
    }
}
# What several drugs come to together, where the index is of them all and the file has it.
both = index[1:strlen(index) - strlen('_withdrawal_index')].'_C_equivalent'
level = has(both.'_quantiles') ? both : of
if (!exists("second")) { second = words(given) < 2 ? '' : word(given, 1) eq main ? word(given, 2) : word(given, 1) }
# The second drug's own index stands beside the other as a line of its own.
beside = second.'_withdrawal_index'
two = second ne '' && beside ne index && has(beside.'_quantiles')
first = chosen < 0 ? 0 : chosen
n = chosen < 0 ? (n_arms < 8 ? n_arms : 8) : 1
eval canvas(1600, 1000)

# Common axes: the highest of all arms. One time scale: an arm's column ends when its doses and their traces have.
array end[n]
high_C = 0.0; high_W = 0.0; high_D = 0.0; high_S = 0.0; last_day = 0.0
array peak[n]; array peak_day[n]
do for [p = 1:n] {
    a = first + p - 1
    set print $C; asked = table(level.'_quantiles'.of_arm(a)); eval print_asked; unset print
    set print $W; asked = table(index.'_quantiles'.of_arm(a)); eval print_asked; unset print
    h = $C[1]
    stats $C using ($2/24):(column(high_column(h, 1))) skip 1 name 'S' nooutput
    high_C = S_max_y > high_C ? S_max_y : high_C
    last_day = S_max_x > last_day ? S_max_x : last_day
    stats $W using ($2/24):(column(high_column(h, 1))) skip 1 name 'S' nooutput
    high_W = S_max_y > high_W ? S_max_y : high_W
    stats $W using ($2/24):(column(median_column(h))) skip 1 name 'S' nooutput
    peak[p] = S_max_y; peak_day[p] = S_pos_max_y; end[p] = 0.0
    if (two) {
        set print $V; asked = table(beside.'_quantiles'.of_arm(a)); eval print_asked; unset print
        stats $V using ($2/24):(column(median_column($V[1]))) skip 1 name 'S' nooutput
        high_W = S_max_y > high_W ? S_max_y : high_W
    }
}
n_differ = 0
do for [p = 1:n] {
    eval sprintf("set print $daily%d", p); print days_of(first + p - 1, main, ''); unset print
    eval sprintf("set print $other%d", p); print days_of(first + p - 1, second, ''); unset print
    n_differ = n_differ + (real(word(taper_of(first + p - 1, main, ''), 4)) > 0 ? 1 : 0)
    eval sprintf("stats $other%d using 3 name 'O' nooutput; stats $other%d using ($3 > 0 ? $1 + 0.5 : 0) name 'P' nooutput", p, p)
    high_S = O_max > high_S ? O_max : high_S
    eval sprintf("stats $daily%d using 3 name 'S' nooutput", p)
    eval sprintf("stats $daily%d using ($3 > 0 ? $1 + 0.5 : 0) name 'E' nooutput", p)
    high_D = S_max > high_D ? S_max : high_D
    set print $C; asked = table(level.'_quantiles'.of_arm(first + p - 1)); eval print_asked; unset print
    set print $W; asked = table(index.'_quantiles'.of_arm(first + p - 1)); eval print_asked; unset print
    stats $C using (column(high_column(h, 1)) > 0.02*high_C ? $2/24 : 0) skip 1 name 'C' nooutput
    stats $W using (column(high_column(h, 1)) > 0.02*high_W ? $2/24 : 0) skip 1 name 'W' nooutput
    end[p] = E_max > C_max ? E_max : C_max
    end[p] = P_max > end[p] ? P_max : end[p]
    end[p] = W_max > end[p] ? W_max : end[p]
    end[p] = end[p]*1.03 < last_day ? end[p]*1.03 : last_day
    least = (n > 4 ? 0.2 : 0.4)*last_day # room for the name above
    end[p] = end[p] < least ? least : end[p]
}
if (high_C <= 0) { high_C = 1.0 }
if (high_W <= 0) { high_W = 1.0 }
if (high_D <= 0) { high_D = 1.0 }
dose_unit = unit('doses/amount').'/d'

set multiplot
eval frame(attribute('/', 'title'), 'medians and ribbons of '.counted(n_subjects, 'subject').'; in numbers: highest median index and its day'.(high_S > 0 ? sprintf("; %s in orange%s, up to %g %s", second, two ? ', its index too' : '', high_S, dose_unit) : '').(grade(index) eq '' ? '' : '; '.plain_name(index).grade(index)).differing(n_differ).(n < n_arms && chosen < 0 ? sprintf('; the first %d of %d arms', n, n_arms) : ''))
left = 140; gap = n > 4 ? 16 : 30
per_day = (1570.0 - left - (n - 1)*gap)/(sum [p = 1:n] end[p])
set label 911 "dose\n[".dose_unit.']' at screen pixel_x(26),pixel_y(265) center rotate by 90 font font_note
set label 912 wrap(axis(level), 24) at screen pixel_x(26),pixel_y(460) center rotate by 90 font (strlen(axis(level)) > 40 ? font_small : font_note)
set label 913 wrap(axis(index), 28) at screen pixel_x(26),pixel_y(740) center rotate by 90 font font_note
set label 914 'time [d]' at screen pixel_x((left + 1570)/2.0),pixel_y(945) center font font_axis
r = left - gap
unset key
do for [p = 1:n] {
    a = first + p - 1
    l = r + gap; r = l + per_day*end[p]
    set xrange [0:end[p]]
    tic = step_for(last_day, per_day*last_day/60)
    set xtics 0,tic,end[p] - 20/per_day
    set print $C; asked = table(level.'_quantiles'.of_arm(a)); eval print_asked; unset print
    set print $W; asked = table(index.'_quantiles'.of_arm(a)); eval print_asked; unset print
    h = $C[1]; m = median_column(h); m_beside = m
    set print $V; asked = table((two ? beside : index).'_quantiles'.of_arm(a)); eval print_asked; unset print
    m_beside = median_column($V[1])
    set format y (p == 1 ? '%g' : '')
    set format x ''

    eval panel(l, r, 200, 325)
    set label 1 wrap(arm_name(a), int((r - l)/12)) at screen pixel_x(l),pixel_y(130) left font bold(15) tc rgb black
    set yrange [0:high_D*1.1]; set ytics step_for(high_D, 3)
    set style fill solid 1.0 noborder
    share = high_S > 0 ? high_D/high_S : 0.0
    eval sprintf("plot $daily%d using ($1 + 0.5):3:(1.04) with boxes fc rgb '%s', $other%d using 1:(share*$3) with steps lw 1.3 lc rgb '%s'", p, grey, p, orange)
    eval no_frame
    unset label 911; unset label 912; unset label 913; unset label 914; unset label 1

    eval panel(l, r, 350, 580)
    set yrange [0:high_C*1.05]; set ytics step_for(high_C, 5)
    plot for [k = 1:pairs(h)] $C using ($2/24):(column(low_column(h, k))):(column(high_column(h, k))) skip 1 with filledcurves fc rgb (k == 1 ? faint(blue) : soft(blue)), \
         $C using ($2/24):(column(m)) skip 1 with lines lw 1.3 lc rgb blue

    eval panel(l, r, 605, 870)
    set format x '%g'
    set yrange [0:high_W*1.3]; set ytics step_for(high_W, 6)
    set label 1 (peak[p] < 0.05 ? '' : sprintf("%.1f\nday %.0f", peak[p], peak_day[p])) at graph 1,1 offset 0,-0.5 right front font font_small tc rgb vermillion
    plot for [k = 1:pairs(h)] $W using ($2/24):(column(low_column(h, k))):(column(high_column(h, k))) skip 1 with filledcurves fc rgb (k == 1 ? faint(vermillion) : soft(vermillion)), \
         $W using ($2/24):(column(m)) skip 1 with lines lw 1.3 lc rgb vermillion, \
         $V using (two ? $2/24 : NaN):(column(m_beside)) skip 1 with lines lw 1.3 lc rgb orange
    unset label 1
}
unset multiplot
