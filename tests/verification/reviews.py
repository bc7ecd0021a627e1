#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tapers with reviews (T8 of the clonazepam page, 7.2, and general rules).

1. Eight subjects are simulated independently: the page's equations (1.2, 6) with each one's own parameters, integrated by
   scipy's DOP853 from dose to dose, and T8 decided in whole quanta. Decisions, values and doses agree.
2. With a threshold that nothing reaches, what is solved is the wrapped protocol, bit for bit; with the threshold 0 no
   step is ever taken and the taper ends at its longest duration.
3. The recorded doses, given again as a fixed regimen, give the same trajectories, bit for bit: of doses, patches,
   infusions, with missed doses and reports with noise.
4. Threads, block size and cohort don't change a decision; neither does the way of solving.
"""
import os
import subprocess
import tempfile

import h5py
import numpy as np
from scipy.integrate import solve_ivp

from _halflife import PROGRAM, ROOT, Tap, run

tap = Tap()
LN2 = np.log(2.0)
STEP, HOLD, BACK, STOP, WAIT = range(5)
KINKS = 5e-4  # of 80 points: scipy's error estimate doesn't see the kinks of kA at every dose
SUBJECTS = 4  # of each of two tapers

HEAD = """\
study: reviews
drugs: {{clonazepam: clonazepam_adult}}
cohort: {{subjects: {subjects}, seed: {seed}}}
parameters: {{clonazepam.prior_dose: 2 mg/d}}
precision: double
times: [{{until: {weeks} week, every: 12 h}}]
outputs: [clonazepam.Cp, clonazepam.withdrawal_index]
{more}
arms:
"""


def study(arms, subjects=8, seed=20261, weeks=40, more=""):
    text = HEAD.format(subjects=subjects, seed=seed, weeks=weeks, more=more)
    for name, items in arms.items():
        text += f"  - name: {name}\n    clonazepam:\n" + "".join(f"      - {{{item}}}\n" for item in items)
    return text


BEFORE = "oral: 1 mg, every: 12 h, for: 28 d"


# ---- 1. by hand

class Person:
    """The page's equations with one subject's parameters: amounts [mg], Ce [ng/mL], A."""

    def __init__(self, r, k):
        own = {name: float(np.ravel(r.subjects["clonazepam_" + name])[k])
               for name in ("CL", "Vc", "Vp", "Q", "ka", "F", "f_W", "Cavg_prior")}
        self.__dict__.update(own)
        prior = own["Cavg_prior"] * (1000 if own["Cavg_prior"] < 1 else 1)  # ng/mL
        self.x = np.array([0, 0, 0, 0, prior / (prior + 20)])
        self.t = 0.0
        self.due = []

    def slope(self, t, x):
        gut, c, p, Ce, A = x
        u = Ce / (Ce + 20)
        kA = LN2 / 504 if u > A else LN2 / 168
        Cp = 1000 * c / self.Vc
        return [-self.ka * gut, self.ka * gut - (self.CL + self.Q) / self.Vc * c + self.Q / self.Vp * p,
                self.Q / self.Vc * c - self.Q / self.Vp * p, 1.6 * (Cp - Ce), kA * (u - A)]

    def go(self, t):
        """To time t; what is due exactly then hasn't arrived."""
        while self.t < t:
            stop = min([t] + [d for d, _ in self.due if d > self.t])
            for d, mg in [x for x in self.due if x[0] == self.t]:
                self.x[0] += self.F * mg
                self.due.remove((d, mg))
            s = solve_ivp(self.slope, (self.t, stop), self.x, method="DOP853", rtol=1e-9, atol=1e-12)
            self.t, self.x = stop, s.y[:, -1].copy()

    def take(self, t, mg):
        self.due.append((t + 0.25, mg))

    def index(self):
        Ce, A = self.x[3], self.x[4]
        W = max(0.0, A - Ce / (Ce + 20)) * self.f_W
        return 80 * W / (W + 0.4)


