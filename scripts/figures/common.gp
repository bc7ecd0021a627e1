# SPDX-License-Identifier: GPL-3.0-or-later
# What all figures share: variables and their defaults, reading through `halflife export`, colours, fonts, the frame.
# Loaded by every figure; not a figure itself. Nothing here computes pharmacology.
#
# Variables, set before the script runs: gnuplot -e "file='x.h5'; format='svg'" scripts/figures/accumulation.gp
#   file      the result file (needed)
#   halflife  the program that exports it                  ('halflife')
#   format    png, svg, pdf or dumb (text)                 ('png')
#   output    where the picture goes                       (FIGURE.png, .svg, .pdf; dumb: standard output)
#   arm       only this arm, by name or number from 0      ('': see each figure)
#   of        the output that is drawn, clonazepam_Cp      ('': see each figure)
#   log       1: logarithmic concentration axis            (0)
#   data      CSV of observed points: time [h], value [the output's unit], optionally sd; '' for none ('')
# A figure sets `figure` (its name), loads this, and opens its canvas with `eval canvas(wide, high)`.

if (!exists("file")) { print "say which result: gnuplot -e \"file='x.h5'\" SCRIPT"; exit status 2 }
if (!exists("halflife")) { halflife = 'halflife' }
if (!exists("format"))   { format = 'png' }
if (!exists("output"))   { output = format eq 'dumb' ? '' : figure.'.'.format }
if (!exists("arm"))      { arm = '' }
if (!exists("of"))       { of = '' }
if (!exists("log"))      { log = 0 }
if (!exists("data"))     { data = '' }
dumb = format eq 'dumb'

set encoding utf8
set datafile separator "\t"
set datafile missing "NaN"
set datafile commentschars ""

# ---- Reading. The shell sees file names only in single quotes; a name that looks like an option gets a ./ in front.
shell_quote(s) = "'".shell_quoted(s)."'"
shell_quoted(s) = strstrt(s, "'") == 0 ? s : s[1:strstrt(s, "'") - 1]."'\\''".shell_quoted(s[strstrt(s, "'") + 1:*])
plain(s) = s[1:1] eq '-' ? './'.s : s
export(what) = sprintf("%s export %s --format tsv %s", shell_quote(halflife), shell_quote(plain(file)), what)
# Tables go into datablocks by `print`, which minds quotes: names get typographic ones.
table(what) = export(what)." | sed -e \"s/'/’/g\" -e 's/\"/”/g'"
# An arm that is called like another one's number answers to it (numbered_names, below): the other is asked for by name.
of_arm(i) = strstrt(numbered_names, sprintf("\n%d\n", i)) > 0 ? ' --arm '.shell_quote(arm_name(i)) : sprintf(" --arm %d", i)
# `asked = table('x'); eval print_asked` prints one of any length. What gnuplot takes from a command in one piece ends after
# a million characters, with no more than a warning: so it comes in pieces of whole lines.
piece_of(what, k) = system(what.sprintf(" | LC_ALL=C awk -v k=%d '{ n += length($0) + 1; p = int(n/800000) } p == k'", k))
print_asked = "do for [piece_k = 0:100000] { got = piece_of(asked, piece_k); if (piece_k > 0 && got eq '') { break }; print got; if (strlen(got) < 300000) { break } }"

# The n-th field of a line, the line's rest after a field, and how many there are.
field(s, n) = n == 1 ? first_field(s."\t") : field(after_field(s."\t"), n - 1)
first_field(s) = s[1:strstrt(s, "\t") - 1]
after_field(s) = s[strstrt(s, "\t") + 1:strlen(s) - 1]
fields(s) = strstrt(s, "\t") == 0 ? 1 : 1 + fields(s[strstrt(s, "\t") + 1:*])
column_of(header, name) = field(header, 1) eq name ? 1 : strstrt(header, "\t") == 0 ? 1000 : 1 + column_of(after_field(header."\t"), name)
line_of(s) = s[1:strstrt(s."\n", "\n") - 1]

# Attributes of the file ('/') and of its variables.
attributes = "\n".system(export('attributes'))
if (strstrt(attributes, "\n/\t") == 0) { print "cannot read ".file." with ".halflife." export"; exit status 4 }
attribute(variable, name) = value_after("\n".variable."\t".name."\t")
value_after(key) = strstrt(attributes, key) == 0 ? '' : line_of(attributes[strstrt(attributes, key) + strlen(key):*])
has(variable) = strstrt(attributes, "\n".variable."\t") > 0

