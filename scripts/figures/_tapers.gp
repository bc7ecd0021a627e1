# SPDX-License-Identifier: GPL-3.0-or-later
# What the figures of many tapers share: of every arm how long it tapers, how much it gives meanwhile, and how many of the
# cohort keep the bound. Loaded after common.gp, with `of` set; not a figure itself.
# A subject keeps the bound when its metric (the highest value, Cmax) is at most the bound. Variables bound, share (0.9) and
# certificate [d], where they aren't set: root attributes of a design's result, taper_bound, taper_share,
# taper_certificate_days; without them the bound is the threshold that the study asks for. Days count from day 0 of the taper
# where the file says when that was (taper_day_0, in h), else from the study's start. What an arm states as facts (its
# duration, of a crossover both drugs as the first) is taken from there.
# The metric: the output's highest values, whatever the study calls them: the first variable with metric Cmax of this output.
dotted = said(of, 'output')
is_peak(name) = attribute('metrics/'.name, 'metric') eq 'Cmax' && attribute('metrics/'.name, 'output') eq dotted
peak_in(lines) = strstrt(lines, "\nmetrics/") == 0 ? '' : peak_or_next(lines[strstrt(lines, "\nmetrics/") + 9:*])
peak_or_next(rest) = is_peak(first_field(line_of(rest)."\t")) ? first_field(line_of(rest)."\t") : peak_in("\n".after_line(rest))
after_line(s) = strstrt(s, "\n") == 0 ? '' : s[strstrt(s, "\n") + 1:*]
metric = peak_in(attributes[strstrt(attributes, "\nmetrics/"):*])
if (metric eq '') { print 'the file has no highest values (Cmax) of '.of; exit status 2 }
set print $F; asked = table(of.'_fraction_above --arm 0'); eval print_asked; unset print
if (!exists("bound")) { bound = attribute('/', 'taper_bound') eq '' ? threshold(field($F[1], 3)) + 0.0 : attribute('/', 'taper_bound') + 0.0 }
if (!exists("share")) { share = attribute('/', 'taper_share') eq '' ? 0.9 : attribute('/', 'taper_share') + 0.0 }
if (!exists("certificate")) { certificate = attribute('/', 'taper_certificate_days') eq '' ? -1 : attribute('/', 'taper_certificate_days') + 0.0 }

# Of a metric's values, those that aren't numbers left out: how many there are, the smallest that the wanted share stays at
# or below, and how many keep the bound.
counts_of(a) = system(export('metrics/'.metric.of_arm(a))." | awk -F'\\t' 'NR > 1 && $NF != \"NaN\" { print $NF }' | LC_ALL=C sort -g". \
    sprintf(" | awk '{ v[NR] = $1; if ($1 <= %.17g) k++ } END { w = %.17g*NR - 1e-9; c = int(w); if (c < w || c < 1) c++; print NR, (NR ? v[c] : \"NaN\"), k + 0 }'", bound, share))

# A design's bound that holds at any time (taper_statistic) is kept by those who are not above it at the worst moment.
at_once = attribute('/', 'taper_statistic') eq 'at_any_time'
worst_share(a) = real(system(table(of.'_fraction_above'.of_arm(a))." | awk -F'\\t' -v b=".sprintf("%g", bound)." -v from=".sprintf("%g", zero == zero ? zero : 0)." 'NR == 1 { c = 3; for (i = 3; i <= NF; i++) { n = split($i, w, \"_\"); if (w[n] == b) c = i } } NR > 1 && $2 >= from - 1e-6 && $c > m { m = $c } END { print m + 0 }'"))

# A column of /design, NaN where there is none.
load here.'_course.gp'
array said_days[n_arms]; array said_given[n_arms]
column_of_arms(name) = has(name) ? table(name) : 'echo'
set print $stated; asked = column_of_arms('design/duration'); eval print_asked; unset print
stated(p) = p + 1 > |$stated| ? NaN : real(field($stated[p + 1], 2))
do for [p = 1:n_arms] { said_days[p] = unit('design/duration') eq 'd' ? stated(p) : NaN }
set print $stated; asked = column_of_arms('design/'.mine.'_equivalent'); eval print_asked; unset print
do for [p = 1:n_arms] { said_given[p] = stated(p) }

any_differ = 0
array days[n_arms]; array taken[n_arms]; array highest[n_arms]; array kept[n_arms]; array counted_in[n_arms]
do for [p = 1:n_arms] {
    # Days from the first lower dose to the last one, and what is taken on them: medians where subjects differ.
    comes_to = taper_of(p - 1, mine, since)
    days[p] = said_days[p] == said_days[p] ? said_days[p] : real(word(comes_to, 1))
    taken[p] = said_given[p] == said_given[p] ? said_given[p] : real(word(comes_to, 2))
    any_differ = any_differ || real(word(comes_to, 4)) > 0
    list = counts_of(p - 1)
    n_values = int(word(list, 1)); counted_in[p] = n_values
    highest[p] = n_values > 0 ? real(word(list, 2)) : NaN
    kept[p] = at_once ? floor((1 - worst_share(p - 1))*n_values + 0.5) : int(word(list, 3))
}
# Whether an arm keeps the bound in as many subjects as wanted: a whole number of subjects.
keeps(p) = kept[p] >= ceil(share*counted_in[p] - 1e-9) && counted_in[p] > 0
is_designed(p) = arm_name(p - 1)[1:8] eq 'designed'
# An arm's name beside its row: in two lines where there is room for them, else one, without "designed, " (such rows
# are bold).
cut(text, n) = strlen(text) > n ? text[1:n - 1].'…' : text
short(text) = strstrt(text, 'designed, ') == 1 ? text[11:*] : text
row_name(p, n) = n_arms <= 12 ? wrap(arm_name(p - 1), n) : cut(short(arm_name(p - 1)), n)
row_lift(p, n) = n_arms > 12 || strlen(arm_name(p - 1)) <= n ? 0 : 0.45