def by_hand(person, quanta, days, hold, back, end):
    """T8 on levels of whole quanta of 0.125 mg (the dose before first), days a level: reviews and doses [(h, mg)]."""
    for k in range(56):
        person.take(12.0 * k, 1.0)
    day, level, reviews, doses = 28, 1, [], []
    while True:
        if level < len(quanta):
            for d in range(day, day + days):  # the larger part in the evening
                morning, evening = quanta[level] // 2, quanta[level] - quanta[level] // 2
                doses += [(24.0 * d, 0.125 * morning), (24.0 * d + 12, 0.125 * evening)]
                for dose in doses[-2:]:
                    person.take(*dose)
        else:
            return reviews, [x for x in doses if x[1] > 0]
        day += days
        if 24 * day > end:
            return reviews, [x for x in doses if x[1] > 0]
        person.go(24.0 * day)
        value = person.index()
        then = BACK if value >= back and level > 0 else HOLD if value >= hold else STEP
        after = level + {STEP: 1, HOLD: 0, BACK: -1}[then]
        reviews.append((24.0 * day, value, then, level, after))
        level = after


def rows(table, arm, subject):
    keep = (table["arm"] == arm) & (table["subject"] == subject)
    return {name: column[keep] for name, column in table.items() if len(column) == len(keep)}


def simulated_by_hand():
    tablets = "split: bid, at: [\"08:00\", \"20:00\"], tablets: [0.125 mg, 0.25 mg, 0.5 mg]"
    cases = {"fast": (f"protocol: T8, wraps: quarter_weekly, from: 2 mg/d, {tablets}, "
                      "review: {of: clonazepam.withdrawal_index}", [16, 12, 8, 4], 7, 20.0, 30.0),
             "eighths": (f"protocol: uk_eighth, from: 2 mg/d, {tablets}, "
                         "review: {of: clonazepam.withdrawal_index, hold: \"5.05\", back: \"7.1\"}",
                         [16, 14, 12, 10, 8, 6, 4, 2], 14, 5.05, 7.1)}
    r = run(study({name: [BEFORE, f"taper: {{{case[0]}}}"] for name, case in cases.items()}, subjects=SUBJECTS,
                  seed=20264, more="origin: \"08:00\""))
    seen, end = set(), r.time[-1]
    for a, (name, (_, quanta, days, hold, back)) in enumerate(cases.items()):
        for k in range(SUBJECTS):
            reviews, doses = by_hand(Person(r, k), quanta, days, hold, back, end)
            found = rows(r.reviews, a, k + 1)
            seen |= {(name, int(d)) for d in found["decision"]}
            same = len(reviews) == len(found["time"]) and all(
                (t, then, before, after) == (found["time"][i], found["decision"][i], found["level_before"][i],
                                             found["level_after"][i]) for i, (t, _, then, before, after)
                in enumerate(reviews))
            tap.ok(same, f"{name}, subject {k + 1}: the decisions of an independent simulation",
                   f"{reviews}\n{list(zip(found['time'], found['value'], found['decision']))}")
            if not same:
                continue
            off = max(abs(v - found["value"][i]) for i, (_, v, *_) in enumerate(reviews))
            tap.ok(off < KINKS, f"{name}, subject {k + 1}: and its values", f"off by {off:.3g}")
            own, all_doses = rows(r.doses, a, k + 1), rows(r.doses, a, 0)
            taken = sorted([(t, mg) for t, mg in zip(all_doses["time"], all_doses["amount"]) if t >= 28 * 24 - 1e-6]
                           + list(zip(own["time"], own["amount"])))
            close = len(taken) == len(doses) and np.allclose(taken, doses, rtol=1e-12, atol=1e-9)
            tap.ok(close, f"{name}, subject {k + 1}: and its doses", f"{len(taken)} and {len(doses)} doses")
            last = reviews[-1][0] / 24 - 28 if reviews[-1][4] == len(quanta) else None
            number = r.metric("clonazepam_taper_days")[a, k]
            tap.ok(np.isnan(number) if last is None else number == last, f"{name}, subject {k + 1}: the days it takes",
                   f"{number}, expected {last}")
            total = sum(mg for t, mg in doses if t < end - 1e-6)
            tap.near(f"{name}, subject {k + 1}: the cumulative dose", r.metric("clonazepam_taper_dose")[a, k], total,
                     1e-9)
    tap.ok({(name, then) for name in cases for then in (STEP, HOLD, BACK)} <= seen,
           "steps, holds and steps back are among them", seen)


