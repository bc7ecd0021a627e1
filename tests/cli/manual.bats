#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The manual's examples are real: each is taken from its page and given to `halflife check`; those shown as errors give
# the message that stands there.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    halflife=${HALFLIFE:-$root/build/halflife}
    [[ $halflife == /* ]] || halflife=$root/$halflife
    export HALFLIFE_DATA=$root
    cd "$BATS_TEST_TMPDIR"
}

# What is wrong with one example; nothing when it does what its page says.
fault_of() {
    local status=0
    "$halflife" check "$1.yaml" > out 2>&1 || status=$?
    if [ -e "$1.expect" ]; then
        [ "$status" -eq 2 ] || echo "expected to be refused, exit status $status"
        grep -qF "$(cat "$1.expect")" out || { echo "expected: $(cat "$1.expect")"; cat out; }
    elif [ "$status" -ne 0 ]; then
        echo "exit status $status"
        cat out
    fi
}

# check_page PAGE LEAST: all examples of a page, of which there are at least so many.
check_page() {
    local n example fault faults=0
    n=$(python3 "$BATS_TEST_DIRNAME/_blocks.py" "$root/docs/$1" .)
    [ "$n" -ge "$2" ]
    for example in line*.yaml; do
        fault=$(fault_of "${example%.yaml}")
        [ -z "$fault" ] && continue
        echo "docs/$1, line ${example//[^0-9]/}: $fault"
        faults=$((faults + 1))
    done
    [ "$faults" -eq 0 ]
}

@test "every example of docs/study-language.md does what it says" {
    printf 'ID,TIME,AMT,dose,CMT,DV,WT,weight\n1,0,1,1,1,.,71.3,71.3\n1,1.7,.,.,2,.,71.3,70.9\n' > events.csv
    check_page study-language.md 25
}

@test "every example of docs/model-language.md does what it says" {
    cp "$BATS_TEST_DIRNAME/_page.yaml" page.yaml
    check_page model-language.md 20
}

@test "every example of docs/structures.md does what it says" {
    check_page structures.md 3
}

@test "every example of docs/taper.md does what it says" {
    check_page taper.md 5
}

@test "every example of docs/educators.md does what it says" {
    check_page educators.md 2
}
