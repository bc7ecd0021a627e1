#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a fixed taper still hold, in situations of docs/robustness.md, computed a second time for a few subjects.

Which doses are missed is drawn here again (Philox4x64-10 and FNV-1a, written from their papers), the doses are laid out
here, and each subject's index follows from his own parameters by closed forms and Runge-Kutta steps (_clonazepam.py). So the
highest index, and whether it stays at or below 20, is known for T2 and T4 in each situation without the program.
"""
import math

import numpy as np

from _clonazepam import A_DOWN, A_UP, C50W, LN2, Course, Subject, every, index_of, level_doses, study, taper_levels
from _halflife import Tap, run

tap = Tap()
N, SEED, LEAD, DAYS = 5, 20261124, 168.0, 160
MASK = (1 << 64) - 1


def hash_of(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def uniform(seed, subject, stream, draw):
    """Salmon and others 2011: ten rounds over (subject, stream, draw, 0) under the key (seed, "halflife")."""
    x, k0, k1 = [subject, stream, draw & MASK, 0], seed, 0x68616C666C696665
    for _ in range(10):
        a, b = x[0] * 0xD2E7470EE14C6C93, x[2] * 0xCA5A826395121157
        x = [(b >> 64) ^ x[1] ^ k0, b & MASK, (a >> 64) ^ x[3] ^ k1, a & MASK]
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & MASK, (k1 + 0xBB67AE8584CAA73B) & MASK
    return ((x[0] >> 12) + 0.5) * 2.0 ** -52


def taken(subject, times, after_taken, after_missed=None, weekend=None, weekday=0, doubles=False):
    """How many times each dose is taken; t = 0 is 08:00 of that weekday."""
    b = after_taken if after_missed is None else after_missed
    stream, out, missed, chance = hash_of("adherence:clonazepam"), [], False, after_taken / (after_taken + 1 - b)
    for t in times:
        day = (weekday + math.floor((t + 8) / 24)) % 7
        p = weekend if weekend is not None and day >= 5 else chance
        now = uniform(SEED, subject, stream, round(60 * t)) < p
        out.append(0 if now else 2 if doubles and missed else 1)
        missed, chance = now, b if now else after_taken
    return out


def plans(protocol):
    """{name: (keys of the arm, a detour of the taper, the levels it comes to, arguments of taken)}."""
    levels = taper_levels(protocol, 2)
    return {
        "as planned": ({}, "", levels, None),
        "one in twenty forgotten": ({"adherence": "{missed: '5 %'}"}, "", levels, {"after_taken": 0.05}),
        "days without, doubled": ({"adherence": "{markov: {miss_after_taken: '3 %', miss_after_missed: '40 %'}, double_after_miss: true}"},
                                  "", levels, {"after_taken": 0.03, "after_missed": 0.4, "doubles": True}),
        "weekends off": ({"adherence": "{missed: '5 %', weekends: {missed: '30 %'}, weekday: wednesday}"}, "", levels,
                         {"after_taken": 0.05, "weekend": 0.3, "weekday": 2}),
        "a week without": ({}, ", pause: {at: 14 d, for: 7 d, dose: none}", [levels[0], (0, 7), *levels[1:]], None),
        "inhibitor all along": ({"covariates": "{cyp3a4_inhibitor: strong}"}, "", levels, None),
        "45 kg": ({"covariates": "{WT: 45 kg}"}, "", levels, None),
        "inhibitor for two weeks": ({"parameters": "{clonazepam.t_on: 21 d, clonazepam.t_off: 35 d}"}, "", levels, None),
    }


def solved(protocol):
    lines = ["study: stress", 'origin: "08:00"', "drugs: {clonazepam: clonazepam_inhibition}", f"cohort: {{subjects: {N}, seed: {SEED}}}",
             "precision: double", "arms:"]
    for name, (extra, detour, _, _) in plans(protocol).items():
        lines += [f"  - name: {name}"] + [f"    {key}: {value}" for key, value in extra.items()]
        lines += ["    clonazepam: [{steady_state: {oral: 1 mg, every: 12 h}}, {oral: 1 mg, every: 12 h, for: 7 d}, "
                  f"{{taper: {{protocol: {protocol}, from: 2 mg/d{detour}}}}}]"]
    lines += [f"times: [{{until: {DAYS} d, every: 10 d}}]", "outputs: [clonazepam.withdrawal_index]",
              "metrics: [{of: clonazepam.withdrawal_index, list: [Cmax]}]"]
    return run("\n".join(lines) + "\n")


def person(r, arm, k):
    def own(name):
        values = r.subjects["clonazepam_" + name]
        return float(values[arm, k] if values.ndim == 2 else values[k])
    return Subject(cl=own("CL"), vc=own("Vc"), q=own("Q"), vp=own("Vp"), ka=own("ka"), f=own("F")), own("f_W")


KNOWN = {}


def adaptation_at_start(subject):
    """A of 1 mg every 12 h for ever, at a dose."""
    key = (subject.cl, subject.vc, subject.q, subject.ka, subject.f)
    if key not in KNOWN:
        course = Course(subject, every(1, 12, -6000, 0), -6000, 0, 0.5)
        level = subject.cavg(2)
        KNOWN[key] = course.follow(course.ce / (course.ce + C50W), level / (level + C50W), A_UP, A_DOWN)[-1]
    return KNOWN[key]


class Grid:
    """Steps of two halves, for a signal that is there already."""
    follow = Course.follow

    def __init__(self, half):
        self.half = half


def highest(ce, half, a0, f_w):
    """The highest index from t = 0 on, of Ce on a grid of half steps that begins there."""
    u = ce / (ce + C50W)
    a = Grid(half).follow(u, a0, A_UP, A_DOWN)
    return index_of(f_w * np.maximum(0, a - u[::2][:len(a)]).max())


def with_inhibitor(subjects, doses, on, off, end, factor=0.64, half_time=24.0, h=0.25):
    """Ce of all subjects on a grid of h from 0, clearance following the enzyme; Runge-Kutta from -1200 h."""
    cl, vc, q, vp, ka, f, ke0, lag = (np.array([getattr(s, name) for s in subjects])
                                      for name in ("cl", "vc", "q", "vp", "ka", "f", "ke0", "tlag"))
    arrive = {round((t + lag[0]) / h): mg for t, mg in doses}

    def enzyme(t):
        rise = 1 + (factor - 1) * -np.expm1(-LN2 / half_time * (min(t, off) - on)) if t > on else 1.0
        return 1 + (rise - 1) * np.exp(-LN2 / half_time * (t - off)) if t > off else rise

    def slope(e, x):
        c, p = x[1] / vc, x[2] / vp
        return np.array([-ka * x[0], ka * x[0] - cl * e * c - q * (c - p), q * (c - p), ke0 * (1000 * c - x[3])])

    x, out = np.zeros((4, len(subjects))), []
    for i in range(round(-1200 / h), round(end / h) + 1):
        if i >= 0:
            out.append(x[3].copy())
        x[0] = x[0] + f * arrive.get(i, 0.0)
        e = [enzyme(t) for t in (i * h, (i + 0.5) * h, (i + 1) * h)]
        k1 = slope(e[0], x)
        k2 = slope(e[1], x + h / 2 * k1)
        k3 = slope(e[1], x + h / 2 * k2)
        k4 = slope(e[2], x + h * k3)
        x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.array(out).T


def check(protocol):
    r = solved(protocol)
    found = r.metric("clonazepam_withdrawal_index_Cmax")
    for a, (name, (extra, _, levels, misses)) in enumerate(plans(protocol).items()):
        doses = every(1, 12, 0, LEAD) + level_doses(levels, LEAD)[0]
        own, planned = [], [t for t, _ in doses]
        people = [person(r, a, k) for k in range(N)]
        if "two weeks" in name:
            ce = with_inhibitor([s for s, _ in people], every(1, 12, -1200, 0) + doses, 21 * 24.0, 35 * 24.0, DAYS * 24.0)
            own = [highest(ce[k], 0.25, adaptation_at_start(s), w) for k, (s, w) in enumerate(people)]
        for k, (s, w) in enumerate(people if not own else []):
            times = taken(k + 1, planned, **misses) if misses else [1] * len(doses)
            if misses:
                d = r.doses
                rows = (d["arm"] == a) & (d["subject"] == k + 1)
                theirs = np.where(d["refused"][rows] == 2, 0, np.rint(d["amount"][rows] / np.array([mg for _, mg in doses])))
                tap.ok(np.array_equal(theirs, times), f"{protocol}, {name}: subject {k + 1} misses and doubles the doses drawn here",
                       (theirs, times))
            swallowed = [(t, n * mg) for (t, mg), n in zip(doses, times) if n]
            course = Course(s, every(1, 12, -1200, 0) + swallowed, -1200, DAYS * 24, 0.25)
            own.append(highest(course.ce[round(1200 / course.half):], course.half, adaptation_at_start(s), w))
        worst = max(abs(found[a] / own - 1))
        tap.near(f"{protocol}, {name}: highest index", worst, 0, 1e-3)
        print(f"# largest relative difference {worst:.1e}")
        clear = [abs(x / 20 - 1) > 1e-3 for x in own]
        tap.ok(all((x <= 20) == (y <= 20) for x, y, sure in zip(found[a], own, clear) if sure),
               f"{protocol}, {name}: holds 20 in {sum(x <= 20 for x in own)} of {N}", (found[a], own))


for protocol in ("T2", "T4"):
    check(protocol)
tap.done()
