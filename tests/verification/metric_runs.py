#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of long regular courses against the same metrics piece by piece.

A course of equal doses is told at once; edges of windows cut it anywhere. So areas and hours of the whole are the sums
of those of windows, the highest value is the highest of theirs, and a trough is the value at the time of its dose. All
of it for two outputs of the same states, which share what is known of a course.
"""
import numpy as np

from _halflife import Tap, run

tap = Tap()
EXACT = 1e-11  # relative: rounding of some hundred stretches

MODEL = """
model: course
title: Depot, two compartments, effect site
covariates: {KA: {default: 1.37 1/h}, CL: {default: 3.1 L/h}, V1: {default: 57 L}}
parameters:
  Q:    {value: 9.3 L/h, grade: assumption, note: test}
  V2:   {value: 113 L, grade: assumption, note: test}
  tlag: {value: 0.31 h, grade: assumption, note: test}
  ke0:  {value: 0.47 1/h, grade: assumption, note: test}
compartments: {depot: {}, central: {volume: V1}, peripheral: {volume: V2}}
flows: [depot -> central: KA, central <-> peripheral: Q, central -> out: CL]
routes: {oral: {into: depot, lag: tlag}, iv: {into: central}}
effect_sites: {Ce: {follows: Cp, ke0: ke0}}
outputs: {Cp: {value: central / V1, unit: mg/L, label: plasma concentration, grade: assumption}}
"""

EDGES = [0, 7.3, 24, 24.31, 131.7, 336, 337.9, 500, 733.33, 960]  # h
WINDOWS = ", ".join(f"[{a} h, {b} h]" for a, b in zip(EDGES, EDGES[1:]))
DOSES = {"oral": [f"oral: {dose} mg, every: 12 h, for: 10 d" for dose in (0.53, 0.41, 0.27)],
         "mixed": ["iv: 0.83 mg, every: 8 h, for: 20 d", "infuse: 71 ug/h, for: 31 h",
                   "oral: 1.19 mg, every: 24 h, for: 11 d"]}
LEVELS = {"": "2.9 ng/mL", "_b": "4.3 ng/mL", "_c": "5.6 ng/mL", "_d": "7.7 ng/mL"} # near troughs and peaks of some


def study(part, kinds, windows=""):
    """Windows cut courses for all metrics of a study: so the whole and its parts come from two studies."""
    arms = [f"  - {{name: {arm}, drug: [{', '.join('{' + dose + '}' for dose in doses)}]}}"
            for arm, doses in DOSES.items()]
    metrics = [f"  - {{of: drug.{output}, above: {level}, list: [{kinds}]{windows}, name: {part}_{output}{mark}}}"
               for output in ("Cp", "Ce") for mark, level in LEVELS.items()]
    return "\n".join([HEAD, "arms:", *arms, f"times: [{{until: {EDGES[-1]} h, every: 12 h}}]",
                      "outputs: [drug.Cp, drug.Ce]", "precision: double", "metrics:", *metrics, ""])


HEAD = """
study: courses
drugs: {drug: course}
cohort:
  subjects: 21
  seed: 8713
  covariates:
    KA: {lognormal: {median: 1.37 1/h, cv: "40 %"}}
    CL: {lognormal: {median: 3.1 L/h, cv: "40 %"}}
    V1: {lognormal: {median: 57 L, cv: "30 %"}}"""
WHOLE = study("whole", "Cmax, Tmax, Cmin, AUC, troughs, hours_above")
PARTS = study("part", "Cmax, Tmax, Cmin, AUC, hours_above", f", windows: [{WINDOWS}]")


def compare(name, found, expected, scale):
    """Of all subjects of an arm."""
    worst = float(np.max(np.abs(found - expected) / scale))
    tap.ok(worst <= EXACT, name, f"largest deviation {worst:.3g}, at most {EXACT:.3g}")


def whole_and_parts(r, cut, arm, output, mark):
    def metric(kind):
        """Of the whole, and of the windows [subject, window]."""
        level = f"_0_00{LEVELS[mark][0]}{LEVELS[mark][2]}" if kind == "hours_above" else ""
        return (r.metric(f"whole_{output}{mark}_{kind}{level}")[arm],
                cut.metric(f"part_{output}{mark}_{kind}{level}")[arm])

    name = f"{r.arms[arm]}, {output}, {LEVELS[mark]}"
    for kind in ("AUC", "hours_above"):
        whole, parts = metric(kind)
        compare(f"{name}: {kind} of windows add up", np.sum(parts, axis=1), whole, np.max(whole))
        tap.ok(np.ptp(whole) > 0, f"{name}: {kind} differs between subjects")
    (highest, by_window), (when, when_by_window) = metric("Cmax"), metric("Tmax")
    compare(f"{name}: Cmax is that of the best window", np.max(by_window, axis=1), highest, highest)
    best = when_by_window[np.arange(len(when)), np.argmax(by_window, axis=1)]
    tap.ok(np.max(np.abs(best - when)) < 1e-6, f"{name}: Tmax is that of the best window",
           f"{best} and {when}")
    lowest, by_window = metric("Cmin")
    compare(f"{name}: Cmin is that of the lowest window", np.min(by_window, axis=1), lowest, highest)


def troughs_are_values(r, arm, output):
    """Every 12 h; nothing was before the first."""
    troughs, values = r.metric(f"whole_{output}_troughs")[arm], r[f"drug.{output}"][arm]
    n = int(np.sum(np.isfinite(troughs[0])))
    tap.ok(n == 59, f"{output}: 59 doses have something before them", n)
    compare(f"{output}: troughs are the values before doses", troughs[:, 1:60], values[:, 1:60], np.max(values))


def alone_as_in_company(r):
    """A subject's metrics don't depend on who is solved beside it."""
    few = run(WHOLE, "--subjects", 5, models={"course": MODEL})
    for name, values in few.metrics.items():
        if values.dtype.kind == "f" and values.ndim > 1:
            same = np.array_equal(values, r.metrics[name][:, :5], equal_nan=True)
            tap.ok(same, f"{name} of five subjects is that of the first five of all")


result, in_parts = run(WHOLE, models={"course": MODEL}), run(PARTS, models={"course": MODEL})
for number in range(len(result.arms)):
    for shown in ("Cp", "Ce"):
        for line in LEVELS:
            whole_and_parts(result, in_parts, number, shown, line)
for shown in ("Cp", "Ce"):
    troughs_are_values(result, result.arm("oral"), shown)
alone_as_in_company(result)
tap.done()
