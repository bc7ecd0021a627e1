# SPDX-License-Identifier: GPL-3.0-or-later
# The records of a data set, individual by individual: what was observed, what the model says, and the doses as ticks at
# the upper edge. By hand: gnuplot -e "file='x.h5'" scripts/figures/records.gp
# Variables: common.gp. subject: only this individual, counted from 1 (0: the first dozen). people: how many (12).
# of: a column of the records that is drawn in the place of IPRED, without observations. dv_factor: from the unit of the
# observations to that of IPRED (1 where both are the same or none is known, else 0: observations are left out).
figure = 'records'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (!exists("subject")) { subject = 0 }
if (!exists("people")) { people = 12 }
a = chosen < 0 ? 0 : chosen
first = subject > 0 ? subject : 1
n = subject > 0 ? 1 : people < n_subjects ? people : n_subjects
drawn = of eq '' ? 'IPRED' : of
dv_unit = attribute('records/DV_observed', 'units')
same_unit = dv_unit eq attribute('records/IPRED', 'units') || dv_unit eq '' || dv_unit eq '1'
if (!exists("dv_factor")) { dv_factor = same_unit ? 1.0 : 0.0 }
observed = of eq '' && has('records/DV_observed') && dv_factor > 0

# ---- Reading. awk makes of each individual's table: number, kind (EVID; 9 for a dose, the additional ones included, at
# most 2000 of a series), TIME, CMT, DV, prediction; a blank line, which breaks the line that is drawn, at every reset.
known(name) = has('records/'.name) ? ' '.name : ''
columns = 'EVID'.known('CMT').known('ADDL').known('II').known('MDV').(observed ? ' DV_observed' : '').' '.shell_quote(drawn)
program = 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } '. \
    '{ e = $c["EVID"]; cmt = ("CMT" in c) ? $c["CMT"] : 0; n = 0; '. \
    'seen = ("DV_observed" in c) && e == 0 && !(("MDV" in c) && $c["MDV"] == 1); '. \
    'if (e == 3 || e == 4) print ""; '. \
    'if (("ADDL" in c) && ("II" in c) && $c["ADDL"] != "NaN" && $c["II"] != "NaN" && $c["ADDL"] > 0) n = $c["ADDL"]; '. \
    'if (n > 2000) n = 2000; '. \
    'if (e == 1 || e == 4) for (i = 0; i <= n; i++) print k, 9, $c["TIME"] + (i ? i*$c["II"] : 0), 0, "NaN", "NaN"; '. \
    'print k, e, $c["TIME"], cmt, seen ? $c["DV_observed"] : "NaN", $c[drawn] }'
rows_of(k) = table(columns.of_arm(a).sprintf(' --subject %d', k)).sprintf(" | awk -F '\t' -v OFS='\t' -v k=%d -v drawn=%s '%s'", k, shell_quote(drawn), program)
set print $R
do for [k = first:first + n - 1] { print system(rows_of(k)); print '' }
unset print
set print $S
asked = table('subjects'.of_arm(a).(subject > 0 ? sprintf(' --subject %d', subject) : sprintf(' | head -n %d', n + 1))); eval print_asked
unset print
said_of(k, name) = field($S[2 + k - first], column_of($S[1], name))
went_wrong(k) = said_of(k, 'status') eq 'good' ? '' : ': '.said_of(k, 'status')

# ---- Which rows are which: predictions at observations and other events (EVID 0 and 2), observations, doses.
is_row(kind) = kind == 0 || kind == 2
stats $R using (is_row($2) ? $4 : NaN) name 'K' nooutput # where there is nothing, stats takes its variables away
if (!exists("K_records")) { K_min = 0; K_max = 0 }
low_c = int(K_min); high_c = int(K_max)
array shown[high_c - low_c + 1]
n_shown = 0
do for [i = low_c:high_c] {
    stats $R using ($2 == 0 && $4 == i ? 1 : 0) name 'N' nooutput
    shown[i - low_c + 1] = N_sum > 0 ? 1 : 0
    n_shown = n_shown + shown[i - low_c + 1]
}
one = n_shown < 2   # one quantity alone: rows that name another compartment (EVID 2) belong to the same line
belongs(kind, c, i) = is_row(kind) && (one || c == i)
DV(y) = dv_factor*y

eval canvas(1600, 1000)
low_y = 1e300; high_y = -1e300; least = 1e300
do for [column_y = 5:6] {
    stats $R using (is_row($2) ? (column_y == 5 ? DV(column(5)) : column(6)) : NaN) name 'Y' nooutput
    if (exists("Y_records")) {
        low_y = Y_min < low_y ? Y_min : low_y; high_y = Y_max > high_y ? Y_max : high_y
        stats $R using (is_row($2) && column(column_y) > 0 ? (column_y == 5 ? DV(column(5)) : column(6)) : NaN) name 'Z' nooutput
        if (exists("Z_records")) { least = Z_min < least ? Z_min : least }
    }
}
stats $R using (is_row($2) || $2 == 9 ? $3 : NaN) name 'X' nooutput
if (exists("K_records")) { stats $R using (is_row($2) ? $3 : NaN) name 'X' nooutput }
low_x = X_min; high_x = X_max > X_min ? X_max : X_min + 1
stats $R using ($2 == 9 && $3 <= high_x ? $3 : NaN) name 'D' nooutput
n_doses = exists("D_records") ? D_records : 0
if (n_doses > 0 && D_min < low_x) { low_x = D_min }
per = high_x - low_x > 336 ? 24.0 : 1.0
if (high_y < low_y) { low_y = 0; high_y = 1; least = 0.1 }
if (least > high_y) { least = high_y > 0 ? high_y : 1 }
base = log ? (least > 1e-4*high_y ? least/1.3 : 1e-4*high_y) : low_y < 0 ? low_y : 0
span = log ? log10((high_y > 0 ? high_y : 1)/base) : high_y - base
span = span > 0 ? span : 1
Y(y) = log && !(y >= base) ? NaN : y

