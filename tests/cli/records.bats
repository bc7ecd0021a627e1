#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What is done with the result of a data set: tables, summary, comparison, figures.

setup_file() {
    export root=$BATS_TEST_DIRNAME/../..
    export HALFLIFE_DATA=$root
    export program=${HALFLIFE:-$root/build/halflife}
    cd "$BATS_FILE_TMPDIR"
    # Two formulas in the place of a simulation: what is tested here is what is done with a result.
    HL_SAMPLE=$PWD/tablets.h5 "$(dirname "$program")/tests/unit/test_store_records"
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    file=$BATS_FILE_TMPDIR/tablets.h5
}

@test "export without a variable: every record with every column, in file order" {
    "$program" export "$file" > all.csv
    [ "$(wc -l < all.csv)" -eq 183 ]
    [ "$(head -n 1 all.csv | cut -d, -f1-4)" = "ID,TIME,EVID,CMT" ]
    cut -d, -f12 all.csv | tail -n +2 | sort -n -c
}

@test "export of columns: names in any case, dots or underscores, one subject, observations" {
    "$program" export "$file" ipred clonazepam.Cp --subject 3 --rows obs --format tsv > some.tsv
    [ "$(head -n 1 some.tsv)" = "$(printf 'ID\tTIME\tIPRED\tclonazepam_Cp')" ]
    [ "$(wc -l < some.tsv)" -eq 13 ]
    [ "$(tail -n +2 some.tsv | cut -f1 | sort -u)" = 103 ]
    run "$program" export "$file" --subject 103
    [ "$status" -eq 2 ]
    [[ "$output" == *"has no subject 103"*"ID 103 is subject 3"* ]]
    run "$program" export "$file" ipredd
    [ "$status" -eq 2 ]
    [[ "$output" == *"did you mean 'IPRED'?"* ]]
}

@test "NONMEM's table: read by R and by Python, number for number the result" {
    "$program" export "$file" A_central --format nonmem > sdtab1
    [ "$(head -n 1 sdtab1)" = "TABLE NO.  1" ]
    "$program" export "$file" EVID IPRED DV A_central > plain.csv
    python3 - <<'PYTHON'
import csv, math
lines = open("sdtab1").read().splitlines()
names, rows = lines[1].split(), [line.split() for line in lines[2:]]
plain = list(csv.DictReader(open("plain.csv")))
assert len(rows) == len(plain) == 182 and all(len(row) == len(names) for row in rows)
assert all(len(line) == 24 * len(names) for line in lines[1:])
for row, other in zip(rows, plain):
    row = dict(zip(names, row))
    for name, text in other.items():
        assert (row[name] == "." and math.isnan(float(text))) or float(row[name]) == float(text), (name, row, other)
PYTHON
    command -v Rscript > /dev/null || skip "R is missing"
    Rscript --vanilla - <<'R'
t <- read.table("sdtab1", skip = 1, header = TRUE, na.strings = ".")
p <- read.csv("plain.csv", na.strings = "NaN")
stopifnot(nrow(t) == 182, all(sapply(t, is.numeric)), identical(is.na(t$IPRED), is.na(p$IPRED)),
          all(t$IPRED == p$IPRED, na.rm = TRUE), all(t$ID == p$ID), sum(t$AMT) == 28, !anyNA(t$II))
R
}

@test "--rows obs leaves EVID 0 and 2; --rows, --wide and --every are refused where they mean nothing" {
    "$program" export "$file" --format nonmem --rows obs > obs
    [ "$(wc -l < obs)" -eq 170 ]
    [ "$(tail -n +3 obs | awk '{ print $3 + 0 }' | sort -un | tr '\n' ' ')" = "0 2 " ]
    for option in --wide "--every=6 h"; do
        run "$program" export "$file" "$option"
        [ "$status" -eq 2 ]
        [[ "$output" == *"is for output times"* ]]
    done
    run "$program" export "$file" subjects --rows obs
    [ "$status" -eq 2 ]
}

@test "a full disk and a closed pipe" {
    [ -e /dev/full ] || skip "/dev/full is missing"
    run bash -c '"$0" export "$1" > /dev/full' "$program" "$file"
    [ "$status" -eq 4 ]
    [[ "$output" == *"No space left on device"* ]]
    run bash -c '"$0" export "$1" | head -n 1' "$program" "$file"
    [[ "$output" == ID,TIME,EVID,* ]]
}

