#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Figures of tapers: what they say agrees with the tables of the same result.

setup_file() {
    export root=$BATS_TEST_DIRNAME/../..
    export HALFLIFE_DATA=$root
    export program=${HALFLIFE:-$root/build/halflife}
    cd "$BATS_FILE_TMPDIR"
    cat > ways.yaml <<'YAML'
study: ways
title: Three ways down
origin: "08:00"
drugs: {clonazepam: clonazepam_adult}
cohort: {subjects: 23, seed: 41}
arms:
  - name: abrupt
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - {oral: 1 mg, every: 12 h, for: 7 d}
      - taper: {protocol: abrupt, from: 2 mg/d, split: 12 h}
  - name: designed by hand
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - {oral: 1 mg, every: 12 h, for: 7 d}
      - taper: {from: 2 mg/d, split: 12 h, list: [{dose: 1.5 mg/d, for: 20 d}, {dose: 0.5 mg/d, for: 17 d}]}
  - name: a name that is rather long for the place it has to stand in
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - {oral: 1 mg, every: 12 h, for: 7 d}
      - taper: {protocol: nardi2010, from: 2 mg/d, split: 12 h}
times: [{until: 80 d, every: 24 h}]
outputs: [clonazepam.withdrawal_index]
metrics: [{of: clonazepam.withdrawal_index, above: "20", list: [Cmax, hours_above]}]
quantiles: ["5 %", "10 %", "25 %", "50 %", "75 %", "90 %", "95 %"]
tolerance: 1e-5
YAML
    "$program" run ways.yaml -o ways.h5 --quiet
}

setup() {
    command -v gnuplot > /dev/null || skip "gnuplot is missing"
    cd "$BATS_FILE_TMPDIR"
}

says() {
    for text; do
        grep -qF -- "$text" "$figure" || { echo "$figure does not say: $text" >&2; return 1; }
    done
}

svg() {
    figure=ways_$1.svg
    "$program" plot ways.h5 "$1" --format svg -o . "${@:2}" > list 2> said
    [ "$(cat list)" = "./$figure" ]
    [ ! -s said ]
    python3 -c 'import sys, xml.etree.ElementTree as t; t.parse(sys.argv[1])' "$figure"
    says "ways · seed 41 · 23 subjects · halflife" "education and research, not for dosing"
}

# How many subjects of an arm stay at or below 20, and the 21st of their 23 sorted values: 90 % of 23 is 20.7.
kept() {
    "$program" export ways.h5 metrics/clonazepam_withdrawal_index_Cmax --arm "$1" --format tsv |
        awk -F'\t' 'NR > 1 { if ($NF <= 20) n++ } END { printf "%.1f", 100 * n / (NR - 1) }'
}

@test "taper_design: the arm called designed; levels, bands, bound, share" {
    svg taper_design
    says "Three ways down" "designed by hand: 37 days below the first dose" "[mg/d]" "1.5" "bound 20" "5–95 %" "10–90 %" "25–75 %" \
         "median" "[% of subjects]" "time [d]" "assumption"
    svg taper_design --arm abrupt
    says "abrupt: 0 days below the first dose"
    peak=$("$program" export ways.h5 clonazepam_withdrawal_index_fraction_above --arm abrupt --format tsv |
           awk -F'\t' 'NR > 1 && $3 > most { most = $3 } END { printf "%.1f", 100 * most }')
    says "at most $peak % at a time above 20"
}

@test "taper_plane: durations, what is given, who keeps the bound; the certificate where there is one" {
    svg taper_plane
    says "duration of the taper [d]" "bound 20" "keeps the bound" "does not" "designed by hand" "a name that is" ">49<" ">37<" \
         ">38.5<" ">45.5<"
    for arm in 0 1 2; do says ">$(kept $arm)<"; done
    ! grep -q certificate "$figure"
    gnuplot -e "file='ways.h5'; halflife='$program'; format='svg'; output='with.svg'; certificate=28" \
        "$root/scripts/figures/taper_plane.gp"
    grep -q "certificate 28 d:" with.svg
}

@test "taper_kept: shares with Wilson's interval, the wanted share as a line" {
    svg taper_kept
    says "subjects that stay at or below 20 [%]" "wanted: 90 %" "95 % confidence interval" "designed by hand"
    for arm in 0 1 2; do says ">$(kept $arm)<"; done
}

