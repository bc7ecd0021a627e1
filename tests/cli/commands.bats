#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The command line as the interface page promises it: verbs, options, exit codes, where words go.

setup() {
    root=$BATS_TEST_DIRNAME/../..
    halflife=${HALFLIFE:-$root/build/halflife}
    export HALFLIFE_DATA=$root
    cd "$BATS_TEST_TMPDIR"
}

small() { # a study that runs in no time
    cat > small.yaml <<'YAML'
study: small
drugs: {clonazepam: clonazepam_adult}
cohort: {subjects: 20, seed: 7}
arms:
  - name: twice a day
    clonazepam: [{oral: 0.5 mg, every: 12 h, for: 3 d}]
times: [{until: 4 d, every: 6 h}]
outputs: [clonazepam.Cp]
metrics: [{of: clonazepam.Cp, list: [Cmax, AUC]}]
YAML
}

@test "no words: overview on standard error, exit 2" {
    run "$halflife"
    [ "$status" -eq 2 ]
    [[ "$output" == *Commands:* ]]
}

@test "--help and help for every verb: exit 0, examples first" {
    run "$halflife" --help
    [ "$status" -eq 0 ]
    for verb in run check explain summary compare plot export models new translate version; do
        run "$halflife" $verb --help
        [ "$status" -eq 0 ]
        [[ "$output" == Examples:* ]]
        [[ "$output" == *"Usage: halflife $verb"* ]]
    done
}

@test "the man page names every verb and formats without complaint" {
    "$halflife" help --man > halflife.1
    for verb in run check explain summary compare plot export models new translate version; do
        grep -q "halflife $verb" halflife.1
    done
    if command -v mandoc > /dev/null; then
        run mandoc -T lint -W error halflife.1
        [ "$status" -eq 0 ]
    fi
}

@test "shell completion is valid bash and knows the verbs" {
    "$halflife" completion bash > completion
    bash -n completion
    grep -q explain completion
}

@test "unknown verb: exit 2 and the nearest one" {
    run "$halflife" rnu x.yaml
    [ "$status" -eq 2 ]
    [[ "$output" == *"did you mean 'run'?"* ]]
}

@test "unknown option: exit 2 and the nearest one" {
    run "$halflife" run x.yaml --thread 2
    [ "$status" -eq 2 ]
    [[ "$output" == *"did you mean '--threads'?"* ]]
}

@test "an option without its value, and a switch with one" {
    run "$halflife" run x.yaml --threads
    [ "$status" -eq 2 ]
    [[ "$output" == *"--threads N"* ]]
    run "$halflife" run x.yaml --quiet=yes
    [ "$status" -eq 2 ]
    [[ "$output" == *"takes no value"* ]]
}

@test "a study that isn't there: its name, and an exit that is not 0" {
    run "$halflife" run nowhere.yaml
    [ "$status" -ne 0 ]
    [[ "$output" == *nowhere.yaml* ]]
}

@test "--resume and --data say that this version cannot" {
    small
    run "$halflife" run small.yaml --resume
    [ "$status" -eq 2 ]
    [[ "$output" == *--resume* ]]
    run "$halflife" run small.yaml --data x.csv
    [ "$status" -eq 2 ]
}

@test "an effect site says what its rate rests on" {
    small
    "$halflife" run small.yaml -o a.h5 --quiet --set 'outputs=[clonazepam.Ce]'
    "$halflife" export a.h5 attributes --format tsv > told
    grep -qP '^clonazepam_Ce\tevidence_grade\tsurrogate$' told
    grep -qP '^clonazepam_Ce_quantiles\tevidence_grade\tsurrogate$' told
    grep -qP '^clonazepam_Ce\tlong_name\teffect-site concentration \(clonazepam\)$' told
}

@test "compare: nothing to tell is told; values of different times aren't set against one another" {
    small
    "$halflife" run small.yaml -o a.h5 --quiet
    "$halflife" run small.yaml -o c.h5 --quiet --set 'times=[{until: 3 d, every: 5 h}]'
    [ "$("$halflife" compare a.h5 a.h5 | head -1)" = "no settings differ" ]
    "$halflife" compare a.h5 c.h5 > told
    grep -A1 '^  clonazepam_Cp$' told | grep -qx '    not comparable: time differs'
    ! grep -A1 '^  clonazepam_Cp_mean$' told | grep -q 'largest deviation'
    "$halflife" run small.yaml -o b.h5 --quiet --subjects 7
    "$halflife" compare a.h5 b.h5 > told
    grep -A1 '^  clonazepam_Cp$' told | grep -q 'equal where both have values'
    ! grep -qE 'deviation [0-9.e+-]+ 1 at' told
}

