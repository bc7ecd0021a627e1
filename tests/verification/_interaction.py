# SPDX-License-Identifier: GPL-3.0-or-later
"""The interaction page's equations, written a second time, and studies that hold both drugs at levels of our choice.

Concentrations in ng/mL, times in h unless said otherwise. A model of the test's own, `levels`, stands in for the two
drugs: its outputs are what the study's covariates and parameters say, so that a surface is seen at exact values.
"""
import math

import numpy as np

from _halflife import run

R = 6.0
LEVELS = (2, 3, 4, 5, 6)
C50B = dict(zip(LEVELS, (68.0, 101.0, 208.0, 400.0, 520.0)))
C50F = dict(zip(LEVELS, (2.0, 3.5, 5.5, 7.5, 9.5)))
ALPHA = dict(zip(LEVELS, (3.5, 3.5, 6.0, 9.0, 9.0)))
SIGMA, KB, C_HYP, C_APNOEA = 0.5, 65.0, 2.7, 5.7
C50_VENT, GAMMA_VENT, KV, P0, F_CO2 = 1.6, 1.5, 450.0, 42.4, 4.30
KEL_CO2, KE_CO2 = 0.08, 0.92  # 1/min

MODEL = """
model: levels
title: Levels of two drugs and their tolerance factors, as a study asks for them
covariates:
  fent: {default: 0 ng/mL, range: [0 ng/mL, 1000 ng/mL]}
  clon: {default: 0 ng/mL, range: [0 ng/mL, 10000 ng/mL]}
  Tol_set: {default: 1, range: [1, 100]}
  Tol_a_set: {default: 1, range: [1, 100]}
  TB_set: {default: 1, range: [1, 100]}
parameters:
  fent_rise: {value: 0 ng/mL/h, grade: assumption}
  clon_rise: {value: 0 ng/mL/h, grade: assumption}
  Tol_rise: {value: 0 1/h, grade: assumption}
  TB_rise: {value: 0 1/h, grade: assumption}
outputs:
  CF: {value: fent + fent_rise * t, unit: ng/mL}
  CZ: {value: clon + clon_rise * t, unit: ng/mL}
  Tol_v: {value: Tol_set + Tol_rise * t, unit: "1"}
  Tol_a: {value: Tol_a_set + Tol_rise * t, unit: "1"}
  TB: {value: TB_set + TB_rise * t, unit: "1"}
"""
INPUTS = {"sedation_overlap": "CF: at.CF, CZ: at.CZ, Tol_v: at.Tol_v, Tol_a: at.Tol_a, TB: at.TB", "sedation_alternatives": "CF: at.CF, CZ: at.CZ"}


def hill(c, c50, n):
    return np.asarray(c, float) ** n / (np.asarray(c, float) ** n + c50 ** n)


Phi = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)), otypes=[float])


def surface(CF, CB, Tol=1.0, TB=1.0, TB_breathing=1.0, n=3.0, stim=1.0, sigma=SIGMA, kb=KB, kv=KV, c_hyp=C_HYP,
            c_apnoea=C_APNOEA, c50_vent=C50_VENT, sB=1.0, sF=1.0, sA=1.0, alpha=ALPHA, c50b=C50B, c50f=C50F):
    """Equations of 3.1-3.3 as the page states them; a dictionary by the names of the model's outputs."""
    out = {}
    for s in LEVELS:
        a, f = CB / (c50b[s] * sB * TB), CF / (c50f[s] * sF)
        u = (a + f + alpha[s] * sA * a * f) / stim
        out[f"u{s}"], out[f"P{s}"] = u, u ** n / (1 + u ** n)
    out["sedation"] = sum(out[f"P{s}"] for s in LEVELS)
    U = CF / Tol * (1 + CB / (kb * TB_breathing)) / stim
    with np.errstate(divide="ignore"):
        out["U"] = U
        out["P_hyp"], out["P_apnoea"] = (Phi(np.log(U / c) / sigma) for c in (c_hyp, c_apnoea))
    out["EF"] = CF ** GAMMA_VENT / (CF ** GAMMA_VENT + (c50_vent * Tol) ** GAMMA_VENT)
    out["D"] = (1 - out["EF"]) / (1 + CB / (kv * TB_breathing))
    out["PaCO2"] = P0 * out["D"] ** (-1 / (F_CO2 + 1))
    out["V_ratio"] = P0 / out["PaCO2"]
    return out


def flag(now):
    """3.4: 0 green, 1 amber, 2 red."""
    red = (now["P5"] > 0.10) | (now["P_hyp"] > 0.20) | (now["PaCO2"] > 50)
    green = (now["P4"] < 0.05) & (now["P_hyp"] < 0.02)
    return np.where(red, 2, np.where(green, 0, 1))


ALL = ["CB"] + [f"{x}{s}" for x in "uP" for s in LEVELS] + ["sedation", "U", "P_hyp", "P_apnoea", "EF", "D", "PaCO2", "V_ratio"]


def arm(name, CF=None, CB=None, parameters=None, **covariates):
    """One arm of a study of levels, as a line of YAML. CB is midazolam: clonazepam is a sixth of it."""
    if CF is not None:
        covariates["fent"] = f"{CF!r} ng/mL"
    if CB is not None:
        covariates["clon"] = f"{CB / R!r} ng/mL"
    words = [f"name: '{name}'"]
    for key, pairs in (("covariates", covariates), ("parameters", parameters or {})):
        if pairs:
            words.append(f"{key}: {{" + ", ".join(f"{k}: {v}" for k, v in pairs.items()) + "}")
    return "  - {" + ", ".join(words) + "}\n"


def levels(arms, outputs, times="[{at: [0 h, 1 h]}]", cohort="typical", model="sedation_overlap", more="", options=()):
    """Runs the arms (lines made by arm()) and gives the result with 64-bit values."""
    names = ", ".join(f"overlap.{name}" if "." not in name else name for name in outputs)
    study = (f"study: levels\ndrugs: {{at: levels}}\ninteractions: {{overlap: {{model: {model}, inputs: {{{INPUTS[model]}}}}}}}\n"
             f"cohort: {cohort}\narms:\n{''.join(arms)}times: {times}\noutputs: [{names}]\nprecision: double\n{more}")
    return run(study, *options, models={"levels": MODEL})


def deviation(found, expected):
    """The largest deviation, relative where values are large and absolute below 1."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    return float(np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected))))
