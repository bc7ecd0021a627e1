#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fentanyl does: reference page section 8, the withdrawal driver of section 10, F11, F12 and F13.

Effects at a stated concentration come from an infusion that has run since long before (rate = C CL); what follows in time
is compared with plain Runge-Kutta steps or closed forms of the script's own.
"""
import numpy as np

from _fentanyl import adult, at, curve, number, patches, peak, skin, steps, study
from _halflife import Tap, run

tap = Tap()
CL = 37.92


def steady(c, cl=CL):
    return [f"steady_state: {{infuse: {c * cl:.17g} ug/h}}", f"infuse: {c * cl:.17g} ug/h, for: 1 h"]


def at_levels(levels, outputs, model="fentanyl_adult", cl=CL, parameters=None, covariates=None):
    """Outputs at these concentrations of plasma and effect site: {output: [...]}."""
    r = run(study({f"{c:.12g}": (steady(c, cl), parameters or {}, covariates or {}) for c in levels}, [1], outputs, model=model))
    return {o: np.array([r.at("f." + o, 1, a) for a in range(len(levels))]) for o in outputs}


def hill(c, c50, gamma):
    return c ** gamma / (c ** gamma + c50 ** gamma)


def analgesia():
    """8.1."""
    levels = [0.2, 0.63, 0.77, 1.2, 2.9]
    seen = at_levels(levels, ["analgesia", "analgesia_movement", "Ce"])
    c = np.array(levels)
    curve(tap, "effect site equals plasma at steady state", seen["Ce"], c, 1e-10)
    curve(tap, "analgesia at rest", seen["analgesia"], hill(c, 0.63, 2.24))
    curve(tap, "analgesia on movement", seen["analgesia_movement"], hill(c, 2.5 * 0.63, 2.24))
    tap.within("half at C50 0.63", seen["analgesia"][1], 0.5, 1e-9)
    changed = {"TVC50_analgesia": "0.91 ng/mL", "gamma_analgesia": "1.7", "movement": "3", "Tol_a0": "1.4"}
    hours = [0.3, 5.5, 31.0, 90.0]
    r = run(study({"a": (["infuse: 47 ug/h, for: 40 h"], changed, {})}, hours, ["analgesia", "analgesia_movement", "Tol_a", "Ce"]))
    t = np.array(hours)
    tolerance, c = 1 + 0.4 * np.exp(-t / 168), 47 * 40 * adult().ce.infused(t, 40.0)  # lost from 1.4 towards 1, tau 7 d
    curve(tap, "effect site of an infusion", at(r, "Ce", hours), c)
    curve(tap, "tolerance it starts with", at(r, "Tol_a", hours), tolerance, 1e-7)
    curve(tap, "analgesia, changed", at(r, "analgesia", hours), hill(c, 0.91 * tolerance, 1.7), 1e-7)
    curve(tap, "analgesia on movement, changed", at(r, "analgesia_movement", hours), hill(c, 3 * 0.91 * tolerance, 1.7), 1e-7)
    n = 20000
    r = run(study({"a": ["iv: 50 ug"]}, [1], ["analgesia", "PaCO2_steady"], extra="store: [summaries]\n",
                  cohort=f"{{subjects: {n}, seed: 8, covariates: {{WT: 70 kg}}}}"))
    for key, variance in (("C50_analgesia", 0.147), ("C50_vent", 0.16)):
        x = np.log(np.ravel(r.subjects["f_" + key]))
        tap.near(f"omega^2 of {key}", float(x.var()), variance, 4 * variance * np.sqrt(2 / n))


def potencies():
    """8.3, F11, F12: published ventilation curves at steady state."""
    levels = [0.05, 0.1, 0.3, 0.42, 0.5, 1.0, 1.14, 1.82, 2.0, 4.4, 6.1]
    c = np.array(levels)
    seen = at_levels(levels, ["vent_algera_naive", "vent_algera_chronic", "vent_yassen", "vent_mildh", "PaCO2_mildh", "occupancy_fda", "vent_fda"])
    own = {"vent_algera_naive": 1 / (1 + c / 0.42), "vent_algera_chronic": 1 / (1 + c / 1.82), "vent_yassen": 20.2 * (1 - 0.91 * hill(c, 1.14, 2.68)),
           "vent_mildh": 1 / (1 + c / 6.1), "PaCO2_mildh": 40.5 + 3.9 * c}
    for name, expected in own.items():
        curve(tap, name, seen[name], expected)
    occupancy = 3.081e-5 * (c * 1e6 / 336.47) ** 0.8439
    occupancy = occupancy / (occupancy + 0.004331)
    curve(tap, "receptor occupancy", seen["occupancy_fda"], occupancy, 2e-6)  # the model keeps 1e-4 pM for a finite slope at 0
    curve(tap, "receptor chain", seen["vent_fda"],
          (0.42 - 0.42 * occupancy ** 5.2) * (20 / 0.42 - 29.65 * occupancy ** 1.629) / 20, 2e-6)
    for c0, text in ((0.1, "0.81"), (0.3, "0.57"), (0.5, "0.44"), (1.0, "0.28"), (2.0, "0.17")):
        tap.printed(f"receptor chain at {c0} ng/mL", seen["vent_fda"][levels.index(c0)], text)
    half = (0.004331 / 3.081e-5) ** (1 / 0.8439)
    tap.printed("half occupancy in pM", half, "351")
    tap.printed("half occupancy in ng/mL", half * 336.47e-6, "0.118")
    tap.printed("1 ng/mL in pM", 1e6 / 336.47, "2972")
    tap.near("half occupancy in the program", at_levels([half * 336.47e-6], ["occupancy_fda"])["occupancy_fda"][0], 0.5, 1e-6)
    for name, output, model, cl, full, expected, tolerance in (
            ("F11", "vent_yassen", "fentanyl_yassen", 58.8, 20.2, 1.228, 0.005), ("F12", "vent_fda", "fentanyl_adult", CL, 1.0, 0.391, 0.01)):
        low, high = 0.1, 4.0
        for _ in range(5):  # the program is asked for ten levels at a time; it falls with C
            grid = np.linspace(low, high, 11)
            values = at_levels(list(grid), [output], model=model, cl=cl)[output] / full
            k = int(np.searchsorted(-values, -0.5))
            low, high = grid[k - 1], grid[k]
        tap.within(f"{name}: concentration for half the ventilation", (low + high) / 2, expected, tolerance)
        tap.printed(f"{name}: as printed", (low + high) / 2, "1.228" if name == "F11" else "0.391")
    for nal in ("0 ng/mL", "0.45 ng/mL", "2.2 ng/mL"):
        x = float(nal.split()[0])
        v = at_levels([0.7, 1.9, 3.3], ["vent_yassen"], model="fentanyl_yassen", cl=58.8, parameters={"Ce_naloxone": nal})["vent_yassen"]
        curve(tap, f"Yassen with naloxone {nal}", v, 20.2 * (1 - 0.91 * hill(np.array([0.7, 1.9, 3.3]), 1.14 * (1 + x / 0.602), 2.68)))


def receptor_chain():
    """8.3 in time: binding and unbinding, with and without naloxone."""
    hours = [0.05, 0.2, 0.5, 1.0, 1.5, 3.0]
    for pm in (0.0, 5000.0):
        r = run(study({"a": (["iv: 210 ug", "infuse: 60 ug/h, start: 0.5 h, for: 1 h"], {"naloxone": f"{pm:g} pM"}, {"WT": "64 kg"})}, hours,
                      ["vent_fda_dynamic", "CAR", "CBR"]))
        d = adult(wt=64)
        step = 0.0005
        grid = np.arange(0, 3.0 + 2 * step, step / 2)
        ce = 210 * d.ce(grid) + 60 * d.ce.infused(grid - 0.5, 1.0)
        ligand = (np.maximum(ce, 0) * 1e6 / 336.47) ** 0.8439
        kb = 3600 * 1.669e-4 * pm ** 0.858 if pm else 0.0

        def slope(t, x):
            free = 1 - x[0] - x[1]
            return np.array([3600 * (3.081e-5 * ligand[int(round(2 * t / step))] * free - 0.004331 * x[0]), kb * free - 3600 * 0.03959 * x[1]])
        own = steps(slope, [0.0, 0.0], hours, step)
        curve(tap, f"receptors bound by fentanyl, naloxone {pm:g} pM", at(r, "CAR", hours), own[:, 0], 2e-5)
        if pm:
            curve(tap, "receptors bound by naloxone", at(r, "CBR", hours), own[:, 1], 2e-5)
        x = own[:, 0]
        curve(tap, f"ventilation from the chain, naloxone {pm:g} pM", at(r, "vent_fda_dynamic", hours),
              (0.42 - 0.42 * x ** 5.2) * (20 / 0.42 - 29.65 * x ** 1.629) / 20, 2e-5)


def co2_steady():
    """8.4 and F13."""
    levels = [0.77, 2.0, 5.1, 0.31, 8.8]
    r = run(study({f"{c}": [f"steady_state: {{infuse: {c * CL:.17g} ug/h}}", f"infuse: {c * CL:.17g} ug/h, for: 12 h"] for c in levels}, [12],
                  ["PaCO2_steady", "ventilation_steady", "Pa", "Pb", "ventilation", "ventilation_ratio"]))
    for a, c in enumerate(levels):
        e = hill(c, 1.6, 1.5)
        p = 42.4 * (1 - e) ** (-1 / 5.30)
        tap.within(f"PaCO2 settled at {c} ng/mL", r.at("f.PaCO2_steady", 12, a), p, 1e-10)
        tap.within(f"the loop settles there at {c} ng/mL", r.at("f.Pa", 12, a), p, 1e-6)
        tap.within(f"at the chemoreceptor too at {c} ng/mL", r.at("f.Pb", 12, a), p, 1e-6)
        tap.within(f"ventilation settled at {c} ng/mL", r.at("f.ventilation_steady", 12, a), 42.4 / p, 1e-10)
        tap.within(f"and of the loop at {c} ng/mL", r.at("f.ventilation", 12, a), 7.06 * 42.4 / p, 1e-6)
    for a, (text, mildh) in enumerate((("44.8", 43.5), ("50.0", 48.3), ("60.7", 60.4))):
        tap.printed(f"F13: PaCO2 at {levels[a]} ng/mL", r.at("f.Pa", 12, a), text)
        tap.within(f"F13: within 1 % at {levels[a]} ng/mL", r.at("f.Pa", 12, a), float(text), 0.01)
        tap.near(f"F13: within 3 mmHg of Mildh at {levels[a]} ng/mL", r.at("f.Pa", 12, a), mildh, 3)


def co2_loop():
    """8.4 in time, on either effect site, with tolerance it starts with and other constants."""
    hours = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0]
    cases = {"eeg": ({}, {}, 60 * 0.2102, 1.6, 1.5, 42.4, 4.30, 0.08, 0.92), "slow": ({}, {"ventilation_site": "slow"}, 60 * 0.0422, 1.6, 1.5, 42.4, 4.30, 0.08, 0.92),
             "changed": ({"TVC50_vent": "0.85 ng/mL", "gamma_vent": "1.25", "P0": "39.1 mmHg", "F_co2": "3.3", "kel_co2": "0.11 1/min", "ke_co2": "0.7 1/min"},
                         {}, 60 * 0.2102, 0.85, 1.25, 39.1, 3.3, 0.11, 0.7)}
    r = run(study({name: (["iv: 320 ug", "infuse: 110 ug/h, start: 0.5 h, for: 1.5 h"], p, c) for name, (p, c, *_) in cases.items()}, hours,
                  ["Pa", "Pb", "ventilation", "E_vent"], ["of: f.ventilation, list: [Cmin, Tmin]", "of: f.Pa, list: [Cmax, Tmax]"],))
    for a, (name, (_, _, ke0, c50, gamma, p0, f, kel, ke)) in enumerate(cases.items()):
        site, step = adult().cp.through(ke0), 0.00025
        grid = np.arange(0, 4.0 + 2 * step, step / 2)
        e = hill(np.maximum(320 * site(grid) + 110 * 1.5 * site.infused(grid - 0.5, 1.5), 0), c50, gamma)

        def slope(t, x):
            v = (1 - e[int(round(2 * t / step))]) * (x[1] / p0) ** f
            return 60 * np.array([kel * (p0 - x[0] * v), ke * (x[0] - x[1])])
        all_times = [step * k for k in range(16001)]
        own = steps(slope, [p0, p0], all_times, step)
        at_hours = [int(round(h / step)) for h in hours]
        v = 7.06 * (1 - e[::2][:16001]) * (own[:, 1] / p0) ** f
        curve(tap, f"CO2 loop, {name}: arterial", at(r, "Pa", hours, a), own[at_hours, 0], 1e-6)
        curve(tap, f"CO2 loop, {name}: chemoreceptor", at(r, "Pb", hours, a), own[at_hours, 1], 1e-6)
        curve(tap, f"CO2 loop, {name}: ventilation", at(r, "ventilation", hours, a), v[at_hours], 1e-6)
        tap.near(f"CO2 loop, {name}: least ventilation", number(r, "f_ventilation_Cmin", a), float(v.min()), 1e-4)
        tap.near(f"CO2 loop, {name}: highest PaCO2", number(r, "f_Pa_Cmax", a), float(own[:, 0].max()), 1e-4)


def tolerance():
    """8.6: build-up, loss, limits and what it does to the effects."""
    hours = [24.0, 120.0, 240.0, 480.0, 482.0, 500.0, 600.0, 900.0]
    items = ["infuse: 140 ug/h, for: 480 h"]
    cases = {"page": ({}, 3.3, 2.0, 1.0, 240.0, 168.0), "changed": ({"s_v": "2.1", "s_a": "1.3", "C_tol": "0.7 ng/mL", "tau_up": "6 d", "tau_down": "90 h"},
                                                                   2.1, 1.3, 0.7, 144.0, 90.0)}
    r = run(study({**{name: (items, p, {"tolerance": "developing"}) for name, (p, *_) in cases.items()}, "naive": items}, hours,
                  ["Tol_v", "Tol_a", "Tol_warning", "E_vent", "analgesia", "Ce"]))
    step = 0.25
    grid = np.arange(0, 900 + 2 * step, step / 2)
    ce = np.maximum(140 * 480 * adult().ce.infused(grid, 480.0), 0)
    for a, (name, (_, sv, sa, c, up, down)) in enumerate(cases.items()):
        def slope(t, x):
            k = ce[int(round(2 * t / step))]
            gap = 1 + np.array([sv, sa]) * k / (k + c) - x
            return gap / np.where(gap > 0, up, down)
        own = steps(slope, [1.0, 1.0], hours, step)
        for j, which in enumerate(("Tol_v", "Tol_a")):
            curve(tap, f"{which}, {name}", at(r, which, hours, a), own[:, j], 2e-5)
        curve(tap, f"tolerance in warnings, {name}", at(r, "Tol_warning", hours, a), own.min(axis=1), 2e-5)
        now = at(r, "Ce", hours, a)
        curve(tap, f"drive to breathe, {name}", at(r, "E_vent", hours, a), hill(now, 1.6 * own[:, 0], 1.5), 2e-4)
        curve(tap, f"analgesia, {name}", at(r, "analgesia", hours, a), hill(now, 0.63 * own[:, 1], 2.24), 2e-4)
    curve(tap, "no tolerance unless asked for", at(r, "Tol_v", hours, 2), np.ones(len(hours)), 1e-12)
    flat = [1.0, 24.0, 240.0]  # on this rate since long before: tolerance has come with it
    r = run(study({"a": (["steady_state: {infuse: 5000 ug/h}", "infuse: 5000 ug/h, for: 240 h"], {}, {"tolerance": "developing"}),
                   "b": (["infuse: 5000 ug/h, for: 3000 h"], {}, {"tolerance": "developing"})}, flat + [3000], ["Tol_v", "Tol_a"]))
    c = 5000 / CL
    for which, s in (("Tol_v", 3.3), ("Tol_a", 2.0)):
        target = 1 + s * c / (c + 1)
        curve(tap, f"{which} at steady state", at(r, which, flat), np.full(3, target), 1e-7)
        tap.within(f"{which} gets there", r.at("f." + which, 3000, 1), target, 1e-5)
        tap.ok(r.at("f." + which, 3000, 1) < 1 + s, f"{which} stays below its limit {1 + s}")
    tap.printed("Algera: chronic users' C50 over naive", 1.82 / 0.42, "4.3")


def withdrawal():
    """10: W = max(0, Cref - C)/Cref, Cref behind C by 7 d; the index max(0, Cref - C)/(Cref + C50w) of 100."""
    hours = [12.0, 240.0, 300.0, 306.0, 312.0, 330.0, 400.0, 700.0]
    cases = {"infusion": (["infuse: 33.3 ug/h, for: 300 h"], {}, 168.0, 0.0, lambda s, t: 33.3 * 300 * s.infused(t, 300.0)),
             "changed": (["infuse: 33.3 ug/h, for: 300 h"], {"tau_ref": "4 d", "Cref0": "0.3 ng/mL", "C50w": "0.37 ng/mL", "W_scale": "48"}, 96.0, 0.3, lambda s, t: 33.3 * 300 * s.infused(t, 300.0)),
             "patches": (["patch: 25 ug/h, every: 72 h, doses: 4"], {}, 168.0, 0.0, lambda s, t: patches(skin(s), t, [0, 72, 144, 216], 4200, 72))}
    r = run(study({name: (items, p, {}) for name, (items, p, *_) in cases.items()}, hours, ["Cref", "W", "Cp", "withdrawal_index"],
                  ["of: f.W, list: [Cmax, Tmax], window: [240 h, 700 h]"]))
    d = adult()
    for a, (name, (_, _, tau, start, own)) in enumerate(cases.items()):
        def cref(t, tau=tau, start=start, own=own):
            return own(d.cp.through(1 / tau), t) + start * np.exp(-np.asarray(t, float) / tau)

        def w(t, own=own, cref=cref):
            ref = cref(t)
            return np.maximum(0, ref - own(d.cp, t)) / ref
        t = np.array(hours)
        curve(tap, f"reference concentration, {name}", at(r, "Cref", hours, a), cref(t), 1e-7)
        curve(tap, f"withdrawal driver, {name}", at(r, "W", hours, a), w(t), 1e-7)
        top, half = (48, 0.37) if name == "changed" else (100, 1.0)
        curve(tap, f"opioid withdrawal index, {name}", at(r, "withdrawal_index", hours, a),
              top * np.maximum(0, cref(t) - own(d.cp, t)) / (cref(t) + half), 1e-7)
        tap.within(f"its largest value, {name}", number(r, "f_W_Cmax", a), peak(w, 240, 700, 5000)[1], 1e-6)
    zero = run(study({"a": ["iv: 0 ug"], "late": ["iv: 50 ug, start: 5 h"]}, [3.0, 4.9], ["W"]))
    tap.ok(float(np.max(np.abs(zero["f.W"]))) == 0.0, "no driver while there is no reference")


analgesia()
potencies()
receptor_chain()
co2_steady()
co2_loop()
tolerance()
withdrawal()
tap.done()
