#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clonazepam, typical subject: derived constants, single and repeated doses, other routes and the published models.

Reference page sections 1.3, 1.4, 3.1-3.4. What is printed there is checked, and the same equations with other doses,
weights, schedules and rates against closed forms.
"""
import math

import numpy as np

from _clonazepam import F, LN2, Subject, column, every, number, peak, refine, study
from _halflife import Tap, run

tap = Tap()
EXACT = 1e-9  # relative, of what the program solves in closed form


def curve(name, found, expected, relative=EXACT):
    """Whole profiles: the largest deviation relative to the profile's peak."""
    found, expected = np.asarray(found), np.asarray(expected)
    worst = float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))
    tap.ok(worst <= relative, name, f"largest deviation {worst:.3g} of the peak, at most {relative:.3g}")


def printed_constants():
    """1.3 and 1.4."""
    hours = [0.5, 1, 1.5, 2, 4, 8, 12, 24, 48, 72, 120, 168]
    oral = "6.59698 12.3539 13.5072 13.0455 9.86029 7.87387 7.22055 5.78892 3.72944 2.40265 0.997205 0.413884".split()
    iv = "18.6720 16.0891 14.2036 12.8209 10.0387 8.55673 7.89586 6.33374 4.08044 2.62878 1.09106 0.452836".split()
    r = run(study({"tablet": ["oral: 2 mg"], "bolus": ["iv: 2 mg"],
                   "twice a day": ["oral: 1 mg, every: 12 h, for: 20 d"]},
                  hours + [336, 5000], ["Cp"],
                  ["of: clonazepam.Cp, list: [Cmax, Tmax, half_life]",
                   "of: clonazepam.Cp, list: [AUC], windows: [[0 h, 48 h], [0 h, 72 h], [0 h, 120 h], [0 h, 5000 h]]",
                   "of: clonazepam.Cp, list: [Cmax, Tmax], window: [324 h, 336 h], name: interval28"]))
    for h, text in zip(hours, oral):
        tap.printed(f"2 mg tablet at {h} h", r.at("clonazepam.Cp", h, 0), text)
    for h, text in zip(hours, iv):
        tap.printed(f"2 mg bolus at {h} h", r.at("clonazepam.Cp", h, 1), text)
    for h, text in zip([12, 24, 48, 72, 168, 336], "3.6103 6.5047 10.6927 13.3907 17.4349 18.2377".split()):
        tap.printed(f"1 mg twice a day, before the dose at {h} h", r.at("clonazepam.Cp", h, 2), text)
    tap.printed("Cmax of 2 mg", number(r, "clonazepam_Cp_Cmax", 0), "13.508")
    tap.printed("Tmax of 2 mg", number(r, "clonazepam_Cp_Tmax", 0), "1.517")
    for k, text in enumerate(["296.4", "368.9", "445.6", "500.0"]):
        tap.printed(f"AUC of 2 mg, window {k}", number(r, "clonazepam_Cp_AUC", 0, k), text)
    tap.printed("terminal half-life", number(r, "clonazepam_Cp_half_life", 0), "37.835", 1e-5)
    tap.printed("peak of the 28th interval", number(r, "interval28_Cmax", 2), "24.497")
    beta = LN2 / number(r, "clonazepam_Cp_half_life", 0)
    tap.printed("beta", beta, "0.01832024", 1e-7)
    for tau, text in ((24, "2.81"), (12, "5.07"), (8, "7.34")):
        tap.printed(f"accumulation 1/(1 - exp(-beta tau)), tau {tau} h", 1 / (1 - math.exp(-beta * tau)), text)
    for name, text in (("k10", "0.0400000"), ("k12", "0.3333333"), ("k21", "0.3000000"), ("alpha", "0.6550131"),
                       ("beta", "0.01832024"),
                       ("half_life_distribution", "1.058"), ("half_life_terminal", "37.835"), ("Vss", "190"),
                       ("Vz", "196.5"),
                       ("CL_F", "4.00"), ("accumulation_24h", "2.81"), ("accumulation_12h", "5.07"),
                       ("accumulation_8h", "7.34")):
        tap.printed(f"reported: {name}", column(r, "clonazepam_" + name), text, 1e-7)
    tap.printed("reported: steady average of 1 mg/day", 1000 * column(r, "clonazepam_Cavg_1mg_per_day"), "10.42")
    other = run(study({"a": (["oral: 1 mg"], {"TVQ": "41 L/h"}, {"WT": "88.2 kg", "phenytoin": "present"})}, [24],
                      ["Cp"]))
    s = Subject(88.2, 1.52, q=41.0)
    for name, value in (("alpha", s.alpha), ("beta", s.beta), ("half_life_terminal", s.half_life),
                        ("Vz", s.cl / s.beta),
                        ("accumulation_12h", 1 / -math.expm1(-12 * s.beta))):
        tap.within(f"reported: {name} of another subject", column(other, "clonazepam_" + name), value, 1e-12)


