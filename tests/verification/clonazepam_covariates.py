#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clonazepam with interacting drugs and in particular patients: reference page section 4, gates V9-V12 of section 8."""
import math

import numpy as np

from _clonazepam import LN2, Subject, column, every, number, peak, study
from _halflife import Tap, run

tap = Tap()

# name: (covariates, factor on clearance, half-life as printed)
DRUGS = {
    "nothing": ({}, 1.0, "37.8"),
    "carbamazepine": ({"carbamazepine": "present"}, 1.39, "27.6"),
    "phenytoin": ({"phenytoin": "present"}, 1.52, "25.3"),
    "phenobarbital": ({"phenobarbital": "present"}, 1.22, "31.2"),
    "carbamazepine in routine": ({"routine_antiepileptics": "with_carbamazepine"}, 1.22, "31.2"),
    "one antiepileptic in routine": ({"routine_antiepileptics": "one"}, 1.18, "32.3"),
    "two antiepileptics in routine": ({"routine_antiepileptics": "two_or_more"}, 1.28, "29.8"),
    "inducers at full dose": ({"inducer_full_dose": "present"}, 1.61, "24.0"),
    "valproate": ({"valproate": "present"}, 1.0, "37.8"),
    "zonisamide": ({"zonisamide": "present"}, 1.0, "37.8"),
    "dexamethasone": ({"dexamethasone": "present"}, 1.10, "34.5"),
    "strong inhibitor": ({"cyp3a4_inhibitor": "strong"}, 0.64, "58.4"),
    "moderate inhibitor": ({"cyp3a4_inhibitor": "moderate"}, 0.72, "52.1"),
    "weak inhibitor": ({"cyp3a4_inhibitor": "weak"}, 0.88, "42.8"),
}
PATIENTS = {
    "50 kg": ({"WT": "50 kg"}, 50.0, 1.0, "34.8"),
    "90 kg": ({"WT": "90 kg"}, 90.0, 1.0, "40.3"),
    "Child-Pugh A": ({"liver": "child_pugh_a"}, 70.0, 0.8, None),
    "Child-Pugh B": ({"liver": "child_pugh_b"}, 70.0, 0.65, None),
    "Child-Pugh C, 63.4 kg": ({"liver": "child_pugh_c", "WT": "63.4 kg"}, 63.4, 0.5, None),
    "low CYP3A4 expression": ({"cyp3a4_expression": "low"}, 70.0, 0.75, None),
    "80 years": ({"AGE": "80 year"}, 70.0, 1.0, None),
    "poor kidneys": ({"CRCL": "15 mL/min"}, 70.0, 1.0, None),
    "two inducers": ({"carbamazepine": "present", "phenytoin": "present"}, 70.0, 1.52, None),
    "inducer and inhibitor": ({"phenobarbital": "present", "cyp3a4_inhibitor": "moderate", "WT": "97.7 kg"}, 97.7,
                              1.22 * 0.72, None),
    "protein 60 g/L": ({"binding": "from_protein", "TP": "60 g/L"}, 70.0, 1 / (1 + 0.081 * 60) / 0.139, None),
}


def factors():
    """4.1 and 4.2: clearance, half-life and a profile under each covariate."""
    arms = {name: (["oral: 1.9 mg, every: 13 h, doses: 4"], {}, covariates) for name,
            (covariates, *_) in (DRUGS | PATIENTS).items()}
    hours = [1.1, 13.0, 29.3, 51.0, 88.8, 200.0]
    r = run(study(arms, hours, ["Cp"], ["of: clonazepam.Cp, list: [half_life]"]))
    at = [int(np.argmin(np.abs(r.time - h))) for h in hours]
    for name in arms:
        a = r.arm(name)
        wt, factor, text = (70.0, *DRUGS[name][1:]) if name in DRUGS else PATIENTS[name][1:]
        s = Subject(wt, factor)
        half_life = number(r, "clonazepam_Cp_half_life", a)
        if text:
            tap.printed(f"half-life with {name}", half_life, text)
        tap.within(f"half-life with {name}, calculated", half_life, s.half_life, 1e-9)
        found, expected = r["clonazepam.Cp"][a, 0, at], s.cp(hours, every(1.9, 13, 0, 52))
        worst = float(np.max(np.abs(found - expected)) / expected.max())
        tap.ok(worst < 1e-9, f"profile with {name}", worst)
    for name, cl, css in (("50 kg", "2.80", "13.4"), ("90 kg", "4.35", "8.6")):
        tap.printed(f"clearance at {name}", column(r, "clonazepam_CL", r.arm(name)), cl)
        tap.printed(f"steady average per mg/day at {name}", 1000 * 0.9 / 24 / column(r, "clonazepam_CL", r.arm(name)),
                    css)
    change = {name: number(r, "clonazepam_Cp_half_life", r.arm(name)) / number(r, "clonazepam_Cp_half_life") - 1
              for name in ("phenytoin", "phenobarbital")}
    tap.near("V12: half-life with phenytoin", change["phenytoin"], -0.31, 0.10)
    tap.near("V12: half-life with phenobarbital", change["phenobarbital"], -0.11, 0.10)
    tap.near("V12: printed -33 %", change["phenytoin"], -0.33, 0.005)
    tap.near("V12: printed -17 %", change["phenobarbital"], -0.17, 0.005)