@test "what is given per day: an infusion by its share of each day, a patch by its nominal rate" {
    cat > worn.yaml <<'YAML'
study: worn
drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult}
cohort: {subjects: 2, seed: 7}
arms:
  - name: pump
    clonazepam: [{oral: 1 mg, every: 12 h, for: 8 d}]
    fentanyl: [{infuse: 730 ug/d, for: 6 d}]
  - name: patch
    fentanyl: [{patch: 37.5 ug/h, every: 72 h, for: 6 d}, {tape: 0.35 mg, every: 24 h, for: 2 d}]
times: [{until: 9 d, every: 12 h}]
outputs: [clonazepam.Cp, clonazepam.Ce, clonazepam.withdrawal_index]
thresholds: {clonazepam.Ce: 3 ng/mL, clonazepam.Cp: 3 ng/mL}
tolerance: 1e-5
YAML
    "$program" run worn.yaml -o worn.h5 --quiet
    days="awk -f $root/scripts/figures/_days.awk -v drug=fentanyl"
    "$program" export worn.h5 doses --arm pump --format tsv | $days > pump
    [ "$(tr '\t\n' ' ;' < pump)" = "0 0.73 0.73;1 0.73 0.73;2 0.73 0.73;3 0.73 0.73;4 0.73 0.73;5 0.73 0.73;6 0 0;" ]
    "$program" export worn.h5 doses --arm patch --format tsv | $days | cut -f3 > patch
    python3 -c 'import sys; d = [float(x) for x in open("patch")]; assert d[:6] == [0.9] * 6 and 0 < d[6] == d[7] <= 0.35, d'
    "$program" export worn.h5 doses --arm pump --format tsv | $days -v phase=18 | head -1 | tr '\t' ' ' > half
    [ "$(cut -d' ' -f1,2 half)" = "-1 0.5475" ]
    "$program" plot worn.h5 taper_comparison --format svg -o . > /dev/null
    grep -qF "fentanyl in orange, up to 0.9 mg/d" worn_taper_comparison.svg
    # no threshold of the index: no figure of another output in its place
    run "$program" plot worn.h5 taper_design
    [ "$status" -eq 2 ]
    [[ $output == *"needs clonazepam_withdrawal_index_fraction_above"* ]]
}

@test "levels of each subject's own: days and amounts are those of the cohort, not of its first" {
    "$program" run "$root/configs/symptom_guided.yaml" --subjects 15 -o guided.h5 --quiet
    "$program" plot guided.h5 taper_plane taper_design taper_comparison --arm 1 --format svg -o . > /dev/null
    "$program" summary guided.h5 --json > guided.json
    median=$(python3 -c 'import json; m=[m for m in json.load(open("guided.json"))["metrics"] if m["name"] == "clonazepam_taper_days"]; print(*("%d" % x["median"] for x in m if x["n"]))')
    [ "$(wc -w <<< "$median")" -eq 2 ]
    for days in $median; do grep -qF ">$days<" symptom_guided_taper_plane.svg; done
    grep -qF "first lower dose; medians" symptom_guided_taper_plane.svg
    grep -qF "${median%% *} days below the first dose (median; drawn: subject 1)" symptom_guided_taper_design.svg
    grep -qF "; doses of subject 1" symptom_guided_taper_comparison.svg
}

@test "an index of two drugs: the taper lasts until neither is given" {
    "$program" run "$root/configs/crossover.yaml" --subjects 3 -o over.h5 --quiet
    "$program" plot over.h5 taper_plane taper_design --arm 'diazepam by Ashton' --format svg -o . > /dev/null
    last=$("$program" export over.h5 doses --arm 'diazepam by Ashton' --format tsv | awk -F'\t' 'NR > 1 { t = $3 } END { printf "%d", t/24 }')
    grep -qF ">$((last + 1 - 7))<" crossover_taper_plane.svg
    grep -qF "amounts of clonazepam alone" crossover_taper_plane.svg
    grep -qF "diazepam by Ashton: $((last + 1 - 7)) days below the first dose, diazepam not drawn" crossover_taper_design.svg
}

