#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# halflife taper, from the question to the result file, on a small cohort.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    halflife=${HALFLIFE:-$root/build/halflife}
    [[ $halflife == /* ]] || halflife=$root/$halflife
    export HALFLIFE_DATA=$root
    cd "$BATS_TEST_TMPDIR"
    cat > stop.yaml <<'STUDY'
study: stop
origin: "07:00"
drugs: {clonazepam: clonazepam_adult}
cohort: {subjects: 11, seed: 2387, covariates: {WT: {lognormal: {median: 71.3 kg, cv: "19 %"}, within: [45 kg, 120 kg]}}}
tolerance: 1e-6
design:
  before:
    clonazepam: [{steady_state: {oral: 0.75 mg, every: 12 h}}, {oral: 0.75 mg, every: 12 h, for: 36 h}]
  taper:
    clonazepam: {from: 1.5 mg/d, at: ["08:00", "19:30"], products: [{tablet: 0.5 mg, break: halves}]}
  lengths: [14 d]
  longest: 14 week
  follow: 4 week
  keep: [{of: clonazepam.withdrawal_index, peak: "24", in: "72 %"}]
  judge: {subjects: 9}
STUDY
}

design() {
    "$halflife" taper stop.yaml --progress none "$@"
}

# Puts lines behind the last one of design:.
add() {
    printf '  %s\n' "$@" >> stop.yaml
}

@test "check and --dry-run say what would be designed; run says who designs" {
    run "$halflife" check stop.yaml
    [ "$status" -eq 0 ]
    [[ "$output" == *"clonazepam, from 1.5 mg a day: evening 0.75 mg, morning 0.75 mg"* ]]
    [[ "$output" == *"1.5, 1.25, 1, 0.75, 0.5, 0.25, 0 mg a day (7)"* ]]
    [[ "$output" == *"peak at most 24 in 72 % of subjects"* ]]
    [[ "$output" == *"9, seed 2388"* ]]
    "$halflife" check stop.yaml > checked
    design --dry-run > dry
    diff checked dry
    [ ! -e output ]
    run "$halflife" run stop.yaml -o stop.h5
    [ "$status" -eq 2 ]
    [[ "$output" == *"stop.yaml:7:3: error:"*"halflife taper stop.yaml"* ]]
    [ ! -e stop.h5 ]
}

@test "a design leaves an ordinary study; its result is what the study gives again; nothing is replaced unasked" {
    add 'compare: [abrupt, uk_eighth]' 'stress: [{name: half missed, adherence: {missed: "50 %"}}]'
    design > out
    grep -q "days to nothing" out
    grep -q "^Certificate" out
    grep -q "not medical advice, not for dosing" out
    for arm in designed abrupt uk_eighth "uk_eighth every" "uk_eighth in" "designed, half missed"; do
        grep -q "^  $arm" out || { echo "no arm $arm"; false; }
    done
    "$halflife" run output/stop.taper.yaml -o again.h5 --quiet
    "$halflife" compare output/stop.h5 again.h5 | grep -q "all values are equal"
    grep -q "^== level 1 of" output/stop.calendar.txt
    [ "$(head -c 5 output/stop.calendar.pdf)" = "%PDF-" ]
    run design
    [ "$status" -eq 4 ]
    [[ "$output" == *"output/stop.h5"*"--force"* ]]
    # where nothing can be written is told before the search
    run design -o no/such/place
    [ "$status" -eq 4 ]
    [[ "$output" == *"directory 'no/such': No such file or directory"* && "$output" != *Searched* ]]
}

@test "the answer doesn't know the number of threads, and is JSON" {
    add 'compare: [nardi2010]'
    mkdir a b
    design --json --threads 1 -o a/ > one
    design --json --threads 2 -o b/ > two
    python3 -c 'import json,sys; a,b=(json.load(open(f)) for f in ("one","two")); [x.pop(k) for x in (a,b) for k in ("study_file","result_file")]; assert a["outcome"] == "found" and a == b'
    "$halflife" compare a/stop.h5 b/stop.h5 | grep -q "all values are equal"
}

@test "what is designed keeps its bound on its own subjects, in amounts the products make, and not less than is proved" {
    design --json --alone > answer
    [ ! -e output/stop.h5 ]
    python3 - <<'EOT'
import json
a = json.load(open("answer"))
for v in a["designed_on"]:
    assert v["value"] <= v["bound"] and v["share"] >= 0.72, v
assert a["certificate"]["valid"] and a["certificate"]["days"] <= a["days"]
total = 1.5
for level in a["levels"]:
    doses = [d["amount"] for d in level["clonazepam"]["doses"]]
    assert all(d / 0.25 == round(d / 0.25) for d in doses), doses
    assert sum(doses) == level["clonazepam"]["total_mg"] < total
    assert (level["to_day"] - level["from_day"] + 1) % 14 == 0
    total = sum(doses)
EOT
}

@test "the designed study on the design's own subjects gives the index the report told" {
    design --json --alone > answer
    "$halflife" run output/stop.taper.yaml -o own.h5 --quiet --subjects 11 --seed 2387
    "$halflife" export own.h5 clonazepam_withdrawal_index_Cmax > own.csv
    python3 - <<'EOT'
import csv, json, math
a = json.load(open("answer"))["designed_on"][0]
values = sorted(float(r["clonazepam_withdrawal_index_Cmax"]) for r in csv.DictReader(l for l in open("own.csv") if not l.startswith("#")))
assert len(values) == 11
assert abs(values[math.ceil(0.72 * 11) - 1] - a["value"]) < 1e-12, (values, a)
EOT
}

@test "a bound that can't be kept: exit 2, the nearest that can be, which then can be kept" {
    run design --set 'design.keep.0.peak="9"' --json --quiet
    [ "$status" -eq 2 ]
    echo "$output" | grep -v error: > answer
    nearest=$(python3 -c 'import json; a=json.load(open("answer")); assert a["outcome"]!="found"; print("%.4f" % (a["nearest"][0]["feasible"]+0.001))')
    [ ! -e output/stop.taper.yaml ]
    design --set "design.keep.0.peak=\"$nearest\"" --alone --quiet > out
    grep -q "days to nothing" out
}

@test "--nearest goes on with the nearest bound: taper, certificate, judgement, files" {
    add 'compare: [abrupt]'
    design --set 'design.keep.0.peak="9"' --nearest > out
    grep -q ": no such taper" out
    grep -q "days to nothing" out
    grep -q "^Certificate" out
    grep -q "loosened to" out
    grep -q "subjects designed on" out
    [ -e output/stop.h5 ]
    "$halflife" taper stop.yaml --progress none --set 'design.keep.0.peak="9"' --nearest --json --quiet -o other > answer
    python3 - answer <<'EOT'
import json, sys
a = json.load(open(sys.argv[1]))
assert a["outcome"] == "found"
d = a["designed_on"][0]
assert d["bound"] > 9 and d["value"] <= d["bound"] and d["share"] >= 0.72
EOT
}

@test "an interrupt while it searches ends it at once, with nothing left behind" {
    "$halflife" taper stop.yaml --quiet --subjects 3000 -o other & # a search of many seconds
    pid=$!
    sleep 1
    kill -TERM $pid
    status=0
    wait $pid || status=$?
    [ "$status" -eq 5 ]
    [ ! -e other.taper.yaml ]
}

@test "a bound that is exceeded before anything is reduced is told as such" {
    run design --set 'design.keep.0.peak="0.1"'
    [ "$status" -eq 2 ]
    [[ "$output" == *"exceeded even if nothing is ever reduced"* ]]
}

@test "under a situation every bound holds there, too, and takes no less long" {
    add 'stress: [{name: half missed, adherence: {missed: "50 %"}}]'
    design --json --alone > plain
    add 'under: [half missed]'
    design --json --alone --force --set 'design.keep.0.peak="34"' > answer || true
    python3 - <<'EOT'
import json
a = json.load(open("answer"))
if a["outcome"] == "found":
    assert len(a["designed_on"]) == 2
    for v in a["designed_on"]:
        assert v["value"] <= v["bound"], v
else:
    assert len(a["nearest"]) == 2
EOT
}

@test "a study without a question, a data set, a date that doesn't exist: exit 2" {
    run "$halflife" taper "$root/configs/first.yaml"
    [ "$status" -eq 2 ]
    [[ "$output" == *"asks for no taper"* ]]
    run design --start 2027-02-29
    [ "$status" -eq 2 ]
    [[ "$output" == *"a date that exists"* ]]
    run design --data events.csv
    [ "$status" -eq 2 ]
    [[ "$output" == *"isn't designed on a data set"* ]]
}

@test "at any time: the share at the worst moment, as the engine's own rows say, and no longer than by peaks" {
    design --json --alone -o peaks > peaks
    design --json --quiet --set 'design.keep=[{of: clonazepam.withdrawal_index, at_any_time: "24", in: "72 %"}]' -o any > any
    "$halflife" run any.taper.yaml -o own.h5 --quiet --subjects 11 --seed 2387 \
        --set 'times=[{at: [36 h]}, {until: 3060 h, every: 30 min}]' --set precision=double
    "$halflife" export own.h5 clonazepam_withdrawal_index --arm designed --format csv > own.csv
    "$halflife" export any.h5 clonazepam_withdrawal_index_fraction_above --arm designed --format csv > above.csv
    python3 - <<'EOT'
import csv, json, math
a, p = json.load(open("any")), json.load(open("peaks"))
assert a["outcome"] == "found" and a["days"] <= p["days"]
assert a["certificate"]["valid"] and 0 < a["certificate"]["days"] <= a["days"], a["certificate"]
rows = [r for r in csv.DictReader(l for l in open("own.csv") if not l.startswith("#"))]
time, value = [k for k in rows[0] if k.startswith("time")][0], [k for k in rows[0] if k.startswith("clonazepam")][0]
by_time = {}
for r in rows:
    if float(r[time]) >= 36:
        by_time.setdefault(float(r[time]), []).append(float(r[value]))
need = math.ceil(0.72 * 11)
worst = max(sorted(v)[need - 1] for v in by_time.values())
kept = min(sum(x <= 24 for x in v) for v in by_time.values())
told = a["designed_on"][0]
assert abs(told["value"] - worst) < 1e-9 * worst, (told, worst)
assert abs(told["share"] * 11 - kept) < 1e-9 and kept >= need, (told, kept)
forecast = a["levels"][-1]["if_ended"][0]
assert abs(forecast / worst - 1) < 0.02, (forecast, worst)
arm = a["arms"][0]["constraints"][0]
rows = [r for r in csv.DictReader(l for l in open("above.csv") if not l.startswith("#"))]
time, value = [k for k in rows[0] if k.startswith("time")][0], [k for k in rows[0] if k.endswith("_24")][0]
above = max(float(r[value]) for r in rows if float(r[time]) >= 36)
assert abs(arm["share_above_at_once"] - above) < 1e-12 and abs(1 - arm["verdict"]["share"] - above) < 1e-9, (arm, above)
EOT
}

@test "a crossover beside the design: the same numbers as its protocol in an arm; what can't be is refused" {
    cat > cross.yaml <<'STUDY'
study: cross
origin: "07:00"
drugs: {clonazepam: clonazepam_adult, diazepam: diazepam_adult}
interactions: {both: withdrawal_shared}
cohort: {subjects: 7, seed: 2387}
tolerance: 1e-6
design:
  before: {clonazepam: [{steady_state: {oral: 1 mg, every: 12 h}}, {oral: 1 mg, every: 12 h, for: 36 h}]}
  taper: {clonazepam: {from: 2 mg/d, at: ["07:00", "19:00"], products: [{tablet: 0.5 mg, break: halves}]}}
  lengths: [14 d]
  longest: 14 week
  follow: 4 week
  keep: [{of: both.withdrawal_index, peak: "26", in: "70 %"}]
  compare:
    - {protocol: crossover, to: diazepam, equivalence: ashton2002, pace: fast, target: {tablets: [2 mg, 5 mg, 10 mg], halve: [2 mg]}, name: over}
STUDY
    "$halflife" check cross.yaml | grep -q "compared to  over"
    "$halflife" taper cross.yaml --json --quiet --progress none -o cross > answer
    python3 -c 'import json; a={x["arm"]: x for x in json.load(open("answer"))["arms"]}; o=a["over"]; assert o["days"] == 217 and o["levels"] == 31 and o["clonazepam"]["cumulative_mg"] == 7 and o["diazepam"]["cumulative_mg"] == 3780 and abs(o["diazepam"]["equivalent_mg"] - 189) < 1e-9 and sum(n.startswith("over ") for n in a) == 2, a'
    # its own protocol in an arm, on the same people
    cat > arm.yaml <<'STUDY'
study: arm
origin: "07:00"
drugs: {clonazepam: clonazepam_adult, diazepam: diazepam_adult}
interactions: {both: withdrawal_shared}
cohort: {subjects: 7, seed: 2388}
tolerance: 1e-6
arms:
  - name: over
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - {oral: 1 mg, every: 12 h, for: 36 h}
      - taper: {protocol: T5, from: 2 mg/d, split: bid, to: diazepam, equivalence: ashton2002, pace: fast, target: {tablets: [2 mg, 5 mg, 10 mg], halve: [2 mg]}}
times: [{until: 300 d, every: 12 h}]
outputs: [both.withdrawal_index]
metrics: [{of: both.withdrawal_index, list: [Cmax], window: [36 h, 245 d]}]
STUDY
    "$halflife" run arm.yaml -o arm.h5 --quiet
    "$halflife" export arm.h5 both_withdrawal_index_Cmax | grep -v '^#' | cut -d, -f3 > a
    "$halflife" export cross.h5 both_withdrawal_index_Cmax --arm over | grep -v '^#' | cut -d, -f3 > b
    [ "$(wc -l < a)" -eq 8 ]
    python3 -c '
a, b = ([float(x) for x in open(f).read().split()[1:]] for f in "ab")
assert len(a) == 7 and all(abs(x / y - 1) < 1e-6 for x, y in zip(a, b)), (a, b)'
    refuses() {
        run "$halflife" check cross.yaml --set "$1"
        [ "$status" -eq 2 ]
        [[ "$output" == *"$2"* ]] || { echo "$output"; false; }
    }
    refuses 'design.taper.clonazepam.at=["07:00", "19:<<"]' "'19:<<' is not a clock time" # said of both readers of it
    refuses 'design.keep.0.of=clonazepam.withdrawal_index' "of which clonazepam.withdrawal_index under keep: knows nothing; bound what both do together, both.withdrawal_index"
    refuses 'design.compare.0.target={split: bid}' "of what is diazepam made? Write target: {tablets:"
    refuses 'design.before.diazepam=[{oral: 5 mg, every: 24 h, for: 3 d}]' "which before: gives already"
    refuses 'design.compare.0.at=["08:00", "20:00"]' "at other times than the design"
    refuses 'design.compare.0.split=tid' "0.6666666667 mg of clonazepam at a time, which can't be made"
}

@test "a bound that a stop at once keeps: no days, a result, and no calendar of nothing" {
    design --set 'design.keep.0.peak="80"' > out
    grep -q "0 days to nothing" out
    ! grep -q calendar out
    [ ! -e output/stop.calendar.txt ]
    "$halflife" compare output/stop.h5 output/stop.h5 | grep -q "all values are equal"
}
