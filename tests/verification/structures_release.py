#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes with a course of their own (released:), as a user has them: closed forms against chains of compartments,
against convolution and first order; mass; doses that overlap; data sets of every kind of event at random (HL_SEED)
beside the same with a chain; covariates that change while a dose is under way; steady states, steppers, threads,
metrics, messages.
"""
import os
import random
import shutil
import subprocess
import tempfile

import h5py
import numpy as np

from _halflife import PROGRAM, ROOT, Tap, run
from _references import transit, weibull
from _structures import curve, metric, study

tap = Tap()
SEED = int(os.environ.get("HL_SEED", "20260219"))
print(f"# HL_SEED={SEED}", flush=True)
DICE = random.Random(SEED)
TIGHT = "tolerance: 1e-11\n"
HOURS = np.array([0.013, 0.31, 0.77, 1.9, 2.83, 4.07, 6.1, 9.7, 14.3, 19.9, 25.1, 33.7, 47.9])

# gut -> central -> eliminated; {enters} is how an oral dose enters.
BODY = """model: body
covariates: {{WT: {{default: 70 kg}}}}
parameters:
  CL: {{value: 3.617 L/h, grade: assumption}}
  V: {{value: 41.3 L, grade: assumption}}
  ka: {{value: 1.283 1/h, grade: assumption}}
  F: {{value: 0.617, grade: assumption}}
  lag: {{value: 0.318 h, grade: assumption}}
  a: {{value: {a}, grade: assumption}}
  b: {{value: 2.385 h, grade: assumption}}
random: {{eta_b: {{sd: 0.3}}}}
individual: {{td: "b * exp(eta_b) * (WT / 70 kg)^0.5"}}
compartments: {{gut: {{}}, central: {{volume: V, default: observe}}, eliminated: {{}}}}
flows: [gut -> central: ka, central -> eliminated: CL * (WT / 70 kg)^0.75]
routes:
  oral: {{into: gut, bioavailability: F, lag: lag, {enters}, default: dose}}
  iv: {{into: central}}