@test "highest values are found by what they are, whatever the study calls them" {
    sed 's/ list: \[Cmax, hours_above\]}/ list: [hours_above]}, {of: clonazepam.withdrawal_index, list: [Cmax], name: worst}/; s/study: ways/study: named/' \
        ways.yaml > named.yaml
    "$program" run named.yaml -o named.h5 --quiet
    "$program" plot named.h5 taper_kept --format svg -o . > /dev/null
    for arm in 0 1 2; do grep -qF ">$(kept $arm)<" named_taper_kept.svg; done
    sed 's/, {of: clonazepam.withdrawal_index, list: \[Cmax\], name: worst}//' named.yaml > none.yaml
    "$program" run none.yaml -o none.h5 --subjects 2 --quiet
    run "$program" plot none.h5 taper_kept
    [ "$status" -eq 2 ]
    [[ $output == *"needs metrics/clonazepam_withdrawal_index_Cmax"* ]]
    "$program" plot none.h5 -o out > list
    ! grep -q taper_kept list
}

@test "a design's result has its bound, share, certificate and tablets; figures and calendars use them" {
    cat > stop.yaml <<'YAML'
study: stop
origin: "08:00"
drugs: {clonazepam: clonazepam_adult}
cohort: {subjects: 9, seed: 2387}
tolerance: 1e-5
design:
  before:
    clonazepam: [{steady_state: {oral: 0.75 mg, every: 12 h}}, {oral: 0.75 mg, every: 12 h, for: 2 d}]
  taper:
    clonazepam: {from: 1.5 mg/d, at: ["08:00", "20:00"], products: [{tablet: 0.5 mg, break: halves}]}
  lengths: [14 d]
  longest: 14 week
  follow: 4 week
  keep: [{of: clonazepam.withdrawal_index, peak: "24", in: "70 %"}]
YAML
    "$program" taper stop.yaml -o stop --progress none > said
    # day 0 half a day later: days count from there, and amounts are whole days' ones
    "$program" taper stop.yaml -o later --progress none --set design.before.clonazepam.1.for='36 h' --set 'design.compare=[uk_eighth]' --json > later.json
    "$program" plot later.h5 taper_plane taper_design --format svg -o later/ > /dev/null
    says_days=$(python3 -c 'import json; a=json.load(open("later.json")); print(a["days"], "%.4g" % a["arms"][0]["clonazepam"]["cumulative_mg"], "%.4g" % a["arms"][1]["clonazepam"]["cumulative_mg"])')
    read -r days mg published <<< "$says_days"
    grep -qF "designed: $days days below the first dose" later/stop_taper_design.svg
    for text in ">$days<" ">98<" ">$mg<" ">$published<"; do grep -qF -- "$text" later/stop_taper_plane.svg; done
    "$program" export stop.h5 attributes --format tsv > attributes
    grep -qP '^/\ttaper_bound\t24$' attributes
    grep -qP '^/\ttaper_share\t0.7$' attributes
    grep -qP '^/\ttaper_tablets\tclonazepam=0.5 mg scored$' attributes
    days=$(awk -F'\t' '$2 == "taper_certificate_days" { print $3 }' attributes)
    "$program" plot stop.h5 taper_plane taper_design --format svg -o . > /dev/null
    grep -qF "certificate $days d:" stop_taper_plane.svg
    grep -qF "at least 70 % of its subjects" stop_taper_plane.svg
    grep -qF "bound 24" stop_taper_design.svg
    # what a design states of its arms is no sweep
    run "$program" plot stop.h5 sweep
    [ "$status" -eq 2 ]
    [[ $output == *"needs a factor of a sweep"* ]]
    "$program" calendar stop.h5 --arm designed | grep -q '1 1/2 x 0.5 mg .* 1 1/2 x 0.5 mg .* 1.5 mg'
    # from the first lower dose on the two calendars agree
    "$program" calendar stop.h5 --arm designed --format csv --rows counts | awk -F, '$1 == "level" && $2 > 1 { n += $8 } END { print n }' > a
    grep -oP '0.5 mg: \K[0-9 /]+(?= used)' stop.calendar.txt > b
    python3 -c '
from fractions import Fraction
pieces = int(open("a").read())
assert Fraction(pieces, 2) == sum(map(Fraction, open("b").read().split())), (pieces, open("b").read())'
}

@test "the figures say what a result lacks" {
    sed 's/ above: "20",//; s/, hours_above//' ways.yaml > less.yaml
    "$program" run less.yaml -o less.h5 --subjects 2 --quiet
    run "$program" plot less.h5 taper_plane
    [ "$status" -eq 2 ]
    [[ $output == *"_fraction_above"* ]]
}
