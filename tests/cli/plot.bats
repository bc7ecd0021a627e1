#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Figures: each one's axes carry the right text and it holds data; what goes wrong is said, with the right exit code.

setup_file() {
    export root=$BATS_TEST_DIRNAME/../..
    export HALFLIFE_DATA=$root
    export program=${HALFLIFE:-$root/build/halflife}
    cd "$BATS_FILE_TMPDIR"
    cat > pair.yaml <<'YAML'
study: pair
title: Two drugs & a "test" <of> figures
drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult}
interactions: {overlap: sedation_overlap}
cohort: {subjects: 14, seed: 31}
arms:
  - name: it's "stopped" {#1}
    clonazepam:
      - {oral: 1 mg, every: 12 h, for: 5 d}
      - taper: {protocol: us_label, from: 2 mg/d, split: 12 h}
    fentanyl: [{infuse: 600 ug/d, for: 8 d}]
  - name: alone
    fentanyl: [{infuse: 600 ug/d, for: 8 d}]
times: [{until: 12 d, every: 1 h}]
outputs: [clonazepam.Cp, clonazepam.Ce, clonazepam.withdrawal_index, fentanyl.Cp, fentanyl.Ce, overlap.sedation, overlap.P_hyp]
metrics:
  - {of: clonazepam.Cp, list: [half_life, Cmax]}
  - {of: overlap.sedation, above: "1", list: [hours_above]}
  - {of: overlap.P_hyp, above: "0.02", list: [hours_above]}
YAML
    cat > swept.yaml <<'YAML'
study: swept
drugs: {clonazepam: clonazepam_adult}
cohort: {subjects: 9, seed: 5}
arms:
  - name: daily
    clonazepam: [{oral: 0.5 mg, every: 24 h, for: 4 d}]
times: [{until: 5 d, every: 2 h}]
outputs: [clonazepam.Cp]
metrics: [{of: clonazepam.Cp, list: [Cmax]}]
sweep:
  design: grid
  factors: {clonazepam.TVCL: [3 L/h, 3.6 L/h, 4.2 L/h], arms.daily.clonazepam.0.oral: [0.5 mg, 1 mg]}
YAML
    "$program" run pair.yaml -o pair.h5 --quiet
    "$program" run swept.yaml -o swept.h5 --quiet
}

setup() {
    command -v gnuplot > /dev/null || skip "gnuplot is missing"
    cd "$BATS_TEST_TMPDIR"
    here=$BATS_FILE_TMPDIR
}

# svg FIGURE [options]: draws it from pair.h5 and checks what every figure carries; leaves $figure.
svg() {
    "$program" plot "$here/pair.h5" "$@" --format svg -o . > list
    figure=pair_$1.svg
    [ "$(cat list)" = "./$figure" ]
    if command -v xmllint > /dev/null; then xmllint --noout "$figure"; fi
    says "pair · seed 31 · 14 subjects · halflife" "education and research, not for dosing"
    [ "$("$program" export "$here/pair.h5" attributes --format tsv | awk -F'\t' '$2 == "payload_sha256" { print substr($3, 1, 8) }')" = \
      "$(grep -o 'payload [0-9a-f]*' "$figure" | cut -d' ' -f2)" ]
}

says() {
    for text; do
        grep -qF -- "$text" "$figure" || { echo "$figure does not say: $text" >&2; return 1; }
    done
}

# At least n paths that have many points: curves, not tics.
holds() {
    local n
    n=$(tr '\n' ' ' < "$figure" | grep -oE "<(path|polygon)[^>]*>" | awk '{ if (gsub(/[0-9.]+,[0-9.]+/, "") > 12) n++ } END { print n + 0 }')
    [ "$n" -ge "$1" ] || { echo "$figure has $n curves, not $1" >&2; return 1; }
}

@test "accumulation: concentration over days, ribbons, a dosing interval in hours" {
    svg accumulation
    says "clonazepam plasma concentration [ng/mL]" "time [d]" "time after a dose [h]" "5–95 %" "median" "it's"
    holds 6
}