@test "summary: counts, ranges, who failed; as valid JSON too" {
    run "$program" summary "$file"
    [ "$status" -eq 0 ]
    [[ "$output" == *"records    182: 154 observations, 14 dose records with 14 additional doses, 14 other events"* ]]
    [[ "$output" == *"subject 7 (ID 107): not_finite"* ]]
    [[ "$output" == *"covariates next"* ]]
    "$program" summary "$file" --json | python3 -c '
import json, sys
s = json.load(sys.stdin)
assert s["data_set"]["records"] == 182 and s["failed"] == [{"arm": "once", "subject": 7, "ID": 107, "status": "not_finite"}]
assert {c["name"] for c in s["columns"]} >= {"IPRED", "DV", "A_central"}'
}

@test "compare: the same, and the record where two differ most" {
    run "$program" compare "$file" "$file"
    [ "$status" -eq 0 ]
    [[ "$output" == *"all values are equal"* ]]
    cp "$file" other.h5
    python3 - <<'PYTHON' || skip "h5py is missing"
import h5py
with h5py.File("other.h5", "r+") as f:
    f["records/IPRED"][30] += 0.5
    del f.attrs["payload_sha256"]
PYTHON
    run "$program" compare "$file" other.h5
    [[ "$output" == *"largest deviation 0.5 ng/mL at record 31 (ID 103, TIME 1.02, source_row 32)"* ]]
}

figure() { # options: draws one figure as svg and leaves its name in $figure
    "$program" plot "$file" "$@" --format svg -o . > list
    figure=$(cat list)
    if command -v xmllint > /dev/null; then xmllint --noout "$figure"; fi
}

says() {
    for text; do
        grep -qF -- "$text" "$figure" || { echo "$figure does not say: $text" >&2; return 1; }
    done
}

@test "figure records: a panel per individual, units, doses, who failed" {
    command -v gnuplot > /dev/null || skip "gnuplot is missing"
    figure records
    says "12 of 14 individuals" "plasma concentration (clonazepam) [ng/mL]" "time [h]" "observed" "IPRED" "dose" "ID 101" "ID 112" \
         "ID 107: not_finite" "payload" "education and research, not for dosing"
    [ "$(grep -c 'ID 1' "$figure")" -eq 12 ]
    figure records --subject 14 --log
    says "individual 14 of 14" "logarithmic axis" "ID 114"
    [ "$(grep -c 'ID 1' "$figure")" -eq 1 ]
    figure records --of A_central
    says "amount in clonazepam.central [mg]"
    ! grep -q observed "$figure"
}

@test "figure dv_ipred: as many points as there are observations" {
    command -v gnuplot > /dev/null || skip "gnuplot is missing"
    figure dv_ipred
    n=$("$program" export "$file" DV_observed IPRED --format tsv | awk 'NR > 1 && $3 != "NaN" && $4 != "NaN"' | wc -l)
    says "$n observations of 14 individuals" "predicted (IPRED) [ng/mL]" "observed (DV) [ng/mL]" "equal" "twice and half"
}

@test "plot without a name draws both; --subject and --of are checked" {
    command -v gnuplot > /dev/null || skip "gnuplot is missing"
    "$program" plot "$file" -o . > list 2> said
    [ "$(wc -l < list)" -eq 2 ]
    [ ! -s said ]
    run "$program" plot "$file" --subject 15
    [ "$status" -eq 2 ]
    [[ "$output" == *"has no subject 15"* ]]
    run "$program" plot "$file" --of A_centrl
    [ "$status" -eq 2 ]
    [[ "$output" == *"did you mean 'A_central'?"* ]]
    run "$program" plot "$file" profiles
    [ "$status" -eq 2 ]
}

@test "a result exported and run again as a data set gives the same numbers, bit for bit" {
    cp "$root/tests/readers/_records.csv" events.csv
    sed 's/^data:.*/data: events.csv/' "$root/tests/readers/_records.yaml" > first.yaml
    "$program" run first.yaml -o first.h5 --quiet
    "$program" export first.h5 ID TIME EVID CMT MDV AMT RATE ADDL II WT SITE OCC > again.csv
    sed 's/^data:.*/data: {file: again.csv, missing: [NaN]}/' first.yaml > again.yaml
    "$program" run again.yaml -o again.h5 --quiet
    "$program" export first.h5 IPRED DV A_central > a
    "$program" export again.h5 IPRED DV A_central > b
    [ "$(wc -l < a)" -eq 97 ]
    cmp a b
}

