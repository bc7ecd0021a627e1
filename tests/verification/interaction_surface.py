#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The surfaces of the interaction page at exact levels: its equations 3.1-3.4, the table of section 7 and X1-X7, X9."""
import os

import numpy as np

from _halflife import Tap
from _interaction import (ALL, ALPHA, C50B, C50F, C_APNOEA, C_HYP, KB, LEVELS, P0, R, SIGMA, arm, deviation, flag, levels,
                          surface)

tap = Tap()
SEED = int(os.environ.get("HL_SEED", "0")) or int.from_bytes(os.urandom(4), "little")
rng = np.random.default_rng(SEED)
print(f"# seed {SEED} (HL_SEED={SEED} repeats it)")
EXACT = 1e-12


def table(rows, outputs=ALL, more=""):
    """Values of all outputs for rows (CF, CB, options): a dictionary of arrays over the rows."""
    r = levels([arm(f"{k}", cf, cb, **o) for k, (cf, cb, o) in enumerate(rows)], outputs, more=more)
    return {name: r["overlap." + name][:, 0, 0] for name in outputs}


def section_7():
    """X5, at the page's 0.002 and 0.1 mmHg; and every output against the equations."""
    rows = (
        ("clonazepam alone", 0, 31.26, "0.089 0.029 0.003 0.000 0 0 0 42.9"),
        ("fentanyl 0.588", 0.588, 0, "0.025 0.005 0.001 0.000 0.588 0.001 0.000 44.0"),
        ("fentanyl 0.769", 0.769, 0, "0.054 0.010 0.003 0.001 0.769 0.006 0.000 44.8"),
        ("0.588 + clonazepam", 0.588, 31.26, "0.649 0.223 0.042 0.009 0.871 0.012 0.000 44.6"),
        ("0.769 + clonazepam", 0.769, 31.26, "0.758 0.311 0.067 0.016 1.139 0.042 0.001 45.3"),
        ("1.206 + clonazepam", 1.206, 31.26, "0.894 0.520 0.154 0.042 1.786 0.204 0.010 47.2"),
        ("1.206 without clonazepam", 1.206, 0, "0.180 0.039 0.010 0.004 1.206 0.053 0.001 46.6"),
        ("tape + clonazepam", 0.33, 31.26, "0.414 0.115 0.018 0.004 0.489 0.000 0.000 43.7"),
        ("patch 2.96", 2.96, 0, "0.764 0.377 0.135 0.058 2.960 0.573 0.095 53.8"),
        ("patch 2.96 + clonazepam", 2.96, 31.26, "0.988 0.899 0.618 0.297 4.384 0.834 0.300 54.4"),
        ("0.769 + clonazepam, Tol_v 1.5", 0.769, 31.26, "- - - - 0.759 0.006 0.000 -"),
    )
    found = table([(cf, cb, {"Tol_set": 1.5} if "Tol_v" in name else {}) for name, cf, cb, _ in rows])
    for k, (name, cf, cb, texts) in enumerate(rows):
        for output, text in zip(("P2", "P3", "P4", "P5", "U", "P_hyp", "P_apnoea", "PaCO2"), texts.split()):
            if text != "-":
                tap.near(f"X5 {name}: {output}", found[output][k], float(text), 0.1 if output == "PaCO2" else 0.002)
        own = surface(float(cf), float(cb), 1.5 if "Tol_v" in name else 1.0)
        worst = max((deviation(found[o][k], own[o]), o) for o in own)
        tap.ok(worst[0] < EXACT, f"{name}: every output as the equations have it", worst)


def bailey():
    """X3: what was observed after a bolus, at the printed concentrations."""
    rows = [(0, 75), (3.06, 0), (2.47, 0), (3.06, 75), (2.47, 75)]
    texts = ("0 0", "0.60 0.11", "0.43 0.05", "0.96 0.61", "0.91 0.45")
    found = table([(cf, cb, {}) for cf, cb in rows])
    for k, ((cf, cb), text) in enumerate(zip(rows, texts)):
        for output, expected in zip(("P_hyp", "P_apnoea"), text.split()):
            tap.near(f"X3 fentanyl {cf}, midazolam {cb}: {output}", found[output][k], float(expected), 0.01)


