#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Studies with a data set from end to end: what a study says about it comes true in the records.

One compartment whose clearance depends on weight, with effects between subjects and between occasions, and residual
errors. Closed forms are evaluated with each individual's own parameters, which the model itself shows as outputs.
"""
import os
import subprocess
import tempfile

import h5py
import numpy as np

from _halflife import PROGRAM, ROOT, Tap

tap = Tap()

MODEL = """\
model: one
title: one compartment, by weight and occasion
molar_mass: 315.72 g/mol
covariates:
  WT: {default: 70 kg}
parameters:
  TVCL: {value: 3.61 L/h, grade: assumption}
  F: {value: 0.73, grade: assumption}
random:
  eta_CL: {sd: 0.29}
  kappa_CL: {sd: 0.17, level: occasion}
individual:
  CL: TVCL * (WT / 70 kg)^0.75 * exp(eta_CL + kappa_CL)
compartments:
  central: {volume: 41.7 L, default: observe}
flows:
  - central -> out: CL
routes:
  sc: {into: central, bioavailability: F, default: dose}
outputs:
  Cp: {value: "central / 41.7 [L]", unit: ng/mL}
  clearance: {value: CL, unit: L/h}
  random: {value: "log(CL / (TVCL * (WT / 70 kg)^0.75))", unit: "1"}
residual_error:
  Cp: {proportional: 0.11}
"""
V, F = 41.7, 0.73


class Folder:
    """Studies and tables in a folder of their own; records of a run by column."""

    def __init__(self, **files):
        self.folder = tempfile.TemporaryDirectory(prefix="halflife-data-")
        for name, text in dict(files, one_yaml=MODEL).items():
            with open(self.path(name.replace("_", ".")), "w", encoding="utf-8") as f:
                f.write(text)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run(self, study, *options, into="result.h5"):
        with open(self.path("study.yaml"), "w", encoding="utf-8") as f:
            f.write("study: s\ndrugs: {d: one}\noutputs: [d.Cp, d.clearance, d.random]\ntolerance: 1e-12\n" + study)
        return self.run_file("study.yaml", *options, into=into)

    def run_file(self, name, *options, into="result.h5"):
        done = subprocess.run([PROGRAM, "run", name, "-o", into, "--force", "--quiet", *options], capture_output=True,
                              text=True, cwd=self.folder.name, env=dict(os.environ, HALFLIFE_DATA=ROOT))
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        self.messages = done.stderr
        with h5py.File(self.path(into), "r") as f:
            self.resolved = f["provenance/resolved_study"].attrs["text"]
            self.payload = f.attrs["payload_sha256"]
            return {name: column[:] for name, column in f["records"].items()}


ROWS = """\
ID,TIME,dose,RATE,CMT,DV,weight,OCC
1,0,11.3,2.9,1,.,71.3,1
1,1.7,.,.,1,3,71.3,1
1,5.9,.,.,1,.,71.3,1
2,0,7.7,1.3,1,.,58.9,1
2,2.3,.,.,1,1,58.9,1
2,8.1,.,.,1,NA,58.9,2
"""
COLUMNS = "columns: {AMT: dose, WT: {column: weight, unit: kg}}, missing: NA"


def infused(t, amount, rate, k):
    """Amount after an infusion that began at 0, as the data set's rule has it: F A / r at rate r."""
    length = F * amount / rate
    return rate / k * -np.expm1(-k * min(t, length)) * np.exp(-k * max(t - length, 0))


folder = Folder(events_csv=ROWS)
seeded = "cohort: {seed: 20260417}\n"

r = folder.run(seeded + "data: {file: events.csv, " + COLUMNS + "}\n")
tap.ok(r["ID"].tolist() == [1, 1, 1, 2, 2, 2] and r["source_row"].tolist() == [2, 3, 4, 5, 6, 7],
       "every record is a row")
tap.ok(np.allclose(r["d_random"][:3], r["d_random"][0], rtol=1e-13) and r["d_random"][3] == r["d_random"][4]
       and r["d_random"][5] != r["d_random"][4], "an occasion has its own clearance")
for i, (amount, rate) in ((1, (11.3, 2.9)), (2, (11.3, 2.9)), (4, (7.7, 1.3))):
    expected = infused(r["TIME"][i], amount, rate, r["d_clearance"][i] / V) / V * 1e3
    tap.within(f"F A / r at the rate of the record, row {i + 1}", r["IPRED"][i], expected, 1e-12)

r = folder.run(seeded + "data: {file: events.csv, bioavailability_scales: rate, " + COLUMNS + "}\n")
k, rate, length = r["d_clearance"][2] / V, F * 2.9, 11.3 / 2.9
expected = rate / k * -np.expm1(-k * length) * np.exp(-k * (5.9 - length)) / V * 1e3
tap.within("bioavailability_scales: rate gives F r for A / r", r["IPRED"][2], expected, 1e-12)