def steady_state():
    """1.4: an exact steady-state start; and the same of other doses and intervals."""
    cases = {"printed": (1.0, 12.0, 70.0), "ugly": (0.73, 9.3, 51.2), "long": (1.7, 41.7, 108.4)}
    arms = {name: ([f"steady_state: {{oral: {mg} mg, every: {tau} h}}", f"oral: {mg} mg, every: {tau} h, doses: 4"], {},
                   {"WT": f"{wt} kg"}) for name, (mg, tau, wt) in cases.items()}
    hours = [0, 0.1, 0.3, 1.415, 5.5, 9.2, 12, 13.415, 24, 41]
    r = run(study(arms, hours, ["Cp", "Ce"], ["of: clonazepam.Cp, list: [Cmax, Tmax], window: [0 h, 9 h], name: one"]))
    tap.printed("steady peak of 1 mg twice a day", number(r, "one_Cmax"), "24.544")
    tap.printed("its time", number(r, "one_Tmax"), "1.415")
    tap.printed("steady value before the dose", r.at("clonazepam.Cp", 0), "18.277")
    tap.printed("and before the next", r.at("clonazepam.Cp", 12), "18.277")
    for a, (name, (mg, tau, wt)) in enumerate(cases.items()):
        s = Subject(wt)
        curve(f"steady state, {name}: {mg} mg every {tau} h at {wt} kg",
              [r.at("clonazepam.Cp", h, a) for h in hours if h < 4 * tau],
              [s.steady(h % tau, mg, tau) for h in hours if h < 4 * tau])


def ugly_schedules():
    """Doses, weights and routes that no table has."""
    hours = np.array([0.3, 1.95, 2.0, 3.17, 6.6, 9.21, 16.5, 23.9, 31.3, 55.5, 79.3, 140.1, 263.7])
    doses = [(1.9 + 7.3 * k, 1.37) for k in range(11)]
    rates = dict(cl=5.21, vc=61.0, q=11.7, vp=143.0, ka=0.92, tlag=0.41, f=0.63)
    changed = {"TVCL": "5.21 L/h", "TVVc": "61 L", "TVQ": "11.7 L/h", "TVVp": "143 L", "TVKA": "0.92 1/h",
               "tlag": "0.41 h",
               "TVF": "0.63"}
    alpha = Subject(83.7).alpha
    arms = {
        "tablets": (["oral: 1.37 mg, every: 7.3 h, doses: 11, start: 1.9 h"], {}, {"WT": "83.7 kg"}),
        "solution": (["solution: 1.37 mg, every: 7.3 h, doses: 11, start: 1.9 h"], {}, {"WT": "46.1 kg"}),
        "odt": (["odt: 1.37 mg, every: 7.3 h, doses: 11, start: 1.9 h"], {}, {"WT": "83.7 kg"}),
        "muscle": (["im: 1.37 mg, every: 7.3 h, doses: 11, start: 1.9 h"], {}, {"WT": "83.7 kg"}),
        "veins": (["iv: 1.37 mg, every: 7.3 h, doses: 11, start: 1.9 h"], {}, {"WT": "119.3 kg"}),
        "other rates": (["oral: 1.37 mg, every: 7.3 h, doses: 11, start: 1.9 h"], changed, {"WT": "58.9 kg"}),
        "infusion": (["infuse: 0.113 mg/h, for: 17.3 h, start: 1.9 h", "gap: 11.1 h", "infuse: 0.071 mg/h, for: 41 h"],
                     {},
                     {"WT": "83.7 kg"}),
        "absorbed as fast as distributed": (["oral: 1.37 mg, every: 7.3 h, doses: 11, start: 1.9 h"],
                                            {"TVKA": f"{alpha:.15g} 1/h"}, {"WT": "83.7 kg"}),
    }
    r = run(study(arms, hours, ["Cp", "Ce"]))
    at = [int(np.argmin(np.abs(r.time - h))) for h in hours]
    cases = {"tablets": (Subject(83.7), "oral"), "solution": (Subject(46.1), "solution"), "odt": (Subject(83.7), "odt"),
             "muscle": (Subject(83.7), "im"), "veins": (Subject(119.3), "iv"),
             "other rates": (Subject(58.9, **rates), "oral")}
    for name, (s, route) in cases.items():
        a = r.arm(name)
        curve(f"{name}: plasma", r["clonazepam.Cp"][a, 0, at], s.cp(hours, doses, route))
        curve(f"{name}: effect site", r["clonazepam.Ce"][a, 0, at], s.ce(hours, doses, route))
    s = Subject(83.7)
    infused = s.infused(hours, 1.9, 17.3, 0.113) + s.infused(hours, 30.3, 41.0, 0.071)
    curve("infusions with a pause", r["clonazepam.Cp"][r.arm("infusion"), 0, at], infused)
    near = sum(Subject(83.7, ka=alpha * (1 + e)).cp(hours, doses) for e in (1e-5, -1e-5)) / 2
    curve("absorption rate equal to alpha", r["clonazepam.Cp"][r.arm("absorbed as fast as distributed"), 0, at], near,
          1e-8)


