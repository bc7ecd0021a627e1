#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# halflife translate: what it takes, what it says, what it refuses. That the texts compute the same is tested in
# tests/verification/translate_*.py.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    halflife=${HALFLIFE:-$root/build/halflife}
    [[ $halflife == /* ]] || halflife=$root/$halflife
    export HALFLIFE_DATA=$root
    cd "$BATS_TEST_TMPDIR"
}

@test "a library model for each tool, silently, with the disclaimer and the grades" {
    for tool in nonmem mrgsolve rxode2; do
        "$halflife" translate one_compartment --to $tool > text 2> messages
        [ ! -s messages ]
        grep -q "For education and research, not for dosing" text
        grep -q "\[L/h\] assumption; template" text
    done
}

@test "without a tool, or with an unknown one: exit 2 and the names" {
    run "$halflife" translate one_compartment
    [ "$status" -eq 2 ]
    [[ "$output" == *"--to is needed: nonmem, mrgsolve or rxode2"* ]]
    run "$halflife" translate one_compartment --to nonmen
    [ "$status" -eq 2 ]
    [[ "$output" == *"did you mean 'nonmem'"* ]]
}

@test "-o writes a file, and replaces one only with --force" {
    "$halflife" translate one_compartment --to nonmem -o a.ctl
    grep -q '^\$PROBLEM one_compartment' a.ctl
    echo mine > a.ctl
    run "$halflife" translate one_compartment --to nonmem -o a.ctl
    [ "$status" -eq 4 ]
    [[ "$output" == *"a.ctl exists"*"--force"* ]]
    grep -q mine a.ctl
    "$halflife" translate one_compartment --to nonmem -o a.ctl --force
    ! grep -q mine a.ctl
}

@test "nothing is written when the model is at fault, or has no such output" {
    run "$halflife" translate one_compartment --to nonmem --only Cq -o b.ctl
    [ "$status" -eq 2 ]
    [[ "$output" == *"no output 'Cq'"* ]]
    [ ! -e b.ctl ]
    sed 's/5 L\/h/5 L/; s/^model: one_compartment/model: wrong/' "$root/models/one_compartment.yaml" > wrong.yaml
    run "$halflife" translate wrong.yaml --to nonmem -o b.ctl
    [ "$status" -eq 2 ]
    [[ "$output" == *"wrong.yaml:"* ]]
    [ ! -e b.ctl ]
}

@test "an interaction model alone is refused, a study that joins it is translated" {
    run "$halflife" translate sedation_overlap --to rxode2
    [ "$status" -eq 2 ]
    [[ "$output" == *"translate a study that joins them"* ]]
    "$halflife" translate "$root/configs/overlap.yaml" --to rxode2 > text 2> messages
    grep -q "d/dt(fentanyl_central)" text
    grep -q "overlap_sedation" text
}

@test "what a tool can't say is a warning and a comment, exit 0" {
    "$halflife" translate clonazepam_adult --to nonmem > text 2> messages
    grep -q "warning: route 'im' has 2 ways in" messages
    grep -q "^; .*route 'im' has 2 ways in" text
}

@test "--only leaves out what isn't needed, but no compartment" {
    "$halflife" translate fentanyl_adult --to nonmem --only Cp > text 2> /dev/null
    [ "$(grep -c 'COMP=' text)" -eq 21 ]
    ! grep -q 'TOL_V' text
    grep -q '^  CP = ' text
}

@test "--data takes the columns of a file: \$INPUT in its order, what it lacks is fixed" {
    printf '#ID,TIME,AMT,CMT,EVID,WT [kg],colour\n1,0,5,1,1,70.5,red\n' > mine.csv
    "$halflife" translate one_compartment --to nonmem --data mine.csv > text
    grep -q '^\$INPUT ID TIME AMT CMT EVID WT X7=DROP' text
    grep -q '^\$DATA mine.csv IGNORE=@' text
    grep -q '^  SMOKER = 0' text
    printf 'ID,TIME,AMT,CMT,EVID,CRCL [L/h]\n' > mine.csv
    "$halflife" translate clonazepam_adult --to nonmem > text 2> /dev/null
    grep -q '^  CRCL_ENG = CRCL \* 0.06 ' text
    "$halflife" translate clonazepam_adult --to nonmem --data mine.csv > text 2> /dev/null
    ! grep -q 'CRCL_ENG' text
    printf 'ID,TIME,AMT,CMT,EVID,smoker,WT [kg/L]\n' > mine.csv
    run "$halflife" translate one_compartment --to nonmem --data mine.csv
    [ "$status" -eq 2 ]
    [[ "$output" == *"column 'WT' is in kg/L, the covariate in kg"* ]]
}

@test "--zero-spread makes NONMEM's variances 0" {
    "$halflife" translate one_compartment --to nonmem --zero-spread > text
    [ "$(grep -c '^\$OMEGA 0 FIX' text)" -eq 3 ]
    grep -q '^\$SIGMA 0 FIX' text
}

@test "--occasions says how many, and every occasion has its effect" {
    "$halflife" translate fentanyl_bista2016 --to nonmem --occasions 4 > text 2> /dev/null
    grep -q 'OCC .EQ. 4' text
    ! grep -q 'OCC .EQ. 5' text
    grep -q 'OCC .GT. 4) EXIT' text
    [ "$(grep -c 'BLOCK(1) SAME' text)" -ge 3 ]
}

@test "--arm takes an arm's parameters" {
    cat > arms.yaml <<'YAML'
study: arms
drugs: {d: one_compartment}
cohort: typical
arms:
  - {name: plain, d: [{oral: 1 mg}]}
  - {name: slower, parameters: {d.TVCL: 1.25 L/h}, d: [{oral: 1 mg}]}
times: [0 h, 1 h]
outputs: [d.Cp]
YAML
    "$halflife" translate arms.yaml --to mrgsolve --arm slower > text
    grep -q '^TVCL = 1.25 ' text
    "$halflife" translate arms.yaml --to mrgsolve > text
    grep -q '^TVCL = 5 ' text
    run "$halflife" translate arms.yaml --to mrgsolve --arm slow
    [ "$status" -eq 2 ]
    [[ "$output" == *"did you mean 'slower'"* ]]
}