outputs: {{Cp: {{value: central / V, unit: mg/L}}}}
"""
WEIBULL = 'released: "-expm1(-(tad / td)^a)"'
TRANSIT = 'released: "gamma_p(a, a * tad / td)"'


def body(enters, a):
    return {"body": BODY.format(enters=enters, a=a)}


def profile(items, times, text, output="Cp", parameters=None, extra=TIGHT, cohort="typical"):
    changed = {f"x.{k}": v for k, v in (parameters or {}).items()}
    r = run(study({"x": "body"}, {"x": items}, times, [f"x.{output}"], changed, extra=extra, cohort=cohort),
            models=text)
    at = [int(np.argmin(np.abs(r.time - t))) for t in times]
    return r[f"x.{output}"][0][:, at]


def closed_forms():
    doses = [(0, 91.7), (1.9, 38.5), (2.2, 71.3), (13.3, 47.9)]
    items = [f"oral: {amount} mg, start: {at} h" for at, amount in doses]
    same = {"x.TVNTR": 4, "x.F1": 0.617, "y.F1": 0.617, "x.TVMTT": "2.9 h", "y.TVMTT": "2.9 h"}
    r = run(study({"x": "pk_transit_1cmt", "y": "pk_transit_chain_1cmt"}, {"x": items, "y": items}, HOURS,
                  ["x.Cp", "y.Cp"], same, extra=TIGHT))
    curve(tap, "whole n: the closed form is the chain", r["x.Cp"], r["y.Cp"], 1e-8)
    for n, mtt in ((-0.4, 0.62), (0.7, 1.3), (23.4, 3.3)):
        p = {"TVCL": 3.1, "TVV": 37.7, "TVKA": 0.91, "TVMTT": mtt, "TVNTR": n, "F1": 0.83, "ALAG1": 0.37}
        r = run(study({"x": "pk_transit_1cmt"}, {"x": items}, HOURS, ["x.Cp"], units("x", p), extra=TIGHT))
        at = [int(np.argmin(np.abs(r.time - t))) for t in HOURS]
        curve(tap, f"n = {n}: convolution of a gamma density", r["x.Cp"][0, 0, at], transit(p, doses, HOURS)["Cp"],
              1e-9)
    for beta in (0.6, 1, 3):
        p = {"TVCL": 3.1, "TVV": 37.7, "TVTD": 2.7, "TVBETA": beta, "F1": 0.83, "ALAG1": 0.37}
        r = run(study({"x": "pk_weibull_1cmt", "y": "pk_oral_1cmt"}, {"x": items, "y": items}, HOURS, ["x.Cp", "y.Cp"],
                      {**units("x", p), "y.TVCL": "3.1 L/h", "y.TVV": "37.7 L", "y.TVKA": f"{1 / 2.7:.17g} 1/h",
                       "y.F1": 0.83, "y.ALAG1": "0.37 h"}, extra=TIGHT))
        at = [int(np.argmin(np.abs(r.time - t))) for t in HOURS]
        curve(tap, f"Weibull, beta = {beta}: convolution", r["x.Cp"][0, 0, at], weibull(p, doses, HOURS)["Cp"], 1e-9)
        if beta == 1:
            curve(tap, "Weibull, beta = 1: first order", r["x.Cp"], r["y.Cp"], 1e-9)


def units(alias, p):
    unit = {"TVCL": "L/h", "TVV": "L", "TVKA": "1/h", "TVMTT": "h", "TVTD": "h", "ALAG1": "h"}
    return {f"{alias}.{name}": f"{value} {unit.get(name, '')}".strip() for name, value in p.items()}


def mass():
    """Everything that has entered is in the gut, in the body or eliminated, whatever the tolerance."""
    items = [f"oral: {10 + 1.3 * d:.15g} mg, start: {2.9 * d:.15g} h" for d in range(9)]
    for name, enters, a in (("Weibull, beta = 0.41", WEIBULL, 0.41), ("transit, n = 2.7", TRANSIT, 3.7)):
        for extra in ("tolerance: 1e-6\n", "tolerance: 1e-6\nsolver: gsl-msbdf\n"):
            r = run(study({"x": "body"}, {"x": items}, [3.3, 19.7, 400, 90000], ["x.gut", "x.central", "x.eliminated"],
                          extra=extra), models=body(enters, a))
            there = (r["x.gut"] + r["x.central"] + r["x.eliminated"])[0, 0, -1]
            stepper = "msbdf" if "msbdf" in extra else "rk8pd"
            tap.within(f"{name}, {stepper}: all doses are accounted for in the end", there,
                       0.617 * sum(10 + 1.3 * d for d in range(9)), 1e-11)


def superposition():
    times = HOURS + 31
    doses = [(DICE.uniform(0, 40), DICE.uniform(3, 60)) for _ in range(40)]
    for name, enters, a in (("Weibull, beta = 0.7", WEIBULL, 0.7), ("transit, n = 8.3", TRANSIT, 9.3)):
        text = body(enters, a)
        items = [f"oral: {amount:.15g} mg, start: {at:.15g} h" for at, amount in sorted(doses)]
        together = profile(items, times, text)[0]
        arms = "\n".join(f"  - name: d{i}\n    x: [{{{item}}}]" for i, item in enumerate(items))
        one = study({"x": "body"}, {"x": items[:1]}, times, ["x.Cp"], extra=TIGHT)
        r = run(one.split("arms:")[0] + "arms:\n" + arms + "\n" + one[one.index("times:"):], models=text)
        at = [int(np.argmin(np.abs(r.time - t))) for t in times]
        curve(tap, f"{name}: 40 doses together are the sum of 40 single ones", together,
              np.sum(r["x.Cp"][:, 0, at], axis=0), 1e-9)


# ---- Data sets.

CHAIN = """model: body
parameters:
  CL: {{value: 3.617 L/h, grade: assumption}}
  V: {{value: 41.3 L, grade: assumption}}
  ka: {{value: 1.283 1/h, grade: assumption}}
  F: {{value: 0.617, grade: assumption}}
  lag: {{value: {lag} h, grade: assumption}}
  ktr: {{value: 1.47 1/h, grade: assumption}}