def chemoreflex():
    """X4; and the page's check of 450 ng/mL against observed factors."""
    rows = ((0.588, 0, "0.818 44.0 0.963"), (0.588, 31.26, "0.765 44.6 0.951"), (0.769, 0, "0.750 44.8 0.947"),
            (0.769, 31.26, "0.701 45.3 0.935"), (2, 0, "0.417 50.0 0.848"), (2, 31.26, "0.390 50.6 0.837"),
            (0, 225, "0.667 45.8 0.926"), (0, 43, "0.913 - -"), (0, 75, "0.857 - -"))
    found = table([(cf, cb, {}) for cf, cb, _ in rows])
    for k, (cf, cb, texts) in enumerate(rows):
        for output, text in zip(("D", "PaCO2", "V_ratio"), texts.split()):
            if text == "-":
                continue
            tap.printed(f"X4 {cf}/{cb}: {output}", found[output][k], text)
    tap.printed("midazolam 42: carbon dioxide rises by", table([(0, 42, {})])["PaCO2"][0] - P0, "0.7")


def identities():
    """X1: with one drug away the surface is the other drug's alone; X2; X7."""
    points = [(float(rng.uniform(0.01, 12)), float(rng.uniform(0.5, 400))) for _ in range(40)]
    alone_f, alone_b = table([(cf, 0, {}) for cf, _ in points]), table([(0, cb, {}) for _, cb in points])
    cf, cb = np.array(points).T
    for s in LEVELS:
        f, a = cf / C50F[s], cb / C50B[s]
        tap.ok(deviation(alone_f[f"P{s}"], f ** 3 / (1 + f ** 3)) < EXACT, f"X1 no clonazepam: P{s} is fentanyl's own")
        tap.ok(deviation(alone_b[f"P{s}"], a ** 3 / (1 + a ** 3)) < EXACT, f"X1 no fentanyl: P{s} is the benzodiazepine's own")
    tap.ok(deviation(alone_f["U"], cf) < EXACT, "X1 no clonazepam: U is fentanyl's concentration")
    tap.ok(np.all(alone_b["U"] == 0) and np.all(alone_b["P_hyp"] == 0) and np.all(alone_b["P_apnoea"] == 0),
           "X1 no fentanyl: U and both event indices are exactly 0")
    tap.ok(deviation(alone_b["D"], 1 / (1 + cb / 450)) < EXACT, "X1 no fentanyl: the drive is the benzodiazepine's own")
    tap.ok(deviation(alone_f["D"], 1 / (1 + (cf / 1.6) ** 1.5)) < EXACT, "X1 no clonazepam: the drive is fentanyl's own")
    r = levels([arm("x2", 0.25 * 7.5, 0.23 * 400, {"overlap.alpha_5": 9.04})], ["u5"])
    tap.within("X2 Ben-Shlomo's isobole", r.at("overlap.u5", 0), 0.9998, 1e-3)
    tap.near("X2 the sum itself", r.at("overlap.u5", 0), 0.23 + 0.25 + 9.04 * 0.23 * 0.25, EXACT)
    additive(points)


