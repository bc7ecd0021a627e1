#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The calendar an arm makes: formats, dates, tablets, exit codes, and the warning on every page.

setup_file() {
    export root=$BATS_TEST_DIRNAME/../..
    export HALFLIFE_DATA=$root
    export program=${HALFLIFE:-$root/build/halflife}
    cd "$BATS_FILE_TMPDIR"
    cat > lesson.yaml <<'YAML'
study: lesson
title: Tablets & halves <in a class>
origin: "07:30"
drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult}
cohort: {subjects: 3, seed: 7, csv: who.csv}
arms:
  - name: eighths & tablets
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - {oral: 1 mg, every: 12 h, for: 3 d}
      - taper: {protocol: uk_eighth, from: 2 mg/d, split: bid, tablets: [0.5 mg, 0.125 mg], split_tablets: halves}
  - name: plain
    clonazepam: [{oral: 0.75 mg, every: 24 h, for: 10 d}]
  - name: both
    clonazepam: [{oral: 0.75 mg, every: 24 h, for: 10 d}]
    fentanyl:
      - taper: {protocol: patch_steps, from: 50 ug/h, patches: [12.5 ug/h, 25 ug/h]}
  - name: nothing
times: [{until: 20 week, every: 168 h}]
outputs: [clonazepam.Cp, fentanyl.Cp]
YAML
    printf 'WT [kg]\n61\n72\n83\n' > who.csv
    "$program" run lesson.yaml -o lesson.h5 --quiet
}

setup() { cd "$BATS_FILE_TMPDIR"; }

