#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A taper of two drugs designed under both withdrawal indices and the overlap of their sedation, judged without the
program: every arm of its result is carried on from each subject's own parameters and the doses recorded for it.

Clonazepam goes in plain steps of 1/20 h, as in taper_design.py, with adaptation A and tolerance T beside it. Fentanyl is
x' = M x + rate, constant between the recorded changes of the pump, by the matrix exponential: central, rapid, deep [mg],
effect site, reference concentration [ng/mL]. Sedation is the surface of the reference page (interaction, 3.1), with
tolerance of clonazepam alone (section 4). Then what `halflife taper` reports is counted again.
"""
import math
import sys
import tempfile

import numpy as np
from scipy.linalg import expm

from _clonazepam import A_DOWN, A_UP, GAIN, LN2, T_OFF, T_ON, TLAG
from _halflife import Tap
from _interaction import R, surface
from taper_design import STEP, bodies, design, periodic, signal

START = 48.0
FOLLOW = 21 * 24.0
TAU_REF, C50W_OPIOID = 7 * 24.0, 1.0
BOUNDS = (("clonazepam_withdrawal_index_Cmax", 22.0, 0.7), ("fentanyl_withdrawal_index_Cmax", 45.0, 0.8),
          ("overlap_sedation_hours_above", 150.0, 0.8))

STUDY = """
study: two
origin: "08:00"
drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult}
interactions: {overlap: sedation_overlap}
cohort:
  subjects: 17
  seed: 53113
  covariates: {WT: {lognormal: {median: 71.3 kg, cv: "19 %"}, within: [45 kg, 120 kg]}, AGE: {uniform: [20 year, 75 year]}}
tolerance: 1e-8
design:
  before:
    clonazepam: [{steady_state: {oral: 0.5 mg, every: 12 h}}, {oral: 0.5 mg, every: 12 h, for: 2 d}]
    fentanyl: [{steady_state: {infuse: 31 ug/h}}, {infuse: 31 ug/h, for: 2 d}]
  taper:
    clonazepam: {from: 1 mg/d, at: ["08:00", "20:00"], products: [{tablet: 0.5 mg, break: halves}]}
    fentanyl: {from: 31 ug/h, products: [{infusion: 15.5 ug/h}]}
  lengths: [14 d]
  longest: 8 week
  follow: 3 week
  keep:
    - {of: clonazepam.withdrawal_index, peak: "22", in: "70 %"}
    - {of: fentanyl.withdrawal_index, peak: "45", in: "80 %"}
    - {of: overlap.sedation, hours_above: 150 h, threshold: "1", in: "80 %"}
  judge: {subjects: 13}
  compare: [{name: together, clonazepam: {protocol: uk_eighth, every: 7 d}, fentanyl: cdc_weekly}]
"""


def own(r, arm, name):
    value = r.subjects[name]
    return value[arm] if value.ndim == 2 else value


def follow(x, u, up, down):
    """A Heun step of x' = (u - x) ln2 / half-life, which is up or down; u at both ends."""
    def rate(signal_, y):
        return np.where(signal_ > y, LN2 / up, LN2 / down) * (signal_ - y)
    f = rate(u[0], x)
    return x + STEP / 2 * (f + rate(u[1], x + STEP * f))


def settled(levels, up, down):
    """Where such a state begins a cycle to which it returns, levels[k] being u at step k; by bisection."""
    low, high = np.zeros(levels.shape[1]), np.max(levels, axis=0)
    for _ in range(50):
        middle = y = (low + high) / 2
        for k in range(len(levels) - 1):
            y = follow(y, (levels[k], levels[k + 1]), up, down)
        low, high = np.where(y > middle, middle, low), np.where(y > middle, high, middle)
    return (low + high) / 2


def taken(r, arm, drug):
    d = r.doses
    mine = np.flatnonzero((d["arm"] == arm) & (d["drug"] == drug) & (d["amount"] > 0))
    return [{name: d[name][k] for name in ("time", "amount", "rate", "duration")} for k in mine]


def clonazepam(r, arm, end):
    """Ce, A and T at every step from time 0 on, [step, subject]."""
    phi, dose, _ = bodies(r, arm)
    doses = {round((each["time"] + TLAG) / STEP): each["amount"] for each in taken(r, arm, 0)}
    x, _ = periodic(phi, dose, 0.5, 12)
    cycle, lag = [x], round(TLAG / STEP)
    for k in range(round(12 / STEP)):
        y = cycle[-1] + 0.5 * dose if k == lag else cycle[-1]
        cycle.append(np.einsum("nij,nj->ni", phi, y))
    a = settled(np.array([signal(y) for y in cycle]), A_UP, A_DOWN)
    t = settled(np.array([y[:, 3] for y in cycle]), T_ON, T_OFF)
    out = [(x[:, 3], a, t)]
    for k in range(round(end / STEP)):
        y = x + doses[k] * dose if k in doses else x
        x = np.einsum("nij,nj->ni", phi, y)
        a = follow(a, (signal(y), signal(x)), A_UP, A_DOWN)
        t = follow(t, (y[:, 3], x[:, 3]), T_ON, T_OFF)
        out.append((x[:, 3], a, t))
    return (np.array(each) for each in zip(*out))


