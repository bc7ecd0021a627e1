#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A designed taper judged without the program: every arm of its result (designed, protocols, missed doses) is carried
through plain steps from each subject's own parameters and the doses recorded for it, in double precision with numpy.

The bodies are x' = M x with doses of F mg into the gut after the lag, advanced by the matrix exponential over 1/32 h;
A follows u = Ce/(Ce + C50w) by Heun's steps, from its periodic solution under the doses before the taper
(reference page, sections 1 and 6). Then what `halflife taper` reports is counted again from those peaks.
"""
import json
import math
import os
import subprocess
import sys
import tempfile

import numpy as np
from scipy.linalg import expm

from _clonazepam import A_DOWN, A_UP, C50W, KE0, LN2, TLAG
from _halflife import PROGRAM, ROOT, Result, Tap

STEP = 1 / 16
START = 36.0  # day 0 of the taper [h]
FOLLOW = 28 * 24.0
PROTOCOLS = ("abrupt, nardi2010, uk_eighth, quarter_weekly, {protocol: uk_eighth, every: 7 d, name: eighths weekly}, "
             '{protocol: asam2025, reduction: "25 %", name: quarters of the rest}')
METRIC = "clonazepam_withdrawal_index_Cmax"

STUDY = """
study: judged
origin: "07:00"
drugs: {clonazepam: clonazepam_adult}
cohort:
  subjects: 23
  seed: 2387
  covariates: {WT: {lognormal: {median: 71.3 kg, cv: "19 %"}, within: [45 kg, 120 kg]}, AGE: {uniform: [20 year, 75 year]}}
tolerance: 1e-8
design:
  before:
    clonazepam: [{steady_state: {oral: 0.75 mg, every: 12 h}}, {oral: 0.75 mg, every: 12 h, for: 36 h}]
  taper:
    clonazepam: {from: 1.5 mg/d, at: ["07:00", "19:00"], products: [{tablet: 0.5 mg, break: halves}]}
  lengths: [7 d, 14 d]
  longest: 14 week
  follow: 4 week
  keep: [{of: clonazepam.withdrawal_index, peak: "24", in: "72 %"}]
  judge: {subjects: 19}
  compare: [abrupt, nardi2010]
  stress: [{name: a fifth missed, adherence: {missed: "20 %"}}]
"""


def bodies(r, arm):
    """Step matrices and what a mg adds over one step, by subject: gut, central, peripheral [mg], effect site [ng/mL]."""
    def own(name):
        value = r.subjects["clonazepam_" + name]
        return value[arm] if value.ndim == 2 else value
    n = own("CL").size
    m = np.zeros((n, 4, 4))
    ka, cl, q, vc, vp = (own(k) for k in ("ka", "CL", "Q", "Vc", "Vp"))
    m[:, 0, 0], m[:, 1, 0] = -ka, ka
    m[:, 1, 1], m[:, 1, 2] = -(cl + q) / vc, q / vp
    m[:, 2, 1], m[:, 2, 2] = q / vc, -q / vp
    m[:, 3, 1], m[:, 3, 3] = 1000 * KE0 / vc, -KE0
    dose = np.zeros((n, 4))
    dose[:, 0] = own("F")
    return np.array([expm(STEP * each) for each in m]), dose, own("f_W")


def doses_of(r, arm, n):
    """mg taken by subject and step at which it arrives, from START's periodic past on: {step: mg by subject}."""
    d, out = r.doses, {}
    refused = d.get("refused")
    for k in np.flatnonzero(d["arm"] == arm):
        if refused is not None and refused[k]:
            continue
        step = round((d["time"][k] + TLAG) / STEP)
        mg = out.setdefault(step, np.zeros(n))
        mg[slice(None) if d["subject"][k] == 0 else int(d["subject"][k]) - 1] += d["amount"][k]
    return out


def heun(a, u0, u1):
    def rate(u, x):
        return np.where(u > x, LN2 / A_UP, LN2 / A_DOWN) * (u - x)
    f0 = rate(u0, a)
    return a + STEP / 2 * (f0 + rate(u1, a + STEP * f0))


def signal(x):
    return x[:, 3] / (x[:, 3] + C50W)


