#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Data sets through the command line: check, run, explain, dry run, sweeps, exit codes.

setup() {
    root=$BATS_TEST_DIRNAME/../..
    halflife=${HALFLIFE:-$root/build/halflife}
    export HALFLIFE_DATA=$root
    cd "$BATS_TEST_TMPDIR"
    cat > oral.yaml <<'YAML'
model: oral
title: one compartment by mouth and by vein
covariates:
  WT: {default: 70 kg}
  LAGT: {default: 0 h}
parameters:
  TVCL: {value: 2.385 L/h, grade: assumption}
  V: {value: 31.7 L, grade: assumption}
  KA: {value: 0.73 1/h, grade: assumption}
random:
  eta_CL: {cv: "30 %"}
  kappa_CL: {sd: 0.2, level: occasion}
individual:
  CL: "TVCL * (WT / 70 kg)^0.75 * exp(eta_CL + kappa_CL)"
  F1: "if(WT > 100 kg, -1, 0.9)"
compartments:
  depot: {}
  central: {volume: V, default: observe}
flows:
  - depot -> central: KA
  - central -> out: CL
routes:
  oral: {into: depot, bioavailability: F1, lag: LAGT, default: dose}
  iv: {into: central}
outputs:
  Cp: {value: central / V, unit: ng/mL}
residual_error:
  Cp: {proportional: 0.1}
YAML
    cat > study.yaml <<'YAML'
study: study
drugs: {d: oral}
cohort: {seed: 11}
data: events.csv
outputs: [d.Cp]
YAML
    cat > events.csv <<'CSV'
ID,TIME,EVID,AMT,CMT,II,ADDL,SS,RATE,DV,WT,OCC,LAGT
7,0,1,100,1,12,3,0,0,.,70,1,0.25
7,2.5,0,.,2,.,.,.,.,1800,72,1,0.25
7,12,0,.,2,.,.,.,.,.,74,1,0.25
7,30,2,.,-2,.,.,.,.,.,74,2,0.25
7,31,3,.,.,.,.,.,.,.,74,2,0.25
9,5,4,50,2,8,0,1,20,.,66,1,0
9,9,0,.,2,.,.,.,.,.,66,1,0
CSV
}

@test "check says what the data set holds and which rule its covariates follow" {
    run "$halflife" check study.yaml
    [ "$status" -eq 0 ]
    [[ "$output" == *"7 records of 2 individuals, 3 observations, 2 dose records"* ]]
    [[ "$output" == *"covariate    WT, changes within individuals: next (NONMEM's rule)"* ]]
    [[ "$output" == *"bioavailability with a given rate scales the duration (NONMEM's rule)"* ]]
    [[ "$output" == *"CMT 1        d.depot, doses as by route oral, dosed"* ]]
    [[ "$output" == *"CMT 2        d.central, doses as by route iv, dosed, observed"* ]]
    run "$halflife" check study.yaml --set data.covariates=previous
    [[ "$output" == *"WT, changes within individuals: previous"* ]]
    [[ "$output" != *"previous (NONMEM's rule)"* ]]
}

@test "check of a table alone: what its columns are" {
    run "$halflife" check events.csv
    [ "$status" -eq 0 ]
    [[ "$output" == *"7 records of 2 individuals"* ]]
}

@test "explain tells every event of an individual with its reason" {
    run "$halflife" explain study.yaml --subject 1 --events 0
    [ "$status" -eq 0 ]
    [[ "$output" == *"0 h    dose read (line 2): 90 mg into d.depot, F 0.9, lag 0.25 h"* ]]
    [[ "$output" == *"0.25 h    90 mg enter d.depot (line 2)"* ]]
    [[ "$output" == *"12.25 h    90 mg enter d.depot (additional dose 1 of line 2)"* ]]
    [[ "$output" == *"d.CL is now"* ]]
    [[ "$output" == *"30 h    line 5: d.central is switched off"* ]]
    [[ "$output" == *"31 h    line 6: all amounts back to their initial values, 1 pending or running input cancelled"* ]]
    [[ "$output" != *"additional dose 3"* ]]
    run "$halflife" explain study.yaml --subject 2
    [[ "$output" == *"5 h    line 7: SS 1, one dose every 8 h since ever"* ]]
    [[ "$output" == *"infusion into d.central starts (line 7): 20 mg/h for 2.5 h"* ]]
}

@test "explain counts the lines it leaves out, and knows who is there" {
    run "$halflife" explain study.yaml --subject 1 --events 3
    [ "$status" -eq 0 ]
    [[ "$output" == *"more lines (--events 0 lists all)"* ]]
    run "$halflife" explain study.yaml --subject 3
    [ "$status" -eq 2 ]
}