def unbound():
    """2.2: what drives the effects when binding changes."""
    cases = {"reference": ({}, 0.139), "cirrhosis": ({"liver": "child_pugh_b"}, 0.171),
             "60 g/L": ({"binding": "from_protein", "TP": "60 g/L"}, 1 / (1 + 0.081 * 60)),
             "76 g/L": ({"binding": "from_protein"}, 1 / (1 + 0.081 * 76))}
    r = run(study({name: (["oral: 1.9 mg"], {}, c) for name, (c, _) in cases.items()}, [3.3],
                  ["Cp", "Ce", "Cu", "Ceq"]))
    for a, (name, (_, fu)) in enumerate(cases.items()):
        tap.within(f"unbound concentration, {name}", r.at("clonazepam.Cu", 3.3, a), fu * r.at("clonazepam.Cp", 3.3, a),
                   1e-9)
        tap.within(f"what drives effects, {name}", r.at("clonazepam.Ceq", 3.3, a),
                   fu / 0.139 * r.at("clonazepam.Ce", 3.3, a), 1e-9)
    tap.printed("unbound fraction at 76 g/L", r.at("clonazepam.Cu", 3.3, 3) / r.at("clonazepam.Cp", 3.3, 3), "0.1397")


def induced(s, factor, t_on, t_off, half_time, doses, end, step=0.05):
    """Plasma concentration while clearance follows the enzyme: Runge-Kutta, doses and changes on the grid."""
    def enzyme(t):
        if t <= t_on:
            return 1.0
        reached = 1 + (factor - 1) * -math.expm1(-LN2 * (min(t, t_off) - t_on) / half_time)
        return reached if t <= t_off else 1 + (reached - 1) * math.exp(-LN2 * (t - t_off) / half_time)

    def slope(e, x):
        g, c, p = x
        return (-s.ka * g, s.ka * g - (s.k10 * e + s.k12) * c + s.k21 * p, s.k12 * c - s.k21 * p)

    def add(x, k, h):
        return tuple(a + h * b for a, b in zip(x, k))
    arrive = {int(round((when + s.tlag) / step)): mg for when, mg in doses}
    x, out = (0.0, 0.0, 0.0), []
    for i in range(int(round(end / step)) + 1):
        out.append(1000 * x[1] / s.vc)
        x = (x[0] + s.f * arrive.get(i, 0.0), x[1], x[2])
        e0, e1, e2 = enzyme(i * step), enzyme((i + 0.5) * step), enzyme((i + 1) * step)
        k1 = slope(e0, x)
        k2 = slope(e1, add(x, k1, step / 2))
        k3 = slope(e1, add(x, k2, step / 2))
        k4 = slope(e2, add(x, k3, step))
        x = tuple(v + step / 6 * (a + 2 * b + 2 * c + d) for v, a, b, c, d in zip(x, k1, k2, k3, k4))
    return lambda t: out[int(round(t / step))]


