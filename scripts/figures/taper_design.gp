# SPDX-License-Identifier: GPL-3.0-or-later
# One taper in full: what is taken per day, with its levels; the index that follows, as median and ribbons of the cohort
# with the bound; the share of the cohort above the bound. By hand: gnuplot -e "file='x.h5'" scripts/figures/taper_design.gp
# Variables: common.gp. of: the index (clonazepam_withdrawal_index), with a threshold asked for in the study: the bound.
# arm: which one (the one called 'designed', else the first). bound, share, certificate [d]: the file's root attributes
# taper_bound, taper_share, taper_certificate_days, where it has them: no taper of these products can be shorter.
figure = 'taper_design'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (of eq '') { of = 'clonazepam_withdrawal_index' }
shown = chosen
do for [i = n_arms - 1:0:-1] { if (chosen < 0 && arm_name(i)[1:8] eq 'designed') { shown = i } }
if (shown < 0) { shown = 0 }
eval canvas(1600, 1000)

set print $W; asked = table(of.'_quantiles'.of_arm(shown)); eval print_asked; unset print
set print $F; asked = table(of.'_fraction_above'.of_arm(shown)); eval print_asked; unset print
h = $W[1]; m = median_column(h)
if (!exists("bound")) { bound = attribute('/', 'taper_bound') eq '' ? threshold(field($F[1], 3)) + 0.0 : attribute('/', 'taper_bound') + 0.0 }
if (!exists("share")) { share = attribute('/', 'taper_share') eq '' ? 0 : attribute('/', 'taper_share') + 0.0 }
if (!exists("certificate")) { certificate = attribute('/', 'taper_certificate_days') eq '' ? -1 : attribute('/', 'taper_certificate_days') + 0.0 }

# The dose of a day: all that is planned within it, and zero on the others.
load here.'_course.gp'
# Of a crossover the drug that takes over counts as what it is worth of the first.
second = attribute('/', 'taper_second'); worth = 0.0
set print $stated; print second ne '' && has('design/'.second.'_worth') ? system(table('design/'.second.'_worth'.of_arm(shown))) : ' '; unset print
if (|$stated| > 1) { worth = real(field($stated[2], 2)) == real(field($stated[2], 2)) ? real(field($stated[2], 2)) : 0.0 }
set print $daily; print days_of(shown, mine, sprintf('-v phase=%.15g -v second=%s -v worth=%.15g', phase, shell_quote(second), worth)); unset print
stats $W using ($2/24):(column(high_column(h, 1))) skip 1 name 'W' nooutput
last_day = W_max_x; high_W = W_max_y > bound ? W_max_y : bound
n_daily = 0; array at[4000]; array of_day[4000]
do for [i = 1:|$daily|] {
    if (n_daily < 3998 && real(word($daily[i], 2)) > 0) { n_daily = n_daily + 1; at[n_daily] = int(real(word($daily[i], 1))) + phase/24; of_day[n_daily] = real(word($daily[i], 2)) }
}
if (n_daily > 1 && at[1] < 0) { at[1] = 0; of_day[1] = of_day[2] } # began before the study did
high_D = 0.0
do for [i = 1:n_daily] { high_D = of_day[i] > high_D ? of_day[i] : high_D }
if (high_D <= 0) { high_D = 1.0 }
# Corners of the staircase: a level holds until another dose is taken, days left out are nothing.
set print $stairs
now = -1.0; level_day = 0; before = -2; n_levels = 0; array label_day[400]; array label_dose[400]; array label_end[400]
do for [i = 1:n_daily] {
    if (before > -2 && at[i] > before + 1 + 1e-9 && now > 0) { print sprintf("%.9g\t%.9g", before + 1, now); print sprintf("%.9g\t0", before + 1); now = 0.0 }
    if (abs(of_day[i] - now) > 1e-9) {
        print sprintf("%.9g\t%.9g", at[i], now < 0 ? 0 : now)
        print sprintf("%.9g\t%.9g", at[i], of_day[i])
        now = of_day[i]
        if (n_levels < 400) { n_levels = n_levels + 1; label_day[n_levels] = at[i]; label_dose[n_levels] = now }
    }
    label_end[n_levels < 1 ? 1 : n_levels] = at[i] + 1
    before = at[i]
}
last_dose = n_daily > 0 ? before + 1 : 0
print sprintf("%.9g\t%.9g", last_dose, now < 0 ? 0 : now)
print sprintf("%.9g\t0", last_dose)
unset print

# Where the taper begins (the first lower dose) and how long it is.
begins = last_dose
do for [i = n_levels:2:-1] { if (label_dose[i] < label_dose[1] - 1e-9) { begins = label_day[i] } }
if (zero == zero) { begins = zero/24 < last_dose ? zero/24 : last_dose }
comes_to = taper_of(shown, mine, since)
duration = real(word(comes_to, 1))
set print $stated; print has('design/duration') ? system(table('design/duration'.of_arm(shown))) : ' '; unset print
if (|$stated| > 1 && unit('design/duration') eq 'd') { duration = real(field($stated[2], 2)) == real(field($stated[2], 2)) ? real(field($stated[2], 2)) : duration }

