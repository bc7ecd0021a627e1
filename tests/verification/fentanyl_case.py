#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worked case (reference page section 9) and the conversions of section 10 that a run can show.

The printed numbers, and the same questions with other rates, clearances, weights and patches against closed forms.
"""
import numpy as np

from _fentanyl import F_TD, MATRIX, TAPE, adult, at, curve, number, patch, patches, skin, study
from _halflife import Tap, run

tap = Tap()
CLEARANCES = {"37.92": "37.92 L/h", "49.6": "49.6 L/h", "30.2": "30.2 L/h", "42.2": "42.2 L/h", "75.6": "75.6 L/h"}


def plateaus():
    """Css = rate/CL, exactly."""
    rows = {500: "0.549 0.420 0.690 0.494 0.276", 700: "0.769 0.588 0.966 0.691 0.386"}
    arms = {f"{rate} {name}": ([f"steady_state: {{infuse: {rate} ug/d}}", f"infuse: {rate} ug/d, for: 1 h"], {"TVCL": cl}, {})
            for rate in rows for name, cl in CLEARANCES.items()}
    r = run(study({**arms, "cancer": ["steady_state: {infuse: 613 ug/d}", "infuse: 613 ug/d, for: 1 h"]}, [1], ["Cp"]))
    for rate, row in rows.items():
        for name, text in zip(CLEARANCES, row.split()):
            found = r.at("f.Cp", 1, r.arm(f"{rate} {name}"))
            tap.printed(f"{rate} ug/day at CL {name}", found, text)
            tap.within(f"{rate} ug/day at CL {name}: rate over clearance", found, rate / 24 / float(name), 1e-10)
    r = run(study({"a": ["steady_state: {infuse: 613 ug/d}", "infuse: 613 ug/d, for: 1 h"]}, [1], ["Cp", "Ce"], model="fentanyl_cancer"))
    tap.within("fentanyl_cancer has CL 49.6", r.at("f.Cp", 1), 613 / 24 / 49.6, 1e-10)
    for model, cl in (("shafer", 30.2), ("bae", 42.2), ("algera", 75.6)):
        r = run(study({"a": ["steady_state: {infuse: 500 ug/d}", "infuse: 500 ug/d, for: 1 h"]}, [1], ["Cp"], model="fentanyl_" + model))
        tap.within(f"the set behind CL {cl}: fentanyl_{model}", r.at("f.Cp", 1), 500 / 24 / cl, 0.0015)


def courses():
    """From zero, and after stopping."""
    hours = [6, 12, 24, 48]
    stop = ["steady_state: {infuse: 700 ug/d}", "infuse: 700 ug/d, for: 1 h"]
    for model, up, down in (("fentanyl_adult", "0.329 0.434 0.518 0.547", "0.308 0.161 0.044"), ("fentanyl_cancer", "- - 0.407 0.419", "0.190 0.086 0.018")):
        cl = 37.92 if model == "fentanyl_adult" else 49.6
        r = run(study({"up": ["infuse: 500 ug/d, for: 300 h"], "down": stop}, hours + [7, 13, 25, 300], ["Cp"], ["of: f.Cp, list: [time_to_steady]"],
                      model=model))
        d = adult(cl)
        for h, text in zip(hours, up.split()):
            if text != "-":
                tap.printed(f"{model}: 500 ug/day at {h} h", r.at("f.Cp", h), text)
                tap.within(f"{model}: 500 ug/day at {h} h within 2 %", r.at("f.Cp", h), float(text), 0.02)
        for h, text in zip((6, 12, 24), down.split()):
            tap.printed(f"{model}: {h} h after 700 ug/day stops", r.at("f.Cp", h + 1, 1), text)
        tap.within(f"{model}: up, calculated", r.at("f.Cp", 12), 500 / 24 * float(d.cp.area(12.0)), 1e-10)
        tap.within(f"{model}: down, calculated", r.at("f.Cp", 13, 1), 700 / 24 * (1 / cl - float(d.cp.area(12.0))), 1e-10)
        x = np.linspace(0, 200, 400001)
        own = x[np.argmax(d.cp.area(x) >= 0.9 / cl)]
        found = number(r, "f_Cp_time_to_steady")
        tap.near(f"{model}: time to 90 % of steady state, calculated", found, own, 6e-4)
        if cl == 37.92:
            tap.printed("time to 90 % of Css", found, "18.9", 0)
    r = run(study({"a": (["infuse: 440 ug/d, for: 31 h", "infuse: 810 ug/d, for: 17.7 h"], {"TVCL": "55.5 L/h"}, {"WT": "49.9 kg"})},
                  [9.1, 31, 40, 48.7, 55.5], ["Cp", "Ce"]))
    d, t = adult(55.5, wt=49.9), np.array([9.1, 31, 40, 48.7, 55.5])
    for name, s in (("Cp", d.cp), ("Ce", d.ce)):
        curve(tap, f"a change of rate, another clearance: {name}", at(r, name, t),
              440 / 24 * 31 * s.infused(t, 31.0) + 810 / 24 * 17.7 * s.infused(t - 31, 17.7))


def rotation():
    """IV 700 ug/day to a patch: the pump at 100 % for 6 h, 50 % for 6 h, then off."""
    pump = ["steady_state: {infuse: 700 ug/d}", "infuse: 700 ug/d, for: 6 h", "infuse: 350 ug/d, for: 6 h"]
    hours = [6, 12, 18, 24, 48, 72]
    r = run(study({"matrix": pump + ["patch: 25 ug/h, every: 72 h, doses: 3, start: 0 h"], "tape": pump + ["tape: 1 mg, every: 24 h, doses: 14, start: 0 h"],
                   "plateau": ["steady_state: {tape: 1 mg, every: 24 h}", "tape: 1 mg, every: 24 h, doses: 2"],
                   "plateau cancer": (["steady_state: {tape: 1 mg, every: 24 h}", "tape: 1 mg, every: 24 h, doses: 2"], {}, {"population": "cancer"})},
                  hours + [312, 336], ["Cp"],
                  ["of: f.Cp, list: [Cmin, Tmin], window: [24 h, 96 h], name: low", "of: f.Cp, list: [Cavg], window: [0 h, 24 h], name: day"]))
    for a, row in enumerate(("0.92 0.92 0.76 0.72 0.64 0.55", "0.83 0.69 0.43 0.33 0.27 0.28")):
        for h, text in zip(hours, row.split()):
            tap.printed(f"{('matrix 25 ug/h', 'tape 1 mg')[a]}, {h} h after the switch", r.at("f.Cp", h, a), text)
    # The page's 0.32 is the value at the change of tapes once settled: 0.3177 at t = 0 of the steady state.
    tap.printed("tape at its plateau", r.at("f.Cp", 312, 1), "0.32")
    tap.printed("tape at steady state, at the change", r.at("f.Cp", 0, 2), "0.32")
    tap.near("trough about 48 h after the switch", number(r, "low_Tmin", 1), 48, 6)
    tap.printed("expected average of the tape", number(r, "day", 2), "0.33")
    tap.printed("expected average of the tape, cancer", number(r, "day", 3), "0.25")
    tap.printed("12.5 ug/h absorbed from a tape", number(r, "day", 2) * 37.92, "12.5", 0.005)
    tap.printed("the step down in per cent", 100 * (1 - 12.5 / (700 / 24)), "57")
    skin_of, t = skin(adult().cp), np.array(hours, float)
    down = 700 / 24 * (1 / 37.92 - adult().cp.area(t - 6)) + 350 / 24 * 6 * adult().cp.infused(t - 6, 6.0)
    curve(tap, "the switch to a matrix patch, calculated", at(r, "Cp", hours), down + patches(skin_of, t, [0, 72], 4200, 72))
    curve(tap, "the switch to tapes, calculated", at(r, "Cp", hours, 1), down + patches(skin_of, t, [0, 24, 48, 72], 640, 24, k=TAPE))
    # another switch, and one back: patch to pump with the pump delayed by 6 h
    r = run(study({"other": (["steady_state: {infuse: 41.3 ug/h}", "infuse: 41.3 ug/h, for: 4.5 h", "infuse: 19 ug/h, for: 9.1 h",
                              "patch: [25 ug/h, 12.5 ug/h], start: 1.2 h, wear: 55.5 h"], {"TVCL": "52.2 L/h"}, {"WT": "81.7 kg"}),
                   "at once": ["steady_state: {patch: 50 ug/h, every: 72 h}", "infuse: 50 ug/h, for: 60 h"],
                   "back": ["steady_state: {patch: 50 ug/h, every: 72 h}", "infuse: 50 ug/h, start: 6 h, for: 60 h"]}, hours, ["Cp"],
                  ["of: f.Cp, list: [Cmax], window: [0 h, 72 h]"]))
    d = adult(52.2, wt=81.7)
    own = 41.3 * (1 / d.cl - d.cp.area(t - 4.5)) + 19 * 9.1 * d.cp.infused(t - 4.5, 9.1) + patch(skin(d.cp), t - 1.2, 37.5 * 168, 55.5)
    curve(tap, "another switch, calculated", at(r, "Cp", hours), own)
    back = patches(skin_of, t, [-72.0 * k for k in range(1, 120)], 8400, 72) + 50 * 60 * adult().cp.infused(t - 6, 60.0)
    curve(tap, "patch to pump after 6 h, calculated", at(r, "Cp", hours, 2), back)
    level = F_TD * 8400 * -np.expm1(-MATRIX * 72) / 72 / 37.92
    at_once, delayed = (number(r, "f_Cp_Cmax", a) / level for a in (1, 2))
    tap.ok(at_once > 1.2 and 1.05 < delayed < at_once, "patch to pump overshoots, less with a delay: the depot still delivers", (at_once, delayed))


def tapers():
    """10: CDC 2022 for weeks to months of use, by pump; steps of 12.5 ug/h by patch; and the doses they give."""
    levels, d = [], 700.0
    for k in range(1, 100):
        d = 700.0 * (1 - k / 10) if 1 - k / 10 >= 0.3 - 1e-9 else d * 0.9
        if d < 35.0:
            break
        levels.append(d)
    hours = [100.0, 168.0, 500.0, 1176.0, 1200.0, 2000.0, 168.0 * len(levels) + 6]
    r = run(study({"pump": ["steady_state: {infuse: 700 ug/d}", "taper: {protocol: cdc_weekly, from: 700 ug/d, by: infusion}"]}, hours, ["Cp"]))
    x, t = adult(), np.array(hours)
    own = 700 / 24 * (1 / 37.92 - x.cp.area(t)) + sum(7 * v * x.cp.infused(t - 168 * k, 168.0) for k, v in enumerate(levels))
    curve(tap, "ten per cent a week, then of the rest: calculated", at(r, "Cp", hours), own, 1e-8)
    hours = [80.0, 359.0, 400.0, 720.0, 1100.0, 1440.0, 1700.0, 1810.0]
    r = run(study({"patch": ["steady_state: {patch: 75 ug/h, every: 72 h}",
                             "taper: {protocol: patch_steps, from: 75 ug/h, every: 15 d, patches: [12.5 ug/h, 25 ug/h, 50 ug/h]}"]}, hours, ["Cp"]))
    t, answer = np.array(hours), skin(x.cp)
    own = patches(answer, t, [-72.0 * k for k in range(1, 120)], 75 * 168, 72)
    for k, size in enumerate((62.5, 50, 37.5, 25, 12.5)):
        own = own + patches(answer, t, [360.0 * k + 72 * j for j in range(5)], size * 168, 72)
    curve(tap, "one patch step every 15 d: calculated", at(r, "Cp", hours), own, 1e-8)


plateaus()
courses()
rotation()
tapers()
tap.done()