@test "half_life: histogram, band and share" {
    svg half_life
    says "terminal half-life [h]" "subjects with a shorter half-life [%]" "% between 19 and 60 h" "median"
    share=$("$program" export "$here/pair.h5" metrics/clonazepam_Cp_half_life --arm 0 --format tsv |
            awk 'NR > 1 { n++; if ($NF >= 19 && $NF <= 60) k++ } END { printf "%.1f", 100 * k / n }')
    says "$share % between"
}

@test "sedation_overlap: both effect sites, the index and the shares on one time axis" {
    svg sedation_overlap
    says "clonazepam effect-site concentration [ng/mL]" "fentanyl effect-site concentration [ng/mL]" "sedation index" \
         "time [d]" "above 1 [%]" "above 0.02 [%]"
    holds 10
}

@test "overlap_plane: fentanyl against clonazepam, isoboles, the equation and where it comes from" {
    svg overlap_plane
    says "clonazepam effect-site concentration [ng/mL]" "fentanyl effect-site concentration [ng/mL]" "s = 2, drowsy" "(Greco)"
    holds 3
}

@test "overlap_plane: the isoboles move with the study's parameters" {
    "$program" run "$here/pair.yaml" -o moved.h5 --quiet --set overlap.R=12 --subjects 4
    "$program" run "$here/pair.yaml" -o same.h5 --quiet --subjects 4
    "$program" plot moved.h5 overlap_plane --format svg -o moved > /dev/null
    "$program" plot same.h5 overlap_plane --format svg -o same > /dev/null
    place() { tr '\n' ' ' < "$1" | grep -o 'translate([0-9.,]*)[^<]*<text>s = 2, drowsy'; }
    place moved/pair_overlap_plane.svg
    [ "$(place moved/pair_overlap_plane.svg)" != "$(place same/pair_overlap_plane.svg)" ]
}

@test "taper_comparison: doses, concentration and withdrawal index per arm" {
    svg taper_comparison
    says "dose" "[mg/d]" "[ng/mL]" "withdrawal index" "time [d]" "stopped" "alone" "assumption"
    holds 4
}

@test "profiles: a dozen subjects" {
    svg profiles
    says "12 of 14 subjects" "clonazepam plasma concentration [ng/mL]" "time [d]" "cohort median"
    holds 13
}

@test "tables of more than a million characters are drawn to their end" {
    python3 - > "$here/long.yaml" <<'PY'
shares = ", ".join(f'"{k} %"' for k in range(3, 98, 2))
print(f"""study: long
drugs: {{clonazepam: clonazepam_adult}}
cohort: {{subjects: 5, seed: 23}}
arms: [{{name: daily, clonazepam: [{{oral: 0.5 mg, every: 24 h, for: 17 d}}]}}]
times: [{{until: 17 d, every: 15 min}}]
outputs: [clonazepam.Cp]
store: [summaries]
quantiles: [{shares}]""")
PY
    "$program" run "$here/long.yaml" -o "$here/long.h5" --quiet
    [ "$("$program" export "$here/long.h5" clonazepam_Cp_quantiles | wc -c)" -gt 1200000 ]
    "$program" plot "$here/long.h5" accumulation --format svg -o . > list
    figure=long_accumulation.svg
    says ">16<" "dose of day 15"
}

@test "text that can't be written to standard output is an error" {
    [ -w /dev/full ] || skip "/dev/full is missing"
    run bash -c "'$program' plot '$here/swept.h5' accumulation --format dumb > /dev/full"
    [ "$status" -eq 4 ]
    [[ $output == *"could not be written"* ]]
}