def metrics_of_other_doses():
    """Cmax, Tmax and AUC of a profile whose extremum lies between grid points."""
    s = Subject(94.6, ka=0.61, tlag=0.13)
    r = run(study({"one": (["oral: 3.3 mg, start: 5.5 h"], {"TVKA": "0.61 1/h", "tlag": "0.13 h"}, {"WT": "94.6 kg"})},
                  [30, 77.7, 6000], ["Cp"], ["of: clonazepam.Cp, list: [Cmax, Tmax, AUC, half_life]",
                                            "of: clonazepam.Cp, list: [AUC], window: [0 h, 77.7 h], name: part"]))
    t, c = peak(lambda x: s.cp(x, [(5.5, 3.3)]), 5.7, 15)
    tap.within("Cmax between grid points", number(r, "clonazepam_Cp_Cmax"), c, 1e-9)
    tap.near("its time", number(r, "clonazepam_Cp_Tmax"), t, 1e-5)
    tap.within("AUC to infinity is F D/CL", number(r, "clonazepam_Cp_AUC", 0), 1000 * F * 3.3 / s.cl, 1e-9)
    tap.within("AUC of a part", number(r, "part"), s.auc(77.7 - 5.5, 3.3), 1e-9)
    tap.within("half-life at 94.6 kg", number(r, "clonazepam_Cp_half_life"), s.half_life, 1e-9)


def crossings(f, level, end, step=0.05):
    """Times at which f (of an array) crosses level, by bisection between points of an even grid."""
    grid = np.arange(0, end + step / 2, step)
    above = f(grid) > level
    found = []
    for k in np.flatnonzero(above[1:] != above[:-1]):
        a, b = grid[k], grid[k + 1]
        for _ in range(60):
            m = (a + b) / 2
            a, b = (m, b) if (f(np.array([m]))[0] > level) == above[k] else (a, m)
        found.append(a)
    return found, bool(above[0]), bool(above[-1])