# "[ng/mL]" for an axis; a number without unit is [1]. "clonazepam plasma concentration [ng/mL]".
unit(variable) = pretty(said(variable, 'units'))
# Without trajectories only the summaries of an output are there to ask.
said(variable, name) = attribute(variable, name) ne '' ? attribute(variable, name) : attribute(variable.'_quantiles', name)
pretty(u) = u eq 'mm[Hg]' ? 'mmHg' : u eq '' ? '1' : u
drug(variable) = variable[1:strstrt(variable.'_', '_') - 1]
plain_name(variable) = without_owner(without_start(said(variable, 'long_name'), 'quantiles across subjects of '), ' ('.drug(variable).')', variable)
without_owner(text, owner, variable) = text eq '' || text eq said(variable, 'output') ? unlabelled(variable) : \
    strstrt(text, owner) > 0 ? text[1:strstrt(text, owner) - 1] : text
without_start(text, start) = text[1:strlen(start)] eq start ? text[strlen(start) + 1:*] : text
unlabelled(variable) = variable[strlen(variable) - 2:*] eq '_Ce' ? 'effect-site concentration' : variable
# An interaction's quantities belong to no drug: "overlap" is not put before them.
named(variable) = strstrt(plain_name(variable), drug(variable)) > 0 || !has(drug(variable).'_Cp') && !has(drug(variable).'_Ce') && !has(drug(variable).'_Cp_quantiles') \
    ? plain_name(variable) : drug(variable).' '.plain_name(variable)
# What a quantity rests on, where that is not a measurement: ", assumption".
grade(variable) = said(variable, 'evidence_grade') eq '' || said(variable, 'evidence_grade') eq 'measured' ? '' : ', '.said(variable, 'evidence_grade')
axis(variable) = named(variable).' ['.unit(variable).']'

# ---- Columns of the records of a data set: what an axis says of one. IPRED is called after the output it predicts.
underscored(s) = strstrt(s, '.') == 0 ? s : s[1:strstrt(s, '.') - 1].'_'.underscored(s[strstrt(s, '.') + 1:*])
of_output(name) = attribute('records/'.underscored(attribute('records/'.name, 'output')), 'long_name')
record_text(name) = of_output(name) ne '' ? of_output(name) : attribute('records/'.name, 'long_name')
record_unit(name) = attribute('records/'.name, 'comment')[1:8] eq 'each row' ? ' (each CMT in its own unit)' : attribute('records/'.name, 'units') eq '' ? '' : ' ['.pretty(attribute('records/'.name, 'units')).']'
record_axis(name) = record_text(name).record_unit(name)

# ---- Arms: their names, and which of them is wanted (-1: the figure's own choice).
n_arms = int(attribute('/', 'arms'))
n_subjects = int(attribute('/', 'subjects'))
arm_name(i) = attribute('arm_name', sprintf("%d", i))
numbered_names = "\n"
do for [i = 0:n_arms - 1] { if (strstrt('0123456789', (arm_name(i).' ')[1:1]) > 0) { numbered_names = numbered_names.arm_name(i)."\n" } }
chosen = -1
do for [i = n_arms - 1:0:-1] { if (arm eq sprintf("%d", i)) { chosen = i } }
do for [i = n_arms - 1:0:-1] { if (arm eq arm_name(i)) { chosen = i } }
if (arm ne '' && chosen < 0) { print "no arm is called '".arm."'"; exit status 2 }

# ---- Colours that colour-blind people can tell apart (Okabe and Ito 2008).
black = '#000000'; orange = '#E69F00'; sky = '#56B4E9'; green = '#009E73'; yellow = '#F0E442'
blue = '#0072B2'; vermillion = '#D55E00'; purple = '#CC79A7'; grey = '#767676'; pale = '#D9D9D9'
colour(i) = word(blue.' '.vermillion.' '.green.' '.purple.' '.orange.' '.sky.' '.black, 1 + i % 7)
# Ribbons are opaque tints: not every reader of svg and pdf knows transparency.
part(c, i) = int('0x'.c[2*i:2*i + 1])
tint(c, share) = sprintf('#%02X%02X%02X', int(255 - share*(255 - part(c, 1))), int(255 - share*(255 - part(c, 2))), int(255 - share*(255 - part(c, 3))))
faint(c) = tint(c, 0.18)     # the outer ribbon
soft(c)  = tint(c, 0.45)     # the inner ribbon

