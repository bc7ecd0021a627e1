#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A designed taper judged without the program: every arm of its result (designed, protocols, missed doses) is carried
through plain steps from each subject's own parameters and the doses recorded for it, in double precision with numpy.

The bodies are x' = M x with doses of F mg into the gut after the lag, advanced by the matrix exponential over 1/20 h;
A follows u = Ce/(Ce + C50w) by Heun's steps, from its periodic solution under the doses before the taper
(reference page, sections 1 and 6). Then what `halflife taper` reports is counted again from those peaks.

A crossover to diazepam (section 7.2, T5) is carried through the same way with diazepam and nordiazepam beside it and one
signal of both, X = Ce/C50w summed over the drugs; its doses are checked against the protocol's steps, made here.
"""
import json
import math
import os
import subprocess
import sys
import tempfile

import numpy as np
from scipy.linalg import expm

from _benzodiazepines import MASS, ashton_steps
from _clonazepam import A_DOWN, A_UP, C50W, KE0, LN2, TLAG
from _halflife import PROGRAM, ROOT, Result, Tap

STEP = 1 / 20  # divides both lags
TLAG_DIAZEPAM = 0.2
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


CROSSING = """
study: crossed
origin: "07:00"
drugs: {clonazepam: clonazepam_adult, diazepam: diazepam_adult}
interactions: {both: withdrawal_shared}
cohort:
  subjects: 13
  seed: 7333
  covariates: {WT: {lognormal: {median: 71.3 kg, cv: "19 %"}, within: [45 kg, 120 kg]}, AGE: {uniform: [20 year, 75 year]}}
tolerance: 1e-8
design:
  before:
    clonazepam: [{steady_state: {oral: 0.75 mg, every: 12 h}}, {oral: 0.75 mg, every: 12 h, for: 36 h}]
  taper:
    clonazepam: {from: 1.5 mg/d, at: ["07:00", "19:00"], products: [{tablet: 0.5 mg, break: halves}]}
  lengths: [14 d]
  longest: 14 week
  follow: 4 week
  keep: [{of: both.withdrawal_index, peak: "26", in: "70 %"}]
  judge: {subjects: 11}
  compare:
    - {protocol: crossover, to: diazepam, equivalence: ashton2002, each: 3 d, pace: fast, name: crossed,
       target: {tablets: [2 mg, 5 mg], halve: [2 mg], split: bid}}
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


def index_of(a, u, f_W):
    w = np.maximum(0, a - u) * f_W
    return 80 * w / (w + 0.4)


def course(r, arm, end):
    """(time, index by subject) from day 0 to the end of the follow-up."""
    phi, dose, f_W = bodies(r, arm)
    x, a = periodic(phi, dose, 0.75, 12)
    taken = doses_of(r, arm, len(dose))
    for k in range(round(end / STEP) + 1):
        if k in taken:
            x = x + taken[k][:, None] * dose
        u = signal(x)
        if k * STEP >= START:
            yield k * STEP, index_of(a, u, f_W)
        x = np.einsum("nij,nj->ni", phi, x)
        a = heun(a, u, signal(x))


def peaks(r, arm, end):
    """Each subject's highest index from day 0 to the end of the follow-up."""
    return np.max([index for _, index in course(r, arm, end)], axis=0)


def at_any_time(tap, folder):
    """Doses missed at random, and a bound that holds at any time: who is above it at the worst of the result's moments, and
    what the share doesn't exceed there; the designed taper keeps it at every one of this script's steps, on the same people.
    """
    text = (STUDY.replace('peak: "24"', 'at_any_time: "30"').replace("subjects: 19}", "subjects: 23}")
            .replace("  stress: [{name: a fifth missed", "  stress: [{name: a third missed").replace('missed: "20 %"', 'missed: "33 %"')
            + '  adherence: {missed: "7 %"}\n')
    report, r = design(folder, text, "anytime")
    told = {arm["arm"]: arm for arm in report["arms"]}
    need = math.ceil(0.72 * 23 - 1e-9)
    for number, name in enumerate(r.arms):
        every, worst, fewest_kept, facts = [], -1.0, 23, told[name]
        for t, index in course(r, number, START + 24 * facts["days"] + FOLLOW):
            if abs((t - START) / 12 - round((t - START) / 12)) < 1e-9:
                worst = max(worst, np.sort(index)[need - 1])
                fewest_kept = min(fewest_kept, int(np.sum(index <= 30)))
                every.append(t)
        verdict = facts["constraints"][0]["verdict"]
        tap.ok(abs(verdict["share"] - fewest_kept / 23) < 1e-9, f"any time, {name}: share at the worst moment",
               f"{verdict['share']} and {fewest_kept / 23}")
        tap.ok(abs(facts["constraints"][0]["share_above_at_once"] - (1 - fewest_kept / 23)) < 1e-9,
               f"any time, {name}: share above at once")
        tap.within(f"any time, {name}: what the share doesn't exceed", verdict["value"], worst, 3e-4)
    report, r = design(folder, text, "anytime_own", "--seed", "2387")
    kept = [np.sum(index <= 30 * (1 + 2e-4)) for _, index in
            course(r, r.arm("designed"), START + 24 * report["days"] + FOLLOW)]
    tap.ok(min(kept) >= need, "any time: kept at every step by the subjects designed on", f"{min(kept)} of 23 at worst")
    tap.ok(0 < report["certificate"]["days"] <= report["days"], "any time: the certificate isn't longer",
           f"{report['certificate']['days']} and {report['days']}")