def metrics_of_courses():
    """Hours above, first time, longest spell, troughs and accumulation, of a course and of a steady state."""
    s, doses, end = Subject(57.9), every(0.8, 10, 3.3, 203.3), 300.0
    r = run(study({"course": (["oral: 0.8 mg, every: 10 h, doses: 20, start: 3.3 h"], {}, {"WT": "57.9 kg"}),
                   "steady": ["steady_state: {oral: 0.8 mg, every: 10 h}", "oral: 0.8 mg, every: 10 h, doses: 9"]},
                  [100, end], ["Cp", "Ce"],
                  ['of: clonazepam.Cp, above: [7.7 ng/mL, 18 ng/mL], list: [hours_above, first_time, longest_spell]',
                   'of: clonazepam.Ce, above: "18 ng/mL", list: [hours_above, first_time, longest_spell]',
                   "of: clonazepam.Cp, list: [Ctrough, troughs, accumulation, time_to_steady, Cavg, last]"]))
    for name, f in (("Cp", s.cp), ("Ce", s.ce)):
        for level in ((7.7, 18.0) if name == "Cp" else (18.0,)):
            times, first_above, last_above = crossings(lambda t: f(t, doses), level, end)
            edges = ([0.0] if first_above else []) + times + ([end] if last_above else [])
            spells = [b - a for a, b in zip(edges[::2], edges[1::2])]
            begin = f"clonazepam_{name}_%s_{str(level)[:1]}"
            keys = {kind: next(k for k in r.metrics if k.startswith(begin % kind))
                    for kind in ("hours_above", "first_time", "longest_spell")}
            tap.near(f"{name}: hours above {level}", number(r, keys["hours_above"]), sum(spells), 1e-5)
            tap.near(f"{name}: first time above {level}", number(r, keys["first_time"]), edges[0], 1e-6)
            tap.near(f"{name}: longest spell above {level}", number(r, keys["longest_spell"]), max(spells), 1e-6)
    troughs = [float(s.cp([when], [d for d in doses if d[0] < when])[0]) for when, _ in doses]
    curve("troughs before each dose", r.metrics["clonazepam_Cp_troughs"][0, 0, :20], troughs)
    tap.within("trough at the end of the last interval", number(r, "clonazepam_Cp_Ctrough"),
               float(s.cp([203.3], doses)[0]), 1e-9)
    area = [sum(s.auc(t - when, mg) for when, mg in doses if t > when + s.tlag) for t in (13.3, 193.3, 203.3, end)]
    tap.within("accumulation by areas", number(r, "clonazepam_Cp_accumulation"), (area[2] - area[1]) / area[0], 1e-8)
    tap.within("average of the whole", number(r, "clonazepam_Cp_Cavg"), area[3] / end, 1e-8)
    tap.within("last value", number(r, "clonazepam_Cp_last"), float(s.cp([end], doses)[0]), 1e-9)
    slow = 3.3219 * s.half_life
    tap.ok(slow - 14 < number(r, "clonazepam_Cp_time_to_steady") < slow, "time to 90 % of steady state",
           number(r, "clonazepam_Cp_time_to_steady"))
    tap.near("steady from the start: time to steady state", number(r, "clonazepam_Cp_time_to_steady", 1), 0.0, 1e-9)
    tap.near("steady from the start: accumulation", number(r, "clonazepam_Cp_accumulation", 1), 1.0, 1e-9)


def im_route():
    """3.4: two absorption ways after one intramuscular dose."""
    r = run(study({"im": ["im: 2 mg"]}, [1, 9, 24], ["Cp"],
                  ["of: clonazepam.Cp, list: [Cmax, Tmax], windows: [[0 h, 9 h], [9 h, 24 h]]"]))
    for k, (c, t) in enumerate((("9.8", "2.2"), ("8.7", "10.1"))):
        tap.printed(f"im, peak {k + 1}", number(r, "clonazepam_Cp_Cmax", 0, k), c)
        tap.printed(f"im, time of peak {k + 1}", number(r, "clonazepam_Cp_Tmax", 0, k), t)


def kruizinga(ka, wt=70.0, **other):
    return Subject(wt, **dict(dict(cl=2.98, vc=109.5, q=61.37, vp=130.6, ka=ka, tlag=0.0, f=1.0), **other))