# ---- Drawing: a grid of panels on common axes, and above the highest value 30 pixels for the ticks.
across = n == 1 ? 1 : n == 2 || n == 4 ? 2 : n < 7 || n == 9 ? 3 : 4
down = (n + across - 1)/across
l0 = 150; r0 = 1570; t0 = 170; b0 = 880
gap_x = 26; gap_y = down > 1 ? 48 : 0
w = (r0 - l0 - (across - 1)*gap_x)/(1.0*across)
h = (b0 - t0 - (down - 1)*gap_y)/(1.0*down)
room = span*h/(h - 30)
top = log ? base*10**room : base + room
foot = log ? top/10**(14*room/h) : top - 14*room/h
y_text = one || of ne '' ? record_axis(drawn) : 'predicted (IPRED)'.(observed ? ' and observed' : '').record_unit(drawn)
set multiplot
eval frame(attribute('/', 'title'), (subject > 0 ? sprintf('individual %d of %d', subject, n_subjects) : (n < n_subjects ? sprintf('%d of ', n) : '').counted(n_subjects, 'individual')). \
    (n_arms > 1 ? '; arm: '.arm_name(a) : '').'; lines join the records'.(log ? '; logarithmic axis' : '').(dv_factor > 0 ? '' : '; observations in '.dv_unit.' are not drawn'))
set label 911 y_text at screen pixel_x(30),pixel_y((t0 + b0)/2) center rotate by 90 font font_axis
set label 912 (per > 1 ? 'time [d]' : 'time [h]') at screen pixel_x((l0 + r0)/2),pixel_y(b0 + 68) center font font_axis
set xrange [(low_x - 0.02*(high_x - low_x))/per:(high_x + 0.02*(high_x - low_x))/per]
set yrange [base:top]
if (log) { set logscale y; eval log_tics('y', base, top, h) } else { set ytics step_for(span, h > 400 ? 8 : h > 250 ? 5 : 4) }
# No number at the right end, where the next panel's first one stands.
gap_t = step_for((high_x - low_x)/per, w > 1000 ? 12 : w > 500 ? 7 : 5)
set xtics gap_t*ceil(low_x/per/gap_t),gap_t,(high_x - (across > 1 ? 0.05 : 0)*(high_x - low_x))/per
hue(i) = one ? blue : colour(i - low_c)
# The key first, over the whole width, where no panel is.
eval panel(l0, r0, t0, b0)
unset border; set format ''; set tics scale 0; unset grid
set key at screen pixel_x(r0),pixel_y(t0 - 52) right bottom horizontal
plot for [i = low_c:high_c] NaN with linespoints lw 1.1 pt 7 ps 0.28 lc rgb hue(i) \
             title (shown[i - low_c + 1] == 0 ? '' : one ? drawn : sprintf('%s, CMT %d', drawn, i)), \
     NaN with points pt 6 ps 1.1 lw 1.2 lc rgb (one ? vermillion : black) title (observed ? 'observed' : ''), \
     NaN with points pt "|" lc rgb '#444444' title (n_doses > 0 ? 'dose' : '')
eval no_frame
unset label 911; unset label 912
set border 3 lw 1 lc rgb '#444444'; set tics scale 0.6; if (!dumb) { set grid ytics lc rgb '#E4E4E4' lw 0.8 lt 1 }
unset key
do for [p = 0:n - 1] {
    k = first + p
    column_p = p % across; row_p = p/across
    l = l0 + column_p*(w + gap_x); t = t0 + row_p*(h + gap_y)
    eval panel(l, l + w, t, t + h)
    set format y (column_p == 0 ? '%g' : '')
    set format x (p + across >= n ? '%g' : '')
    set label 1 'ID '.said_of(k, 'ID').went_wrong(k) at graph 0,1 offset character 0,0.55 left font font_small tc rgb (went_wrong(k) eq '' ? '#444444' : vermillion)
    plot for [i = low_c:high_c] $R using ($1 == k && shown[i - low_c + 1] == 1 && belongs($2, $4, i) ? $3/per : NaN):(Y($6)) \
             with linespoints lw 1.1 pt 7 ps 0.28 lc rgb hue(i) notitle, \
         for [i = low_c:high_c] $R using ($1 == k && observed && $2 == 0 && $4 == i ? $3/per : NaN):(Y(DV($5))) \
             with points pt 6 ps (n > 4 ? 0.8 : 1.1) lw 1.2 lc rgb (one ? vermillion : hue(i)) notitle, \
         $R using ($1 == k && $2 == 9 && $3 <= high_x ? $3/per : NaN):(top):(0):(foot - top) with vectors nohead lw 1.2 lc rgb '#444444' notitle
}
unset multiplot