# ---- Terminals: one layout in pixels of the png; pdf is the same at 72 of them to the inch. `eval canvas(wide, high)`.
if (strstrt(' png svg pdf dumb ', ' '.format.' ') == 0) { print "format is png, svg, pdf or dumb, not ".format; exit status 2 }
face = 'DejaVu Sans'
style = "noenhanced font '".face.",20' linewidth 2 background '#ffffff'"
terminal(w, h) = format eq 'png' ? sprintf("set terminal pngcairo %s size %d,%d", style, w, h) : \
    format eq 'svg' ? sprintf("set terminal svg %s size %d,%d dynamic", style, w, h) : \
    format eq 'pdf' ? sprintf("set terminal pdfcairo %s fontscale 1 size %g in,%g in", style, w/72.0, h/72.0) : \
    sprintf("set terminal dumb noenhanced mono size 132,%d", 6 + int(132.0*h/w/2.1))
named_output = output ne '' && strstrt('|<-', output[1:1]) > 0 ? './'.output : output
canvas(w, h) = sprintf("wide = %d; high = %d; ", w, h).terminal(w, h).(output eq '' ? '' : '; set output named_output')
# A text terminal has one size of letters.
size_of(n) = dumb ? '' : sprintf("%s,%d", face, n)
bold(n) = dumb ? '' : sprintf("%s:Bold,%d", face, n)

font_tics = size_of(17); font_axis = size_of(19); font_note = size_of(15); font_small = size_of(14); font_panel = bold(18)
set border 3 lw 1 lc rgb '#444444'
set tics nomirror out scale 0.6 font font_tics
set format '%g' # gnuplot's own begins with a blank: numbers would stand beside their tics
set grid ytics lc rgb '#E4E4E4' lw 0.8 lt 1
if (dumb) { unset grid }
set key noopaque spacing 1.1 samplen 2.2 font font_tics
set ylabel font font_axis
set xlabel font font_axis

# ---- The frame: title and subtitle above, who and what below.
source = attribute('/', 'source')
version = strstrt(source, ',') > 0 ? source[1:strstrt(source, ',') - 1] : source
digits(s) = s eq '' ? 'none' : s[1:8]
counted(n, what) = sprintf(n == 1 ? '%d %s' : '%d %ss', n, what)
identity = sprintf("%s · seed %s · %s · %s · payload %s", attribute('/', 'study'), attribute('/', 'seed'), \
    counted(n_subjects, 'subject'), version, digits(attribute('/', 'payload_sha256')))
warning_text = 'education and research, not for dosing'
pixel_x(p) = (1.0*p)/wide
pixel_y(p) = 1 - (1.0*p)/high      # from the top
frame(title, subtitle) = \
    sprintf("set label 901 %s at screen %g,%g left font '%s' tc rgb '#111111';", gp_quote(title), pixel_x(30), pixel_y(38), bold(fitting(26, title, 0.8))). \
    sprintf("set label 902 %s at screen %g,%g left font '%s' tc rgb '#444444';", gp_quote(subtitle), pixel_x(30), pixel_y(76), size_of(fitting(18, subtitle, 0.7))). \
    sprintf("set label 903 %s at screen %g,%g left font '%s' tc rgb '#666666';", gp_quote(identity), pixel_x(30), pixel_y(high - 18), size_of(13)). \
    sprintf("set label 904 %s at screen %g,%g right font '%s' tc rgb '#666666'", gp_quote(warning_text), pixel_x(wide - 30), pixel_y(high - 18), size_of(13))
# The largest size up to n at which a text fits the width; a letter is about em sizes wide, in bold more.
fitting(n, text, em) = int(strlen(text)*em*n > wide - 60 ? (wide - 60)/(em*strlen(text)) : n)
no_frame = 'unset label 901; unset label 902; unset label 903; unset label 904'
gp_quote(s) = "'".gp_quoted(s)."'"
gp_quoted(s) = strstrt(s, "'") == 0 ? s : s[1:strstrt(s, "'") - 1]."''".gp_quoted(s[strstrt(s, "'") + 1:*])

# A panel between these pixels (left, right, top, bottom; from the top left corner).
panel(l, r, t, b) = sprintf("set lmargin at screen %g; set rmargin at screen %g; set tmargin at screen %g; set bmargin at screen %g", \
    pixel_x(l), pixel_x(r), pixel_y(t), pixel_y(b))

# ---- Quantile tables: arm, time, one column per quantile. The middle one is the median; the outermost pair and the pair
# inside it are drawn as ribbons and named after what the file holds.
quantile_columns(header) = fields(header) - 2
quantile_at(header, k) = field(header, 2 + k)[2:*] + 0.0
median_column(header) = 2 + (quantile_columns(header) + 1)/2
low_column(header, pair) = 2 + pair
high_column(header, pair) = 3 + quantile_columns(header) - pair
pairs(header) = quantile_columns(header)/2
ribbon_name(header, pair) = sprintf("%g–%g %%", 100*quantile_at(header, pair), 100*quantile_at(header, quantile_columns(header) + 1 - pair))