def published_2022():
    """3.1: the published fit, its classes, its simulation and the observed means."""
    hours = [0.5, 1, 2, 4, 6, 8, 12, 24, 48, 120]
    arms = {"slow": ["oral: 1 mg"], "fast": (["oral: 1 mg"], {"TVKA": "100 1/h"}, {}),
            "slow 67.8": (["oral: 1 mg"], {}, {"WT": "67.8 kg"}),
            "fast 67.8": (["oral: 1 mg"], {"TVKA": "100 1/h"}, {"WT": "67.8 kg"}),
            "sixty": (["oral: 0.5 mg, every: 12 h, for: 240 h"], {}, {"WT": "60 kg"}),
            "ugly": (["oral: 0.37 mg, every: 5.9 h, doses: 8, start: 0.7 h"], {}, {"WT": "88.8 kg"})}
    r = run(study(arms, hours + [240], ["Cp", "Cs"], model="clonazepam_kruizinga2022"))
    slow = "3.35566 4.60671 4.85390 4.15183 3.71729 3.53256 3.05010 2.27406 0.942467".split()
    for h, text in zip([0.5, 1, 2, 4, 8, 12, 24, 48, 120], slow):
        tap.printed(f"Kruizinga slow at {h} h", r.at("clonazepam.Cp", h, 0), text)
    for h, text in zip([0.5, 1, 24], "7.06947 5.80424 3.01673".split()):
        tap.printed(f"Kruizinga fast at {h} h", r.at("clonazepam.Cp", h, 1), text)
    tap.printed("60 kg, 0.5 mg twice a day, trough at 12 h", r.at("clonazepam.Cp", 12, r.arm("sixty")), "2.05")
    tap.printed("and at 240 h", r.at("clonazepam.Cp", 240, r.arm("sixty")), "13.80")
    observed = {"0.5": [2.42, 2.62, 2.69, 2.46, 2.27, 2.14, 1.92, 1.41],
                "1": [4.22, 4.65, 4.71, 3.80, 3.56, 3.37, 2.78, 1.98]}
    means = np.sqrt(np.array(observed["0.5"]) / 0.5 * np.array(observed["1"]))
    for arm_pair, band in (((2, 3), 0.05), ((0, 1), 0.07)):
        mixed = [0.75 * r.at("clonazepam.Cp", h, arm_pair[0]) + 0.25 * r.at("clonazepam.Cp", h, arm_pair[1])
                 for h in (0.5, 1, 2, 4, 6, 8, 24, 48)]
        worst = float(np.max(np.abs(np.array(mixed) / means - 1)))
        tap.ok(worst <= band, f"classes mixed lie within {band:.0%} of the observed means", worst)
    doses = [(0.7 + 5.9 * k, 0.37) for k in range(8)]
    s = kruizinga(1.106, 88.8)
    cp = s.cp(hours, doses)
    saliva = sum(0.37 * 3.3e-5 * 1e6 * np.where(np.array(hours) >= w, np.exp(-1.95 * (np.array(hours) - w)), 0) for w,
                 _ in doses)
    a = r.arm("ugly")
    curve("Kruizinga at 88.8 kg, ugly schedule", [r.at("clonazepam.Cp", h, a) for h in hours], cp)
    curve("its saliva", [r.at("clonazepam.Cs", h, a) for h in hours], saliva + 0.195 * cp * cp / (cp + 2.581))


def published_2022_cohort():
    """3.1: every subject of a cohort against the closed form with its own parameters; the classes; the simulation."""
    n = 4000
    cohort = (f"{{subjects: {n}, seed: 2022, covariates: {{WT: {{lognormal: {{median: 58 kg, cv: \"20 %\"}}, "
              "within: [34 kg, 100 kg]}}}")
    r = run(study({"b": ["oral: 0.5 mg, every: 12 h, for: 240 h"]}, [0.7, 12, 30.3, 240], ["Cp"], cohort=cohort,
                  model="clonazepam_kruizinga2022"), "--set", f"clonazepam.random.eta_F.variance={math.log(1.25)}")
    ka, f, q = (r.subjects["clonazepam_" + name].ravel()[:n] for name in ("ka", "F", "Q"))
    wt = r.subjects["WT"].ravel()[:n]
    fast = ka == 100
    tap.near("share of fast absorbers", fast.mean(), 0.25, 3.5 * math.sqrt(0.25 * 0.75 / n))
    tap.near("spread of the slow ones' ln ka", np.log(ka[~fast]).std(), 0.4, 0.02)
    tap.near("F with CV 50 %", np.log(f).std(), math.sqrt(math.log(1.25)), 0.02)
    times, worst = [0.7, 12, 30.3, 240], 0.0
    at = [int(np.argmin(np.abs(r.time - t))) for t in times]
    for k in range(0, n, 40):
        s = kruizinga(ka[k], wt[k], f=f[k], q=q[k] / (wt[k] / 70) ** 0.75)
        expected = s.cp(times, every(0.5, 12, 0, 240))
        worst = max(worst, float(np.max(np.abs(r["clonazepam.Cp"][0, k, at] / expected - 1))))
    tap.ok(worst < 1e-8, "a hundred subjects follow their own closed forms", worst)
    trough = np.median(r["clonazepam.Cp"][0, :, at[1]]), np.median(r["clonazepam.Cp"][0, :, at[3]])
    tap.within("published simulation: median trough after dose 1", trough[0], 2.1, 0.07)
    tap.within("published simulation: median trough at 240 h", trough[1], 13.7, 0.07)


