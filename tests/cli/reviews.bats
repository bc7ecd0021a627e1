#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Tapers with reviews on the command line: what is said of them, and that recorded doses can be given again.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    halflife="${HALFLIFE:-$root/build/halflife}"
    export HALFLIFE_DATA="$root"
    cd "$BATS_TEST_TMPDIR"
    cp "$root/configs/symptom_guided.yaml" .
}

without_arm() {
    sed -E 's/^("[^"]*"|[^,]*),//'
}

run_guided() {
    "$halflife" run symptom_guided.yaml --subjects 5 -o guided.h5 --quiet --force
}

@test "explain tells a subject's reviews as the result has them" {
    run_guided
    "$halflife" explain symptom_guided.yaml --subjects 5 --subject 4 --arm "quarters, guided" --events 0 > told
    grep -q "^reviews (" told
    "$halflife" export guided.h5 reviews --arm "quarters, guided" --subject 4 > rows
    [ "$(grep -c "clonazepam review [0-9]*: clonazepam.withdrawal_index" told)" -eq "$(($(wc -l < rows) - 1))" ]
    head -1 rows | grep -q "^arm,subject,drug,number,time,value,decision,rule,level_before,level_after,dose_before,dose_after$"
    # the doses of the taper, too (from day 7 on, those of everybody and its own)
    "$halflife" export guided.h5 doses --arm "quarters, guided" --subject 4 > doses
    [ "$(grep -c "dose given by oral" told)" -eq "$(($(wc -l < doses) - 1))" ]
}

@test "summary shows how long guided tapers take, and only where there are reviews" {
    run_guided
    "$halflife" summary guided.h5 > told
    [ "$(grep -c clonazepam_taper_days told)" -eq 2 ]
    [ "$(grep -c clonazepam_taper_steps_back told)" -eq 2 ]
}

@test "recorded doses, given again, give the same values" {
    run_guided
    "$halflife" export guided.h5 doses > doses.csv
    cat > again.yaml <<STUDY
study: again
origin: "08:00"
drugs: {clonazepam: clonazepam_adult}
cohort:
  subjects: 5
  seed: 20261122
  covariates:
    WT: {lognormal: {median: 70 kg, cv: "20 %"}, within: [45 kg, 120 kg]}
    AGE: {uniform: [20 year, 75 year]}
arms:
  - name: again
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - {recorded: doses.csv, arm: "quarters, guided"}
times: [{until: 40 week, every: 12 h}]
outputs: [clonazepam.Cp, clonazepam.withdrawal_index]
STUDY
    "$halflife" run again.yaml -o again.h5 --quiet
    "$halflife" export guided.h5 clonazepam_withdrawal_index --arm "quarters, guided" | without_arm > first
    "$halflife" export again.h5 clonazepam_withdrawal_index | without_arm > second
    [ "$(wc -l < first)" -gt 1000 ]
    cmp first second
    # a larger cohort has no doses to be given
    run "$halflife" check again.yaml --subjects 6
    [ "$status" -eq 2 ]
    echo "$output" | grep -q "the recorded doses are of 5 subjects, the cohort has 6"
    # a table with faults says where
    sed -i '3s/,[^,]*,/,x,/' doses.csv
    run "$halflife" check again.yaml
    [ "$status" -eq 2 ]
}

@test "there is no one calendar of an arm with reviews" {
    run "$halflife" calendar symptom_guided.yaml --arm "eighths, guided"
    [ "$status" -eq 2 ]
    echo "$output" | grep -q "doses of its own"
}