@test "a sweep: arm after arm, each with all records; one arm alone" {
    cp "$root/tests/readers/_records.csv" events.csv
    sed 's/^data:.*/data: events.csv/' "$root/tests/readers/_records.yaml" > sweep.yaml
    printf 'sweep: {design: grid, factors: {clonazepam.TVCL: [2 L/h, 5 L/h]}}\n' >> sweep.yaml
    "$program" run sweep.yaml -o sweep.h5 --quiet
    "$program" export sweep.h5 IPRED > both.csv
    [ "$(head -n 1 both.csv)" = "arm,ID,TIME,IPRED" ]
    [ "$(wc -l < both.csv)" -eq 193 ]
    "$program" export sweep.h5 IPRED --arm 1 --subject 3 > one.csv
    [ "$(wc -l < one.csv)" -eq 13 ]
    cmp <(tail -n +2 one.csv | cut -d, -f3,4) <(sed -n '122,133p' both.csv | cut -d, -f3,4)
    ! cmp -s <(sed -n '2,97p' both.csv | cut -d, -f4) <(sed -n '98,193p' both.csv | cut -d, -f4)
    "$program" export sweep.h5 --format nonmem | sed -n 2p | grep -q " ARM .*IPRED .*DV "
    run "$program" summary sweep.h5
    [[ "$output" == *"records    96: 80 observations, 8 dose records with 18 additional doses"* ]]
}

@test "IDs that are texts, and a column of the data set called ARM" {
    cp "$root/tests/readers/_records.yaml" texts.yaml
    sed -i 's/^data:.*/data: texts.csv/' texts.yaml
    printf 'ID,TIME,EVID,AMT,DV,ARM\nP 01,0,1,1,.,a\nP 01,5,0,.,2.1,a\n"P,02",0,1,1,.,.\n"P,02",5,0,.,1.5,b\n' > texts.csv
    "$program" run texts.yaml -o texts.h5 --quiet
    "$program" export texts.h5 ARM > texts
    [ "$(tr '\n' ' ' < texts)" = 'ID,TIME,ARM P_01,0,a P_01,5,a "P,02",0,NaN "P,02",5,b ' ]
    "$program" export texts.h5 --format nonmem > sdtab
    ! grep -q ARM sdtab
    [ "$(tail -n +3 sdtab | awk '{ print $1 + 0 }' | tr '\n' ' ')" = "1 1 2 2 " ]
    [ "$("$program" export texts.h5 ARM --format nonmem | tail -n +3 | awk '{ print $NF }' | tr '\n' ' ')" = \
      "0.0000000000000000E+00 0.0000000000000000E+00 . 1.0000000000000000E+00 " ]
}

# thin CSV [options]: draws all figures of a data set that holds next to nothing; their number goes to $drawn.
thin() {
    sed 's/^data:.*/data: thin.csv/' "$root/tests/readers/_records.yaml" > thin.yaml
    printf "$1" > thin.csv
    shift
    "$program" run thin.yaml -o thin.h5 --force --quiet || [ "$?" -eq 3 ]
    drawn=$("$program" plot thin.h5 -o . "$@" | wc -l)
}

@test "figures of data sets that hold next to nothing" {
    command -v gnuplot > /dev/null || skip "gnuplot is missing"
    thin 'ID,TIME,EVID,AMT\n1,0,1,1\n1,5,1,1\n' # doses alone
    [ "$drawn" -eq 1 ]
    thin 'ID,TIME,EVID,AMT,DV\n1,0,1,1,.\n1,5,0,0,.\n' --log # nothing observed
    [ "$drawn" -eq 1 ]
    thin 'ID,TIME,EVID,AMT,DV\n1,0,0,0,1\n' # nothing given, one record
    [ "$drawn" -eq 2 ]
    thin 'ID,TIME,EVID,AMT,DV\n1,0,0,0,1\n' --log
    [ "$drawn" -eq 2 ]
    thin 'ID,TIME,EVID,AMT,DV,CMT\n1,-24,1,1,.,1\n1,5,0,0,2,2\n1,5,0,0,20,1\n1,5,2,.,.,-1\n1,7,2,0,.,0\n' # two units
    [ "$drawn" -eq 2 ]
    thin 'TIME,EVID,AMT,DV\n0,1,1,.\n5,0,0,2\n0,3,0,.\n0,1,5,.\n3,0,0,1\n' --log # the clock starts anew
    [ "$drawn" -eq 2 ]
}