def additive(points):
    """X7: without alpha the sum is Loewe's; a drug split into halves does what the whole does."""
    r = levels([arm(f"{k}", cf, cb, {"overlap.alpha_scale": 0}) for k, (cf, cb) in enumerate(points)], [f"u{s}" for s in LEVELS])
    cf, cb = np.array(points).T
    for s in LEVELS:
        own = cb / C50B[s] + cf / C50F[s]
        tap.ok(deviation(r[f"overlap.u{s}"][:, 0, 0], own) < EXACT, f"X7 alpha 0: u{s} is a + f")
    same = {f"overlap.C50B_{s}": f"{C50F[s]!r} ng/mL" for s in LEVELS} | {"overlap.alpha_scale": 0}
    arms = [arm(f"{k}-{share}", share * c, (1 - share) * c, same) for k, (c, _) in enumerate(points[:20])
            for share in (1.0, 0.5, 0.0, 0.31)]
    r = levels(arms, [f"P{s}" for s in LEVELS])
    for s in LEVELS:
        p = r[f"overlap.P{s}"][:, 0, 0].reshape(20, 4)
        tap.ok(deviation(p[:, 1:], p[:, :1]) < EXACT, f"X7 a drug split in two halves has no synergy with itself, P{s}")


def everything_at_random():
    """3.1-3.3 with every parameter another one than printed, at levels nobody chose."""
    worst = (0.0, "")
    for trial in range(12):
        p = {"n": rng.uniform(2, 5), "stim": rng.uniform(1, 2.3), "sigma": rng.uniform(0.3, 0.6), "kb": rng.uniform(40, 110),
             "kv": rng.uniform(200, 900), "c_hyp": rng.uniform(1.8, 3.1), "c_apnoea": rng.uniform(3.8, 6.5), "c50_vent": rng.uniform(0.4, 2.3)}
        scale = {s: rng.uniform(0.6, 1.6, 3) for s in LEVELS}
        own = {"c50b": {s: C50B[s] * scale[s][0] for s in LEVELS}, "c50f": {s: C50F[s] * scale[s][1] for s in LEVELS},
               "alpha": {s: ALPHA[s] * scale[s][2] for s in LEVELS}}
        p["sF"] = 1 + 2 * rng.random()  # Tol_s
        cap, tol, tb, r_now = 1 + 0.3 * rng.random(), 1 + 3 * rng.random(), 1 + 0.6 * rng.random(), rng.uniform(3, 12)
        given = {"n_sed": p["n"], "stim": p["stim"], "sigma": p["sigma"], "KB": f"{p['kb']!r} ng/mL", "KV": f"{p['kv']!r} ng/mL",
                 "C_hyp": f"{p['c_hyp']!r} ng/mL", "C_apnoea": f"{p['c_apnoea']!r} ng/mL", "TVC50_vent": f"{p['c50_vent']!r} ng/mL",
                 "TB_cap": cap, "R": r_now, "Tol_s": p["sF"]}
        given |= {f"C50B_{s}": f"{own['c50b'][s]!r} ng/mL" for s in LEVELS} | {f"C50F_{s}": f"{own['c50f'][s]!r} ng/mL" for s in LEVELS}
        given |= {f"alpha_{s}": own["alpha"][s] for s in LEVELS}
        study = "parameters: {" + ", ".join(f"overlap.{k}: {v}" for k, v in given.items()) + "}\n"
        points = [(float(rng.uniform(0.01, 12)), float(rng.uniform(0.5, 400))) for _ in range(8)]
        found = table([(cf, cz * R, {"Tol_set": tol, "TB_set": tb}) for cf, cz in points], more=study)
        cf, cz = np.array(points).T
        expected = surface(cf, r_now * cz, tol, tb, min(tb, cap), **p, **own)
        for name, value in expected.items():
            worst = max(worst, (deviation(found[name], value), f"{name}, trial {trial}"))
    tap.ok(worst[0] < EXACT, "all outputs at 96 random points with random parameters", worst)