@test "run: a row for every record, in the order of the file, observations with a simulated DV" {
    run "$halflife" run study.yaml -o s.h5
    [ "$status" -eq 0 ]
    "$halflife" export s.h5 ID TIME EVID IPRED DV > rows.csv
    [ "$(wc -l < rows.csv)" -eq 8 ]
    [ "$(sed -n 2p rows.csv | cut -d, -f1-4)" = "7,0,1,0" ]
    [ "$(sed -n 5p rows.csv | cut -d, -f1-5)" = "7,30,2,0,NaN" ]
    [[ "$(sed -n 8p rows.csv)" == 9,9,0,* ]]
    "$halflife" run study.yaml --typical -o t.h5
    "$halflife" export t.h5 IPRED DV --rows obs | awk -F, 'NR > 1 && $4 != "NaN" && $3 != $4 {bad = 1} END {exit bad}'
}

@test "an individual that can't be solved: exit 3, its line and reason; the others are there; check calls it an error" {
    sed -i 's/^9,5,4,50,2,8,0,1,20,.,66/9,5,4,50,1,8,0,1,20,.,166/' events.csv
    run "$halflife" run study.yaml -o s.h5
    [ "$status" -eq 3 ]
    [[ "$output" == *"events.csv:7:1: warning: ID 9 at TIME 5: F of d.depot (route oral) is -1; it must be positive"* ]]
    "$halflife" export s.h5 IPRED > rows.csv
    ! sed -n 2,6p rows.csv | grep -q NaN
    [ "$(sed -n 7,8p rows.csv | grep -c NaN)" -eq 2 ]
    run "$halflife" check study.yaml
    [ "$status" -eq 2 ]
    [[ "$output" == *"events.csv:7:1: error: ID 9 at TIME 5: F of d.depot"* ]]
}

@test "faults of the table: all of them, with line and column, exit 2, no file" {
    sed -i 's/^7,2.5,0,\./7,2.5,0,3/; s/^7,12,0/7,12,11/' events.csv
    run "$halflife" run study.yaml -o s.h5
    [ "$status" -eq 2 ]
    [[ "$output" == *"events.csv:3:"*"error:"* ]]
    [[ "$output" == *"events.csv:4:"*"error:"* ]]
    [ ! -e s.h5 ]
}

@test "--data takes the place of the study's own table; --dry-run runs nothing" {
    head -4 events.csv > few.csv
    run "$halflife" run study.yaml --data few.csv -o s.h5 --dry-run
    [ "$status" -eq 0 ]
    [[ "$output" == *"few.csv: 3 records of 1 individuals"* ]]
    [ ! -e s.h5 ]
    run "$halflife" run study.yaml --data nowhere.csv -o s.h5
    [ "$status" -ne 0 ]
    [[ "$output" == *nowhere.csv* ]]
}

@test "a sweep: every combination is an arm with all records" {
    cat >> study.yaml <<'YAML'
sweep: {design: grid, factors: {d.TVCL: [2 L/h, 4 L/h]}}
YAML
    "$halflife" run study.yaml -o s.h5
    "$halflife" export s.h5 > rows.csv
    [ "$(wc -l < rows.csv)" -eq 15 ]
    head -1 rows.csv | grep -q arm
}

@test "--typical: every random effect zero, occasions too" {
    run "$halflife" explain study.yaml --typical --subject 1
    [ "$status" -eq 0 ]
    [[ "$output" == *"d.eta_CL                     +0 "* ]]
    [[ "$output" == *"d.kappa_CL                   +0 "* ]]
}

@test "a lag of at least II at steady state: the physical answer and one note; a shorter one says nothing" {
    cat > events.csv <<'CSV'
ID,TIME,EVID,AMT,CMT,II,SS,LAGT
1,0,1,100,1,8,1,8.25
1,1,0,.,2,.,.,8.25
2,0,1,100,1,8,1,9
2,1,0,.,2,.,.,9
CSV
    run "$halflife" run study.yaml -o s.h5
    [ "$status" -eq 0 ]
    [ "$(grep -c "note: steady state with a lag of at least II" <<< "$output")" -eq 1 ]
    [[ "$output" == *"events.csv:2:1: note:"* ]]
    sed -i 's/8.25/7.75/; s/,9$/,3/' events.csv
    run "$halflife" run study.yaml -o s.h5 --force
    [[ "$output" != *note* ]]
}

@test "SS 2 in a model that isn't linear: a warning; in a linear one none" {
    printf 'ID,TIME,EVID,AMT,CMT,II,SS\n1,0,1,10,2,8,2\n1,1,0,.,2,.,.\n' > events.csv
    run "$halflife" run study.yaml -o s.h5
    [ "$status" -eq 0 ]
    [[ "$output" != *warning* ]]
    sed -i 's|central -> out: CL|central -> out: "CL * 1 [mg/L] / (1 [mg/L] + central / V)"|' oral.yaml
    run "$halflife" run study.yaml -o s.h5 --force
    [ "$status" -eq 0 ]
    [[ "$output" == *"events.csv:2:1: warning: SS 2 adds a steady state"* ]]
}