def second_bodies(r, arm):
    """Diazepam: step matrices, what a mg adds, and C50w; gut, central, peripheral, nordiazepam [mg], effect site of both
    [ng/mL]."""
    def own(name):
        value = r.subjects["diazepam_" + name]
        return value[arm] if value.ndim == 2 else value
    ka, cl, q, v1, v2, clm, vm, fm, f = (own(k) for k in ("ka", "CL", "Q", "V1", "V2", "CLm", "Vm", "fm_i", "F"))
    m = np.zeros((f.size, 5, 5))
    m[:, 0, 0], m[:, 1, 0] = -ka, ka
    m[:, 1, 1], m[:, 1, 2] = -(cl + q) / v1, q / v2
    m[:, 2, 1], m[:, 2, 2] = q / v1, -q / v2
    m[:, 3, 1], m[:, 3, 3] = fm * MASS * cl / v1, -clm / vm
    m[:, 4, 1], m[:, 4, 3], m[:, 4, 4] = 10 * 1000 / v1, 10 * 1000 / vm, -10
    dose = np.zeros((f.size, 5))
    dose[:, 0] = f
    return np.array([expm(STEP * each) for each in m]), dose, 1000 * own("C50w")


def drug_doses(r, arm, alias):
    """(time, mg) of what everybody takes of a drug in an arm, in the order of time."""
    d = r.doses
    mine = (d["arm"] == arm) & (d["drug"] == ("clonazepam", "diazepam").index(alias)) & (d["amount"] > 0)
    return sorted(zip(d["time"][mine], d["amount"][mine]))


def crossed_peaks(r, arm, end):
    """Each subject's highest joint index from day 0 to the end of the follow-up."""
    phi, dose, f_W = bodies(r, arm)
    phi2, dose2, c50w2 = second_bodies(r, arm)
    x, a = periodic(phi, dose, 0.75, 12)
    y, best = np.zeros((len(dose), 5)), np.zeros(len(dose))
    first = {round((t + TLAG) / STEP): mg for t, mg in drug_doses(r, arm, "clonazepam")}
    second = {round((t + TLAG_DIAZEPAM) / STEP): mg for t, mg in drug_doses(r, arm, "diazepam")}

    def joint():
        both = x[:, 3] / C50W + y[:, 4] / c50w2
        return both / (1 + both)

    for k in range(round(end / STEP)):
        if k in first:
            x = x + first[k] * dose
        if k in second:
            y = y + second[k] * dose2
        u = joint()
        if k * STEP >= START:
            best = np.maximum(best, a - u)
        x, y = np.einsum("nij,nj->ni", phi, x), np.einsum("nij,nj->ni", phi2, y)
        a = heun(a, u, joint())
    return index_of(best, 0, f_W)


def crossing(tap, folder):
    """Over to 30 mg of diazepam, a dose every 3 d, and down by 2 mg a week and by 1 mg below 20 mg."""
    report, r = design(folder, CROSSING, "crossed")
    told = {arm["arm"]: arm for arm in report["arms"]}
    stretched = [name for name in told if name.startswith("crossed ")]
    tap.ok(len(stretched) == 2, "a crossover at equal risk and at equal duration", f"{sorted(told)}")
    levels = [(15.0, 3), (30.0, 3)] + ashton_steps(30, "fast")
    arm, days = told["crossed"], sum(length for _, length in levels)
    tap.ok(arm["days"] == days and arm["levels"] == len(levels), "crossed: days and levels of the protocol",
           f"{arm['days']} d in {arm['levels']}, expected {days} in {len(levels)}")
    total = sum(mg * length for mg, length in levels)
    tap.within("crossed: mg of diazepam", arm["diazepam"]["cumulative_mg"], total, 1e-12)
    tap.within("crossed: mg of clonazepam", arm["clonazepam"]["cumulative_mg"], 0.75 * 3, 1e-12)
    tap.within("crossed: as clonazepam", arm["diazepam"]["equivalent_mg"], total / 20, 1e-12)
    pieces = sum(length * fewest(mg, k == 0) for k, (mg, length) in enumerate(levels))
    tap.within("crossed: tablets of diazepam", arm["diazepam"]["products"], pieces, 1e-12)
    by_day = np.zeros(round(days))
    for t, mg in drug_doses(r, r.arm("crossed"), "diazepam"):
        by_day[int((t - START) // 24)] += mg
    tap.ok(bool(np.all(by_day == np.repeat([mg for mg, _ in levels], [round(n) for _, n in levels]))),
           "crossed: what is taken each day", f"{by_day}")
    metric = r.metric("both_withdrawal_index_Cmax")
    for name in ["designed", "crossed"] + stretched:
        number, facts = r.arm(name), told[name]
        mine = crossed_peaks(r, number, START + 24 * facts["days"] + FOLLOW)
        worst = np.max(np.abs(mine / metric[number] - 1))
        tap.ok(worst < 2e-4, f"{name}: each subject's peak of both", f"off by {worst:.2e} of it")
        tap.ok(abs(np.mean(mine <= 26) - facts["constraints"][0]["verdict"]["share"]) < 1e-9,
               f"{name}: share that keeps the bound")


def fewest(mg, alone=False):
    """Fewest tablets of 5, 2 and halves of 2 mg in two doses as equal as whole milligrams let them be (alone:
    in one); a half is 0.5."""
    def one(dose):
        best = {0: (0, 0.0)}  # pieces in hand, tablets
        for k in range(1, dose + 1):
            best[k] = min((best[k - w][0] + 1, best[k - w][1] + t) for w, t in ((5, 1), (2, 1), (1, 0.5)) if w <= k)
        return best[dose][1]
    return one(round(mg)) if alone else one(math.ceil(mg / 2)) + one(int(mg // 2))


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
        crossing(tap, folder)
        at_any_time(tap, folder)
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