def induction():
    """4.1: the course of induction, on and off, and V11."""
    days = [24.0 * d for d in range(1, 31)]
    arms = {"72 h": ["oral: 1 mg, every: 24 h, for: 30 d"],
            "48 h": (["oral: 1 mg, every: 24 h, for: 30 d"], {"T_enz": "48 h"}, {}),
            "on and off": (["oral: 1.7 mg, every: 12 h, for: 20 d"],
                           {"T_enz": "60 h", "f_induction": "1.55", "t_on": "100 h", "t_off": "220 h"},
                           {"WT": "57.5 kg"}),
            "long since": (["steady_state: {oral: 1 mg, every: 24 h}", "oral: 1 mg, every: 24 h, for: 2 d"], {},
                           {"carbamazepine": "present"})}
    r = run(study({k: v for k, v in arms.items() if k != "long since"}, days, ["Cp", "Ce"],
                  model="clonazepam_induction"))
    tap.printed("pre-dose at 168 h", r.at("clonazepam.Cp", 168), "7.761")
    tap.printed("pre-dose at 696 h", r.at("clonazepam.Cp", 696), "5.331")
    limit = run(study({"long since": arms["long since"]}, [24], ["Cp"])).at("clonazepam.Cp", 24)
    tap.printed("its limit", limit, "5.311")
    tap.near("V11: the fall", r.at("clonazepam.Cp", 696) / r.at("clonazepam.Cp", 168) - 1, -0.31, 0.005)
    for arm, day in ((0, 12), (1, 9)):
        start = r.at("clonazepam.Cp", 168, arm)
        share = [(start - r.at("clonazepam.Cp", 168 + 24 * d, arm)) / (start - limit) for d in (day - 1, day)]
        tap.ok(share[0] < 0.9 <= share[1], f"90 % of the fall within {day} d", share)
    s = Subject()
    own = induced(s, 1.39, 168, 1e9, 72, every(1, 24, 0, 720), 720)
    for t in (192, 240, 336, 500 - 20, 720):
        tap.within(f"induction at {t} h, calculated", r.at("clonazepam.Cp", t), own(t), 2e-6)
    own = induced(Subject(57.5), 1.55, 100, 220, 60, every(1.7, 12, 0, 480), 720)
    for t in (96, 120, 216, 240, 312, 480, 720):
        tap.within(f"inducer taken for five days, at {t} h", r.at("clonazepam.Cp", t, 2), own(t), 2e-6)


def inhibition():
    """An inhibitor that comes and goes, one that stays (by the average level), none, and an inducer in the same model."""
    doses = ["oral: 1.7 mg, every: 12 h, for: 20 d"]
    day = ["steady_state: {oral: 0.75 mg, every: 12 h}", "oral: 0.75 mg, every: 12 h, for: 60 d"]
    courses = {"f_induction": "0.72", "t_on": "100 h", "t_off": "220 h"}
    times = (96, 120, 216, 240, 312, 480, 720)
    r = run(study({"on and off": (doses, courses, {"WT": "57.5 kg"}), "none": (day, {}, {}),
                   "stays": (day, {"t_on": "24 h"}, {}),
                   "inducer": (doses, {"f_induction": "1.55", "t_on": "100 h", "t_off": "220 h", "T_enz": "60 h"},
                               {"WT": "57.5 kg"})}, [*times, 24, 48, 1440], ["Cp", "enzyme"],
                  ["of: clonazepam.Cp, list: [Cavg], windows: [[0 h, 12 h], [1428 h, 1440 h]]"],
                  model="clonazepam_inhibition"))
    for arm, own in ((0, induced(Subject(57.5), 0.72, 100, 220, 24, every(1.7, 12, 0, 480), 720)),
                     (3, induced(Subject(57.5), 1.55, 100, 220, 60, every(1.7, 12, 0, 480), 720))):
        for t in times:
            tap.within(f"{r.arms[arm]}, at {t} h", r.at("clonazepam.Cp", t, arm), own(t), 2e-6)
    plain = run(study({"none": day}, [24], ["Cp"])).at("clonazepam.Cp", 24)
    tap.within("without a start it is the default model", r.at("clonazepam.Cp", 24, 1), plain, 1e-7)
    tap.near("half of the inhibition is there after T_enz", r.at("clonazepam.enzyme", 48, 2), 1 - 0.36 / 2, 1e-7)
    tap.within("and in the end the average is 1/0.64 times as high", number(r, "clonazepam_Cp_Cavg", 2, 1),
               number(r, "clonazepam_Cp_Cavg", 1, 0) / 0.64, 1e-6)


def metabolite_form(s, doses, hours, fm=0.70, clm=2.28, vm=60.0):
    """7-aminoclonazepam: the parent's exponentials passed through one more compartment."""
    ((share, lag, rates, c),) = s.parts("oral")
    made, k = fm * 285.73 / 315.72 * s.cl * c / 1000, clm / vm
    total = np.zeros(len(hours))
    for when, mg in doses:
        t = np.maximum(np.asarray(hours) - when - lag, 0)
        part = made / (k - rates)
        total += 1000 / vm * mg * share * (np.exp(-np.outer(t, rates)) @ part - np.exp(-k * t) * part.sum())
    return total