def fentanyl(r, arm, end):
    """Cp, Ce and Cref at every step from time 0 on, [step, subject]."""
    cl, v1, v2, v3, q2, q3, ke0 = (own(r, arm, "fentanyl_" + k) for k in ("CL", "V1", "V2", "V3", "Q2", "Q3", "ke0"))
    n, steps = cl.size, round(end / STEP)
    m = np.zeros((n, 5, 5))
    m[:, 0, 0], m[:, 0, 1], m[:, 0, 2] = -(cl + q2 + q3) / v1, q2 / v2, q3 / v3
    m[:, 1, 0], m[:, 1, 1], m[:, 2, 0], m[:, 2, 2] = q2 / v1, -q2 / v2, q3 / v1, -q3 / v3
    m[:, 3, 0], m[:, 3, 3] = 1000 * ke0 / v1, -ke0
    m[:, 4, 0], m[:, 4, 4] = 1000 / v1 / TAU_REF, -1 / TAU_REF
    phi = np.array([expm(STEP * each) for each in m])
    unit = np.linalg.solve(m, np.tile([[-1.0], [0], [0], [0], [0]], (n, 1, 1)))[:, :, 0]  # balance with 1 mg/h
    rate = np.zeros(steps)
    for each in taken(r, arm, 1):
        begin, until = (round(t / STEP) for t in (each["time"], each["time"] + each["duration"]))
        rate[begin:until] += each["rate"]
    x, out = rate[0] * unit, []
    for k in range(steps + 1):
        out.append((1000 * x[:, 0] / v1, x[:, 3], x[:, 4]))
        if k < steps:
            x = rate[k] * unit + np.einsum("nij,nj->ni", phi, x - rate[k] * unit)
    return (np.array(each) for each in zip(*out))


def hours_above(y, theta):
    """Time for which [step, subject] is above theta, crossings by straight lines."""
    a, b = y[:-1] - theta, y[1:] - theta
    share = np.where((a > 0) & (b > 0), 1.0, 0.0)
    crossed = (a > 0) != (b > 0)
    share = np.where(crossed, np.maximum(a, b) / np.where(crossed, np.abs(a - b), 1), share)
    return STEP * np.sum(share, axis=0)


def kept(r, arm, days):
    """Each subject's three statistics from day 0 to the end of the follow-up."""
    end, first = START + 24 * days + FOLLOW, round(START / STEP)
    ce, a, t = clonazepam(r, arm, end)
    cp, cf, cref = fentanyl(r, arm, end)
    w = np.maximum(0, a - ce / (ce + 20)) * own(r, arm, "clonazepam_f_W")
    index = 80 * w / (w + 0.4)
    opioid = 100 * np.maximum(0, cref - cp) / (cref + C50W_OPIOID)
    ec50 = 1000 * own(r, arm, "clonazepam_EC50")  # stored in mg/L
    spread = {k: own(r, arm, "overlap_" + k) for k in ("sB", "sF", "sA")}
    sedation = surface(cf, R * ce, TB=(ec50 + GAIN * t) / ec50, **spread)["sedation"]
    return np.max(index[first:], axis=0), np.max(opioid[first:], axis=0), hours_above(sedation[first:], 1.0)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="halflife-") as folder:
        report, r = design(folder, STUDY, "two")
    told = {arm["arm"]: arm for arm in report["arms"]}
    tap.ok(sorted(told) == sorted(r.arms), "every arm is told", f"{sorted(told)} and {sorted(r.arms)}")
    levels = sorted({each["rate"] for each in taken(r, r.arm("designed"), 1)})
    tap.ok(all(abs(rate / 0.0155 - round(rate / 0.0155)) < 1e-9 for rate in levels), "whole steps of the pump", levels)
    for number, name in enumerate(r.arms):
        mine, facts = kept(r, number, told[name]["days"]), told[name]
        for (metric, bound, share), value, line in zip(BOUNDS, mine, facts["constraints"]):
            found = r.metric(metric)[number]
            # a sum of many crossings' places; peaks between two steps; fentanyl's at the very change of the pump
            slack = 0.02 + 1e-3 * value if "hours" in metric else 5e-4 * np.maximum(value, 1)
            worst = np.max(np.abs(value - found) / slack)
            tap.ok(worst < 1, f"{name}: {metric} of each subject", f"{worst:.3g} of what is allowed: {value} {found}")
            tap.ok(abs(np.mean(found <= bound) - line["verdict"]["share"]) < 1e-9, f"{name}: share that keeps {metric}")
            ordered = np.sort(value)[math.ceil(share * len(value) - 1e-9) - 1]
            tap.near(f"{name}: what the share doesn't exceed of {metric}", line["verdict"]["value"], ordered,
                     0.02 + 1e-3 * ordered)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