@test "sweep: arms of the study stand side by side, and so do the levels of every other factor" {
    python3 - "$here" <<'PY'
import sys
text = open(sys.argv[1] + "/swept.yaml").read().replace("study: swept", "study: several")
text = text.replace("times:", '  - {name: "more, and longer", clonazepam: [{oral: 2 mg, every: 8 h, for: 3 d}]}\ntimes:')
text = text[:text.index("  factors:")] + "  factors: {clonazepam.TVCL: [3 L/h, 3.6 L/h], clonazepam.TVF: [0.7, 0.9]}\n"
open(sys.argv[1] + "/several.yaml", "w").write(text)
PY
    "$program" run "$here/several.yaml" -o "$here/several.h5" --quiet
    "$program" plot "$here/several.h5" sweep --format svg -o . > list
    python3 - several_sweep.svg <<'PY'
import re, sys
text = open(sys.argv[1], encoding="utf-8").read()
assert "more, and longer, 0.9" in text, "no arm's name and level in the legend"
# boxes are drawn at the same places, an arm each: 2 x 2 levels of 2 arms
left = {re.split("[, ]", points)[0] for points in re.findall(r"<polygon[^>]*points = '([^']*)'", text)}
assert len(left) >= 8, f"{len(left)} places for 8 boxes"
PY
}

@test "an arm that is called like another's number is drawn in its own place" {
    cat > "$here/numbers.yaml" <<'YAML'
study: numbers
drugs: {clonazepam: clonazepam_adult}
arms:
  - {name: "2", clonazepam: none}
  - {name: taken, clonazepam: [{oral: 1 mg, every: 12 h, for: 2 d}]}
  - {name: "1", clonazepam: none}
times: [{until: 3 d, every: 2 h}]
outputs: [clonazepam.Cp]
YAML
    "$program" run "$here/numbers.yaml" -o "$here/numbers.h5" --quiet
    "$program" plot "$here/numbers.h5" accumulation --format svg -o . > list
    figure=numbers_accumulation.svg
    says "not drawn: 2, 1" ">taken<"
}

@test "sweep: the typical subject is points, arms without a value are left out" {
    "$program" run "$here/swept.yaml" --typical -o "$here/swept1.h5" --quiet
    "$program" plot "$here/swept1.h5" sweep --format svg -o . > list
    figure=swept_sweep.svg
    says "1 subject in 6 arms; points: single subjects" "clonazepam.TVCL [L/h]" "1 mg"
    never='metrics=[{of: clonazepam.Cp, above: 6.5 ng/mL, list: [first_time]}]'
    "$program" run "$here/swept.yaml" --set "$never" -o "$here/swept2.h5" --quiet
    "$program" plot "$here/swept2.h5" sweep --format svg -o . > list
    says "first_time of clonazepam.Cp [h]"
    "$program" run "$here/swept.yaml" --set "${never/6.5/650}" -o "$here/swept3.h5" --quiet
    run "$program" plot "$here/swept3.h5" sweep -o .
    [ "$status" -eq 2 ]
    [[ $output == *"clonazepam_Cp_first_time_650 has no value in any arm"* ]]
}

@test "sweep: a metric against a factor" {
    "$program" plot "$here/swept.h5" sweep --format svg -o . > list
    figure=swept_sweep.svg
    says "[ng/mL]" "clonazepam.TVCL [L/h]" "3.6" "4.2" "[mg]" "education and research, not for dosing"
    [ "$(grep -o '<polygon' "$figure" | wc -l)" -ge 6 ]
}

@test "without a figure: all that the file allows; the others are named" {
    "$program" plot "$here/pair.h5" -o out > list 2> said
    [ "$(wc -l < list)" -eq 6 ]
    while read -r picture; do
        [ "$(head -c 8 "$picture" | od -An -c | tr -d ' ')" = '211PNG\r\n032\n' ]
    done < list
    grep -q "skipped sweep" said
    [ -z "$(find out -name '*part*')" ]
}

@test "svg, pdf and dumb; --log; another output; one arm" {
    "$program" plot "$here/pair.h5" accumulation --format pdf -o . > /dev/null
    [ "$(head -c 4 pair_accumulation.pdf)" = "%PDF" ]
    run "$program" plot "$here/pair.h5" accumulation --format dumb
    [ "$status" -eq 0 ]
    [[ "$output" == *"time [d]"* ]]
    svg accumulation --log --of fentanyl.Cp --arm alone
    says "fentanyl plasma concentration [ng/mL]" "logarithmic" "alone" "0.1"
}