def metabolite():
    """4.3, with kidney function and acetylator type of 4.2."""
    cases = {"usual": ({}, 70, 2.28), "rapid": ({"NAT2": "rapid"}, 70, 2.28 * 1.3),
             "slow": ({"NAT2": "slow"}, 70, 2.28 * 0.75),
             "kidneys 55": ({"CRCL": "55 mL/min"}, 70, 2.28 * 0.55),
             "kidneys 9": ({"CRCL": "9 mL/min"}, 70, 2.28 * 0.2),
             "81.8 kg": ({"WT": "81.8 kg"}, 81.8, 2.28)}
    hours = [3.0, 15.5, 36.0, 80.2, 170.0]
    r = run(study({name: (["oral: 2 mg"], {}, c) for name, (c, *_) in cases.items()}, hours, ["Cm", "Cp"],
                  ["of: clonazepam.Cm, list: [Cmax, Tmax]"]))
    tap.printed("metabolite peak of 2 mg", number(r, "clonazepam_Cm_Cmax", 0), "4.66")
    tap.near("its time", number(r, "clonazepam_Cm_Tmax", 0), 36, 0.5)
    for a, (name, (_, wt, clm)) in enumerate(cases.items()):
        expected = metabolite_form(Subject(wt), [(0, 2)], hours, clm=clm)
        found = [r.at("clonazepam.Cm", h, a) for h in hours]
        worst = float(np.max(np.abs(found - expected)) / expected.max())
        tap.ok(worst < 1e-7, f"metabolite, {name}", worst)
        t, c = peak(lambda x: metabolite_form(Subject(wt), [(0, 2)], x, clm=clm), 5, 150)
        tap.within(f"metabolite peak, {name}", number(r, "clonazepam_Cm_Cmax", a), c, 1e-6)
    steady = {name: cases[name] for name in ("usual", "rapid", "slow")}
    r = run(study({name: (["oral: 2 mg, every: 8 h, for: 125 d"], {}, c) for name, (c, *_) in steady.items()}, [3000],
                  ["Cm"],
                  ["of: clonazepam.Cm, list: [Cavg], window: [2976 h, 3000 h], name: m",
                   "of: clonazepam.Cp, list: [Cavg], window: [2976 h, 3000 h], name: p"]))
    for a, text in enumerate(("1.00", "0.77", "1.33")):
        tap.printed(f"steady metabolite to parent, {list(steady)[a]}", number(r, "m", a) / number(r, "p", a), text)


def gates():
    """V6, V9, V10, V2 of section 8."""
    arms = {"thrice": ["oral: 0.5 mg, every: 8 h, for: 7 d"],
            "six": ["steady_state: {oral: 2 mg, every: 8 h}", "oral: 2 mg, every: 8 h, for: 1 d"], "vein": ["iv: 2 mg"]}
    r = run(study(arms, [8, 24, 168], ["Cp"],
                  ["of: clonazepam.Cp, list: [Cavg], windows: [[0 h, 24 h], [144 h, 168 h]]",
                   "of: clonazepam.Cp, list: [half_life]"]))
    first, last = r.metric("clonazepam_Cp_Cavg")[0, 0]
    tap.printed("average of day 1, 0.5 mg three times a day", first, "4.11")
    tap.printed("average of day 7", last, "14.80")
    tap.printed("their ratio", last / first, "3.60")
    tap.within("V6", last / first, 3.3, 0.15)
    tap.printed("pre-dose at 2 mg three times a day", r.at("clonazepam.Cp", 0, 1), "57.0")
    tap.within("V9", r.at("clonazepam.Cp", 0, 1), 55, 0.10)
    tap.within("V2 half-life", number(r, "clonazepam_Cp_half_life", 2), 38.0, 0.15)
    tap.within("V2 clearance", column(r, "clonazepam_CL", 2) * 1000 / 60, 55.1, 0.15)
    taus = {"daily": (24, 3), "twice": (12, 5), "thrice": (8, 7)}
    r = run(study({name: [f"oral: 1 mg, every: {tau} h, for: 1200 h"] for name, (tau, _) in taus.items()},
                  [8, 12, 24, 1200], ["Cp"]))
    for a, (tau, expected) in enumerate(taus.values()):
        ratio = r.at("clonazepam.Cp", 1200, a) / r.at("clonazepam.Cp", tau, a)
        tap.within(f"V10: accumulation of troughs, every {tau} h", ratio, expected, 0.10)
        s = Subject()
        tap.within(f"the same, calculated, every {tau} h", ratio,
                   float(s.cp([1200], every(1, tau, 0, 1200))[0] / s.cp([tau], [(0, 1)])[0]), 1e-9)


factors()
unbound()
induction()
inhibition()
metabolite()
gates()
tap.done()
