#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The README's own ten lines, taken from the README and run: from a clone to the first figure of one's own.

@test "the ten lines of the README make a figure" {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$root/README.md" > "$BATS_TEST_TMPDIR/lines.sh"
    [ "$(wc -l < "$BATS_TEST_TMPDIR/lines.sh")" -eq 10 ]
    # a copy of the tree, so that nothing is left in this one; the build is shared
    mkdir "$BATS_TEST_TMPDIR/clone"
    cp -R "$root"/{Makefile,sim,models,configs,scripts} "$BATS_TEST_TMPDIR/clone/"
    mkdir -p "$BATS_TEST_TMPDIR/clone/output" "$BATS_TEST_TMPDIR/clone/tests"
    build=$(dirname "${HALFLIFE:-$root/build/halflife}")
    cp -Rp "$build" "$BATS_TEST_TMPDIR/clone/build"
    cd "$BATS_TEST_TMPDIR/clone"
    bash -eu "$BATS_TEST_TMPDIR/lines.sh"
    [ -s output/mine_accumulation.png ]
    [ "$(head -c 4 output/mine_accumulation.png | tail -c 3)" = PNG ]
    grep -q "oral: 0.75 mg" mine.yaml
    [ "$(wc -l < output/mine.csv)" -gt 10 ]
}