@test "observed points: their units are converted, faults have a place" {
    printf 'time [d],value [ug/L],sd\n1,9.5,1\n2,12.5,2\n4.5,14,\n' > seen.csv
    svg accumulation --data seen.csv
    says "observed"
    printf 'time,value\n1,9.5\n2,high\n' > seen.csv
    run "$program" plot "$here/pair.h5" accumulation --data seen.csv -o .
    [ "$status" -eq 2 ]
    [[ "$output" == *"seen.csv:3:3: error: expected a number in column 'value', but found 'high'"* ]]
    printf 'time [mg],value\n1,9.5\n' > seen.csv
    run "$program" plot "$here/pair.h5" accumulation --data seen.csv -o .
    [ "$status" -eq 2 ]
    printf 'hours,value\n1,9.5\n' > seen.csv
    run "$program" plot "$here/pair.h5" accumulation --data seen.csv -o .
    [ "$status" -eq 2 ]
    [[ "$output" == *"there is no 'time'"* ]]
    run "$program" plot "$here/pair.h5" accumulation --data absent.csv -o .
    [ "$status" -eq 4 ]
}

@test "an unknown figure, format, arm or output: exit 2 and the nearest name" {
    run "$program" plot "$here/pair.h5" acumulation
    [ "$status" -eq 2 ]
    [[ "$output" == *"unknown figure 'acumulation'; did you mean 'accumulation'?"* ]]
    run "$program" plot "$here/pair.h5" --format pgn
    [ "$status" -eq 2 ]
    [[ "$output" == *"did you mean 'png'"* ]]
    run "$program" plot "$here/pair.h5" --arm alon
    [ "$status" -eq 2 ]
    [[ "$output" == *"'alone'"* ]]
    run "$program" plot "$here/pair.h5" --of clonazepam.Cq
    [ "$status" -eq 2 ]
}

@test "a figure the file does not allow, asked for by name: exit 2 and what is missing" {
    run "$program" plot "$here/swept.h5" sedation_overlap
    [ "$status" -eq 2 ]
    [[ "$output" == *"needs clonazepam_Ce_quantiles"* ]]
}

@test "no file, an absent file, a file that is no result" {
    run "$program" plot
    [ "$status" -eq 2 ]
    run "$program" plot absent.h5
    [ "$status" -eq 4 ]
    echo text > text.h5
    run "$program" plot text.h5
    [ "$status" -eq 4 ] || [ "$status" -eq 2 ]
}

@test "names with spaces, quotes, dollars and dashes" {
    directory="a 'b' \$(touch broken) \`touch broken\` @c"
    mkdir "$directory"
    cp "$here/pair.h5" "$directory/-x y's.h5"
    "$program" plot "$directory/-x y's.h5" accumulation > list
    [ -s "$directory/pair_accumulation.png" ]
    cd "$directory"
    "$program" plot -- "-x y's.h5" accumulation profiles --format svg -o '|out' || "$program" plot "./-x y's.h5" accumulation profiles --format svg -o '|out'
    [ -s '|out/pair_profiles.svg' ]
    [ ! -e broken ]
    [ ! -e ../broken ]
}

@test "without gnuplot: exit 4 and how to get it" {
    mkdir empty
    PATH=$PWD/empty run "$program" plot "$here/pair.h5" accumulation -o .
    [ "$status" -eq 4 ]
    [[ "$output" == *"gnuplot"*"install"* ]]
    [ ! -e pair_accumulation.png ]
}

@test "the scripts are usable by hand" {
    gnuplot -e "file='$here/pair.h5'; halflife='$program'; format='svg'" "$root/scripts/figures/accumulation.gp"
    [ -s accumulation.svg ]
}

@test "--help lists the figures" {
    run "$program" plot --help
    [ "$status" -eq 0 ]
    for figure in accumulation half_life sedation_overlap overlap_plane taper_comparison profiles sweep; do
        [[ "$output" == *"  $figure: "* ]]
    done
}
