# SPDX-License-Identifier: GPL-3.0-or-later
# Goodness of fit: what was observed against what the model says of the same record, on plain and logarithmic axes, with
# the line of equality and the lines of twice and half. By hand: gnuplot -e "file='x.h5'" scripts/figures/dv_ipred.gp
# Variables: common.gp. subject: only this individual, counted from 1 (0: all). most: how many points are drawn (20000).
# dv_factor: from the unit of the observations to that of IPRED, as in records.gp.
figure = 'dv_ipred'
here = ''
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { here = ARG0[1:i] } }
load here.'common.gp'
if (!exists("subject")) { subject = 0 }
if (!exists("most")) { most = 20000 }
a = chosen < 0 ? 0 : chosen
dv_unit = attribute('records/DV_observed', 'units')
same_unit = dv_unit eq attribute('records/IPRED', 'units') || dv_unit eq '' || dv_unit eq '1'
if (!exists("dv_factor")) { dv_factor = same_unit ? 1.0 : 0.0 }
if (dv_factor <= 0) { print "the unit of the observations, ".dv_unit.", is not that of IPRED"; exit status 2 }

# Observation records with both values; of very many every so-manieth.
n_records = int(attribute('/', 'records'))/n_arms
step = n_records > most ? (n_records + most - 1)/most : 1
known(name) = has('records/'.name) ? ' '.name : ''
program = 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } '. \
    '$c["EVID"] == 0 && !(("MDV" in c) && $c["MDV"] == 1) && $c["IPRED"] != "NaN" && $c["DV_observed"] != "NaN" { '. \
    'if (n++ % step == 0) print $c["IPRED"], $c["DV_observed"], ("CMT" in c) ? $c["CMT"] : 0 }'
rows = table('EVID IPRED DV_observed'.known('CMT').known('MDV').of_arm(a).' --rows obs'.(subject > 0 ? sprintf(' --subject %d', subject) : ''))
set print $P
print system(rows.sprintf(" | awk -F '\t' -v OFS='\t' -v step=%d '%s'", step, program))
unset print
if (strlen($P[1]) == 0) { print "no record has both an observed value and a prediction"; exit status 2 }
DV(y) = dv_factor*y
stats $P using 1:(DV($2)) name 'S' nooutput
stats $P using 3 name 'C' nooutput
low_c = int(C_min); high_c = int(C_max)
array shown[high_c - low_c + 1]
n_shown = 0
do for [i = low_c:high_c] {
    stats $P using ($3 == i ? 1 : 0) name 'N' nooutput
    shown[i - low_c + 1] = N_sum > 0 ? 1 : 0
    n_shown = n_shown + shown[i - low_c + 1]
}
upper = S_max_x > S_max_y ? S_max_x : S_max_y
lower = S_min_x < S_min_y ? S_min_x : S_min_y
lower = lower > 0 ? 0 : lower
upper = upper > lower ? upper : lower + 1
stats $P using ($1 > 0 && $2 > 0 ? $1 : NaN):(DV($2)) name 'L' nooutput # without any, there are no variables L_
logs = exists("L_records") ? L_records : 0
if (logs > 0) {
    least = (L_min_x < L_min_y ? L_min_x : L_min_y)/1.25
    far = (L_max_x > L_max_y ? L_max_x : L_max_y)*1.25
    stats $P using ($1 > 0 && $2 > 0 && (DV($2) > 2*$1 || DV($2) < 0.5*$1) ? 1 : 0) name 'F' nooutput
    outside = int(F_sum + 0.5)
}

eval canvas(1600, 1000)
set multiplot
eval frame(attribute('/', 'title'), sprintf('%s%d observations%s%s', n_shown < 2 ? record_text('IPRED').': ' : '', int(S_records), (step > 1 ? sprintf(', one in %d,', step) : '').(subject > 0 ? sprintf(' of individual %d', subject) : ' of '.counted(n_subjects, 'individual')), \
    n_arms > 1 ? '; arm: '.arm_name(a) : ''))
set size square
set grid xtics ytics lc rgb '#E4E4E4' lw 0.8 lt 1
if (dumb) { unset grid }
hue(i) = n_shown < 2 ? blue : colour(i - low_c)
small = S_records > 2000 ? 0.3 : S_records > 400 ? 0.5 : 0.8
ring = S_records > 2000 ? 7 : 6

eval panel(150, 770, 190, 810)
set xlabel 'predicted (IPRED)'.record_unit('IPRED')
set ylabel 'observed (DV)'.record_unit('IPRED')
set xrange [lower:lower + 1.04*(upper - lower)]; set yrange [lower:lower + 1.04*(upper - lower)]
set xtics step_for(upper - lower, 6); set ytics step_for(upper - lower, 6)
set key at screen pixel_x(1570),pixel_y(120) right bottom horizontal
plot x with lines lw 1.2 lc rgb black title 'equal', \
     NaN with lines lw 1.2 dt 2 lc rgb grey title (logs > 0 ? 'twice and half' : ''), \
     for [i = low_c:high_c] $P using ($3 == i ? $1 : NaN):(DV($2)) with points pt ring ps small lw 1.2 lc rgb hue(i) \
         title (n_shown < 2 || shown[i - low_c + 1] == 0 ? '' : sprintf('CMT %d', i))
eval no_frame
unset key
if (logs > 0) {
    eval panel(950, 1570, 190, 810)
    set logscale xy
    set format '%g'
    set xrange [least:far]; set yrange [least:far]
    eval log_tics('x', least, far, 620); eval log_tics('y', least, far, 620)
    set label 1 (outside > 0 ? sprintf('%d of %d beyond twice or half', outside, int(logs)) : sprintf('none of %d beyond twice or half', int(logs))) at graph 1,1 offset 0,0.7 right font font_note tc rgb '#444444'
    plot x with lines lw 1.2 lc rgb black notitle, for [i = 0:1] (i ? 2*x : 0.5*x) with lines lw 1.2 dt 2 lc rgb grey notitle, \
         for [i = low_c:high_c] $P using ($3 == i && $1 > 0 && $2 > 0 ? $1 : NaN):(DV($2)) with points pt ring ps small lw 1.2 lc rgb hue(i) notitle
}
unset multiplot
