#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The README's own lines, taken from the README and run: from a clone to the first figure of one's own.

@test "the ten lines of the README make a figure" {
    lines_of_block 1 > "$BATS_TEST_TMPDIR/lines.sh"
    [ "$(wc -l < "$BATS_TEST_TMPDIR/lines.sh")" -eq 10 ]
    copy_of_the_tree
    bash -eu "$BATS_TEST_TMPDIR/lines.sh"
    [ -s output/mine_accumulation.png ]
    [ "$(head -c 4 output/mine_accumulation.png | tail -c 3)" = PNG ]
    grep -q "oral: 0.75 mg" mine.yaml
    [ "$(wc -l < output/mine.csv)" -gt 10 ]
}

@test "the README's lines for a data set check, run, explain, draw and export it" {
    lines_of_block 2 > "$BATS_TEST_TMPDIR/lines.sh"
    grep -q "halflife check events.csv" "$BATS_TEST_TMPDIR/lines.sh"
    copy_of_the_tree
    cp configs/theophylline.csv events.csv
    PATH=$PWD/build:$PATH bash -eu "$BATS_TEST_TMPDIR/lines.sh" > rows
    [ -s output/theo_records.png ] || [ -s output/theophylline_records.png ]
    grep -q "TABLE NO.  1" rows
}

# The n-th block of commands of the README.
lines_of_block() {
    awk -v n="$1" '/^```sh$/ {inside = ++count == n; next} /^```$/ {inside = 0} inside' \
        "$BATS_TEST_DIRNAME/../../README.md"
}

copy_of_the_tree() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    # a copy of the tree and its build, so that nothing is left in this one or changed under other tests
    mkdir "$BATS_TEST_TMPDIR/clone"
    cp -Rp "$root"/{Makefile,sim,models,configs,scripts} "$BATS_TEST_TMPDIR/clone/"
    mkdir -p "$BATS_TEST_TMPDIR/clone/output" "$BATS_TEST_TMPDIR/clone/tests"
    build=$(dirname "${HALFLIFE:-$root/build/halflife}")
    cp -Rp "$build" "$BATS_TEST_TMPDIR/clone/build"
    cd "$BATS_TEST_TMPDIR/clone"
    unset BUILD
}