stats $W using (column(high_column(h, 1)) > 0.03*high_W ? $2/24 : 0) skip 1 name 'E' nooutput
end_day = (E_max > last_dose ? E_max : last_dose)*1.02
end_day = end_day > last_day ? last_day : end_day
if (end_day <= 0) { end_day = 1 }

stats $F using 3 skip 1 name 'F' nooutput
set multiplot
eval frame(attribute('/', 'title'), arm_name(shown).': '.counted(duration, 'day').' below the first dose'.(real(word(comes_to, 3)) > 0 ? ' (median; drawn: subject 1)' : '').(others eq '' ? '' : ', '.others.'not drawn').'; '.counted(n_subjects, 'subject').', at most '.sprintf("%.1f", 100*F_max).' % at a time above '.sprintf("%g", bound).(grade(of) eq '' ? '' : '; '.plain_name(of).grade(of)))
l = 150; r = 1430
set xrange [0:end_day]
set xtics 0,step_for(end_day, 12)
set format x ''
set style fill solid 1.0 noborder

# What is taken.
eval panel(l, r, 125, 340)
set yrange [0:high_D*1.22]; set ytics step_for(high_D, 4)
set label 911 (worth > 0 ? 'as ' : '').mine."\n[".unit('doses/amount').'/d]' at screen pixel_x(40),pixel_y(232) center rotate by 90 font font_note
per_day = (r - l)/end_day
shown_dose(k) = sprintf("%.4g", label_dose[k])
do for [k = 1:n_levels] {
    if ((label_end[k] - label_day[k])*per_day > 11*strlen(shown_dose(k)) && label_dose[k] > 0) {
        set label 2000 + k shown_dose(k) at (label_day[k] + label_end[k])/2.0,label_dose[k] center offset 0,0.6 font font_small tc rgb '#333333'
    }
}
if (begins < last_dose) { set arrow 1 from begins,graph 0 to begins,graph 1 nohead lw 1 dt 3 lc rgb grey }
if (certificate >= 0 && worth == 0) { # it speaks of tapers of the first drug's products
    set arrow 2 from begins + certificate,graph 0 to begins + certificate,graph 1 nohead lw 1.5 dt 2 lc rgb black
    set label 2 sprintf("none is shorter than %g d", certificate) at begins + certificate,graph 0.95 right offset -0.6,0 font font_small tc rgb black
}
plot $stairs using 1:2 with filledcurves y=0 fc rgb pale notitle, $stairs using 1:2 with lines lw 1.6 lc rgb '#333333' notitle
eval no_frame
do for [k = 1:n_levels] { unset label 2000 + k }
unset label 911; unset label 2; unset arrow 2

# What follows.
eval panel(l, r, 370, 690)
set yrange [0:high_W*1.06]; set ytics step_for(high_W, 6)
set label 911 wrap(axis(of), 30) at screen pixel_x(40),pixel_y(530) center rotate by 90 font font_note
set label 3 sprintf("bound %g", bound) at graph 1,first bound left offset 0.8,0 font font_small tc rgb black
set arrow 3 from 0,bound to end_day,bound nohead front lw 1.4 dt 2 lc rgb black
n_pairs = pairs(h)
height = bound/(1.06*high_W) # of the bound's name; the legend stands above it where there is room, else below
set key at graph 1.005,(height < 0.92 - 0.085*(n_pairs + 1) ? 1 : height - 0.04) left top reverse Left samplen 1.2 font font_small
shade(k) = k == 1 ? faint(vermillion) : k == 2 ? soft(vermillion) : tint(vermillion, 0.65)
plot for [k = 1:n_pairs] $W using ($2/24):(column(low_column(h, k))):(column(high_column(h, k))) skip 1 with filledcurves fc rgb shade(k) title ribbon_name(h, k), \
     $W using ($2/24):(column(m)) skip 1 with lines lw 1.4 lc rgb vermillion title 'median'
unset key; unset label 911; unset label 3; unset arrow 3

# Who is above it.
eval panel(l, r, 720, 880)
set format x '%g'
top = 100*F_max > 100*(1 - share)*(share > 0) ? 100*F_max : 100*(1 - share)
top = top < 1 ? 1 : top
set yrange [0:top*1.15]; set ytics step_for(top, 3)
set label 911 "above ".sprintf("%g", bound)."\n[% of subjects]" at screen pixel_x(40),pixel_y(800) center rotate by 90 font font_note
if (share > 0) {
    set arrow 3 from 0,100*(1 - share) to end_day,100*(1 - share) nohead front lw 1.4 dt 2 lc rgb black
    set label 3 sprintf("%g %%", 100*(1 - share)) at graph 1,first 100*(1 - share) left offset 0.8,0 font font_small tc rgb black
}
set label 912 'time [d]' at screen pixel_x((l + r)/2.0),pixel_y(948) center font font_axis
plot $F using ($2/24):(100*column(3)) skip 1 with filledcurves y=0 fc rgb soft(blue) notitle, \
     $F using ($2/24):(100*column(3)) skip 1 with lines lw 1.2 lc rgb blue notitle
unset multiplot