def monotone():
    """X6 and X5b along rising levels and rising tolerance, for subjects that differ in everything."""
    cohort = (f"{{subjects: 250, seed: {SEED}, uncertainty: drawn, covariates: {{fent: {{uniform: [0 ng/mL, 12 ng/mL]}}, "
              "clon: {uniform: [0 ng/mL, 80 ng/mL]}, TB_set: {uniform: [1, 2]}, Tol_set: {uniform: [1, 3]}}}")
    rises = ({"at.fent_rise": "0.1 ng/mL/h"}, {"at.clon_rise": "0.5 ng/mL/h"}, {"at.Tol_rise": "0.05 1/h"}, {"at.TB_rise": "0.05 1/h"})
    up = [f"P{s}" for s in LEVELS] + ["sedation", "U", "P_hyp", "P_apnoea", "PaCO2"]
    r = levels([arm(next(iter(rise)), parameters=rise) for rise in rises], up + ["D", "V_ratio"], "[{until: 100 h, every: 1 h}]", cohort)
    for k, what in enumerate(("fentanyl", "clonazepam", "fentanyl's tolerance", "benzodiazepine tolerance")):
        sign = 1 if k < 2 else -1
        for name in up + ["D", "V_ratio"]:
            step = np.diff(r["overlap." + name][k], axis=1) * (sign if name in up else -sign)
            tap.ok(bool(np.all(step >= 0)), f"X6 more {what}: {name} never turns back", float(step.min()))
    for s in LEVELS[1:]:
        gap = r[f"overlap.P{s - 1}"] - r[f"overlap.P{s}"]
        tap.ok(bool(np.all(gap >= 0)), f"X5b P{s} never above P{s - 1}, spread and uncertainty drawn", float(gap.min()))
    tap.ok(bool(np.all(np.isfinite(r["overlap.PaCO2"]))), "all of these are finite")
    cf, cb = np.meshgrid(np.concatenate(([0.0], np.geomspace(1e-3, 900, 24))), np.concatenate(([0.0], np.geomspace(1e-2, 5e4, 14))))
    found = table([(float(a), float(b), {}) for a, b in zip(cf.ravel(), cb.ravel())], [f"P{s}" for s in LEVELS])
    for s in LEVELS[1:]:
        tap.ok(bool(np.all(found[f"P{s}"] <= found[f"P{s - 1}"])), f"X5b P{s} never above P{s - 1}, at the table's parameters from 0 to the absurd")


def isoboles():
    """On each isobole its probability is one half, and its points solve the sum's equation."""
    names = [f"isobole{s}" for s in LEVELS] + ["isobole_hyp"]
    study = "parameters: {overlap.stim: 1.3}\n"
    cf = [float(x) for x in rng.uniform(0.05, 9.4, 12)]
    first = levels([arm(f"{k}", c, 0) for k, c in enumerate(cf)], names, more=study)
    halves, zeros = 0.0, True
    for s in LEVELS + ("_hyp",):
        cz = first[f"overlap.isobole{s}"][:, 0, 0]
        back = levels([arm(f"{k}", c, z * R) for k, (c, z) in enumerate(zip(cf, map(float, cz)))], [f"P{s}"], more=study)
        p = back[f"overlap.P{s}"][:, 0, 0]
        halves = max(halves, float(np.max(np.abs(p[cz > 0] - 0.5), initial=0)))
        zeros &= bool(np.all(p[cz == 0] >= 0.5 - EXACT))
    tap.ok(halves < EXACT, "on the isoboles the probability is one half", halves)
    tap.ok(zeros, "where fentanyl alone passes one half the isobole is at no clonazepam")
    for s in LEVELS:
        f = np.array(cf) / C50F[s]
        own = np.maximum(0, C50B[s] / R * (1.3 - f) / (1 + ALPHA[s] * f))
        tap.ok(deviation(first[f"overlap.isobole{s}"][:, 0, 0], own) < EXACT, f"isobole of level {s}")


