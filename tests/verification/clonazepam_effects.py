#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clonazepam's effects: sedation, tolerance, alternative outputs and occupancy (reference page 5.3-5.6)."""
import math

import numpy as np

from _clonazepam import Course, EC50, GAIN, Subject, every, number, peak, study
from _halflife import Tap, run

tap = Tap()
STEPS = 2e-6  # what the program integrates, against Runge-Kutta steps of the script


def sedation(ce, tolerance=0.0, ec50=EC50, gain=GAIN, gamma=2.0):
    return 100 * ce ** gamma / (ce ** gamma + (ec50 + gain * tolerance) ** gamma)


def single_doses():
    """5.3: peaks of 0.5, 1 and 2 mg, without and with tolerance."""
    arms = {f"{mg} mg": [f"oral: {mg} mg"] for mg in (0.5, 1, 2)}
    r = run(study(arms, "[{until: 12 h, every: 30 min}]", ["E", "E_naive"],
                  ["of: clonazepam.E, list: [Cmax, Tmax]", "of: clonazepam.E_naive, list: [Cmax, Tmax]"]))
    for a, (naive, tolerant, time) in enumerate((("4.0", "3.9", "2.4"), ("14.3", "13.8", "2.4"),
                                                 ("40.0", "38.2", "2.3"))):
        tap.printed(f"peak sedation without tolerance, {list(arms)[a]}", number(r, "clonazepam_E_naive_Cmax", a), naive)
        tap.printed(f"its time, {list(arms)[a]}", number(r, "clonazepam_E_naive_Tmax", a), "2.4")
        tap.printed(f"peak sedation with tolerance, {list(arms)[a]}", number(r, "clonazepam_E_Cmax", a), tolerant)
        tap.printed(f"its time, {list(arms)[a]}", number(r, "clonazepam_E_Tmax", a), time)
        mg = (0.5, 1, 2)[a]
        t, ce = peak(lambda x: Subject().ce(x, [(0, mg)]), 0.3, 8)
        tap.within(f"peak sedation, calculated, {mg} mg", number(r, "clonazepam_E_naive_Cmax", a), sedation(ce), 1e-8)
        tap.near(f"time of the peak at the effect site, {mg} mg", number(r, "clonazepam_E_naive_Tmax", a), t, 1e-4)


def four_weeks():
    """5.6: naive, 1 mg twice a day for 28 d; the table of daily peaks."""
    windows = ", ".join(f"[{24 * (d - 1)} h, {24 * d} h]" for d in (1, 2, 4, 7, 14, 28))
    r = run(study({"naive": ["oral: 1 mg, every: 12 h, for: 28 d"]}, "[{until: 28 d, every: 6 h}]",
                  ["Cp", "Ce", "T", "E", "E_naive", "TB", "EC50_t"],
                  [f"of: clonazepam.{name}, list: [Cmax], windows: [{windows}]" for name in ("Cp", "E", "E_naive")]))
    table = (("clonazepam_Cp_Cmax", "10.3 15.3 20.7 23.5 24.5 24.5"),
             ("clonazepam_E_Cmax", "23.8 28.1 23.5 16.0 11.6 10.4"),
             ("clonazepam_E_naive_Cmax", "29 49 64 70 72 72"))
    for metric, texts in table:
        for k, (day, text) in enumerate(zip((1, 2, 4, 7, 14, 28), texts.split())):
            tap.printed(f"{metric} on day {day}", number(r, metric, 0, k), text)
    for day, text in zip((1, 2, 4, 7, 14, 28), "1.29 1.76 2.71 3.67 4.41 4.67".split()):
        tap.printed(f"EC50 multiplier at the end of day {day}", r.at("clonazepam.TB", 24 * day), text)
        tap.within(f"EC50 at the end of day {day}", r.at("clonazepam.EC50_t", 24 * day),
                   EC50 * r.at("clonazepam.TB", 24 * day), 1e-9)
    check_course("naive, 28 d", r, 0, Subject(), every(1, 12, 0, 672), 672, 0.0)


def check_course(name, r, arm, subject, doses, end, t0, ec50=EC50, gain=GAIN, up=48.0, down=336.0, scale=1.0,
                 factor=1.0):
    """T and E of a profile at every stored time, against the script's own steps."""
    course = Course(subject, doses, 0.0, end, 0.0625)
    tolerance = course.follow(scale * course.ce, t0, up, down)
    at = [int(round(t / (2 * course.half))) for t in r.time]
    own_t, own_ce = tolerance[at], scale * course.ce[::2][at]
    deviation = float(np.max(np.abs(r["clonazepam.T"][arm, 0] - own_t)) / own_t.max())
    tap.ok(deviation < STEPS, f"{name}: tolerance", deviation)
    own = sedation(own_ce, own_t, ec50, gain)
    own = 100 * own_ce ** 2 / (own_ce ** 2 + (factor * (ec50 + gain * own_t)) ** 2) if factor != 1.0 else own
    deviation = float(np.max(np.abs(r["clonazepam.E"][arm, 0] - own)) / own.max())
    tap.ok(deviation < 5 * STEPS, f"{name}: sedation", deviation)