# ---- Doses of arm a as seen by subject 1, into $doses; those of one drug that were given, not refused.
doses_of_arm(a) = "set print $doses; asked = table('doses'.of_arm(".a.").' --subject 1'); eval print_asked; unset print; dose_head = $doses[1]"
dose_value(name) = column(column_of(dose_head, name))
dose_is(name) = stringcolumn(column_of(dose_head, 'drug')) eq name && stringcolumn(column_of(dose_head, 'refused')) ne 'refused'

# What is given of a drug day by day: day, planned, taken (_days.awk: of infusions and patches their
# share of each day); more is passed on. The course is that of subject 1 where subjects differ.
by_days(more) = " | awk -f ".shell_quote(here.'_days.awk').' '.more
days_of(a, what, more) = something(system(export('doses'.of_arm(a).' --subject 1').by_days('-v drug='.shell_quote(what).' '.more)))
something(lines) = lines eq '' ? "0\t0\t0\n0\t0\t0" : lines
# What a taper of it comes to across the cohort: days, amount, 1 where plans differ, 1 where what is taken does.
taper_of(a, what, more) = system(export('doses'.of_arm(a)).by_days('-v drug='.shell_quote(what).sprintf(' -v subjects=%d ', n_subjects).more))
differing(n) = n == 0 ? '' : '; doses of subject 1'
# The drugs that are given, in order of appearance. One that an output belongs to, else the first: an index of several
# drugs belongs to none of them.
given = system(export('doses')." --subject 1 | awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == \"drug\") c = i } NR > 1 && !seen[$c]++ { print $c }'")
is_given(name) = strstrt(' '.joined(given, 1), ' '.name.' ') > 0
joined(list, i) = i > words(list) ? '' : word(list, i).' '.joined(list, i + 1)
given_drug(variable) = is_given(drug(variable)) || words(given) == 0 ? drug(variable) : word(given, 1)

# The threshold in the name of a column ("above_1").
threshold(head) = head[strstrt(head, '_') + 1:*]

# A round distance of tics so that about n fit between 0 and top.
step_for(top, n) = round_step(top/(n < 2 ? 2 : n))
round_step(x) = x <= 0 ? 1.0 : round_digit(x/10**floor(log10(x)))*10**floor(log10(x))
round_digit(m) = m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10

# Tics of a logarithmic axis from low to high that is so many pixels long: decades, with 2 and 5 between them where there is
# room, or every so-manieth where there is little. `eval log_tics('y', low, high, pixels)`.
log_tics(which, low, high, pixels) = sprintf("set %stics (%s%g)", which, log_decades(int(floor(log10(low))), low, high, decade_room(which, low, high, pixels)), low/10)
# How many numbers fit side by side (x) or above one another (y) into a decade.
decade_room(which, low, high, pixels) = pixels/log10(high/low)/(which eq 'x' ? 75.0 : 30.0)
log_decades(d, low, high, fit) = 10.0**d > high ? '' : log_tic(10.0**d, low, high, fit >= 1 || d % int(ceil(1/fit)) == 0).log_tic(2*10.0**d, low, high, fit > 3). \
    log_tic(5*10.0**d, low, high, fit > 3).log_decades(d + 1, low, high, fit)
log_tic(at_value, low, high, wanted) = wanted && at_value >= low && at_value <= high ? sprintf("%g, ", at_value) : ''

# ---- Observed points: time [h], value, sd (0 when the CSV has none) in $observed. n_observed is 1, or 0 without a CSV.
n_observed = data eq '' ? 0 : 1
$observed << EOD
EOD
if (n_observed) {
    set datafile separator ','
    data_file = strstrt('|<-', data[1:1]) > 0 ? './'.data : data
    set table $observed separator tab
    plot data_file using 1:2:(valid(3) ? column(3) : 0) with table if (valid(1) && valid(2))
    unset table
    set datafile separator "\t"
}

# A name on as many lines as it takes to keep to n letters a line where blanks and underscores allow; these stay at the end.
wrap(text, n) = strlen(text) <= n || !has_break(text[1:strlen(text) - 1]) ? text : broken(text, break_at(text[1:strlen(text) - 1], n), n)
broken(text, at, n) = text[1:(text[at:at] eq ' ' ? at - 1 : at)]."\n".wrap(text[at + 1:*], n)
break_at(text, n) = sum [i = 1:strlen(text)] (has_break(text[i:i]) && (i <= n + 1 || !has_break(text[1:i - 1])) && !has_break(text[i + 1:(n + 1 > i ? n + 1 : i)]) ? (i) : 0)
has_break(text) = strstrt(text, ' ') > 0 || strstrt(text, '_') > 0
