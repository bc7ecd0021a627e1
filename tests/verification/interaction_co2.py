#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of carbon dioxide in its dynamic form (interaction page 3.3 with fentanyl page 8.4, 1-E replaced by D), against
Runge-Kutta steps of the script; where it settles; and how flumazenil opens it.

    dPa/dt = kel (P0 - Pa V/V0),  V/V0 = D (Pb/P0)^F,  dPb/dt = ke (Pa - Pb)
"""
import numpy as np

from _halflife import Tap, run
from _interaction import C50_VENT, F_CO2, GAMMA_VENT, KE_CO2, KEL_CO2, KV, P0, R, arm, levels

tap = Tap()
NAMES = ["Pa", "Pb", "D", "PaCO2", "ventilation_ratio"]


def drive(CF, CB):
    return 1 / (1 + (CF / C50_VENT) ** GAMMA_VENT) / (1 + CB / KV)


def loop(D, minutes, step, start=(P0, P0)):
    """Pa, Pb at every whole step [min], classical Runge-Kutta; D is a function of time [min]."""
    def rate(t, y):
        return np.array([KEL_CO2 * (P0 - y[0] * D(t) * (y[1] / P0) ** F_CO2), KE_CO2 * (y[0] - y[1])])
    y, path = np.array(start), [tuple(start)]
    for k in range(int(round(minutes / step))):
        t = k * step
        a = rate(t, y)
        b = rate(t + step / 2, y + step / 2 * a)
        c = rate(t + step / 2, y + step / 2 * b)
        d = rate(t + step, y + step * c)
        y = y + step / 6 * (a + 2 * b + 2 * c + d)
        path.append(tuple(y))
    return np.array(path)


def agrees(name, r, a, own, every, tolerance):
    for k, state in enumerate(("Pa", "Pb")):
        gap = float(np.max(np.abs(r["overlap." + state][a, 0] / own[::every, k][:len(r.time)] - 1)))
        tap.near(f"{name}: {state}", gap, 0, tolerance)


def steps_and_ramps():
    rows = [("0.769 + 31.26", 0.769, 31.26, 0, 0), ("2 + 225", 2.0, 225.0, 0, 0), ("midazolam 225", 0.0, 225.0, 0, 0),
            ("fentanyl rises", 0.25, 31.26, 0.9, 0), ("both rise", 0.05, 3.0, 0.45, 9.5)]
    arms = [arm(n, f, b, {"at.fent_rise": f"{df} ng/mL/h", "at.clon_rise": f"{dz} ng/mL/h"}) for n, f, b, df, dz in rows]
    r = levels(arms, NAMES, "[{until: 6 h, every: 2 min}]", more="tolerance: 1e-10\n")
    for a, (name, f, b, df, dz) in enumerate(rows):
        own = loop(lambda t: drive(f + df * t / 60, b + R * dz * t / 60), 360, 0.05)
        agrees(name, r, a, own, 40, 2e-9)
        D, Pb = r["overlap.D"][a, 0], r["overlap.Pb"][a, 0]
        gap = float(np.max(np.abs(r["overlap.ventilation_ratio"][a, 0] - D * (Pb / P0) ** F_CO2)))
        tap.near(f"{name}: ventilation", gap, 0, 1e-12)
    for a in range(3):
        tap.within(f"{rows[a][0]}: settles at the steady form", r.at("overlap.Pa", 6, a), r.at("overlap.PaCO2", 6, a), 1e-6)
        tap.within(f"{rows[a][0]}: ventilation settles at P0/PaCO2", r.at("overlap.ventilation_ratio", 6, a), P0 / r.at("overlap.PaCO2", 6, a), 1e-6)
    tap.printed("0.769 + 31.26 settles at", r.at("overlap.Pa", 6, 0), "45.3")


def acute_and_slow():
    """A fast rise depresses ventilation more than a slow one to the same level: carbon dioxide has time to stimulate."""
    r = levels([arm("at once", 3.0, 75.0), arm("within 6 h", 0.0, 75.0, {"at.fent_rise": "0.5 ng/mL/h"})], NAMES, "[{until: 6 h, every: 1 min}]")
    acute, slow = (float(r["overlap.ventilation_ratio"][a, 0].min()) for a in (0, 1))
    tap.ok(acute < slow - 0.2, "a fast rise depresses ventilation more than a slow one", f"{acute} {slow}")


def bolus():
    """A bolus with clonazepam on board, from the drugs' own models, and the loop that sees fentanyl alone."""
    study = ("study: bolus\ndrugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult}\ninteractions: {overlap: sedation_overlap}\n"
             "cohort: typical\narms:\n  - {name: both, clonazepam: [{steady_state: {oral: 0.5 mg, every: 12 h}}, {oral: 0.5 mg, every: 12 h, for: 1 d}], "
             "fentanyl: [{iv: 100 ug}]}\n  - {name: fentanyl, fentanyl: [{iv: 100 ug}]}\n"
             "times: [{until: 3 h, every: 0.05 min}]\noutputs: [clonazepam.Ce, fentanyl.Ce, fentanyl.Pa, overlap.Pa, overlap.Pb, overlap.D]\n"
             "precision: double\ntolerance: 1e-10\n")
    r = run(study)
    for a, name in enumerate(("bolus on clonazepam", "bolus alone")):
        ce, cz = r["fentanyl.Ce"][a, 0], r["clonazepam.Ce"][a, 0]
        D = drive(ce, R * cz)
        tap.near(f"{name}: the drive", float(np.max(np.abs(D - r["overlap.D"][a, 0]))), 0, 1e-11)
        start = r["overlap.Pa"][a, 0, 0], r["overlap.Pb"][a, 0, 0]
        tap.near(f"{name}: starts where carbon dioxide has settled", start[0], P0 * D[0] ** (-1 / (F_CO2 + 1)), 0.05)
        own = loop(lambda t: D[int(round(20 * t))], 180, 0.1, start)
        for k, state in enumerate(("Pa", "Pb")):
            gap = float(np.max(np.abs(r["overlap." + state][a, 0][::2] / own[:, k] - 1)))
            tap.near(f"{name}: {state}", gap, 0, 1e-6)
    gap = float(np.max(np.abs(r["fentanyl.Pa"][1, 0] / r["overlap.Pa"][1, 0] - 1)))
    tap.near("without clonazepam it is fentanyl's own loop", gap, 0, 1e-9)


def flumazenil():
    """Gross 1996: with the antagonist carbon dioxide and ventilation are the opioid's."""
    r = levels([arm("opioid", 2.0, 0), arm("both", 2.0, 225.0), arm("reversed", 2.0, 225.0, flumazenil="present")], NAMES, "[{until: 2 h, every: 5 min}]")
    tap.ok(np.array_equal(r["overlap.Pa"][0], r["overlap.Pa"][2]), "flumazenil: the loop is the opioid's, bit for bit")
    tap.ok(r.at("overlap.Pa", 2, 1) > r.at("overlap.Pa", 2, 0) + 2, "and without it carbon dioxide is higher")


for part in (steps_and_ramps, acute_and_slow, bolus, flumazenil):
    part()
tap.done()
