#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random data sets through the command line against tests/events/reference.py: a file is written, read, solved, stored
and exported, and every amount of every record agrees to 1e-9 of its column's peak in that individual.

tests/unit/test_records_random.c draws from more models; here everything between the file and the exported table takes
part, and the other side is another language, another algorithm (geometric series in place of a run-in) and another
generator. HL_SEED repeats a run, HL_CASES asks for more individuals.
"""
import csv
import datetime
import os
import random
import subprocess
import sys
import tempfile

import numpy as np

from _halflife import PROGRAM, ROOT, Tap, nonmem_table

sys.path.insert(0, os.path.join(ROOT, "tests", "events"))
import reference  # noqa: E402

AGREEMENT = 1e-9
NAMES = ["depot", "central", "peripheral", "deep"]
COLUMNS = ["ID", "TIME", "EVID", "AMT", "RATE", "CMT", "ADDL", "II", "SS", "WT", "BIO", "LATE", "PACE", "SPAN"]

tap = Tap()


class Drug(reference.Model):
    """Depot, centre and up to two peripheral compartments; a dose into the depot or the centre takes bioavailability,
    lag, rate and duration from the columns of its record, one into the others is a plain one."""

    def __init__(self, dice):
        self.n = dice.randint(2, 4)
        self.V = [None] + [round(dice.uniform(3, 70), 3) for _ in range(self.n - 1)]
        self.CL, self.KA = round(dice.uniform(0.3, 9), 4), round(dice.uniform(0.1, 2), 4)
        self.Q = [round(dice.uniform(0.5, 9), 4) for _ in range(self.n - 2)]
        self.power = dice.choice([0.75, 0.31, -0.4])
        self.start = [0.0, round(dice.uniform(0, 9), 3), 0.0, 0.0][:self.n]

    def rates(self, p):
        a, CL = np.zeros((self.n, self.n)), self.CL * (p["WT"] / 70) ** self.power
        flows = [(0, 1, self.KA), (1, None, CL / self.V[1])]
        for k, q in enumerate(self.Q, 2):
            flows += [(1, k, q / self.V[1]), (k, 1, q / self.V[k])]
        for source, to, k in flows:
            a[source, source] -= k
            if to is not None:
                a[to, source] += k
        return a, np.zeros(self.n)

    def initial(self, p):
        return np.array(self.start)

    def parts(self, p, cmt):
        state = max(cmt, 1) - 1
        if state > 1:
            return [reference.Part(state)]
        return [reference.Part(state, F=p["BIO"], lag=p["LATE"], rate=p["PACE"], duration=p["SPAN"])]

    def text(self):
        lines = ["model: drug", "title: made by a test", "covariates:", "  WT: {default: 70 kg}", "  BIO: {default: 1}",
                 "  LATE: {default: 0 h}", "  PACE: {default: 1 mg/h}", "  SPAN: {default: 1 h}", "parameters:"]
        values = {"TVCL": f"{self.CL} L/h", "KA": f"{self.KA} 1/h",
                  **{f"V{k}": f"{v} L" for k, v in enumerate(self.V) if v is not None},
                  **{f"Q{k}": f"{q} L/h" for k, q in enumerate(self.Q, 2)}}
        lines += [f"  {name}: {{value: {value}, grade: assumption}}" for name, value in values.items()]
        lines += ["individual:", f"  CL: \"TVCL * (WT / 70 kg)^{self.power}\"", "compartments:", "  depot: {}",
                  f"  central: {{volume: V1, default: observe, initial: {self.start[1]} mg}}"]
        lines += [f"  {NAMES[k]}: {{volume: V{k}}}" for k in range(2, self.n)]
        lines += ["flows:", "  - depot -> central: KA", "  - central -> out: CL"]
        lines += [f"  - central <-> {NAMES[k]}: Q{k}" for k in range(2, self.n)]
        way = "bioavailability: BIO, lag: LATE, rate: PACE, duration: SPAN"
        return "\n".join(lines + ["routes:", f"  oral: {{into: depot, {way}, default: dose}}",
                                  f"  iv: {{into: central, {way}}}",
                                  "outputs:", "  Cp: {value: central / V1, unit: mg/L}", ""])


def dose_items(dice, n):
    """The items of a dose; times are multiples of 1/8 so that ties are exact."""
    r = {"CMT": dice.choice([0, 1, 1, 2, 2, 2] + list(range(3, n + 1))), "AMT": round(dice.uniform(1, 90), 3)}
    modelled = [-1, -2] if r["CMT"] <= 2 else []
    r["RATE"] = dice.choice([0, 0, round(r["AMT"] / dice.uniform(0.3, 30), 4)] + modelled)
    r["II"] = dice.randint(8, 96) / 8 if dice.random() < 0.6 else 0
    r["ADDL"] = dice.randint(0, 6) if r["II"] else 0
    r["SS"] = dice.choice([1, 1, 2, 3]) if r["II"] and dice.random() < 0.5 else 0
    if r["II"] and not r["ADDL"] and not r["SS"]:
        r["ADDL"] = 2
    if dice.random() < 0.06 and r["CMT"] > 2:
        r.update(AMT=0, RATE=round(dice.uniform(0.5, 9), 3), II=0, ADDL=0, SS=1)
    return r


def individual(dice, n):
    records, time, off = [], dice.randint(0, 80) / 8, set()
    row = {"WT": round(dice.uniform(40, 110), 1), "BIO": 1.0, "LATE": 0.0, "PACE": 5.0, "SPAN": 2.0}
    for number in range(dice.randint(8, 30)):
        evid = dice.choices([0, 1, 2, 3, 4, 8], [50, 30, 7, 4, 5, 4])[0]
        if dice.random() < 0.4:
            row = {"WT": round(dice.uniform(40, 110), 1), "BIO": round(dice.uniform(0.2, 1.5), 3),
                   "LATE": dice.choice([0.0, 0.0, dice.randint(1, 150) / 8]), "PACE": round(dice.uniform(0.5, 20), 3),
                   "SPAN": round(dice.uniform(0.2, 20), 3)}
        if evid in (3, 4) and number and dice.random() < 0.4:
            time = dice.randint(0, 400) / 8
        r = {"TIME": time, "EVID": evid, "AMT": 0, "RATE": 0, "CMT": 0, "ADDL": 0, "II": 0, "SS": 0, **row}
        if evid in (1, 4):
            r.update(dose_items(dice, n))
        elif evid == 2 and dice.random() < 0.7:
            k = dice.randint(1, n)
            r["CMT"] = k if k in off else -k
            (off.discard if k in off else off.add)(k)
        elif evid == 8:
            r.update(CMT=dice.randint(1, n), AMT=round(dice.uniform(0, 40), 3))
        off = set() if evid in (3, 4) else off
        records.append(r)
        time += dice.choice([0, 0, dice.randint(1, 8) / 8, dice.randint(1, 80) / 8])
    return records


def solve(drug, people, rule, scales, solver):
    """The exported table: {column: array}."""
    with tempfile.TemporaryDirectory(prefix="halflife-") as folder:
        def path(name):
            return os.path.join(folder, name)

        with open(path("drug.yaml"), "w", encoding="utf-8") as f:
            f.write(drug.text())
        with open(path("events.csv"), "w", encoding="utf-8", newline="") as f:
            writer = csv.DictWriter(f, COLUMNS, lineterminator="\n")
            writer.writeheader()
            for number, records in enumerate(people, 1):
                writer.writerows({"ID": number, **r} for r in records)
        with open(path("study.yaml"), "w", encoding="utf-8") as f:
            f.write("study: random\ndrugs: {d: drug}\ncohort: typical\n"
                    f"data: {{file: events.csv, covariates: {rule}, bioavailability_scales: {scales}}}\n"
                    f"outputs: [d.Cp]\nsolver: {solver}\ntolerance: 1e-12\nstore: [records, amounts]\n")

        def halflife(*words):
            done = subprocess.run([PROGRAM, *words], capture_output=True, text=True,
                                  env=dict(os.environ, HALFLIFE_DATA=ROOT))
            if done.returncode:
                raise RuntimeError(f"halflife {words[0]} ended with {done.returncode}:\n{done.stderr}")
            return done.stdout

        halflife("run", path("study.yaml"), "-o", path("result.h5"), "--force", "--quiet")
        wanted = ["d_Cp"] + ["A_" + name for name in NAMES[:drug.n]]
        return nonmem_table(halflife("export", path("result.h5"), *wanted, "--format", "nonmem"))


def check(seed, number, count):
    dice = random.Random(f"{seed} {number}")
    drug = Drug(dice)
    people = [individual(dice, drug.n) for _ in range(count)]
    rule, scales = dice.choice(["next", "next", "previous"]), dice.choice(["duration", "duration", "rate"])
    solver = ["exact", "gsl-rk8pd"][number % 3 == 2]
    name = f"model {number} ({drug.n} compartments, {rule}, {scales}, {solver})"
    table, at, worst, where = solve(drug, people, rule, scales, solver), 0, 0.0, ""
    rows = sum(len(records) for records in people)
    if not tap.ok(len(table["ID"]) == rows, f"{name}: {rows} rows", f"{len(table['ID'])} rows"):
        return
    for who, records in enumerate(people, 1):
        amounts = np.array(reference.run(drug, records, rule, scales))
        expected = {"A_" + NAMES[k]: amounts[:, k] for k in range(drug.n)}
        expected["d_Cp"] = amounts[:, 1] / drug.V[1]
        for key, values in expected.items():
            off = np.abs(table[key][at:at + len(records)] - values) / max(np.max(np.abs(values)), 1e-6)
            if not np.max(off) <= worst:
                k = int(np.argmax(off))
                worst = float(np.max(off))
                where = (f"ID {who}, record {k + 1}, {key}: found {table[key][at + k]:.15g}, "
                         f"expected {values[k]:.15g}\n" + "\n".join(str(r) for r in records[:k + 1]))
        at += len(records)
    tap.ok(worst <= AGREEMENT, f"{name}: {rows} records, off by at most {worst:.1e} of the peak",
           f"HL_SEED={seed}: {where}")


def main():
    seed = int(os.environ.get("HL_SEED") or datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d"))
    cases = int(os.environ.get("HL_CASES") or 240)
    print(f"# seed {seed} (HL_SEED), {cases} individuals (HL_CASES)")
    for number in range((cases + 39) // 40):
        try:
            check(seed, number, 40)
        except (RuntimeError, KeyError, ValueError) as fault:
            tap.ok(False, f"model {number}: ran", f"HL_SEED={seed}: {type(fault).__name__}: {fault}")
    tap.done()


if __name__ == "__main__":
    main()