def periodic(phi, dose, mg, every):
    """x and A at time 0, when the next of doses of mg is due that have been taken for ever."""
    n_steps, lag = round(every / STEP), round(TLAG / STEP)

    def cycle(x, a):
        for k in range(n_steps):
            if k == lag:
                x = x + mg * dose
            u = signal(x)
            x = np.einsum("nij,nj->ni", phi, x)
            a = heun(a, u, signal(x))
        return x, a

    unit = np.stack([cycle(np.tile(row, (len(dose), 1)), np.zeros(len(dose)))[0] for row in np.eye(4)], axis=2)
    base = cycle(np.zeros((len(dose), 4)), np.zeros(len(dose)))[0]
    x = np.linalg.solve(np.eye(4) - (unit - base[:, :, None]), base[:, :, None])[:, :, 0]
    low, high = np.zeros(len(dose)), np.ones(len(dose))
    for _ in range(40):  # a cycle brings A nearer to its periodic value, whichever side it is on
        middle = (low + high) / 2
        rises = cycle(x, middle)[1] > middle
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return x, (low + high) / 2


def peaks(r, arm, end):
    """Each subject's highest index from day 0 to the end of the follow-up."""
    phi, dose, f_W = bodies(r, arm)
    x, a = periodic(phi, dose, 0.75, 12)
    taken = doses_of(r, arm, len(dose))
    best = np.zeros(len(dose))
    for k in range(round(end / STEP)):
        if k in taken:
            x = x + taken[k][:, None] * dose
        u = signal(x)
        if k * STEP >= START:
            best = np.maximum(best, a - u)
        x = np.einsum("nij,nj->ni", phi, x)
        a = heun(a, u, signal(x))
    w = best * f_W
    return 80 * w / (w + 0.4)


def design(folder, text, name, *again):
    """The report of a design, and its result; or that of its study run again with further options."""
    source, base = os.path.join(folder, name + ".yaml"), os.path.join(folder, name)
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    done = subprocess.run([PROGRAM, "taper", source, "-o", base, "--progress", "none", "--quiet", "--json"],
                          capture_output=True, text=True, env=dict(os.environ, HALFLIFE_DATA=ROOT))
    if done.returncode != 0:
        raise RuntimeError(f"halflife ended with {done.returncode}:\n{done.stderr}")
    if again:
        subprocess.run([PROGRAM, "run", base + ".taper.yaml", *again, "-o", base + ".h5", "--force", "--quiet"], check=True,
                       env=dict(os.environ, HALFLIFE_DATA=ROOT))
    return json.loads(done.stdout), Result(base + ".h5")


def against_protocols(tap, folder):
    """No protocol of the same products and lengths that keeps the bound on the same subjects is shorter."""
    for bound, share in ((24, 72), (29, 80), (34, 90)):
        text = (STUDY.replace("subjects: 19}", "subjects: 23}").replace('peak: "24"', f'peak: "{bound}"')
                .replace('in: "72 %"', f'in: "{share} %"').replace("[abrupt, nardi2010]", "[" + PROTOCOLS + "]"))
        report, r = design(folder, text.split("  stress:")[0], f"against{bound}", "--seed", "2387")
        kept = np.mean(r.metric(METRIC) <= bound, axis=1)
        keep = [arm for arm in report["arms"] if arm["kind"] == "as published"
                and kept[r.arm(arm["arm"])] >= share / 100 - 1e-9]
        tap.ok(kept[r.arm("designed")] >= share / 100 - 1e-9, f"at {bound} the designed taper keeps the bound")
        tap.ok(all(arm["days"] >= report["days"] for arm in keep), f"at {bound} none of {len(keep)} protocols is shorter",
               f"{report['days']} d, but " + ", ".join(f"{arm['arm']} {arm['days']} d" for arm in keep))
        tap.ok(len(keep) > 0, f"at {bound} some protocol keeps the bound")


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="halflife-") as folder:
        report, r = design(folder, STUDY, "judged")
        against_protocols(tap, folder)
    told = {arm["arm"]: arm for arm in report["arms"]}
    tap.ok(sorted(told) == sorted(r.arms), "every arm is told", f"{sorted(told)} and {sorted(r.arms)}")
    metric = r.metric(METRIC)
    for number, name in enumerate(r.arms):
        mine, facts = peaks(r, number, START + 24 * told[name]["days"] + FOLLOW), told[name]
        worst = np.max(np.abs(mine / metric[number] - 1))
        tap.ok(worst < 2e-4, f"{name}: each subject's peak", f"off by {worst:.2e} of it")
        verdict = facts["constraints"][0]["verdict"]
        kept = np.sort(mine)
        tap.ok(abs(np.mean(mine <= 24) - verdict["share"]) < 1e-9, f"{name}: share that keeps the bound",
               f"{np.mean(mine <= 24)} and {verdict['share']}")
        value = kept[math.ceil(0.72 * len(kept) - 1e-9) - 1]
        tap.within(f"{name}: what the share doesn't exceed", verdict["value"], value, 2e-4)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