# ---- 2. limits

def limits():
    protocols = {"T1": "protocol: us_label", "T2": "protocol: nardi2010", "T4": "protocol: uk_eighth",
                 "list": "list: [{dose: 1.5 mg/d, for: 10 d}, {dose: 0.3 mg/d, for: 3 d}]"}
    days = {"T1": 21, "T2": 49, "T4": 98, "list": 13}
    arms = {}
    for name, text in protocols.items():
        plain = f"{text}, from: 2 mg/d, split: 12 h"
        arms[name] = [BEFORE, f"taper: {{{plain}}}"]
        arms[name + " never held"] = [
            BEFORE, f"taper: {{{plain}, review: {{of: clonazepam.withdrawal_index, hold: \"80.5\"}}}}"]
        arms[name + " always held"] = [
            BEFORE, f"taper: {{{plain}, review: {{of: clonazepam.withdrawal_index, use: peak_since_last, hold: \"0\", "
            "longest: 70 d, at_longest: stop}}"]
    r = run(study(arms, subjects=3, weeks=20))
    for name in protocols:
        a, b, c = (r.arm(name + more) for more in ("", " never held", " always held"))
        tap.ok(np.array_equal(r["clonazepam.Cp"][a], r["clonazepam.Cp"][b])
               and np.array_equal(r["clonazepam.withdrawal_index"][a], r["clonazepam.withdrawal_index"][b]),
               f"{name}: never held, it is the wrapped protocol bit for bit")
        tap.ok(np.all(r.metric("clonazepam_taper_days")[b] == days[name]), f"{name}: and lasts {days[name]} d",
               r.metric("clonazepam_taper_days")[b])
        own = (r.reviews["arm"] == c) & (r.reviews["time"] < (28 + 70) * 24 - 1)
        tap.ok(np.all(r.reviews["decision"][own] == HOLD) and np.all(r.reviews["level_after"][own] == 1),
               f"{name}: always held, it never takes a step")
        tap.ok(np.all(r.metric("clonazepam_taper_days")[c] == 70) and np.all(
            r.metric("clonazepam_taper_reached_zero")[c] == 1), f"{name}: and stops at its longest duration")


# ---- 3. given again

RICH_HEAD = """\
drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult}
cohort: {subjects: 7, seed: 77031}
precision: double
times: [{until: 22 week, every: 6 h}]
outputs: [clonazepam.Cp, clonazepam.withdrawal_index, fentanyl.Cp]
metrics: [{of: clonazepam.Cp, list: [Cmax, AUC, Ctrough]}]
arms:
"""

RICH = "study: rich\n" + RICH_HEAD + """  - name: noise
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - {oral: 1 mg, every: 12 h, for: 7 d}
      - taper: {protocol: T8, wraps: quarter_weekly, from: 2 mg/d, split: bid, tablets: [0.125 mg, 0.5 mg],
                review: {of: clonazepam.withdrawal_index, use: peak_since_last, report: {sd: "3", between: "4"}}}
    fentanyl: [{patch: 25 ug/h, every: 72 h, for: 15 d}]
  - name: patches
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - {oral: 1 mg, every: 12 h, for: 7 d}
      - taper: {protocol: T4, from: 2 mg/d, split: 12 h,
                review: {of: clonazepam.withdrawal_index, use: mean_since_last, every: 7 d, hold: "15", delay: 2 d}}
    fentanyl:
      - {patch: 75 ug/h, every: 72 h, for: 15 d}
      - taper: {protocol: patch_steps, from: 75 ug/h, patches: [12.5 ug/h, 25 ug/h, 50 ug/h],
                review: {of: fentanyl.Cp, rules: [{below: 0.5 ng/mL, then: hold}], most_holds: 1}}
  - name: missed
    adherence: {missed: "10 %", double_after_miss: true}
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - {oral: 1 mg, every: 12 h, for: 7 d}
      - taper: {protocol: T4, from: 2 mg/d, split: 12 h, review: {of: clonazepam.withdrawal_index, hold: "15"}}
    fentanyl:
      - {infuse: 600 ug/d, for: 14 d}
      - taper: {protocol: cdc_weekly, from: 600 ug/d, by: infusion,
                review: {of: fentanyl.Cp, hold: 0.4 ng/mL, most_holds: 2}}
"""

