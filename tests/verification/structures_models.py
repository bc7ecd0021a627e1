#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Structural library: every model against the same equations written a second time, with its own values and with random
ones (HL_SEED), after three doses at ugly times; and a cohort of each. No model of the library is left out.
"""
import os
import random
import subprocess

import numpy as np

from _halflife import PROGRAM, ROOT, Tap, run
from _references import MEALS, REFERENCE
from _structures import curve, filed, study

tap = Tap()
SEED = int(os.environ.get("HL_SEED", "20260731"))
print(f"# HL_SEED={SEED}", flush=True)
DICE = random.Random(SEED)

# What is solved in closed form agrees to 1e-9 of a profile's peak. The integrator is asked for 1e-11 per step.
EXACT, INTEGRATED = 1e-9, 2e-8
LINEAR = ("disposition", "absorption")
SOLVED = {"pk_oral_1cmt_ehr", "pk_oral_1cmt_metabolite", "pd_emax", "pd_sigmoid_emax", "pd_effect_compartment",
          "pd_turnover"}
HORIZON = {"pk_iv_2cmt_tmdd": 90.0, "pk_iv_2cmt_tmdd_qss": 700.0, "pk_oral_1cmt_induction": 300.0}


def library():
    """{model: family} of the structures in the list."""
    done = subprocess.run([PROGRAM, "models"], capture_output=True, text=True, check=True,
                          env=dict(os.environ, HALFLIFE_DATA=ROOT))
    found, family = {}, None
    for line in done.stdout.splitlines():
        if line and not line.startswith(" "):
            family = line.partition("Structures: ")[2]
        elif line and family:
            found[line.split()[0]] = family
    return found


def ugly(name, value, unit):
    """A random value near the filed one that keeps shares below 1 and, of exponents, the order."""
    if name == "TVBETA" and unit == "":  # of a Weibull curve
        return DICE.uniform(0.5, 2.6)
    if name in ("TVAOB", "TVALPHA", "TVBETA", "TVGAMMA") or (name.startswith("TVK") and name[3:].isdigit()):
        return value * DICE.uniform(0.93, 1.07)
    if unit == "" and value <= 1:
        return value * DICE.uniform(0.6, 0.98)
    if name.startswith("ALAG"):
        return DICE.uniform(0, 1.3)
    if name == "TVMTT":
        return value * DICE.uniform(0.7, 1.1)
    return value * DICE.uniform(0.7, 1.4)


def compare(model, family, sets, doses, times):
    """All parameter sets as arms of one study."""
    arms = {f"set{i}": {f"x.{name}": f"{value:.15g} {unit}".strip() for name, (value, unit) in s.items()}
            for i, s in enumerate(sets)}
    route = "iv" if model.startswith("pk_iv") else "oral"
    items = [f"{route}: {amount:.15g} mg, start: {at:.15g} h" for at, amount in doses]
    items += [f"meal: {amount} mg, start: {at} h" for at, amount in MEALS if model.endswith("_meals")]
    expected = [REFERENCE[model]({name: value for name, (value, _) in s.items()}, doses, times) for s in sets]
    outputs = list(expected[0])
    r = run(study({"x": model}, {"x": items}, times, [f"x.{o}" for o in outputs], arms=arms,
                  extra="tolerance: 1e-11\n"))
    at = [int(np.argmin(np.abs(r.time - t))) for t in times]
    exact = family in LINEAR or model in SOLVED
    for output in outputs:
        found = np.concatenate([r["x." + output][i, 0, at] for i in range(len(sets))])
        curve(tap, f"{model}: {output}, {len(sets)} sets of parameters", found,
              np.concatenate([e[output] for e in expected]), EXACT if exact else INTEGRATED)


def every_model(models):
    for model, family in sorted(models.items()):
        values = filed(model)
        n_ugly = 1 if model.endswith("_tmdd") else 3
        sets = [values] + [{n: (ugly(n, v, u), u) for n, (v, u) in values.items()} for _ in range(n_ugly)]
        horizon = HORIZON.get(model, 60.0)
        doses = sorted((DICE.uniform(0, 0.4) * horizon, DICE.uniform(60, 150)) for _ in range(3))
        times = np.array(sorted(DICE.uniform(0.01, 1) * horizon for _ in range(25)))
        compare(model, family, sets, doses, times)


def cohorts(models):
    """Random effects lead nowhere they shouldn't: 12 people of each, all solved, nothing negative."""
    listed = sorted(models)
    items = {m: [f"{'iv' if m.startswith('pk_iv') else 'oral'}: 100 mg, every: 12 h, doses: 2"] for m in listed}
    for part in (listed[:len(listed) // 2], listed[len(listed) // 2:]):
        r = run(study({m: m for m in part}, {m: items[m] for m in part}, "[{until: 48 h, every: 4 h}]",
                      [m + ".Cp" for m in part], cohort="{subjects: 12, seed: 4711}"))
        tap.ok(int(np.sum(r.subjects["status"])) == 0, f"12 people of {part[0]} to {part[-1]}: everyone solved")
        for m in part:
            c = r[m + ".Cp"]
            peak = np.max(c, axis=2)
            tap.ok(bool(np.all(c >= -1e-12 * peak[:, :, None]) and np.std(peak) > 0),
                   f"12 people of {m}: concentrations of different people, none negative", np.min(c))


structures = library()
tap.ok(set(structures) == set(REFERENCE), "every structural model of the library is written a second time here",
       f"only in the library: {sorted(set(structures) - set(REFERENCE))}, "
       f"only here: {sorted(set(REFERENCE) - set(structures))}")
known = {m: f for m, f in structures.items() if m in REFERENCE}
every_model(known)
cohorts(known)
tap.done()