def flags():
    """3.4: each threshold from both sides, as shipped and changed."""
    near = 1e-6
    u = lambda p: (p / (1 - p)) ** (1 / 3)
    z = {0.02: -2.053748910631823, 0.20: -0.8416212335729142}  # Phi^-1
    hyp = {p: float(C_HYP * np.exp(SIGMA * q)) for p, q in z.items()}
    drive = (P0 / 50) ** 5.3
    cf_co2 = 1.6 * ((1 - drive) / drive) ** (1 / 1.5)
    cases = [("P4 at 0.05", 0, 208 * u(0.05), 0, 1), ("P5 at 0.10", 0, 400 * u(0.10), 1, 2), ("P_hyp at 0.02", hyp[0.02], 0, 0, 1)]
    rows, expected = [], []
    for name, cf, cb, below, above in cases:
        for side, value in ((1 - near, below), (1 + near, above)):
            rows.append((cf * side, cb * side, {}))
            expected.append((name, value))
    found = table(rows, ["flag"])["flag"]
    for (name, value), flagged in zip(expected, found):
        tap.ok(flagged == value, f"flag beside {name}: {value}", flagged)
    # The event index and carbon dioxide turn red at nearly one level of fentanyl; the other rule is switched off.
    for name, off, cf in (("P_hyp at 0.20", {"overlap.red_PaCO2": "90 mmHg"}, hyp[0.20]), ("PaCO2 at 50", {"overlap.red_hyp": 1}, cf_co2)):
        r = levels([arm("below", cf * (1 - near), 0, off), arm("above", cf * (1 + near), 0, off)], ["flag"])
        tap.ok(list(r["overlap.flag"][:, 0, 0]) == [1, 2], f"flag beside {name}: 1, then 2", r["overlap.flag"])
    changed = {"overlap.green_P4": 0.2, "overlap.green_hyp": 0.3, "overlap.red_P5": 0.5, "overlap.red_hyp": 0.6, "overlap.red_PaCO2": "60 mmHg"}
    r = levels([arm("shipped", 1.206, 31.26), arm("changed", 1.206, 31.26, changed)], ["flag"])
    tap.ok(list(r["overlap.flag"][:, 0, 0]) == [2, 0], "the thresholds are parameters", r["overlap.flag"])
    points = [(float(rng.uniform(0, 3.5)), float(rng.uniform(0, 250)), {}) for _ in range(80)]
    found = table(points, ["flag"])["flag"]
    cf, cb = np.array([p[:2] for p in points]).T
    tap.ok(bool(np.all(found == flag(surface(cf, cb)))), "flag at 80 random points")
    r = levels([arm("more tolerance of breathing than of pain", 1.206, 31.26, Tol_set=3, Tol_a_set=1),
                arm("as much", 1.206, 31.26, Tol_set=3, Tol_a_set=3)], ["flag", "P_hyp_warning", "U", "U_warning"])
    tap.ok(list(r["overlap.flag"][:, 0, 0]) == [2, 1], "warnings allow no more tolerance of breathing than of pain", r["overlap.flag"])


def flumazenil():
    """X9: the benzodiazepine's share goes, fentanyl's stays."""
    rows = ((0.769, 31.26), (2.0, 225.0), (3.06, 75.0))
    arms = [a for k, (cf, cb) in enumerate(rows)
            for a in (arm(f"{k} opioid alone", cf, 0), arm(f"{k} both", cf, cb), arm(f"{k} reversed", cf, cb, flumazenil="present"))]
    r = levels(arms, ALL)
    for k, (cf, cb) in enumerate(rows):
        alone, both, reversed_ = (r["overlap.V_ratio"][3 * k + j, 0, 0] for j in range(3))
        tap.within(f"X9 {cf} + {cb}: ventilation with flumazenil is the opioid's", reversed_ / alone, 1.0, 0.05)
        tap.ok(both < alone, f"X9 {cf} + {cb}: and was lower before")
        tap.ok(all(r["overlap." + name][3 * k + 2, 0, 0] == r["overlap." + name][3 * k, 0, 0] for name in ALL),
               f"X9 {cf} + {cb}: every output returns to the opioid's, exactly")


for part in (section_7, bailey, chemoreflex, identities, everything_at_random, monotone, isoboles, flags, flumazenil):
    part()
tap.done()