compartments: {{dose: {{}}, central: {{volume: V, default: observe}}, side: {{volume: 17.3 L}}{more}}}
flows: [{first}gut -> central: ka, central <-> side: 2.1 L/h, central -> out: CL]
routes:
  oral: {{into: {into}, bioavailability: F, lag: lag, {enters}default: dose}}
  iv: {{into: central}}
outputs: {{Cp: {{value: central / V, unit: mg/L}}}}
"""


def chain_and_closed(lag):
    """The same body twice, CMT 1 the dose: three compartments in a row before the gut, or their closed form."""
    chain = CHAIN.format(lag=lag, more=", t1: {}, t2: {}, gut: {}", into="dose", enters="",
                         first="dose -> t1: ktr, t1 -> t2: ktr, t2 -> gut: ktr, ")
    closed = CHAIN.format(lag=lag, more="", into="dose", enters='released: "gamma_p(3, ktr * tad)", ', first="")
    return chain, closed.replace("gut ->", "dose ->")


def random_rows():
    """Records of one individual: doses alone and in series, every SS, resets, replacements and switches of what lies
    behind the gut."""
    rows, t = [], 0.0
    for i in range(30):
        t += DICE.choice([0, 0.7, 2.9, 6.1]) * DICE.random()
        kind = 1 if i == 0 else DICE.choice([0, 0, 0, 0, 1, 1, 1, 2, 3, 4, 8])
        evid, amt, cmt, addl, ii, ss = kind, 0, 2, 0, 0, 0
        if kind in (1, 4):
            amt, cmt, ii = DICE.uniform(5, 90), DICE.choice([0, 1, 1, 1, 2]), DICE.uniform(1.5, 9)
            addl, ss = DICE.choice([0, 0, 1, 4]), DICE.choice([0, 0, 0, 1, 2, 3])
            ii = ii if addl or ss else 0
        elif kind == 2:
            cmt = DICE.choice([-2, 2, -3, 3, 0])
        elif kind == 8:
            amt, cmt = DICE.uniform(0, 40), DICE.choice([2, 3])
        rows.append([1, t, evid, amt, cmt, addl, ii, ss])
        rows.append([1, t, 0, 0, 2, 0, 0, 0])
    return rows


def cell(x):
    return f"{x:.17g}" if isinstance(x, float) else str(x)


def records(text, rows, header="ID,TIME,EVID,AMT,CMT,ADDL,II,SS", outputs=("Cp",), extra=TIGHT, expect=0):
    """Columns of a data-set run; the finished process when expect isn't 0."""
    folder = tempfile.mkdtemp(prefix="halflife-")
    asked = ", ".join("x." + o for o in outputs)
    files = {"body.yaml": text, "events.csv": "\n".join([header] + [",".join(map(cell, row)) for row in rows]) + "\n",
             "study.yaml": "study: s\ndrugs: {x: body}\ncohort: typical\ndata: events.csv\n"
                           f"outputs: [{asked}]\n{extra}"}
    try:
        for name, content in files.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(content)
        target = os.path.join(folder, "result.h5")
        done = subprocess.run([PROGRAM, "run", os.path.join(folder, "study.yaml"), "-o", target, "--quiet"],
                              capture_output=True, text=True, env=dict(os.environ, HALFLIFE_DATA=ROOT))
        if done.returncode != expect:
            raise RuntimeError(f"halflife ended with {done.returncode}:\n{done.stderr}")
        if expect:
            return done
        with h5py.File(target, "r") as f:
            return [f[f"records/x_{o}"][:] for o in outputs]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def data_sets():
    worst, n = 0.0, 0
    for table in range(12):
        chain, closed = chain_and_closed(DICE.choice([0, 0.31, 2.7, 11.3]))
        rows = random_rows()
        (expected,), (found,) = records(chain, rows), records(closed, rows)
        off = np.max(np.abs(found - expected)) / np.max(np.abs(expected))
        if not off < 1e-9:
            tap.ok(False, f"table {table}: records with a release", f"off by {off:.3g} of the peak; {rows}")
        worst, n = max(worst, off), n + len(rows)
    tap.ok(worst < 1e-9, f"{n} records of every kind: the closed form is the chain", f"largest deviation {worst:.3g}")


