#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Structural library: what must hold of each structure whatever its numbers: areas, ratios, balances of mass, steady
states, limits; and a response put on another disposition.
"""
import math
import os

import numpy as np

from _halflife import ROOT, Tap, run
from _references import into
from _structures import curve, integrated, metric, study

tap = Tap()
TIGHT = "tolerance: 1e-11\n"


def ask(model, items, times, outputs, parameters, metrics=(), text=None):
    """One model as x, with parameters {name: value}."""
    return run(study({"x": model}, {"x": items}, times, ["x." + o for o in outputs],
                     {"x." + k: v for k, v in parameters.items()}, metrics=metrics, extra=TIGHT), models=text)


def area(r, output):
    return metric(r, f"x_{output}_AUC")


def michaelis_menten():
    p = {"TVVM": "7.3 mg/h", "TVKM": "0.71 mg/L", "TVV": "31.3 L"}
    auc = ["of: x.Cp, list: [AUC]"]
    c0 = 0.87 * 91.7 / 31.3
    r = ask("pk_iv_1cmt_mm", ["iv: 91.7 mg"], [400], ["Cp"], {**p, "F1": 0.87}, auc)
    tap.within("Michaelis-Menten: AUC of a bolus is C0 (KM + C0/2) V/VM", area(r, "Cp"),
               c0 * (0.71 + c0 / 2) * 31.3 / 7.3, 1e-8)
    r = ask("pk_iv_1cmt_mm", ["infuse: 5.9 mg/h, for: 4000 h, route: iv"], [3990], ["Cp"], p)
    tap.within("Michaelis-Menten: steady state of an infusion is KM R0/(VM - R0)", r.at("x.Cp", 3990),
               0.71 * 5.9 / (7.3 - 5.9), 1e-8)
    r = ask("pk_oral_1cmt_mm", ["oral: 0.0001 mg"], [2000], ["Cp"], {**p, "TVKA": "0.9 1/h"}, auc)
    tap.within("Michaelis-Menten: far below KM the clearance is VM/KM", 0.0001 / area(r, "Cp"), 7.3 / 0.71, 1e-5)
    cl = 1.9
    r = ask("pk_iv_1cmt_mixed", ["iv: 91.7 mg"], [400], ["Cp"], {**p, "TVCL": f"{cl} L/h", "F1": 0.87}, auc)
    k, a = cl / 31.3, 7.3 / 31.3
    expected = c0 / k - a / k ** 2 * math.log((k * (0.71 + c0) + a) / (k * 0.71 + a))
    tap.within("mixed elimination: AUC of a bolus in closed form", area(r, "Cp"), expected, 1e-8)


def root(f, low, high):
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return middle


def induction():
    r = ask("pk_oral_1cmt_induction", ["infuse: 11.3 mg/h, for: 3000 h, route: iv"], [2900], ["Cp", "ENZ"],
            {"TVCL": "3.1 L/h", "EMAX": 2.3, "EC50": "0.83 mg/L", "T_ENZ": "29 h"})
    c = root(lambda x: 3.1 * (1 + 2.3 * x / (0.83 + x)) * x - 11.3, 0, 10)
    tap.within("auto-induction: concentration at steady state", r.at("x.Cp", 2900), c, 1e-8)
    tap.within("auto-induction: enzyme at steady state", r.at("x.ENZ", 2900), 1 + 2.3 * c / (0.83 + c), 1e-8)
    r = ask("pk_oral_1cmt_induction", ["oral: 100 mg"], [0.5, 1], ["ENZ"], {"EMAX": 0})
    tap.near("auto-induction: without stimulation the enzyme rests", r.at("x.ENZ", 1), 1, 1e-12)


def target():
    """Fast binding is the quasi-steady state; the target comes back to where it was."""
    times = [5, 20, 60, 110, 170, 260, 400, 6000]
    common = {"TVCL": "0.013 L/h", "TVV1": "3.3 L", "KINT": "0.061 1/h", "TVR0": "12.7 nM", "KDEG": "0.017 1/h"}
    slow = ask("pk_iv_2cmt_tmdd_qss", ["iv: 93 mg"], times, ["Ctot", "Rtot"], {**common, "KSS": "1.9 nM"})
    fast = ask("pk_iv_2cmt_tmdd", ["iv: 93 mg"], times, ["C", "RC", "Rtot"],
               {**common, "KON": "30 1/nM/h", "KOFF": f"{30 * 1.9 - 0.061:.10g} 1/h"})
    total = fast["x.C"][0, 0] + fast["x.RC"][0, 0]
    curve(tap, "target: total drug, quasi-steady state against fast binding", slow["x.Ctot"][0, 0, 1:], total[1:], 1e-3)
    curve(tap, "target: total target, quasi-steady state against fast binding", slow["x.Rtot"][0, 0],
          fast["x.Rtot"][0, 0], 1e-3)
    tap.within("target: back at rest after the drug has gone", fast.at("x.Rtot", 6000), 12.7, 1e-6)


def recycling():
    p = {"TVCL": "2.3 L/h", "TVCLB": "5.1 L/h", "FRE": 0.63, "KGB": "0.21 1/h"}
    for route, f in (("oral", 0.77), ("iv", 1.0)):
        r = ask("pk_oral_1cmt_ehr", [f"{route}: 83 mg"], [2000], ["Cp"], {**p, "F1": 0.77},
                ["of: x.Cp, list: [AUC]"])
        tap.within(f"recycling, {route}: AUC = F Dose/(CL + (1 - FRE) CLB)", area(r, "Cp"),
                   f * 83 / (2.3 + 0.37 * 5.1), 1e-9)
    end = 31.7
    items = ["oral: 83 mg", "meal: 1 mg, every: 7.1 h, doses: 4, start: 3.3 h"]
    r = ask("pk_oral_1cmt_ehr_meals", items, [10, end], ["Cp", "depot", "central", "Ag"], {**p, "KGB": "2.7 1/h"},
            ["of: x.Cp, list: [AUC]"])
    auc, gall = area(r, "Cp"), r.at("x.Ag", end)
    lost = 2.3 * auc + 0.37 * (5.1 * auc - gall)
    tap.within("recycling at meals: what is in the body and what has left it add up to the dose",
               r.at("x.depot", end) + r.at("x.central", end) + gall + lost, 83, 1e-7)
    none = ask("pk_oral_1cmt_ehr_meals", ["oral: 83 mg"], [800], ["Ag"], p)
    tap.within("recycling at meals: fasting, the gall-bladder keeps CLB/(CL + CLB) of the dose", none.at("x.Ag", 800),
               83 * 5.1 / 7.4, 1e-8)


def metabolites():
    p = {"TVCL": "17.3 L/h", "TVCLM": "6.1 L/h", "FM": 0.43, "FH": 0.59, "MMR": 1.13, "F1": 0.71}
    found = {}
    for route in ("oral", "iv"):
        r = ask("pk_oral_1cmt_metabolite", [f"{route}: 77 mg"], [900], ["Cp", "Cm"], p,
                ["of: x.Cp, list: [AUC]", "of: x.Cm, list: [AUC]"])
        found[route] = area(r, "Cp"), area(r, "Cm")
    formed = 0.43 * 1.13 * 17.3 / 6.1
    tap.within("metabolite: intravenous ratio of areas is FM MMR CL/CLM", found["iv"][1] / found["iv"][0], formed, 1e-9)
    tap.within("metabolite: oral ratio is that over FH", found["oral"][1] / found["oral"][0], formed / 0.59, 1e-9)
    tap.within("metabolite: its oral area is FA of its intravenous one", found["oral"][1] / found["iv"][1], 0.71, 1e-9)
    tap.within("metabolite: the parent's oral area is FA FH of its intravenous one", found["oral"][0] / found["iv"][0],
               0.71 * 0.59, 1e-9)


def responses():
    c, r0 = 8.3 / 3.7, 87.0
    common = {"TVCL": "3.7 L/h", "TVR0": f"{r0} %", "TVKOUT": "0.31 1/h"}
    inhibition, stimulation = 0.83 * c / (0.61 + c), 2.7 * c / (0.61 + c)
    weak, strong = {"IMAX": 0.83, "TVIC50": "0.61 mg/L"}, {"SMAX": 2.7, "TVSC50": "0.61 mg/L"}
    for model, p, expected in (("pd_idr1", weak, r0 * (1 - inhibition)), ("pd_idr2", weak, r0 / (1 - inhibition)),
                               ("pd_idr3", strong, r0 * (1 + stimulation)), ("pd_idr4", strong, r0 / (1 + stimulation)),
                               ("pd_turnover", {"TVSLOPE": "0.77 L/mg"}, r0 * (1 + 0.77 * c))):
        r = ask(model, ["infuse: 8.3 mg/h, for: 2000 h, route: iv"], [0.1, 1900], ["effect"], {**common, **p})
        tap.within(f"{model}: response at a constant concentration", r.at("x.effect", 1900), expected, 1e-8)
        rest = ask(model, ["oral: 100 mg, start: 20 h"], [19.9], ["effect"], {**common, **p})
        tap.near(f"{model}: at rest before the first dose", rest.at("x.effect", 19.9), r0, 1e-9)
    r = ask("pd_turnover", ["oral: 83 mg"], [900], ["effect"], {**common, "TVSLOPE": "0.77 L/mg"},
            ["of: x.effect, list: [AUC]"])
    tap.within("pd_turnover: area above the baseline is R0 SLOPE AUC", area(r, "effect") - 900 * r0,
               r0 * 0.77 * 83 / 3.7, 1e-8)
    r = ask("pd_effect_compartment", ["oral: 83 mg"], [900], ["Cp", "Ce", "E"], {"TVCL": "3.7 L/h"},
            ["of: x.Ce, list: [AUC]"])
    tap.within("pd_effect_compartment: the area of Ce is that of Cp", area(r, "Ce"), 83 / 3.7, 1e-9)
    r = ask("pd_sigmoid_emax", ["infuse: 8.3 mg/h, for: 2000 h, route: iv"], [1900], ["E"],
            {"TVCL": "3.7 L/h", "TVEC50": f"{c:.15g} mg/L", "TVGAMMA": 3.1})
    tap.within("pd_sigmoid_emax: half the effect at EC50, whatever GAMMA", r.at("x.E", 1900), 10 + 80 / 2, 1e-9)


def another_disposition():
    """pd_idr4 over two compartments instead of one: only its line extends: changes."""
    with open(os.path.join(ROOT, "models", "pd_idr3.yaml"), encoding="utf-8") as f:
        third = f.read()
    with open(os.path.join(ROOT, "models", "pd_idr1.yaml"), encoding="utf-8") as f:
        first = f.read().replace("extends: pk_oral_1cmt", "extends: pk_iv_2cmt")
    first = first.replace("model: pd_idr1", "model: base")
    third = third.replace("extends: pd_idr1", "extends: base").replace("model: pd_idr3", "model: mine")
    times = np.array([0.4, 1.3, 3.1, 7.7, 13.9, 22.1, 41.0])
    r = ask("mine", ["iv: 117 mg"], times, ["Cp", "effect"], {"TVKOUT": "0.27 1/h"},
            text={"base": first, "mine": third})

    def rhs(y):
        moved, c = 6 * (y[0] / 20 - y[1] / 40), y[0] / 20
        return np.array([-moved - 4 * c, moved, 0.27 * (100 * (1 + 3 * c / (0.5 + c)) - y[2])])
    y = integrated(rhs, [0, 0, 100], [(0.0, into(0, 117.0))], times)
    curve(tap, "an indirect response on two compartments", r["x.effect"][0, 0, 1:], y[:, 2], 1e-8)
    curve(tap, "and its concentrations", r["x.Cp"][0, 0, 1:], y[:, 0] / 20, 1e-9)


michaelis_menten()
induction()
target()
recycling()
metabolites()
responses()
another_disposition()
tap.done()