@test "a slip of the pen is answered with what was expected" {
    small
    says() { [[ "$output" == *"$1"* ]] || { echo "said: $output" >&2; return 1; }; }
    run "$halflife" run small.yaml --seed 18446744073709551615
    [ "$status" -eq 2 ] && says "a whole number of at least 0 and below 2^63, but found '18446744073709551615'"
    run "$halflife" check small.yaml --set cohort.seed=18446744073709551615
    [ "$status" -eq 2 ] && says "expected a whole number such as 1000 and below 2^63"
    run "$halflife" --quiet run small.yaml
    [ "$status" -eq 2 ] && says "expected a command before the option '--quiet', as in: halflife run --quiet"
    run "$halflife" check small.yaml --set 'outputs=[Cp, clonazepan.Ce]'
    [ "$status" -eq 2 ] && says "'Cp'; did you mean 'clonazepam.Cp'?" && says "did you mean 'clonazepam.Ce'?"
    run "$halflife" check small.yaml --set arms.0.name="''"
    [ "$status" -eq 2 ] && says "an arm needs a name"
    sed 's/^study:/stduy:/' small.yaml > nameless.yaml
    run "$halflife" check nameless.yaml
    [ "$status" -eq 2 ] && says "did you mean 'study'" && [[ "$output" != *"found nothing"* ]]
    "$halflife" new model mine
    "$halflife" models mine > /dev/null && "$halflife" translate mine --to nonmem > /dev/null
    sed 's/smoker: {default: absent/smoker: {default: seldom/' mine.yaml > often.yaml
    run "$halflife" check often.yaml
    [ "$status" -eq 2 ] && says "'seldom' is not a category of smoker; expected absent or present"
    printf 'NAT2\nnever\n' > patients.csv
    run "$halflife" check small.yaml --set cohort.csv=patients.csv
    [ "$status" -eq 2 ] && says "patients.csv:2:1: error: unknown category 'never' of NAT2; expected "
    "$halflife" explain small.yaml > told
    ! grep -qE '^  [a-zA-Z_.]+ +[0-9.e+-]+ 1$' told
    cp small.yaml "it's small.yaml"
    "$halflife" run "it's small.yaml" -o a.h5 --quiet
    [ "$("$halflife" export a.h5 attributes --format tsv | awk -F'\t' '$2 == "history" { print $3 }')" = \
      "halflife run 'it'\\''s small.yaml' -o a.h5 --quiet" ]
}

@test "no output takes the place of what it is made from, or of a result" {
    small
    cp small.yaml study.yaml
    "$halflife" new model mine > /dev/null
    "$halflife" run study.yaml -o a.h5 --quiet --subjects 2
    cp a.h5 b.h5
    for victim in study.yaml mine.yaml; do
        cp "$victim" kept
        run "$halflife" run study.yaml -o "$victim" --force --quiet --subjects 2
        [ "$status" -eq 4 ]
        [[ "$output" == *"'$victim' exists and is no result; --force replaces results only"* ]]
        cmp "$victim" kept
    done
    run "$halflife" calendar study.yaml -o study.yaml
    [ "$status" -eq 4 ]
    [[ "$output" == *"'study.yaml' is what it is made of"* ]]
    run "$halflife" calendar study.yaml -o a.h5
    [ "$status" -eq 4 ]
    [[ "$output" == *"'a.h5' is a result"* ]]
    run "$halflife" translate ./mine.yaml --to nonmem -o mine.yaml --force
    [ "$status" -eq 4 ]
    [[ "$output" == *"'mine.yaml' is what is translated"* ]]
    cmp a.h5 b.h5
    grep -q '^model: mine' mine.yaml
    "$halflife" run study.yaml -o a.h5 --force --quiet --subjects 2
    echo torn > a.h5 # by its name it was a result
    "$halflife" run study.yaml -o a.h5 --force --quiet --subjects 2
    "$halflife" calendar study.yaml -o c.txt && "$halflife" calendar study.yaml -o c.txt
}

