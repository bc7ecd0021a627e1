#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Structural library under data sets: every kind of dose into each disposition (with NONMEM's F1, ALAG1, R1 and D1),
the ways in which NONMEM users write mixed absorption, meals, metabolites and responses as records.
"""
import os
import subprocess
import tempfile

import h5py
import numpy as np

from _halflife import PROGRAM, ROOT, Tap
from _references import REFERENCE, body, into
from _structures import Exponentials, curve, disposition, filed, integrated

tap = Tap()
EXACT = 1e-9


def ask(model, header, rows, parameters=None, outputs=("Cp",), data=""):
    """Runs a table through a model with its typical values; {column: value of every record}."""
    with tempfile.TemporaryDirectory(prefix="halflife-") as folder:
        paths = [os.path.join(folder, name) for name in ("table.csv", "study.yaml", "result.h5")]
        with open(paths[0], "w", encoding="utf-8") as f:
            f.write(header + "\n" + "\n".join(",".join(str(x) for x in row) for row in rows) + "\n")
        lines = ["study: table", f"drugs: {{x: {model}}}", "cohort: typical", f"data: {{file: table.csv{data}}}",
                 "outputs: [" + ", ".join("x." + o for o in outputs) + "]", "tolerance: 1e-11", "parameters:"]
        lines += [f"  x.{name}: {value}" for name, value in (parameters or {"F1": 1}).items()]
        with open(paths[1], "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        done = subprocess.run([PROGRAM, "run", paths[1], "-o", paths[2], "--quiet"], capture_output=True, text=True,
                              env=dict(os.environ, HALFLIFE_DATA=ROOT))
        if done.returncode != 0:
            raise RuntimeError(f"halflife ended with {done.returncode}:\n{done.stderr}")
        with h5py.File(paths[2], "r") as f:
            return {name: item[:] for name, item in f["records"].items()}


def observations(times, cmt="."):
    return [(1, t, ".", ".", cmt, ".", ".", 0) for t in times]


HEADER = "ID,TIME,AMT,RATE,CMT,ADDL,II,EVID"


def dispositions():
    """A bolus, an infusion, a modelled rate and a modelled duration, additional doses: F 0.83, lag 0.37 h."""
    f, lag, r1, d1 = 0.83, 0.37, 31.3, 2.71
    times = [0.2, 0.37, 1.9, 5.3, 6.1, 8.8, 11.9, 13.3, 17.7, 19.2, 23.9, 25.1, 30.9, 37.3, 44.4, 59.0, 91.0]
    doses = [(1, 0, 61, 0, ".", 0, 0, 1), (1, 5.5, 47, 17.3, ".", 0, 0, 1), (1, 11, 53, -1, ".", 0, 0, 1),
             (1, 17, 59, -2, ".", 0, 0, 1), (1, 24, 67, 0, ".", 3, 6.3, 1)]
    rows = sorted(doses + observations(times), key=lambda row: row[1])
    shown = [k for k, row in enumerate(rows) if row[-1] == 0]
    t = np.array(times)
    for model in sorted(m for m in REFERENCE if "cmt" in m and m.split("cmt")[1] in
                        ("", "_trans1", "_trans3", "_trans5", "_trans6") and m.split("_")[1] in ("iv", "oral")):
        oral, n = "oral" in model, int(model.split("cmt")[0][-1])
        p = {name: value for name, (value, _) in filed(model).items()}
        k, v, exchange = body(p, tuple(str(i + oral) for i in range(1, n + 1)))
        zeros, poles = disposition(k, exchange)
        u = Exponentials(zeros, [p["TVKA"], *poles], p["TVKA"] / v) if oral else Exponentials(zeros, poles, 1 / v)
        expected = f * 61 * u.after(t - lag) + f * 47 * u.infused(t - 5.5 - lag, f * 47 / 17.3)
        expected = expected + f * 53 * u.infused(t - 11 - lag, f * 53 / r1) + f * 59 * u.infused(t - 17 - lag, d1)
        expected = expected + sum(f * 67 * u.after(t - 24 - i * 6.3 - lag) for i in range(4))
        r = ask(model, HEADER, rows, {"F1": f, "ALAG1": f"{lag} h", "R1": f"{r1} mg/h", "D1": f"{d1} h"})
        curve(tap, f"{model}: every kind of dose into compartment 1", r["IPRED"][shown], expected, EXACT)
        if oral:
            central = Exponentials(zeros, poles, 1 / v)
            rows2 = [(1, 0, 71, -2, 2, 0, 0, 1), (1, 0, 37, 0, 2, 0, 0, 1)] + observations(times, 2)
            r = ask(model, HEADER, rows2, {"F1": f, "ALAG1": f"{lag} h", "D2": "3.3 h"})
            curve(tap, f"{model}: into compartment 2, with neither F1 nor ALAG1", r["IPRED"][2:],
                  71 * central.infused(t, 3.3) + 37 * central.after(t), EXACT)


def mixed_absorption():
    """One record without CMT, and the records that NONMEM needs for the same."""
    times = [0.3, 1.1, 1.9, 3.3, 4.7, 7.1, 12.9, 25.0]
    for model, cmts, rate in (("pk_zero_first_1cmt", (1, 2), -2), ("pk_zero_then_first_1cmt", (2, 1), -2),
                              ("pk_first_first_1cmt", (1, 3), 0)):
        p = {name: value for name, (value, _) in filed(model).items()}
        expected = REFERENCE[model](p, [(0.0, 83.0)], np.array(times))["Cp"]
        one = ask(model, HEADER, [(1, 0, 83, 0, ".", 0, 0, 1)] + observations(times))
        curve(tap, f"{model}: a dose without CMT goes both ways", one["IPRED"][1:], expected, EXACT)
        rows = [(1, 0, 83, rate if cmt == 2 else 0, cmt, 0, 0, 1) for cmt in cmts] + observations(times)
        curve(tap, f"{model}: so do two records, CMT {cmts[0]} and {cmts[1]}", ask(model, HEADER, rows)["IPRED"][2:],
              expected, EXACT)
    p = {name: value for name, (value, _) in filed("pk_zero_1cmt").items()}
    expected = REFERENCE["pk_zero_1cmt"](p, [(0.0, 83.0)], np.array(times))["Cp"]
    for rate in (0, -2):
        r = ask("pk_zero_1cmt", HEADER, [(1, 0, 83, rate, 1, 0, 0, 1)] + observations(times))
        curve(tap, f"pk_zero_1cmt: RATE {rate}", r["IPRED"][1:], expected, EXACT)


def not_linear():
    times = [0.5, 2.2, 7.9, 9.0, 13.1, 17.7, 21.0, 30.0, 47.0]
    doses = [(0.0, 90.0), (8.5, 60.0), (17.0, 60.0)]
    rows = [(1, 0, 90, 0, ".", 0, 0, 1), *observations(times[:3], 9), (1, 8.5, 60, 0, ".", 1, 8.5, 1),
            *observations(times[3:], 9)]
    shown = [k for k, row in enumerate(rows) if row[-1] == 0]
    for model in ("pk_iv_1cmt_mm", "pk_oral_1cmt_mixed", "pk_oral_1cmt_induction", "pk_iv_2cmt_tmdd_qss"):
        p = {name: value for name, (value, _) in filed(model).items()}
        r = ask(model, HEADER, rows, data=", observe: {9: x.Cp}")
        curve(tap, f"{model}: three doses in two records", r["IPRED"][shown], REFERENCE[model](p, doses, times)["Cp"],
              2e-8)


def steady_state():
    """SS 1 of a saturable elimination against many cycles."""
    p = {"TVVM": 10.0, "TVKM": 1.0, "TVV": 40.0}
    r = ask("pk_iv_1cmt_mm", "ID,TIME,AMT,II,SS,EVID",
            [(1, 0, 100, 12, 1, 1)] + [(1, t, 0, 0, 0, 0) for t in (0.0, 3.3, 11.9)])
    cycles = [(12.0 * k, 100.0) for k in range(400)]
    end = 12.0 * 399
    expected = integrated(lambda y: -y * 10.0 / (p["TVV"] * p["TVKM"] + y), [0.0],
                          [(at, into(0, amount)) for at, amount in cycles], [end, end + 3.3, end + 11.9])[:, 0] / 40
    curve(tap, "pk_iv_1cmt_mm: steady state", r["IPRED"][1:], expected, 1e-7)


def meals_and_metabolites():
    times = [1.0, 3.9, 4.5, 6.0, 9.9, 10.7, 13.0, 20.0]
    p = {name: value for name, (value, _) in filed("pk_oral_1cmt_ehr_meals").items()}
    rows = [(1, 0, 80, 0, ".", 0, 0, 1), (1, 4, 1, 0, 4, 1, 6, 1)] + observations(times)
    rows.sort(key=lambda row: row[1])
    shown = [k for k, row in enumerate(rows) if row[-1] == 0]
    expected = REFERENCE["pk_oral_1cmt_ehr_meals"](p, [(0.0, 80.0)], times, [(4.0, 1.0), (10.0, 1.0)])["Cp"]
    curve(tap, "pk_oral_1cmt_ehr_meals: meals are doses into compartment 4", ask("pk_oral_1cmt_ehr_meals", HEADER,
                                                                               rows)["IPRED"][shown], expected, 2e-8)
    p = {name: value for name, (value, _) in filed("pk_oral_1cmt_metabolite").items()}
    both = REFERENCE["pk_oral_1cmt_metabolite"](p, [(0.0, 80.0)], np.array(times))
    for cmt, output in ((2, "Cp"), (3, "Cm")):
        r = ask("pk_oral_1cmt_metabolite", HEADER, [(1, 0, 80, 0, ".", 0, 0, 1)] + observations(times, cmt))
        curve(tap, f"pk_oral_1cmt_metabolite: an observation of CMT {cmt} shows {output}", r["IPRED"][1:], both[output],
              EXACT)


def responses():
    times = [0.0, 1.0, 3.9, 8.5, 16.0, 33.0]
    for model in ("pd_idr1", "pd_idr2", "pd_idr3", "pd_idr4", "pd_turnover"):
        p = {name: value for name, (value, _) in filed(model).items()}
        r = ask(model, HEADER, [(1, 0, 80, 0, ".", 0, 0, 1)] + observations(times, 3), data=", observe: {3: x.effect}")
        expected = REFERENCE[model](p, [(0.0, 80.0)], np.array(times))["effect"]
        curve(tap, f"{model}: the response as an observation", r["IPRED"][1:], expected, 2e-8)


dispositions()
mixed_absorption()
not_linear()
steady_state()
meals_and_metabolites()
responses()
tap.done()