AGAIN = "study: again\n" + RICH_HEAD


def given_again(options=()):
    folder = tempfile.mkdtemp(prefix="halflife-")
    recorded, table = os.path.join(folder, "rich.h5"), os.path.join(folder, "doses.csv")
    first = run(RICH, *options, keep=recorded)
    with open(table, "w", encoding="utf-8") as f:
        subprocess.run([PROGRAM, "export", recorded, "doses"], stdout=f, check=True,
                       env=dict(os.environ, HALFLIFE_DATA=ROOT))
    text = AGAIN
    for name in first.arms:
        text += f"  - name: {name}\n    clonazepam:\n      - {{steady_state: {{oral: 1 mg, every: 12 h}}}}\n"
        text += f"      - {{recorded: {table}, arm: {name}}}\n    fentanyl: [{{recorded: {table}, arm: {name}}}]\n"
    again = run(text, *options)
    kind = " ".join(map(str, options)) or "as usual"
    for a, name in enumerate(first.arms):
        for output in ("clonazepam.Cp", "clonazepam.withdrawal_index", "fentanyl.Cp"):
            tap.ok(np.array_equal(first[output][a], again[output][a]),
                   f"{name}, {kind}: {output} of the recorded doses given again, bit for bit",
                   f"off by {np.abs(first[output][a] - again[output][a]).max():.3g}")
        for metric in ("clonazepam_Cp_Cmax", "clonazepam_Cp_AUC", "clonazepam_Cp_Ctrough"):
            tap.ok(np.array_equal(first.metric(metric)[a], again.metric(metric)[a], equal_nan=True),
                   f"{name}, {kind}: {metric} too")
    return recorded, first


# ---- 4. whoever solves it

def payload(path):
    with h5py.File(path) as f:
        return f.attrs["payload_sha256"]


def same_for_all(recorded, first):
    folder = tempfile.mkdtemp(prefix="halflife-")
    for options in (("--threads", 1, "--block", 8), ("--threads", 2, "--block", 64)):
        path = os.path.join(folder, "other.h5")
        run(RICH, *options, keep=path)
        tap.ok(payload(path) == payload(recorded), f"{options}: the same payload")
    few = run(RICH, "--subjects", 5)
    same = all(np.array_equal(rows(first.reviews, a, k)[name], rows(few.reviews, a, k)[name])
               for a in range(3) for k in range(1, 6) for name in ("time", "value", "decision"))
    tap.ok(same, "a subject's reviews don't know the size of the cohort")
    taper = "taper: {protocol: T4, from: 2 mg/d, split: 12 h, review: {of: clonazepam.withdrawal_index, hold: \"9\"}}"
    usual, fine = (run(study({"a": [BEFORE, taper]}, more=more)) for more in ("", "tolerance: 1e-12"))
    off = np.abs(usual.reviews["value"] - fine.reviews["value"]).max()
    tap.ok(off < 3e-5, "what is read is good to 3e-5 of 80 points at the usual tolerance", f"off by {off:.3g}")
    slow = run(RICH.replace("precision: double", "precision: double\nsolver: gsl-rk8pd"), "--subjects", 2)
    for a, name in enumerate(first.arms):
        own = [(rows(first.reviews, a, k), rows(slow.reviews, a, k)) for k in range(1, 3)]
        tap.ok(all(np.array_equal(x["decision"], y["decision"]) for x, y in own),
               f"{name}: the same decisions when everything is integrated")
        off = max(np.abs(x["value"] - y["value"]).max() for x, y in own)
        tap.ok(off < 1e-4, f"{name}: and the same values", f"off by {off:.3g}")


simulated_by_hand()
limits()
kept, result = given_again()
same_for_all(kept, result)
tap.done()
