#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The pages hang together: links lead somewhere, commands and options that are named exist, figures and files too.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    halflife=${HALFLIFE:-$root/build/halflife}
    [[ $halflife == /* ]] || halflife=$root/$halflife
    export HALFLIFE_DATA=$root
    cd "$root"
}

pages() {
    ls README.md CONTRIBUTING.md CHANGELOG.md docs/*.md output/README.md 2> /dev/null
}

@test "every relative link of a page leads to a file and to a heading of it" {
    python3 "$BATS_TEST_DIRNAME/_links.py" $(pages)
}

@test "every command that a page names exists, with the options shown" {
    local faults=0 verb option
    while read -r page verb options; do
        "$halflife" "$verb" --help > "$BATS_TEST_TMPDIR/help" 2>&1 || {
            echo "$page: halflife $verb does not exist"
            faults=$((faults + 1))
            continue
        }
        for option in $options; do
            grep -qE -- "(^|[ ,])$option([ ,=]|\$)" "$BATS_TEST_TMPDIR/help" || {
                echo "$page: halflife $verb has no option $option"
                faults=$((faults + 1))
            }
        done
    done < <(python3 "$BATS_TEST_DIRNAME/_links.py" --commands $(pages))
    [ "$faults" -eq 0 ]
}

@test "every exit code, metric, taper protocol and key of a study is in the manual" {
    for code in 0 1 2 3 4 5; do
        grep -q "^| $code |" docs/study-language.md
    done
    for metric in $(sed -n 's/^ *\[HL_[A-Z_]*\] = {"\([A-Za-z_]*\)", .*/\1/p' sim/study/asked.c); do
        grep -q "\`$metric\`" docs/study-language.md || { echo "metric $metric is not described"; false; }
    done
    for protocol in $(sed -n 's/^ *{\.info = {"\([a-z0-9_]*\)".*/\1/p' sim/regimen/taper.c); do
        grep -q "^| \`$protocol\`" docs/study-language.md || { echo "taper $protocol is not described"; false; }
    done
    for key in $(sed -n '/hl_study_keys\[\] = {/,/};/p' sim/study/study.c | grep -o '"[a-z]*"' | tr -d '"'); do
        grep -q "\`$key\`\|\`$key:\`" docs/study-language.md || { echo "key $key is not described"; false; }
    done
}