@test "run writes the file, says where, and refuses to overwrite without --force" {
    small
    run "$halflife" run small.yaml -o small.h5
    [ "$status" -eq 0 ]
    [ -s small.h5 ]
    [[ "$output" == *small.h5* ]]
    run "$halflife" run small.yaml -o small.h5
    [ "$status" -ne 0 ]
    [[ "$output" == *--force* ]]
    run "$halflife" run small.yaml -o small.h5 --force --quiet
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "run into a directory that isn't there: exit 4, nothing left" {
    small
    run "$halflife" run small.yaml -o no/such/place/small.h5
    [ "$status" -eq 4 ]
    [ ! -e no ]
}

@test "--dry-run writes nothing and says what would run" {
    small
    run "$halflife" run small.yaml -o small.h5 --dry-run
    [ "$status" -eq 0 ]
    [ ! -e small.h5 ]
    [[ "$output" == *subjects*20* ]]
}

@test "nothing goes to standard output from run" {
    small
    "$halflife" run small.yaml -o small.h5 > out 2> err
    [ ! -s out ]
}

@test "threads and blocks leave the payload alone; the seed does not" {
    small
    "$halflife" run small.yaml -o a.h5 --quiet --threads 1
    digest() { "$halflife" summary "$1" --json | tr ',{}' '\n\n\n' | grep payload_sha256; }
    want=$(digest a.h5)
    [ -n "$want" ]
    for options in "--threads 2" "--threads 3 --block 8" "--threads 7 --block 24" "--block 40" "--block 200 --verify"; do
        "$halflife" run small.yaml -o b.h5 --force --quiet $options
        [ "$(digest b.h5)" = "$want" ]
    done
    "$halflife" run small.yaml -o b.h5 --force --quiet --seed 8
    [ "$(digest b.h5)" != "$want" ]
}

@test "integrated states: threads and blocks leave the payload alone, metrics leave values alone" {
    run_it() { "$halflife" run "$1" -o "$2" --force --quiet --subjects 20 "${@:3}"; }
    digest() { "$halflife" summary "$1" --json | tr ',{}' '\n\n\n' | grep payload_sha256; }
    sed '/^metrics:/,/^tolerance:/{/^tolerance:/!d}' "$root/configs/tapers.yaml" > silent.yaml
    ! grep -q Cmax silent.yaml
    run_it "$root/configs/tapers.yaml" a.h5 --threads 1
    want=$(digest a.h5)
    [ -n "$want" ]
    for options in "--threads 2 --block 7" "--threads 3 --block 8"; do
        run_it "$root/configs/tapers.yaml" b.h5 $options
        [ "$(digest b.h5)" = "$want" ]
    done
    run_it silent.yaml b.h5
    for variable in clonazepam_Cp clonazepam_withdrawal_index; do
        "$halflife" export a.h5 $variable > a.csv
        "$halflife" export b.h5 $variable > b.csv
        [ -s a.csv ]
        cmp a.csv b.csv
    done
}

@test "subject 17 of 20 is subject 17 of 20000" {
    small
    "$halflife" run small.yaml -o a.h5 --quiet
    "$halflife" run small.yaml -o b.h5 --quiet --subjects 20000
    "$halflife" export a.h5 clonazepam_Cp --subject 17 > a.csv
    "$halflife" export b.h5 clonazepam_Cp --subject 17 > b.csv
    [ "$(wc -l < a.csv)" -gt 10 ]
    cmp a.csv b.csv
}

@test "--set goes through the same door: value, unit, name" {
    small
    "$halflife" run small.yaml -o a.h5 --quiet --typical --set 'clonazepam.TVCL=1.8 L/h'
    "$halflife" run small.yaml -o b.h5 --quiet --typical
    ! cmp -s <("$halflife" export a.h5) <("$halflife" export b.h5)
    run "$halflife" run small.yaml -o c.h5 --set 'clonazepam.TVCL=1.8 L'
    [ "$status" -eq 2 ]
    [[ "$output" == *--set* ]]
    run "$halflife" run small.yaml -o c.h5 --set 'clonazepam.TVCLL=1.8 L/h'
    [ "$status" -eq 2 ]
    [[ "$output" == *"did you mean"* ]]
    [ ! -e c.h5 ]
}

@test "--set without a value is refused by every verb; a long value is not" {
    small
    for verb in run check explain; do
        run "$halflife" $verb small.yaml --set nothing
        [ "$status" -eq 2 ]
        [[ "$output" == *"--set needs KEY=VALUE"* ]]
    done
    run "$halflife" check small.yaml --set "description=$(printf 'long %.0s' {1..300})"
    [ "$status" -eq 0 ]
    run "$halflife" check small.yaml --set "quantiles=[$(seq -s , 1 300 | sed 's/[0-9]*/&e-3/g')]"
    [ "$status" -eq 2 ]
    [[ "$output" == *"300 quantiles, more than the most of 256"* ]]
}

@test "check reports every fault of a file in one pass, with places" {
    cat > bad.yaml <<'YAML'
study: bad
drugz: {clonazepam: clonazepam_adult}
cohort: {subjects: many, seed: 7}
times: [{until: 4 dd, every: 6 h}]
YAML
    run "$halflife" check bad.yaml
    [ "$status" -eq 2 ]
    [[ "$output" == *"bad.yaml:2:1: error:"*"did you mean 'drugs'?"* ]]
    [[ "$output" == *"bad.yaml:3:20: error:"* ]]
    [[ "$output" == *"bad.yaml:4:17: error:"* ]]
}

@test "every model of the library and every study passes check" {
    run "$halflife" check "$root"/models/*.yaml "$root"/configs/*.yaml
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "explain tells of one subject" {
    small
    run "$halflife" explain small.yaml --subject 17
    [ "$status" -eq 0 ]
    [[ "$output" == *clonazepam.CL* ]]
    [[ "$output" == *half-lives* ]]
    [[ "$output" == *"amount into clonazepam.gut"* ]]
    run "$halflife" explain small.yaml --subject 21
    [ "$status" -eq 2 ]
    run "$halflife" explain small.yaml --arm "twice a dya"
    [ "$status" -eq 2 ]
    [[ "$output" == *"did you mean 'twice a day'?"* ]]
}

@test "summary as table and as valid JSON" {
    small
    "$halflife" run small.yaml -o small.h5 --quiet
    run "$halflife" summary small.h5
    [ "$status" -eq 0 ]
    [[ "$output" == *clonazepam_Cp_Cmax* ]]
    [[ "$output" == *"not for dosing"* ]]
    "$halflife" summary small.h5 --json | python3 -m json.tool > /dev/null
}

@test "compare finds what differs" {
    small
    "$halflife" run small.yaml -o a.h5 --quiet
    "$halflife" run small.yaml -o b.h5 --quiet --set 'clonazepam.TVCL=3.7 L/h'
    run "$halflife" compare a.h5 a.h5
    [ "$status" -eq 0 ]
    run "$halflife" compare a.h5 b.h5
    [[ "$output" == *clonazepam_Cp* ]]
}

@test "models lists and describes; an unknown one gets the nearest name" {
    run "$halflife" models
    [ "$status" -eq 0 ]
    [[ "$output" == *clonazepam_adult* ]]
    [[ "$output" == Drugs* ]]
    [[ "$output" == *$'\n\nInteractions\n'*sedation_overlap* ]]
    [[ "$output" == *$'\n\nStructures: disposition\n'*pk_oral_2cmt_trans5* ]]
    run "$halflife" models clonazepam_adult
    [ "$status" -eq 0 ]
    [[ "$output" == *greenblatt2005* ]]
    [[ "$output" == *surrogate* ]]
    run "$halflife" models --markdown pk_oral_2cmt
    [ "$status" -eq 0 ]
    [[ "$output" == "# pk_oral_2cmt"* ]]
    [[ "$output" == *'n_central <-- "Q" --> n_peripheral'* ]]
    [[ "$output" == *'| `TVCL` | 4 L/h |'* ]]
    run "$halflife" models clonazepam_adlut
    [ "$status" -eq 2 ]
    [[ "$output" == *clonazepam_adult* ]]
}

@test "new makes a study and a model that pass check and are not overwritten" {
    "$halflife" new study mine
    run "$halflife" check mine.yaml
    [ "$status" -eq 0 ]
    run "$halflife" new study mine
    [ "$status" -ne 0 ]
    "$halflife" new model my_drug
    run "$halflife" check my_drug.yaml
    [ "$status" -eq 0 ]
    "$halflife" new model mine_too --from pk_oral_2cmt_trans1
    run "$halflife" check mine_too.yaml
    [ "$status" -eq 0 ]
    diff <(grep -v '^model:\|^family:' "$root/models/pk_oral_2cmt_trans1.yaml") <(grep -v '^model:' mine_too.yaml)
    grep -q '^model: mine_too$' mine_too.yaml
    "$halflife" new model third --from mine_too
    grep -q '^extends: pk_oral_2cmt$' third.yaml
    run "$halflife" new model fourth --from pk_oral_2cmpt
    [ "$status" -eq 2 ]
    [[ "$output" == *"did you mean 'pk_oral_2cmt'?"* ]]
    [ ! -e fourth.yaml ]
    run "$halflife" new study fourth --from pk_oral_2cmt
    [ "$status" -eq 2 ]
    [[ "$output" == *"--from copies a model"* ]]
    run "$halflife" new model third --from mine_too
    [ "$status" -eq 4 ]
    [[ "$output" == *"choose another name"* ]]
    run "$halflife" new stdy x
    [ "$status" -eq 2 ]
    [[ "$output" == *"did you mean 'study'?"* ]]
}

@test "version tells version, compiler and libraries" {
    run "$halflife" version
    [ "$status" -eq 0 ]
    [[ "$output" == *GSL* ]]
    [[ "$output" == *HDF5* ]]
}

@test "an interrupted run exits 5 and leaves nothing that looks finished" {
    small
    "$halflife" run small.yaml -o big.h5 --quiet --subjects 2000000 2> err &
    pid=$!
    sleep 0.7
    kill -INT $pid
    status=0
    wait $pid || status=$?
    [ "$status" -eq 5 ]
    [ ! -e big.h5 ]
    [ -z "$(ls -A . | grep part || true)" ]
}

@test "a run that can't fit in memory is refused before it starts" {
    small
    run "$halflife" run small.yaml -o small.h5 --subjects 4000000000
    [ "$status" -eq 2 ]
    [[ "$output" == *"of memory"*"fewer subjects"* ]]
    [ -z "$(ls -A . | grep -e part -e h5 || true)" ]
    sed 's/subjects: [0-9]*/subjects: 24000000000/' small.yaml > large.yaml # and estimated in little memory and time
    (ulimit -v 4000000; timeout 60 "$halflife" check large.yaml) > told
    grep -q "refused .* GB is what may be used of memory" told
}

@test "a result that can't fit on the disk is refused before it starts" {
    small
    free=$(df --output=avail -k . | tail -n 1)
    per=$((10081 * 8 / 1000)) # kB of a subject
    long="times=[{until: 7 d, every: 1 min}]"
    for option in --dry-run --quiet; do
        run "$halflife" run small.yaml -o small.h5 $option --set "$long" --set precision=double --set compression=none \
            --subjects $((free / per * 2)) --memory '8 TB'
        [ "$status" -eq 4 ]
        [[ "$output" == *"the disk of 'small.h5' has"*"compression: fast"* ]]
    done
    [ -z "$(ls -A . | grep -e part -e h5 || true)" ]
}

@test "memory: a size, a plan, the same payload in any" {
    small
    long="times=[{until: 4 d, every: 5 min}]"
    digest() { "$halflife" summary "$1" --json | tr ',{}' '\n\n\n' | grep payload_sha256; }
    "$halflife" run small.yaml -o a.h5 --quiet --subjects 2500 --set "$long" --set 'quantiles=["5 %", "50 %"]'
    want=$(digest a.h5)
    [ -n "$want" ]
    for memory in "45 MB" 60MB 1e8; do
        "$halflife" run small.yaml -o b.h5 --force --quiet --subjects 2500 --set "$long" --set 'quantiles=["5 %", "50 %"]' \
            --memory "$memory" --verify
        [ "$(digest b.h5)" = "$want" ]
    done
    for wrong in "" 0 -3 "5 XB" "MB" "4 MB 3"; do
        run "$halflife" run small.yaml -o c.h5 --memory "$wrong"
        [ "$status" -eq 2 ]
        [[ "$output" == *"--memory needs a size"* ]]
    done
    run "$halflife" run small.yaml -o c.h5 --memory 3MB
    [ "$status" -eq 2 ]
    [[ "$output" == *"of memory"*"what --memory allows"* ]]
    [ ! -e c.h5 ]
}

@test "--dry-run and check say how much and how long" {
    small
    run "$halflife" check small.yaml --subjects 3000000
    [ "$status" -eq 0 ]
    [[ "$output" == *"  file         about"*"  memory       about"*"  time         about"*" thread"* ]]
    run "$halflife" run small.yaml -n -o small.h5 --threads 1
    [ "$status" -eq 0 ]
    [[ "$output" == *"time"*"on 1 thread"* ]]
    [ ! -e small.h5 ]
}

@test "a study that names no outputs stores the sedation index of the overlap" {
    cat > plain.yaml <<'YAML'
study: plain
drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult}
interactions: {overlap: sedation_overlap}
cohort: typical
arms: [{name: both, clonazepam: [{oral: 1 mg}], fentanyl: [{iv: 50 ug}]}]
times: [{until: 6 h, every: 1 h}]
YAML
    "$halflife" run plain.yaml -o plain.h5
    run "$halflife" export plain.h5 attributes
    [[ "$output" == *overlap_sedation* ]]
    [[ "$output" != *overlap_CB* ]]
}

