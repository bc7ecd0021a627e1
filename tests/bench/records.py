#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A data set of a million records: how long and how much memory loading, running and exporting it take.

    tests/bench/records.py [RECORDS...]        100000 300000 1000000 without arguments

The records belong to 10 000 subjects of a two-compartment model with weight, occasions and between-subject effects:
doses by mouth with additional ones, steady states, infusions, observations. Beside them the same model runs from a
prescription with as many output times, so that a record can be held against the engine's own subject-timepoint.
"""
import os
import random
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.environ.get("HALFLIFE", os.path.join(ROOT, "build", "halflife"))
SUBJECTS = 10000

MODEL = """model: bench
title: two compartments by mouth
covariates:
  WT: {default: 70 kg}
parameters:
  TVCL: {value: 3.6 L/h, grade: assumption}
  TVV: {value: 41 L, grade: assumption}
  Q: {value: 5.7 L/h, grade: assumption}
  VP: {value: 87 L, grade: assumption}
  KA: {value: 1.3 1/h, grade: assumption}
  LAG: {value: 0.37 h, grade: assumption}
random:
  eta_CL: {cv: "25 %"}
  eta_V: {cv: "15 %"}
  kappa_CL: {sd: 0.1, level: occasion}
individual:
  CL: "TVCL * (WT / 70 kg)^0.75 * exp(eta_CL + kappa_CL)"
  V: "TVV * (WT / 70 kg) * exp(eta_V)"
compartments:
  gut: {}
  central: {volume: V, default: observe}
  tissue: {volume: VP}
flows:
  - gut -> central: KA
  - central -> out: CL
  - central <-> tissue: Q
routes:
  oral: {into: gut, bioavailability: 0.83, lag: LAG, default: dose}
  iv: {into: central}
outputs:
  Cp: {value: central / V, unit: ng/mL}
residual_error:
  Cp: {proportional: 0.1}
"""

DATA_STUDY = """study: records
drugs: {d: bench}
cohort: {seed: 20211009}
data: events.csv
outputs: [d.Cp]
"""

GRID_STUDY = """study: grid
drugs: {d: bench}
cohort: {subjects: %d, seed: 20211009}
arms: [{name: one, d: [{oral: 3 mg, every: 24 h, doses: %d}]}]
times: [{until: %d h, every: 8 h}]
outputs: [d.Cp]
precision: double
"""


def subject_records(dice, n):
    """n records of one subject: a dose (some at steady state, some infused), then what is seen, and again."""
    weight, t, rows, occasion = round(dice.gauss(72, 9), 1), 0.0, [], 1
    while len(rows) < n:
        if len(rows) % 10 == 0:
            if rows:
                occasion += 1
                weight = round(weight + dice.gauss(0, 0.4), 1)
            kind = dice.random()
            amount = dice.choice([0.5, 1, 2, 3])
            if kind < 0.2:
                rows.append(f"{t:g},1,{amount},0,1,0,12,1,{occasion},{weight},.")
            elif kind < 0.4:
                rows.append(f"{t:g},1,{amount},{amount / 2},2,0,0,0,{occasion},{weight},.")
            else:
                more = dice.randint(0, 4)
                rows.append(f"{t:g},1,{amount},0,1,{more},{24 if more else 0},0,{occasion},{weight},.")
        else:
            rows.append(f"{t:g},0,0,0,2,0,0,0,{occasion},{weight},{dice.uniform(0.5, 40):.3g}")
        t = round(t + dice.choice([0.5, 1, 2, 6, 12]), 2)
    return rows


def write_data(path, subjects, records, seed=1):
    """A data set of that many records in all, written subject by subject."""
    dice = random.Random(seed)
    with open(path, "w", encoding="ascii") as f:
        f.write("ID,TIME,EVID,AMT,RATE,CMT,ADDL,II,SS,OCC,WT,DV\n")
        for k in range(subjects):
            n = records // subjects + (k < records % subjects)
            f.writelines(f"{k + 1},{row}\n" for row in subject_records(dice, n))


def measured(*words, output=None):
    """Runs halflife: wall seconds, processor seconds and peak resident memory [MB] of that process alone."""
    start = time.monotonic()
    with open(output or os.devnull, "wb") as out:
        process = subprocess.Popen([PROGRAM, *words], stdout=out, env=dict(os.environ, HALFLIFE_DATA=ROOT))
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"halflife {' '.join(words)} ended with {process.returncode}")
    unit = 1e6 if sys.platform == "darwin" else 1e3  # ru_maxrss is in bytes there, in kB elsewhere
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit


def write_studies(folder, grid_subjects, grid_times):
    files = {"bench.yaml": MODEL, "records.yaml": DATA_STUDY,
             "grid.yaml": GRID_STUDY % (grid_subjects, grid_times // 3, 8 * (grid_times - 1))}
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)


def main():
    sizes = [int(word) for word in sys.argv[1:]] or [100000, 300000, 1000000]
    with tempfile.TemporaryDirectory(prefix="halflife-bench-") as folder:
        def path(name):
            return os.path.join(folder, name)

        times = max(sizes) // SUBJECTS
        write_studies(folder, SUBJECTS, times)
        wall, seconds, memory = measured("run", path("grid.yaml"), "-o", path("grid.h5"), "--quiet", "--force")
        point = seconds / (SUBJECTS * times)
        print(f"prescription: {SUBJECTS} subjects at {times} times: {wall:.2f} s, {1e6 * point:.3f} us of processor per "
              f"subject-timepoint, peak {memory:.0f} MB")
        for records in sizes:
            write_data(path("events.csv"), SUBJECTS, records)
            wall, ran, peak = measured("run", path("records.yaml"), "-o", path("records.h5"), "--quiet", "--force")
            wrote, _, out = measured("export", path("records.h5"), "--format", "nonmem", output=path("out.csv"))
            with open(path("out.csv"), "rb") as f:
                rows = sum(1 for _ in f) - 2  # two lines of header
            print(f"{records} records: run {wall:.2f} s ({1e6 * ran / records:.2f} us of processor per record, "
                  f"{ran / records / point:.1f} subject-timepoints), peak {peak:.0f} MB; "
                  f"export of {rows} rows {wrote:.2f} s, peak {out:.0f} MB", flush=True)
            if rows != records:
                sys.exit(f"{rows} rows exported, {records} expected")


if __name__ == "__main__":
    main()
