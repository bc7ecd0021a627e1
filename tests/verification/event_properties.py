#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not matter to a run of a data set: threads, blocks, who else is in the file and in which order, and rows
that only look."""
import os
import random
import subprocess
import tempfile

import h5py
import numpy as np

from _halflife import PROGRAM, ROOT, Tap

tap = Tap()

LINEAR = """model: drug
title: two compartments by mouth, with occasions
covariates:
  WT: {default: 70 kg}
  CRP: {default: 3.1 mg/L}
parameters:
  TVCL: {value: 3.61 L/h, grade: assumption}
  TVV: {value: 23.7 L, grade: assumption}
  Q: {value: 4.9 L/h, grade: assumption}
  VP: {value: 61 L, grade: assumption}
  KA: {value: 0.83 1/h, grade: assumption}
  Vmax: {value: 2.9 mg/h, grade: assumption}
  Km: {value: 0.71 mg/L, grade: assumption}
  kout: {value: 0.31 1/h, grade: assumption}
random:
  eta_CL: {cv: 0.27}
  eta_V: {cv: 0.14}
  kappa_CL: {sd: 0.21, level: occasion}
  kappa_F: {sd: 0.11, level: occasion}
individual:
  CL: "TVCL * (WT / 70 kg)^0.75 * (CRP / 3.1 mg/L)^-0.11 * exp(eta_CL + kappa_CL)"
  V: "TVV * (WT / 70 kg) * exp(eta_V)"
  F: "0.71 * exp(kappa_F)"
compartments:
  gut: {}
  central: {volume: V, default: observe}
  tissue: {volume: VP}
flows:
  - gut -> central: KA
  - central -> out: CL
  - central <-> tissue: Q
%sroutes:
  oral: {into: gut, bioavailability: F, lag: 0.43 h, default: dose}
  iv: {into: central, duration: 1.7 h}
states:
  R: {unit: "1", initial: 1, rate: "%s"}
outputs:
  Cp: {value: central / V, unit: mg/L}
residual_error:
  Cp: {proportional: 0.13, additive: 0.02 mg/L}
