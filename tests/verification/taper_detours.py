#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pauses and reinstatements of tapers: they are the plan written out as a list, bit for bit, and what a body does meanwhile
is that of these doses: tolerance is lost in a gap, so that the dose of before sedates more when it comes back.

The course of tolerance is compared with the script's own Runge-Kutta steps (_clonazepam.py).
"""
import numpy as np

from _clonazepam import Course, EC50, GAIN, Subject, every, level_doses, number, study, taper_levels
from _halflife import Tap, run

tap = Tap()
RUN_IN = 1920.0
BEFORE = "oral: 1 mg, every: 12 h, for: 80 d"

# detours of eighths of 2 mg/d every 14 d, and the levels they come to (mg/d, days)
PLANS = {
    "held": ("pause: {at: 21 d, for: 7 d}", [(1.75, 14), (1.5, 21), (1.25, 14), (1, 14), (0.75, 14), (0.5, 14), (0.25, 14)]),
    "nothing": ("pause: {at: 21 d, for: 7 d, dose: none}",
                [(1.75, 14), (1.5, 7), (0, 7), (1.5, 7), (1.25, 14), (1, 14), (0.75, 14), (0.5, 14), (0.25, 14)]),
    "back and on": ("reinstate: {at: 60 d, dose: 1.5 mg/d, for: 14 d, then: continue}",
                    [(1.75, 14), (1.5, 14), (1.25, 14), (1, 14), (0.75, 4), (1.5, 14), (0.75, 10), (0.5, 14), (0.25, 14)]),
    "back and down again": ("reinstate: {at: 60 d, dose: 1.5 mg/d, for: 14 d, then: restart}",
                            [(1.75, 14), (1.5, 14), (1.25, 14), (1, 14), (0.75, 4), (1.5, 14), (1.25, 14), (1, 14), (0.75, 14),
                             (0.5, 14), (0.25, 14)]),
    "after its end": ("reinstate: {at: 119 d, for: 7 d}",
                      [(1.75, 14), (1.5, 14), (1.25, 14), (1, 14), (0.75, 14), (0.5, 14), (0.25, 14), (0, 21), (2, 7)]),
}


def written_out():
    """The list of the levels gives the same doses, and so the same course."""
    arms = {}
    for name, (detour, levels) in PLANS.items():
        plain, listed = (", ".join(f"{{dose: {d} mg/d, for: {days} d}}" for d, days in x) for x in (taper_levels("T4", 2), levels))
        arms[name] = [BEFORE, f"taper: {{from: 2 mg/d, list: [{plain}], {detour}}}"]
        arms[name + " as a list"] = [BEFORE, f"taper: {{from: 2 mg/d, list: [{listed}]}}"]
    r = run(study(arms, "[{until: 240 d, every: 6 h}]", ["Cp", "withdrawal_index", "E"], cohort="{subjects: 5, seed: 4}"))
    for name, (_, levels) in PLANS.items():
        a, b = r.arm(name), r.arm(name + " as a list")
        expected, end = level_doses(levels)
        own = sorted((t - RUN_IN, mg) for arm, t, mg in zip(r.doses["arm"], r.doses["time"], r.doses["amount"])
                     if arm == a and t > RUN_IN - 1e-6)
        tap.ok(len(own) == len(expected) and np.allclose(own, expected, rtol=1e-12, atol=1e-6), f"{name}: {len(expected)} doses",
               own[:5])
        for output in ("Cp", "withdrawal_index", "E"):
            tap.ok(np.array_equal(r["clonazepam." + output][a], r["clonazepam." + output][b]), f"{name}: {output} as of the list")


def sedation(ce, tolerance):
    return 100 * ce ** 2 / (ce ** 2 + (EC50 + GAIN * tolerance) ** 2)


def lost_tolerance():
    """A quarter less a week, three weeks without, then the dose of before for a week."""
    back = RUN_IN + 42 * 24
    windows = [(RUN_IN - 168, RUN_IN), (back, back + 168)]
    r = run(study({"back": [BEFORE, "taper: {protocol: T6, from: 2 mg/d, reinstate: {at: 42 d, for: 7 d}}"],
                   "naive": ["oral: 1 mg, every: 12 h, for: 7 d"]}, "[{until: 130 d, every: 5 h}]", ["E", "T", "Ce"],
                  ["of: clonazepam.E, list: [Cmax], windows: [" + ", ".join(f"[{a:g} h, {b:g} h]" for a, b in windows) + "], name: E_peak",
                   "of: clonazepam.E, list: [Cmax], window: [0 h, 168 h], name: E_first"]))
    levels = [(1.5, 7), (1, 7), (0.5, 7), (0, 21), (2, 7)]
    course = Course(Subject(), every(1, 12, 0, RUN_IN) + level_doses(levels, RUN_IN)[0], 0, 130 * 24, 0.0625)
    tolerance = course.follow(course.ce, 0.0, 48, 336)
    e = sedation(course.ce[::2], tolerance)
    t = course.t[::2]
    at = [int(round(x / (2 * course.half))) for x in r.time]
    tap.near("tolerance through the gap", np.abs(r["clonazepam.T"][0, 0] - tolerance[at]).max() / tolerance.max(), 0, 2e-6)
    before, again, naive = number(r, "E_peak", 0, 0), number(r, "E_peak", 0, 1), number(r, "E_first", 1)
    for name, found, (a, b) in zip(("before", "back"), (before, again), windows):
        tap.within(f"peak sedation in the week {name}", found, e[(t >= a) & (t <= b)].max(), 1e-4)
    tap.ok(again > 1.4 * before, "after the gap the same dose sedates more than before", (before, again))
    tap.ok(again < naive, "and less than in somebody who never took it", (again, naive))
    print(f"# peak sedation of 2 mg/d: {before:.1f} % before, {again:.1f} % after the gap, {naive:.1f} % in a first week")


written_out()
lost_tolerance()
tap.done()
