# SPDX-License-Identifier: GPL-3.0-or-later
# What is given of a drug day by day, from the table of doses (tab-separated, with its header) on standard input.
#   awk -f _days.awk -v drug=clonazepam [-v phase=8] [-v second=diazepam -v worth=0.05]
#   awk -f _days.awk -v drug=clonazepam -v subjects=1000 [-v phase=8] [-v begins=0] [-v also='diazepam lorazepam']
# The first prints a line per day: day, planned, taken; from the first dose to the day after the last, as one course
# whoever the doses belong to. A second drug counts as `worth` of the first.
# The second, with `subjects`, tells what a taper comes to in each of them (everybody's doses and the subject's own), in
# one line: the median of its days, the median of what is taken on them, 1 when plans differ, 1 when what is taken does.
# It begins with day `begins`, else with the first lower dose, and ends with the last dose of the drug or of one in `also`.
# phase: hour at which day 0 begins (0).
# An infusion is spread over the time it runs. A patch counts by its nominal rate while it is worn: what it holds is
# several times what reaches the skin. One whose strength is an amount (a tape) is spread over its wear. The table
# doesn't say which of the two a strength is: a rate where the patch holds what 20 h of it would bring, or more.
BEGIN { FS = OFS = "\t"; n_others = split(also, others, " "); for (i = 1; i <= n_others; i++) is_other[others[i]] = 1 }
NR == 1 { for (i = 1; i <= NF; i++) of[$i] = i; next }
$of["refused"] == "refused" { next }
$of["drug"] == drug { read(1) }
$of["drug"] == second && worth > 0 { read(worth) }
$of["drug"] in is_other { who = owner(); d = day_of($of["time"] - phase); if (d > last_other[who]) last_other[who] = d }
END { if (subjects) tell_taper(); else tell_days(0) }

function owner(   who)
{
    who = subjects ? $of["subject"] : 0
    if (who > 0 && !(who in seen)) { seen[who] = 1; subject[++n] = who }
    return who
}
function read(weight,   amount, strength, hours)
{
    amount = $of["amount"] + 0; strength = $of["strength"] + 0; hours = $of["duration"] + 0
    if (hours > 0 && $of["rate"] + 0 == 0 && strength > 0 && amount >= 20*strength) amount = strength*hours
    spread(owner(), $of["time"] - phase, hours, weight*amount, $of["refused"] == "given")
}
function day_of(t,   d) { d = int(t/24 + 1e-9); return d > t/24 + 1e-9 ? d - 1 : d }
function spread(who, t, hours, amount, is_taken,   d, from, to, share)
{
    for (d = day_of(t); d == day_of(t) || d*24 < t + hours - 1e-6; d++) {
        from = d*24 > t ? d*24 : t
        to = (d + 1)*24 < t + hours ? (d + 1)*24 : t + hours
        share = hours > 0 ? (to - from)/hours : 1
        planned[who, d] += amount*share
        taken[who, d] += is_taken*amount*share
        if (!some || d < first) first = d
        if (!some || d > last) last = d
        some = 1
    }
}
function tell_days(who,   d)
{
    for (d = first; some && d <= last + 1; d++)
        print d, sprintf("%.15g", planned[who, d]), sprintf("%.15g", taken[who, d])
}
# One subject's course; 0: somebody without doses of his own.
function tell_one(k, who,   d, p, before, from, end)
{
    from = begins == "" ? "" : begins + 0; before = ""; end = 0; given[k] = plan[k] = 0
    for (d = first; some && d <= last; d++) {
        p = planned[0, d] + (who > 0 ? planned[who, d] : 0)
        if (p > 0 && before == "") before = p
        if (from == "" && p > 0 && p < before - 1e-9) from = d
        plan[k] += (d + 1)*p
        if (from == "" || d < from) continue
        if (p > 0) end = d + 1
        given[k] += taken[0, d] + (who > 0 ? taken[who, d] : 0)
    }
    if (last_other[0] + 1 > end) end = last_other[0] + 1
    if (who > 0 && last_other[who] + 1 > end) end = last_other[who] + 1
    days[k] = from == "" || end < from ? 0 : end - from
}
function tell_taper(   k)
{
    for (k = 1; k <= n; k++) tell_one(k, subject[k])
    if (n < subjects) tell_one(++n, 0)
    for (k = 2; k <= n; k++) { # one without doses of his own stands for all such
        plans_differ = plans_differ || plan[k] != plan[1]
        takes_differ = takes_differ || given[k] != given[1] || plan[k] != plan[1]
    }
    print sprintf("%.15g", median(days)), sprintf("%.15g", median(given)), plans_differ + 0, takes_differ + 0
}
function median(value,   k, m, i, j, v, sorted)
{
    m = 0
    for (k = 1; k <= n; k++) sorted[++m] = value[k]
    while (m < subjects) sorted[++m] = value[n]
    sort(sorted, m)
    return m % 2 ? sorted[(m + 1)/2] : (sorted[m/2] + sorted[m/2 + 1])/2
}
# Shell's sort: a cohort, not a census.
function sort(value, m,   gap, i, j, v)
{
    for (gap = int(m/2); gap > 0; gap = int(gap/2))
        for (i = gap + 1; i <= m; i++) {
            v = value[i]
            for (j = i - gap; j > 0 && value[j] > v; j -= gap) value[j + gap] = value[j]
            value[j + gap] = v
        }
}