"""
MODELS = {
    "linear": LINEAR % ("", "kout * (1 - R)"),
    "not linear": LINEAR % ("  - central -> out: Vmax / (Km + Cp) / V\n", "kout * (1 - hill(Cp, Km, 1.3)) - kout * R"),
}


def study(cohort="{seed: 911}", extra=""):
    return (f"study: properties\ndrugs: {{d: drug}}\ncohort: {cohort}\ndata: {{file: events.csv{extra}}}\n"
            "outputs: [d.Cp, d.R]\ntolerance: 1e-9\nstore: [records, amounts]\n")


def person(seed):
    """The records of one individual: steady states, infusions, additional doses, resets, occasions, weights."""
    dice = random.Random(seed)
    rows, t, weight, crp, occasion = [], round(dice.uniform(0, 9), 2), round(dice.uniform(45, 110), 1), 3.1, 1
    for k in range(dice.randint(5, 24)):
        row = {"TIME": round(t, 3), "EVID": 0, "AMT": 0, "RATE": 0, "CMT": 2, "ADDL": 0, "II": 0, "SS": 0}
        kind = dice.random()
        if k == 0 or kind < 0.3:
            row.update(EVID=4 if dice.random() < 0.1 else 1, AMT=round(dice.uniform(3, 40), 2), CMT=dice.choice([1, 2]))
            row["RATE"] = dice.choice([0, 0, round(row["AMT"] / 3.3, 3)] + [-2] * (row["CMT"] == 2))
            if dice.random() < 0.6:
                row.update(II=dice.choice([8, 12, 24]), ADDL=dice.randint(1, 4), SS=dice.choice([0, 0, 1]))
        elif kind < 0.35:
            row.update(EVID=2, CMT=dice.choice([-3, 3]))
        if dice.random() < 0.3:
            weight, crp = round(weight + dice.gauss(0, 3), 1), round(dice.uniform(0.5, 30), 1)
        occasion += dice.random() < 0.2
        rows.append({**row, "OCC": occasion, "WT": weight, "CRP": crp})
        t += dice.choice([0, 0.5, 1.13, 4, 9.7])
    return rows


def table(people):
    """CSV text of {ID: records} or [(ID, records)]."""
    names = ["ID", *person(0)[0]]
    lines = [",".join(names)]
    for key, rows in people:
        lines += [",".join(str({"ID": key, **row}[name]) for name in names) for row in rows]
    return "\n".join(lines) + "\n"


def run(model, text, records, *options):
    """(payload digest, {column: values}) of a run."""
    with tempfile.TemporaryDirectory(prefix="halflife-") as folder:
        for name, content in (("drug.yaml", model), ("study.yaml", text), ("events.csv", records)):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(content)
        target = os.path.join(folder, "r.h5")
        done = subprocess.run([PROGRAM, "run", os.path.join(folder, "study.yaml"), "-o", target, "--quiet", *options],
                              capture_output=True, text=True, env=dict(os.environ, HALFLIFE_DATA=ROOT))
        if done.returncode:
            raise RuntimeError(f"halflife ended with {done.returncode}:\n{done.stderr}")
        with h5py.File(target, "r") as f:
            columns = {name: item[:] for name, item in f["records"].items() if isinstance(item, h5py.Dataset)}
            return f.attrs["payload_sha256"], columns


def computed(columns):
    names = ["IPRED", "DV", "d_Cp", "d_R", "A_gut", "A_central", "A_tissue"]
    return np.array([columns[name] for name in names])


def rows_of(columns, key):
    """The computed values of one individual."""
    return computed(columns)[:, columns["ID"] == key]


def same(a, b):
    return a.shape == b.shape and a.size > 0 and np.array_equal(a, b, equal_nan=True)


def threads_and_blocks(name, model):
    people = [(k, person(k)) for k in range(1, 151)]
    text, records = study(extra=", covariates: {default: next, CRP: previous}"), table(people)
    base, first = run(model, text, records, "--threads", "1")
    for threads, block in ((2, 64), (3, 1), (7, 8), (7, 33), (1, 1), (2, 1000)):
        digest, _ = run(model, text, records, "--threads", str(threads), "--block", str(block))
        tap.ok(digest == base, f"{name}: {threads} threads, blocks of {block}: the same payload", f"{digest} {base}")
    others, _ = run(model, study("{seed: 912}", ", covariates: {default: next, CRP: previous}"), records)
    tap.ok(others != base, f"{name}: another seed, another payload")
    seen = first["EVID"] == 0
    values = np.delete(computed(first), 1, axis=0)
    tap.ok(np.all(np.isfinite(values)) and np.all(np.isfinite(first["DV"]) == seen), f"{name}: a value in every row")
    tap.ok(np.all(first["DV"][seen] != first["IPRED"][seen]), f"{name}: a residual error in every observation")


def company(name, model):
    """Individual 17 among others, and among people of whom only one row is known."""
    people = [(k, person(k)) for k in range(1, 31)]
    alone = [(k, rows if k == 17 else rows[:1]) for k, rows in people[:17]]
    _, among = run(model, study(), table(people))
    _, apart = run(model, study(), table(alone))
    tap.ok(same(rows_of(among, 17), rows_of(apart, 17)), f"{name}: nobody depends on who else is in the file")
    _, forward = run(model, study("typical"), table(people))
    shuffled = people[:]
    random.Random(4).shuffle(shuffled)
    _, mixed = run(model, study("typical"), table(shuffled))
    tap.ok(all(same(rows_of(forward, k), rows_of(mixed, k)) for k, _ in people),
           f"{name}: typical individuals don't depend on their order")


def between(rows):
    """The same records with rows that only look, halfway to each later record and with its covariates."""
    more = [rows[0]]
    for before, after in zip(rows, rows[1:]):
        if after["TIME"] > before["TIME"]:
            more.append({**after, "TIME": (before["TIME"] + after["TIME"]) / 2, "EVID": 0, "AMT": 0, "RATE": 0,
                         "CMT": 2, "ADDL": 0, "II": 0, "SS": 0, "look": True})
        more.append(after)
    return more


def looking(name, model, agreement):
    people = [(k, person(k)) for k in range(1, 31)]
    denser = [(k, between(rows)) for k, rows in people]
    _, plain = run(model, study(), table(people))
    _, dense = run(model, study(), table(denser))
    kept = np.array([not row.get("look", False) for _, rows in denser for row in rows])
    a, b, worst = computed(plain)[2:], computed(dense)[2:, kept], 0.0
    for k, _ in people:
        mine = plain["ID"] == k
        peak = np.max(np.abs(a[:, mine]), axis=1)
        worst = max(worst, np.max(np.abs(a[:, mine] - b[:, mine]).max(axis=1) / np.where(peak > 0, peak, 1)))
    tap.ok(kept.sum() < len(kept) and worst <= agreement, f"{name}: rows that only look change nothing",
           f"{worst:.2e} of a column's peak, at most {agreement:.0e}")


def main():
    for name, model in MODELS.items():
        try:
            threads_and_blocks(name, model)
            company(name, model)
            looking(name, model, 1e-12 if name == "linear" else 1e-7)
        except (RuntimeError, KeyError) as fault:
            tap.ok(False, f"{name}: ran", f"{type(fault).__name__}: {fault}")
    tap.done()


if __name__ == "__main__":
    main()