def switched_off():
    """A release stops when its compartment goes off, and a new dose switches that on again."""
    _, closed = chain_and_closed(0.31)
    obs = [[1, t, 0, 0.0, 1, 0, 0.0, 0] for t in (4.0, 5.0, 9.0)]
    rows = ([[1, 0.0, 1, 50.0, 1, 0, 0.0, 0], [1, 1.3, 2, 0.0, -1, 0, 0.0, 0], [1, 1.9, 2, 0.0, 1, 0, 0.0, 0]] + obs[:1]
            + [[1, 4.1, 1, 20.0, 1, 0, 0.0, 0]] + obs[1:])
    found = records(closed, rows, outputs=("dose", "central"))
    alone = records(closed, [[1, 4.1, 1, 20.0, 1, 0, 0.0, 0]] + obs[1:], outputs=("dose",))[0]
    tap.ok(found[0][3] == 0 and found[1][3] > 0, "off: what was still to enter never does", found[0][3])
    curve(tap, "on by a dose: that dose enters whole", found[0][5:], alone[1:], 1e-9)


def own_values():
    """A dose keeps the values it was given with, whatever its covariate does later; a later dose has its own."""
    text = BODY.format(enters=WEIBULL, a=1.7)
    header = "ID,TIME,EVID,AMT,CMT,WT"
    rows = [[1, 0.0, 1, 91.7, 1, 90.0], [1, 1.1, 0, 0.0, 2, 90.0], [1, 2.9, 1, 38.5, 1, 45.0],
            [1, 5.3, 0, 0.0, 2, 45.0], [1, 60000.0, 0, 0.0, 2, 45.0]]
    gut, central, gone = records(text, rows, header, ("gut", "central", "eliminated"))
    td = 2.385 * (90 / 70) ** 0.5
    entered = [0.617 * 91.7 * -np.expm1(-((t - 0.318) / td) ** 1.7) for t in (1.1, 5.3, 60000.0)]
    entered[1] += 0.617 * 38.5 * -np.expm1(-((5.3 - 2.9 - 0.318) / (2.385 * (45 / 70) ** 0.5)) ** 1.7)
    entered[2] += 0.617 * 38.5
    for k, row in enumerate((1, 3, 4)):
        tap.within(f"weight falls at 2.9 h: what has entered at {rows[row][1]} h", (gut + central + gone)[row],
                   entered[k], 1e-9)


# ---- Steady states, steppers, threads, metrics, messages.

def steady_states():
    for name, enters, a, cycles in (("Weibull, beta = 0.6", WEIBULL, 0.6, 70),
                                    ("transit, n = 19.3", TRANSIT, 20.3, 45)):
        text = {"body": body(enters, a)["body"].replace("eliminated: {}", "").replace("-> eliminated", "-> out")}
        cycle = "oral: 38.5 mg, every: 7.9 h"
        steady = profile([f"steady_state: {{{cycle}}}", f"{cycle}, doses: 3"], HOURS, text)[0]
        run_in = profile([f"{cycle}, doses: {cycles + 3}"], HOURS + 7.9 * cycles, text)[0]
        curve(tap, f"{name}: the steady state is what {cycles} doses lead to", steady, run_in, 1e-9)