def one_compartment():
    """3.2."""
    hours = [0.5, 1, 2, 4, 24, 48, 120]
    r = run(study({"one": ["oral: 0.5 mg"], "thrice": ["steady_state: {oral: 0.5 mg, every: 8 h}",
                                                       "oral: 0.5 mg, every: 8 h, for: 2 d"],
                   "ugly": ["oral: 1.9 mg, every: 31 h, doses: 3, start: 0.6 h"], "two": ["oral: 2 mg"]},
                  hours, ["Cp"], ["of: clonazepam.Cp, list: [Cavg], window: [0 h, 24 h], name: day",
                                  "of: clonazepam.Cp, list: [Cmax, Tmax, half_life]"],
                  model="clonazepam_greenblatt2005_1c"))
    for h, text in zip(hours, "1.15663 1.63296 1.89357 1.88825 1.33659 0.881821 0.253237".split()):
        tap.printed(f"one compartment at {h} h", r.at("clonazepam.Cp", h), text)
    tap.printed("its average at 1.5 mg/day", number(r, "day", 1), "14.468")
    tap.printed("its half-life", number(r, "clonazepam_Cp_half_life", 0), "40", 1e-9)
    tap.printed("its V/F", column(r, "clonazepam_V"), "249.30")
    tap.printed("its ka", column(r, "clonazepam_ka"), "1.7329")
    ke, ka, v = LN2 / 40, LN2 / 0.4, 4.32 * 40 / LN2

    def form(t, mg):
        return np.where(t > 0, 1000 * mg / v * ka / (ka - ke)
                        * (np.exp(-ke * np.maximum(t, 0)) - np.exp(-ka * np.maximum(t, 0))), 0)
    expected = sum(form(np.array(hours) - 0.6 - 31 * k, 1.9) for k in range(3))
    curve("one compartment, ugly schedule", [r.at("clonazepam.Cp", h, 2) for h in hours], expected)
    t, c = refine(lambda x: float(form(np.array(x), 2.0)), 1, 6)
    tap.within("one compartment, peak of 2 mg", number(r, "clonazepam_Cp_Cmax", 3), c, 1e-9)
    tap.near("its time", number(r, "clonazepam_Cp_Tmax", 3), t, 1e-5)


def regression_2002():
    """3.3: clearance by weight and other antiepileptics."""
    cases = {f"{w} kg": (w, "none") for w in (10, 20, 30, 50, 70)}
    cases |= {"one": (33.3, "one"), "two": (70, "two_or_more"), "two light": (17.7, "two_or_more")}
    arms = {name: (["oral: 1.1 mg, every: 8 h, doses: 5"], {}, {"WT": f"{w} kg", "antiepileptics": other})
            for name, (w, other) in cases.items()}
    hours = [3.3, 8, 17, 39.9, 71]
    r = run(study(arms, hours, ["Cp"], model="clonazepam_yukawa2002"))
    for a, text in enumerate("1.00 1.77 2.46 3.74 4.93".split()):
        tap.printed(f"Yukawa, CL/F at {list(cases)[a]}", column(r, "clonazepam_CL", a), text)
    tap.printed("two or more antiepileptics at 70 kg", column(r, "clonazepam_CL", 6) / column(r, "clonazepam_CL", 4),
                "1.28")
    for a, (name, (w, other)) in enumerate(cases.items()):
        dif = {"none": 1.0, "one": 1.18, "two_or_more": 2.12 * w ** -0.119}[other]
        cl, v = 152 * w ** -0.181 * w / 1000 * dif, 2.8 * w
        tap.within(f"Yukawa, CL/F, {name}", column(r, "clonazepam_CL", a), cl, 1e-12)
        ke, total = cl / v, 0
        for k in range(5):
            t = np.maximum(np.array(hours) - 8 * k, 0)
            total = total + 1100 / v * 1.7 / (1.7 - ke) * (np.exp(-ke * t) - np.exp(-1.7 * t))
        curve(f"Yukawa, profile, {name}", [r.at("clonazepam.Cp", h, a) for h in hours], total)


printed_constants()
steady_state()
ugly_schedules()
metrics_of_other_doses()
metrics_of_courses()
im_route()
published_2022()
published_2022_cohort()
one_compartment()
regression_2002()
tap.done()