units = "columns: {AMT: {column: dose, unit: umol}, RATE: {unit: umol/h}, TIME: {unit: d}, WT: weight}, missing: NA"
r = folder.run(seeded + "data: {file: events.csv, " + units + "}\n")
expected = infused(1.7 * 24, 11.3 * 0.31572, 2.9 * 0.31572, r["d_clearance"][1] / V) / V * 1e3
tap.within("micromoles and days, as the study says", r["IPRED"][1], expected, 1e-12)

arms = ("arms:\n  - {name: weighed}\n  - {name: heavy, covariates: {WT: 120 kg}}\n"
        "  - {name: slow, parameters: {d.TVCL: 1.7 L/h}, d: [{sc: 1 mg}]}\n")
r = folder.run(seeded + arms + "data: {file: events.csv, " + COLUMNS + "}\nstore: [records, amounts]\n")
tap.ok(r["arm"].tolist() == [0] * 6 + [1] * 6 + [2] * 6, "every arm has all records")
tap.within("an arm's covariate holds against the file", r["d_clearance"][6] / r["d_clearance"][0], (120 / 71.3) ** 0.75,
           1e-13)
tap.within("an arm's parameter", r["d_clearance"][12] / r["d_clearance"][0], 1.7 / 3.61, 1e-13)
tap.ok("what is prescribed in arms isn't used" in folder.messages, "and its prescription is put aside with a note")
tap.ok(np.allclose(r["A_central"] / V * 1e3, r["d_Cp"], rtol=1e-13), "amounts of the compartments on request")
first, resolved = folder.payload, folder.resolved
with open(folder.path("again.yaml"), "w", encoding="utf-8") as f:
    f.write(resolved)
folder.run_file("again.yaml", into="again.h5")
tap.ok(folder.payload == first, "the resolved study runs again to the same numbers")
tap.ok(folder.resolved == resolved and "note" not in folder.messages, "and is its own resolved study", folder.messages)

prescribed = "arms: [{name: daily, d: [{sc: 1 mg, every: 24 h, for: 3 d}]}]\ntimes: [{until: 3 d, every: 1 h}]\n"
r = folder.run(prescribed + "data: {file: nowhere.csv, " + COLUMNS + "}\n", "--data", "events.csv", "--seed",
               "20260417")
first = folder.payload
folder.run(seeded + "data: {file: events.csv, " + COLUMNS + "}\n")
tap.ok(folder.payload == first, "--data puts its table in the place of the study's own and of what arms prescribe")

# A table that another tool left has columns called like ours: what the result calls IPRED is its own all the same.
taken = "ID,TIME,IPRED,d_Cp,AMT,dose,DV_observed,DV\n1,0,801,802,803,11.3,804,.\n1,1.9,.,812,813,0,814,7.31\n"
guests = Folder(events_csv=taken)
r = guests.run(seeded + "data: {file: events.csv, columns: {AMT: dose}}\n", "--typical")
expected = 0.73 * 11.3 / V * 1e3 * np.exp(-3.61 / V * 1.9)
tap.within("IPRED beside the data set's own column IPRED", r["IPRED"][1], expected, 1e-12)
tap.within("an output beside a column of its name", r["d_Cp"][1], expected, 1e-12)
tap.ok(r["AMT"][0] == 11.3 and r["DV_observed"][1] == 7.31, "AMT and DV are the items, not columns that look like them",
       f"AMT {r['AMT'][0]}, DV {r['DV_observed'][1]}")
tap.ok([r[name + "_2"][0] for name in ("IPRED", "d_Cp", "AMT", "DV_observed")] == [801, 802, 803, 804],
       "and those are there with _2 behind their names")

r = folder.run("data: {file: events.csv, " + COLUMNS + "}\n", "--typical")
tap.ok(np.abs(r["d_random"]).max() < 1e-15 and np.array_equal(r["DV"][[1, 2, 4, 5]], r["IPRED"][[1, 2, 4, 5]]),
       "--typical: no random effects, no residual errors")

n = 3000
many = "ID,TIME,AMT,CMT,DV,OCC\n" + "".join(
    f"{i},0,10,1,.,1\n{i},1,.,1,1,1\n{i},2,.,1,1,2\n{i},3,.,1,1,3\n" for i in range(1, n + 1))
folder = Folder(events_csv=many)
r = folder.run("cohort: {seed: 5}\ndata: events.csv\n")
effect = r["d_random"].reshape(n, 4)[:, 1:]
total, within = np.hypot(0.29, 0.17), 0.17
tap.near("spread of the effects of 9000 occasions", effect.std(), total, 5 * total / np.sqrt(2 * n))
tap.near("spread within 3000 individuals", np.sqrt(effect.var(axis=1, ddof=1).mean()), within,
         5 * within / np.sqrt(4 * n))
seen = r["EVID"] == 0
e = r["DV"][seen] / r["IPRED"][seen] - 1
tap.near("residual errors: mean", e.mean(), 0, 5 * 0.11 / np.sqrt(e.size))
tap.near("residual errors: spread", e.std(), 0.11, 5 * 0.11 / np.sqrt(2 * e.size))
first = folder.payload
folder.run("cohort: {seed: 5}\ndata: events.csv\n", "--threads", "3")
tap.ok(folder.payload == first, "the same payload with 3 threads")

tap.done()