def other_courses():
    """Uneven doses, pauses, a start with tolerance, other patients and other parameters."""
    arms = {
        "pause": (["oral: 1.25 mg, every: 9 h, doses: 13, start: 3 h", "gap: 90 h",
                   "oral: 0.75 mg, every: 17 h, doses: 6"], {},
                  {"WT": "56.6 kg"}),
        "tolerant": ["steady_state: {oral: 0.75 mg, every: 12 h}"],
        "other rates": (["oral: 2.5 mg, every: 12 h, doses: 20"],
                        {"T_on": "31 h", "T_off": "190 h", "gain": "1.6", "TVEC50": "11.3 ng/mL", "ke0": "0.93 1/h"},
                        {"WT": "77.7 kg"}),
        "old": (["oral: 0.5 mg, every: 12 h, doses: 20"], {}, {"AGE": "71 year"}),
        "cirrhosis": (["oral: 0.5 mg, every: 12 h, doses: 20"], {}, {"liver": "child_pugh_a"}),
    }
    r = run(study(arms, "[{until: 400 h, every: 7 h}]", ["Ce", "T", "E"]))
    doses = [(3 + 9.0 * k, 1.25) for k in range(13)] + [(3 + 117 + 90 + 17.0 * k, 0.75) for k in range(6)]
    check_course("with a pause", r, 0, Subject(56.6), doses, 400, 0.0)
    s = Subject()
    before = Course(s, every(0.75, 12, -6000, 0), -6000, 400,
                    0.0625)  # steady state holds for T, too: its ripple is uneven
    tolerance = before.follow(before.ce, s.cavg(1.5), 48, 336)
    at = [int(round((t + 6000) / (2 * before.half))) for t in r.time]
    deviation = float(np.max(np.abs(r["clonazepam.T"][1, 0] / tolerance[at] - 1)))
    tap.ok(deviation < STEPS, "tolerant at the start: tolerance", deviation)
    check_course("other rates", r, 2, Subject(77.7, ke0=0.93), every(2.5, 12, 0, 240), 400, 0.0, 11.3, 1.6, 31, 190)
    check_course("71 years", r, 3, s, every(0.5, 12, 0, 240), 400, 0.0, factor=0.67)
    check_course("cirrhosis", r, 4, Subject(factor=0.8), every(0.5, 12, 0, 240), 400, 0.0, scale=0.171 / 0.139)


def ceiling():
    """5.6: E at steady state when T has caught up, 1/(1 + 2.5^2) for a level far above EC50."""
    r = run(study({"flood": (["steady_state: {infuse: 100 mg/h}", "infuse: 100 mg/h, for: 120 d"],
                             {"T0": "27000 ng/mL"}, {})},
                  [24, 2880], ["E", "T", "Ce"]))
    tap.near("ceiling of sedation", r.at("clonazepam.E", 2880), 100 / 7.25, 0.02)


def somnolence_and_depth():
    """5.4, at the average level of a constant infusion that equals a daily dose."""
    arms = {f"{d} mg/d": ([f"steady_state: {{infuse: {0.9 * d:.12g} mg/d}}", f"infuse: {0.9 * d:.12g} mg/d, for: 2 d"],
                          {}, {})
            for d in (0.5, 1.25, 2.25, 3.7)}
    names = ["Ce", "P_somnolence", "P_sleepiness", "P_dizziness", "occupancy", "occupancy_alt"] + [f"P_ramsay{k}"
                                                                                                   for k in range(2, 7)]
    r = run(study(arms | {"placebo": ["oral: 0 mg"]}, [24, 48], names))
    for a, text in ((4, "10"), (0, "23"), (1, "38"), (2, "49")):
        tap.printed(f"somnolence, {r.arms[a]}", 100 * r.at("clonazepam.P_somnolence", 24, a), text)
    for a, d in enumerate((0.5, 1.25, 2.25, 3.7)):
        c = Subject().cavg(d)
        tap.within(f"level of {d} mg/d", r.at("clonazepam.Ce", 24, a), c, 1e-9)
        for name, value in (("P_somnolence", 1 / (1 + math.exp(2.197 - 3.23 * c / (c + 11.9)))),
                            ("P_sleepiness", 1 / (1 + math.exp(2.81 - 0.21 * c / 0.54))),
                            ("P_dizziness", 1 / (1 + math.exp(4.34 - 0.19 * c / 0.54)))):
            tap.within(f"{name}, {d} mg/d", r.at("clonazepam." + name, 24, a), value, 1e-8)
        for k, c50 in zip(range(2, 7), (34, 51, 104, 152, 188)):
            tap.within(f"Ramsay {k}, {d} mg/d", r.at(f"clonazepam.P_ramsay{k}", 24, a),
                       c ** 3 / (c ** 3 + (0.54 * c50) ** 3), 1e-8)