@test "threads and blocks leave integrated states, pumps, patches and drawn values alone too" {
    cat > mixed.yaml <<'YAML'
study: mixed
drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_cancer}
interactions: {overlap: sedation_overlap}
cohort: {subjects: 150, seed: 20261122, uncertainty: drawn, covariates: {WT: {lognormal: {median: 70 kg, cv: "20 %"}, within: [45 kg, 120 kg]}}}
arms:
  - name: pump, then patch
    clonazepam: [{steady_state: {oral: 0.75 mg, every: 12 h}}, {oral: 0.75 mg, every: 12 h, for: 2 d}]
    fentanyl:
      - {infuse: 700 ug/d, for: 1 d, demand: {bolus: 20 ug, per_hour: 0.7, lockout: 10 min, hourly_limit: 3}}
      - {patch: [25 ug/h, 12.5 ug/h], every: 48 h, for: 4 d}
times: [{until: 6 d, every: 2.5 h}]
outputs: [clonazepam.E, clonazepam.withdrawal_index, fentanyl.Ce, overlap.sedation, overlap.P_hyp]
metrics: [{of: overlap.sedation, above: "1", list: [Cmax, Tmax, hours_above]}, {of: clonazepam.withdrawal_index, list: [Cmax]}]
YAML
    digest() { "$halflife" summary "$1" --json | tr ',{}' '\n\n\n' | grep payload_sha256; }
    "$halflife" run mixed.yaml -o a.h5 --quiet --threads 1
    want=$(digest a.h5)
    [ -n "$want" ]
    for options in "--threads 2" "--threads 3 --block 8" "--threads 7 --block 40" "--threads 2 --block 130"; do
        "$halflife" run mixed.yaml -o b.h5 --force --quiet $options
        [ "$(digest b.h5)" = "$want" ]
    done
    "$halflife" run mixed.yaml -o b.h5 --force --quiet --subjects 17
    cmp <("$halflife" export a.h5 overlap_sedation --subject 17) <("$halflife" export b.h5 overlap_sedation --subject 17)
}

@test "check reads a data set alone: what it holds, or every fault of it" {
    printf 'ID,TIME,AMT,WT [kg]\n1,0,100,70\n1,2.5,.,70\n7,0,50,81\n' > data.csv
    run "$halflife" check data.csv
    [ "$status" -eq 0 ]
    [[ "$output" == *"data.csv: 3 records of 2 individuals (the longest has 2): 2 doses, 1 observations, 0 others"* ]]
    printf 'ID,TIME,AMT,ADDL\n1,0,100,3\n1,-1,NA,.\n' > data.csv
    run "$halflife" check data.csv
    [ "$status" -eq 2 ]
    [[ "$output" == *"data.csv:2:9: error: ADDL 3 without II"* ]]
    [[ "$output" == *"data.csv:3:3: error: TIME -1 is before"* ]]
    [[ "$output" == *"data.csv:3:6: error: 'NA' in column AMT"* ]]
}