# sums.py ARM ...: the days table against the doses that `export` says were given, and the counts against the days.
@test "days, counts and the doses of the run agree" {
    "$program" calendar lesson.yaml --arm 'eighths & tablets' --start 2028-02-20 --format csv > days.csv
    "$program" calendar lesson.yaml --arm 0 --start 2028-02-20 --format csv --rows counts > counts.csv
    "$program" export lesson.h5 doses --arm 0 > doses.csv
    python3 - <<'PY'
import csv, datetime
days = list(csv.DictReader(open("days.csv")))
counts = list(csv.DictReader(open("counts.csv")))
given = [float(r["amount"]) for r in csv.DictReader(open("doses.csv"))]
total = sum(float(r["total"]) for r in days)
assert abs(total - sum(given)) < 1e-9, (total, sum(given))
for i, row in enumerate(days):
    date = datetime.date(2028, 2, 20) + datetime.timedelta(days=i)
    assert row["date"] == date.isoformat() and row["weekday"] == date.strftime("%A"), row
    assert int(row["day"]) == i + 1
for span in ("all", "level", "month"):
    rows = [r for r in counts if r["span"] == span]
    assert abs(sum(float(r["amount"]) for r in rows) - total) < 1e-9, span
for product in ("0.5 mg", "0.125 mg"):
    month = [int(r["fetch"]) for r in counts if r["span"] == "month" and r["product"] == product]
    whole = [r for r in counts if r["span"] == "all" and r["product"] == product][0]
    assert sum(month) == int(whole["fetch"]) == -(-int(whole["pieces"]) // int(whole["pieces_per_whole"]))
PY
    grep -q '08:\|07:30 2 x 0.5 mg; 19:30 2 x 0.5 mg' days.csv
    grep -q '1 1/2 x 0.5 mg + 1 x 0.125 mg' days.csv
}

@test "text: levels, clocks, at most 100 columns, the warning twice; without dates days are numbered" {
    "$program" calendar lesson.yaml --start 2028-02-20 > text 2> notes
    grep -q "this is the first of 4 arms, 'eighths & tablets'" notes
    grep -q '== level 2 of 8: 1.75 mg a day, 14 days' text
    grep -q '> Wed 2028-02-23 .* 1.75 mg$' text
    grep -q 'morning 07:30' text
    grep -q '== no dose from Wed 2028-05-31 on' text
    [ "$(grep -c 'not medical advice' text)" -eq 2 ]
    [ "$(awk 'length > 100' text | wc -l)" -eq 0 ]
    "$program" calendar lesson.yaml --arm plain > text
    grep -q '> day 1 .*0.75 mg' text
    grep -q 'days 1-28 *7.5 mg' text
    ! grep -q ' x ' text
}

@test "dates are those of Python's calendar, over leap days and centuries that have none" {
    for start in 1899-12-20 1999-12-20 2023-12-20 2027-11-02 2099-12-20 0001-01-01; do
        "$program" calendar lesson.yaml --arm both --start $start --format csv | python3 -c '
import csv, datetime, sys
start = datetime.date.fromisoformat(sys.argv[1])
rows = list(csv.DictReader(sys.stdin))
assert len(rows) > 80
for row in rows:
    date = start + datetime.timedelta(days=int(row["day"]) - 1)
    assert (row["date"], row["weekday"]) == (date.isoformat(), date.strftime("%A")), (row, date)' $start
    done
}

@test "--tablets for an arm that states none, of the drug meant" {
    "$program" calendar lesson.yaml --arm plain --tablets '0.5 mg scored' > text
    grep -q '> day 1 .* 1 1/2 x 0.5 mg .*0.75 mg' text
    grep -q '0.5 mg: 15 used, so 15 whole ones (nothing left)' text
    "$program" calendar lesson.yaml --arm plain --tablets '0.5 mg' > text # 0.75 mg can't be made of whole ones
    grep -q '> day 1 .* 0.75 mg  *0.75 mg' text
    "$program" calendar lesson.h5 --arm both --tablets 'clonazepam=0.25 mg' | grep -q '3 x 0.25 mg'
    run "$program" calendar lesson.yaml --arm both --tablets 'clonazepan=0.25 mg'; [ "$status" -eq 2 ]
    [[ $output == *"did you mean 'clonazepam'?"* ]]
    run "$program" calendar lesson.yaml --arm plain --tablets '0.25'; [ "$status" -eq 2 ]
    run "$program" calendar lesson.yaml --arm plain --tablets '0.25 mg]'; [ "$status" -eq 2 ]
}

@test "a crossover: tablets of both drugs" {
    cat > over.yaml <<'YAML'
study: over
origin: "08:00"
drugs: {clonazepam: clonazepam_adult, diazepam: diazepam_adult}
times: [{until: 500 d, every: 100 d}]
outputs: [clonazepam.Cp, diazepam.Cp]
arms:
  - name: over
    clonazepam:
      - {oral: 1 mg, every: 12 h, for: 7 d}
      - taper:
          {protocol: crossover, from: 2 mg/d, split: bid, to: diazepam, equivalence: ashton2002,
           target: {tablets: [1 mg, 2 mg, 5 mg, 10 mg], split_tablets: halves, split: bid}}
YAML
    "$program" calendar over.yaml --tablets 'clonazepam=0.5 mg scored' --format csv > days.csv
    grep -q '^8,,,clonazepam,2,1,08:00 2 x 0.5 mg,1,mg$' days.csv
    grep -q '^8,,,diazepam,1,1,20:00 2 x 10 mg,20,mg$' days.csv
    "$program" calendar over.yaml --format csv --rows counts | grep -q '^all,all,.*,diazepam,2 mg,2,'
}

@test "one subject of a result: what it took, missed and decided doses as they were" {
    cat > own.yaml <<'YAML'
study: own
origin: "08:00"
drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult}
cohort: {subjects: 4, seed: 3}
times: [{until: 200 d, every: 1 d}]
outputs: [clonazepam.withdrawal_index]
arms:
  - name: guided
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - taper: {protocol: uk_eighth, from: 2 mg/d, split: bid, tablets: [0.125 mg, 0.5 mg],
                review: {of: clonazepam.withdrawal_index, hold: "6", back: "12"}}
    fentanyl: [{patch: 25 ug/h, every: 72 h, for: 15 d}, {infuse: 20 ug/h, for: 4 d}]
  - name: forgetful
    adherence: {missed: "30 %"}
    clonazepam: [{oral: 0.75 mg, every: 12 h, for: 40 d}]
YAML
    "$program" run own.yaml -o own.h5 --quiet
    for arm in 0 1; do
        for subject in 2 3; do
            "$program" calendar own.h5 --arm $arm --subject $subject --format csv > days.csv
            "$program" export own.h5 doses --arm $arm --subject $subject --format tsv > doses.tsv
            python3 - <<'PY'
import collections, csv
taken = collections.Counter()
for row in csv.DictReader(open("doses.tsv"), delimiter="\t"):
    if row["refused"] == "given" and row["drug"] == "clonazepam":
        taken[int((float(row["time"]) + 8) // 24) + 1] += float(row["amount"])
days = {int(r["day"]): float(r["total"]) for r in csv.DictReader(open("days.csv")) if r["drug"] == "clonazepam"}
assert {d: round(a, 9) for d, a in taken.items() if a} == {d: round(a, 9) for d, a in days.items() if a}
PY
        done
    done
    "$program" calendar own.h5 --arm 0 --subject 2 > text
    grep -q 'put on 1 x 25 ug/h' text
    grep -q 'infuse 20 ug/h' text
    grep -q 'stop infusion' text
    grep -q 'taken by subject 2 · payload' text
    run "$program" calendar own.h5 --arm 0; [ "$status" -eq 2 ]; [[ $output == *"--subject 1"* ]]
    run "$program" calendar own.yaml --arm 0; [ "$status" -eq 2 ]
    run "$program" calendar own.yaml --subject 1; [ "$status" -eq 2 ]; [[ $output == *"is for results"* ]]
    run "$program" calendar own.h5 --subject 5; [ "$status" -eq 2 ]; [[ $output == *"beyond the result's 4 subjects"* ]]
}

@test "a result gives the calendar of its study, though its other files are gone" {
    mkdir -p moved; cp lesson.h5 moved/
    "$program" calendar lesson.yaml --arm both | tail -n +4 > a
    (cd moved && "$program" calendar lesson.h5 --arm both | tail -n +4) > b
    cmp a b
    grep -q 'put on 1 x 25 ug/h + 1 x 12.5 ug/h' a
    grep -q 'take off patch' a
    (cd moved && "$program" calendar lesson.h5 --arm both | grep -q 'payload [0-9a-f]\{8\}')
}

@test "svg: each page is XML of its own and carries the warning; together one drawing" {
    "$program" calendar lesson.yaml --arm 0 --start 2028-02-20 --format svg -o page.svg > list
    [ "$(wc -l < list)" -eq 5 ]
    "$program" calendar lesson.yaml --arm 0 --start 2028-02-20 --format svg > tall.svg
    python3 - $(cat list) <<'PY'
import sys, xml.etree.ElementTree as tree
words = ("This is a simulation for education and research, not medical advice.",
         "Never stop or change a medicine without the person who prescribed it.")
svg = "{http://www.w3.org/2000/svg}"
for path in sys.argv[1:]:
    root = tree.parse(path).getroot()
    assert root.get("width") == "210mm" and root.get("height") == "297mm"
    texts = [t.text for t in root.iter(svg + "text")]
    assert all(texts.count(w) == 1 for w in words), path
pages = tree.parse("tall.svg").getroot().findall(svg + "g")
assert len(pages) == len(sys.argv) - 1
for page in pages:
    texts = [t.text for t in page.iter(svg + "text")]
    assert all(texts.count(w) == 1 for w in words)
    for t in page.iter(svg + "text"):
        assert 0 < float(t.get("x")) < 210 and 0 < float(t.get("y")) < 297, t.text
PY
    grep -q 'Tablets &amp; halves &lt;in a class&gt;' page-1.svg
    grep -q '>February 2028<' page-2.svg
    grep -q '>new level<' page-2.svg
    grep -q '>no dose<' page-5.svg
}

@test "pdf: every object is where the table says, as many pages as svg" {
    "$program" calendar lesson.yaml --arm 0 --start 2028-02-20 --format pdf -o page.pdf
    python3 - <<'PY'
import re
data = open("page.pdf", "rb").read()
start = int(re.search(rb"startxref\n(\d+)", data).group(1))
assert data[start:start + 4] == b"xref"
rows = re.findall(rb"(\d{10}) 00000 n ", data[start:])
for i, row in enumerate(rows):
    assert data[int(row):].startswith(b"%d 0 obj" % (i + 1))
assert data.count(b"/Type /Page ") == 5 == data.count(b"not medical advice")
for length, body in re.findall(rb"/Length (\d+) >>\nstream\n(.*?)endstream", data, re.S):
    assert len(body) == int(length)
PY
}

@test "what is wrong is said, with exit code 2 (4 for files)" {
    run "$program" calendar lesson.yaml --start 2027-02-29; [ "$status" -eq 2 ]
    [[ $output == *"--start needs a date that exists"*"'2027-02-29'"* ]]
    run "$program" calendar lesson.yaml --format tex; [ "$status" -eq 2 ]
    [[ $output == *"--format is text, csv, svg or pdf, but found 'tex'; did you mean 'text'?"* ]]
    run "$program" calendar lesson.yaml --rows days; [ "$status" -eq 2 ]
    run "$program" calendar lesson.yaml --arm bot; [ "$status" -eq 2 ]; [[ $output == *"did you mean 'both'?"* ]]
    run "$program" calendar lesson.yaml --arm nothing; [ "$status" -eq 2 ]; [[ $output == *"there is nothing to take"* ]]
    run "$program" calendar lesson.h5 --set cohort.seed=3; [ "$status" -eq 2 ]
    run "$program" calendar; [ "$status" -eq 2 ]
    run "$program" calendar nowhere.yaml; [ "$status" -ne 0 ]
    run "$program" calendar lesson.yaml --arm 0 --format pdf -o no/where.pdf; [ "$status" -eq 4 ]
    [[ $output == *"cannot write 'no/where.pdf'"* ]]
}