def occupancy():
    """5.5."""
    levels = (0.125, 0.25, 0.5, 1, 2, 4, 2.7)
    arms = {f"{d} mg/d": ([f"steady_state: {{infuse: {0.9 * d:.12g} mg/d}}", f"infuse: {0.9 * d:.12g} mg/d, for: 1 d"],
                          {}, {})
            for d in levels}
    r = run(study(arms, [24], ["Ce", "occupancy", "occupancy_alt", "schedule_B"]))
    table = {"occupancy": "1.2 2.3 4.6 8.7 16 28", "occupancy_alt": "2.1 4.2 8.0 15 26 41",
             "schedule_B": "71 83 91 95 98 99"}
    for name, texts in table.items():
        for a, text in enumerate(texts.split()):
            tap.printed(f"{name} at {levels[a]} mg/d", r.at("clonazepam." + name, 24, a), text)
    c = Subject().cavg(2.7)
    for name, value in (("occupancy", c / (c + 109)), ("occupancy_alt", c / (c + 60)), ("schedule_B", 2.7 / 2.75)):
        tap.within(f"{name} at 2.7 mg/d", r.at("clonazepam." + name, 24, 6), 100 * value, 1e-8)


def cohort_of_effects():
    """Tolerance, sedation and withdrawal of single subjects of a cohort, each with its own parameters."""
    n = 400
    cohort = (f"{{subjects: {n}, seed: 7, covariates: {{WT: {{lognormal: {{median: 66 kg, cv: \"22 %\"}}}}, "
              "AGE: {uniform: [50 year, 80 year]}}}")
    r = run(study({"c": ["oral: 0.9 mg, every: 12 h, doses: 24, start: 1 h"]}, "[{until: 600 h, every: 12.5 h}]",
                  ["Ce", "T", "E", "A", "W", "withdrawal_index"], ["of: clonazepam.W, list: [Cmax]"], cohort=cohort))
    own = {name: r.subjects["clonazepam_" + name].ravel()[:n] for name in ("CL", "Vc", "Vp", "Q", "ka", "F", "EC50")}
    age, worst, multiplier = r.subjects["AGE"].ravel()[:n], dict.fromkeys("TEA", 0.0), []
    for k in range(0, n, 40):
        s = Subject(cl=own["CL"][k], vc=own["Vc"][k], vp=own["Vp"][k], q=own["Q"][k], ka=own["ka"][k], f=own["F"][k])
        course = Course(s, every(0.9, 12, 1, 289), 0, 600, 0.125)
        at = [int(round(t / 0.125)) for t in r.time]
        ce = course.ce[::2][at]
        tolerance = course.follow(course.ce, 0.0, 48, 336)[at]
        adapted = course.follow(course.ce / (course.ce + 20), 0.0, 504, 168)[at]
        factor = 0.67 if age[k] >= 65 else 1.0
        effect = 100 * ce ** 2 / (ce ** 2 + (factor * (own["EC50"][k] * 1000 + 2.5 * tolerance)) ** 2)
        for name, found, expected in (("T", r["clonazepam.T"][0, k], tolerance), ("E", r["clonazepam.E"][0, k], effect),
                                      ("A", r["clonazepam.A"][0, k], adapted)):
            worst[name] = max(worst[name], float(np.max(np.abs(found - expected)) / expected.max()))
    for name, deviation in worst.items():
        tap.ok(deviation < 1e-5, f"ten subjects of a cohort: {name}", deviation)
    at = int(np.argmin(np.abs(r.time - 400)))
    drive = r["clonazepam.A"][0, :, at] - r["clonazepam.Ce"][0, :, at] / (r["clonazepam.Ce"][0, :, at] + 20)
    multiplier = np.log(r["clonazepam.W"][0, :, at][drive > 1e-3] / drive[drive > 1e-3])
    tap.near("subject multiplier on W: spread of its log", float(multiplier.std()), math.sqrt(0.307), 0.06)
    tap.near("its median is 1", float(np.median(multiplier)), 0.0, 0.1)
    w = r["clonazepam.W"][0]
    tap.ok(bool(np.allclose(r["clonazepam.withdrawal_index"][0], 80 * w / (w + 0.4), rtol=1e-9)),
           "index of every subject")


single_doses()
four_weeks()
cohort_of_effects()
other_courses()
ceiling()
somnolence_and_depth()
occupancy()
tap.done()