def steppers():
    items = [f"oral: 38.5 mg, start: {2.3 * k:.15g} h" for k in range(6)] + ["iv: 5.1 mg, start: 7.7 h"]
    for name, enters, a in (("Weibull, beta = 0.6", WEIBULL, 0.6), ("transit, n = 5.3", TRANSIT, 6.3)):
        found = [profile(items, HOURS, body(enters, a), extra=f"solver: {s}\ntolerance: 1e-10\n")[0]
                 for s in ("exact", "gsl-rk8pd", "gsl-msbdf")]
        curve(tap, f"{name}: rk8pd on everything", found[1], found[0], 1e-9)
        curve(tap, f"{name}: msbdf on everything", found[2], found[0], 1e-6)


def threads_and_blocks():
    text = body(TRANSIT, 3.7)
    items = ["oral: 38.5 mg, every: 6 h, doses: 5"]
    times = "[{until: 36 h, every: 1 h}]"
    digests, profiles = [], []
    for subjects, threads in ((70, 1), (70, 2), (9, 2)):
        r = run(study({"x": "body"}, {"x": items}, times, ["x.Cp"], cohort=f"{{subjects: {subjects}, seed: 11}}",
                      metrics=["of: x.Cp, list: [Cmax, AUC]"]), "--threads", threads, models=text)
        digests.append(r.attributes["payload_sha256"])
        profiles.append(r["x.Cp"][0])
    tap.ok(digests[0] == digests[1], "70 people: the same bytes by one thread and by two")
    tap.ok(np.array_equal(profiles[0][:9], profiles[2]), "9 people are the first 9 of 70")
    tap.ok(np.std(profiles[0][:, 5]) > 0, "and they differ from each other")


def metrics():
    text = body(WEIBULL, 0.6)
    items = ["oral: 91.7 mg", "oral: 38.5 mg, start: 3.1 h"]
    r = run(study({"x": "body"}, {"x": items}, "[{until: 4000 h, every: 50 h}]", ["x.Cp"],
                  metrics=["of: x.Cp, list: [AUC, Cmax, Tmax]"], extra=TIGHT), models=text)
    tap.within("AUC is F Dose/CL", metric(r, "x_Cp_AUC"), 0.617 * (91.7 + 38.5) / 3.617, 1e-7)
    fine = np.linspace(0.02, 8, 1601)
    dense = profile(items, fine, text)[0]
    tap.within("Cmax is the highest point", metric(r, "x_Cp_Cmax"), np.max(dense), 1e-5)
    tap.near("Tmax is where that is", metric(r, "x_Cp_Tmax"), fine[int(np.argmax(dense))], 0.006)


def messages():
    text = body(WEIBULL, 1.3)
    infused = study({"x": "body"}, {"x": ["infuse: 5 mg/h, route: oral, for: 2 h"]}, HOURS, ["x.Cp"])
    done = run(infused, models=text, expect=2)
    tap.ok("takes no infusion" in done.stderr, "an infusion by such a route is refused", done.stderr)
    done = run(study({"x": "body"}, {"x": ["oral: 5 mg"]}, HOURS, ["x.Cp"], {"x.a": -2}), models=text, expect=3)
    tap.ok(done.returncode == 3, "a course that falls is a subject that fails", done.stderr)
    done = records(text["body"], [[1, 0.0, 1, 50.0, 1, 12.5], [1, 2.0, 0, 0.0, 2, 0.0]],
                   "ID,TIME,EVID,AMT,CMT,RATE", expect=3)
    tap.ok("course of their own" in done.stderr, "RATE into such a route is refused, and says why", done.stderr)


closed_forms()
mass()
superposition()
data_sets()
switched_off()
own_values()
steady_states()
steppers()
threads_and_blocks()
metrics()
messages()
tap.done()
