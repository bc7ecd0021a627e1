#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Models made to be hard to translate: every function and operator of the model language, names that are reserved
elsewhere or would become one, blocks with zeros, occasions, two mixtures, every kind of route, courses of doses, the
clocks t and tad. Each text is computed as in translate_models.py and agrees with halflife."""
import os
import sys
import tempfile

import yaml

import translate_models as tm
import _translated as tr

tap = tm.tap
EVIDENCE = "grade: assumption"


def parameters(**values):
    return "\n".join(f"  {name}: {{value: {value}, {EVIDENCE}}}" for name, value in values.items())


FUNCTIONS = f"""
model: functions
title: Every function and operator
molar_mass: 315.7 g/mol
covariates:
  WT:   {{default: 71.3 kg}}
  CRCL: {{default: 93 mL/min}}
  sex:  {{default: male, categories: [male, female]}}
  site: {{default: b, categories: [a, b, c]}}
parameters:
{parameters(k='0.31 1/h', V='23.1 L', x='0.37', y='-1.73', z='2.9', c50='3.1 mg/L', n='1.7')}
individual:
  a1: "exp(x) + log(z) - log10(z) * log1p(x) + expm1(x) / sqrt(z)"
  a2: "abs(y) + floor(y) + floor(z) + floor(-2) + pow(z, x) + z^-x - -x^2 + 2^3^x"
  a3: "Phi(y) + logit(x) + expit(y) + lgamma(z)"
  a4: "min(z, x, abs(y)) + max(y, x) - min(1, 2) / max(3, y, z)"
  a5: "step(x) + 2 * step(y) + step(x - 0.37)"
  a6: "if(sex = female and site != a, 2, if(site = c or x > y, 3, 5)) * if(not (x < y), 7, 11)"
  a7: "if(x >= 0.37, if(y <= -2, 1, if(z == 2.9, 2, 3)), 4) + if(x != 0.37, 1, 0) + ln2 * pi"
  a8: "min(hill(x, z, n), 0.9) + hill(y, z, n) + if(hill(z, x, 2) > 0.9, 0.1, 0.2)"
  a9: "(x - y) - (z - (x - y)) / (z / (x / y)) - (x * (y / z)) ^ 2 / 3 ^ 2"
  clr: "CRCL / 100 mL/min * if(sex = female, 0.85, 1)"
  CL: "k * V * (WT / 70 kg)^0.75 * clr"
compartments:
  gut: {{}}
  central: {{volume: "V * WT / 70 kg", default: observe, initial: "1.3 mg * x"}}
  deep: {{volume: "max(V, 11 L)"}}
flows:
  - gut -> central: "if(sex = female, 1.1 1/h, 0.9 1/h)"
  - central -> out: CL
  - central <-> deep: "3 L/h * min(1, x + if(site = a, 1, 0.2))"
  - deep -> out: 0.02 1/h
routes:
  oral: {{into: gut, bioavailability: "min(1, 0.3 + x)", lag: "if(sex = male, 0.4 h, 15 min)", default: dose}}
  iv: {{into: central}}
effect_sites:
  Ce: {{follows: "central / V + 0.01 mg/L", ke0: "0.7 1/h * expit(x)", initial: 0.02 mg/L}}
states:
  T:
    unit: ng/mL
    initial: 3 ng/mL
    rate: "if(Ce > T, ln2 / 5 h, ln2 / 9 h) * (Ce - T)"
  R:
    initial: "1 + x"
    rate: "0.2 1/h * (1 + E / 100 % - R * (1 + hill(Ce, c50, n)))"
outputs:
  Cp: {{value: "central / V", unit: ng/mL}}
  Cn: {{value: "Cp / molar_mass", unit: nM}}
  E:  {{value: "100 % * hill(Ce, c50, n)", unit: "%"}}
  S:  {{value: "a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9", unit: "1"}}
  A1: {{value: "a1", unit: "1"}}
  A2: {{value: "a2", unit: "1"}}
  A3: {{value: "a3", unit: "1"}}
  A4: {{value: "a4", unit: "1"}}
  A5: {{value: "a5", unit: "1"}}
  A6: {{value: "a6", unit: "1"}}
  A7: {{value: "a7", unit: "1"}}
  A8: {{value: "a8", unit: "1"}}
  A9: {{value: "a9", unit: "1"}}
  M:  {{value: "max(T, Cp, 1 ng/mL) / 1 ng/mL + min(R, 2) + if(t < 5 h, 1, 2) + step(Cp - T)", unit: "1"}}
"""

NAMES = f"""
model: names
title: Names that other tools reserve
covariates:
  rate: {{default: 0.7 kg}}
  AMT_: {{default: 3 mL}}
  a_covariate_with_a_very_long_name: {{default: 2.2}}
parameters:
{parameters(F1='0.91', S2='1.7', A0='1.3', P3='0.9 1/h', CL='2.1 L/h', cl='1.1', THETA='0.3', ETA='0.2', gamma='1.9', y0='0.4',
            double='2.5', capture='1.1', evid='0.6', pi_='3', a_parameter_with_a_very_long_name_1='1.2',
            a_parameter_with_a_very_long_name_2='0.8', E='0.01', DADT='1.5', rx1='1.05', free='1.2', IPRED='0.5', HLP1='0.1',
            TDOS1='1.01', F_gut='0.2', central_0='0.3', dxdt_gut='0.4')}
random:
  eta: {{sd: 0.2, {EVIDENCE}}}
individual:
  V: "13 L * (rate / 0.7 kg) * AMT_ / 3 mL * a_covariate_with_a_very_long_name / 2.2"
  ii: "a_parameter_with_a_very_long_name_1 * a_parameter_with_a_very_long_name_2 * exp(eta)"
  TIME: "F1 * S2 * A0 * cl * THETA * ETA * gamma * y0 * double * capture * evid * pi_ * E * DADT * rx1 * free * IPRED"
  all_else: "HLP1 + TDOS1 + F_gut + central_0 + dxdt_gut"
compartments:
  gut: {{}}
  central: {{volume: V, default: observe}}
flows:
  - gut -> central: P3
  - central -> out: CL * ii
routes:
  id: {{into: gut, bioavailability: F1, default: dose}}
outputs:
  DV: {{value: central / V, unit: mg/L}}
  dv: {{value: central / V, unit: ug/L}}
  Y: {{value: "TIME * all_else + DV / 1 mg/L", unit: "1"}}
  an_output_with_a_very_long_name_indeed: {{value: "Y * 2", unit: "1"}}
residual_error:
  DV: {{additive: 0.1 mg/L}}
"""

RANDOM = f"""
model: chance
title: Blocks, occasions, mixtures
covariates:
  WT: {{default: 70 kg}}
parameters:
{parameters(TVCL='3 L/h', TVV='20 L', TVKA='1.1 1/h', fast='2.5 1/h')}
  f_type:
    by: metaboliser
    values:
      poor: {{value: 0.4, {EVIDENCE}}}
      normal: {{value: 1, {EVIDENCE}}}
      rapid: {{value: 1.9, {EVIDENCE}}}
random:
  blocks:
    - {{of: [eta_CL, eta_V, eta_Q], covariance: [[0.09, 0.02, 0], [0.02, 0.16, 0], [0, 0, 0.25]], {EVIDENCE}}}
    - {{of: [kappa_CL, kappa_KA], sd: [0.2, 0.3], correlation: [[1, 0.4], [0.4, 1]], level: occasion, {EVIDENCE}}}
  eta_KA: {{cv: "37 %", {EVIDENCE}}}
  eta_F: {{sd: 0.11, {EVIDENCE}}}
mixtures:
  metaboliser: {{poor: 0.2, normal: 0.5, rapid: 0.3}}
  absorption: {{slow: 0.6, quick: 0.4}}
individual:
  CL: "TVCL * f_type * (WT / 70 kg)^0.75 * exp(eta_CL + kappa_CL)"
  V: "TVV * exp(eta_V)"
  Q: "2 L/h * exp(eta_Q)"
  KA: "if(absorption = quick, fast, TVKA) * exp(eta_KA + kappa_KA)"
  F: "expit(1 + eta_F)"
compartments:
  gut: {{}}
  central: {{volume: V, default: observe}}
  deep: {{volume: 31 L}}
flows:
  - gut -> central: KA
  - central <-> deep: Q
  - central -> out: CL
routes:
  oral: {{into: gut, bioavailability: F, default: dose}}
outputs:
  Cp: {{value: central / V, unit: mg/L}}
  effect: {{value: "1 + Cp / 2 [mg/L]", unit: "1"}}
residual_error:
  Cp: {{proportional: 0.1, additive: 0.05 mg/L}}
  effect: {{log: 0.2}}
"""

ROUTES = f"""
model: routes
title: Every kind of route
parameters:
{parameters(k='0.21 1/h', V='17 L', ka='0.8 1/h', F='0.7', tk='1.9 h', r='0.4 mg/h', rel='0.03 1/h', fs='0.3')}
compartments:
  gut: {{}}
  skin: {{}}
  skin2: {{}}
  central: {{volume: V, default: observe}}
flows:
  - gut -> central: ka
  - skin -> central: 0.3 1/h
  - skin2 -> central: 0.1 1/h
  - central -> out: k
routes:
  oral: {{into: gut, bioavailability: F, lag: 0.3 h, default: dose}}
  iv: {{into: central}}
  twice:
    - {{into: gut, fraction: 0.6, bioavailability: F}}
    - {{into: gut, fraction: 0.4, lag: 3.3 h}}
  both:
    - {{into: gut, fraction: 0.5}}
    - {{into: skin, fraction: 0.5, bioavailability: 0.9, lag: 1.1 h}}
  slow: {{into: gut, zero_order: tk, bioavailability: F, lag: 0.7 h}}
  pump: {{into: central, rate: r}}
  patch:
    patch: {{content: "100 h * nominal", release: rel, loses: 0.9, lag: 1.3 h, into: [skin, skin2], fractions: ["1 - fs", fs],
            wear: 30 h, nominal: ug/h}}
  warm:
    patch: {{content: "50 h * nominal * 2", lag: 0.5 h, into: skin, nominal: ug/h, wear: 30 h,
            phases: [{{until: 6 h, release: 2 * rel, loses: 0.8}}, {{until: 15.5 h, release: rel, loses: 0.7}}, {{release: rel / 2, loses: 0.6}}]}}
  reservoir:
    patch: {{rate: nominal, loses: 0.95, lag: 2 h, into: [skin, skin2], fractions: [0.4, 0.6], wear: 72 h, nominal: ug/h}}
outputs:
  Cp: {{value: central / V, unit: ng/mL}}
  body: {{value: gut + skin + skin2 + central, unit: mg}}
"""

CLOCKS = f"""
model: clocks
title: t, tad, and times at which rates jump
parameters:
{parameters(k='0.21 1/h', V='17 L', ka='0.8 1/h', t_on='9.3 h', t_off='31.7 h')}
individual:
  t_mid: (t_on + t_off) / 2
compartments:
  gut: {{}}
  central: {{volume: V, default: observe}}
flows:
  - gut -> central: ka
  - central -> out: "k * if(t >= t_on and t < t_off, 1.7, 1) * if(t_mid < t, 1.3, 1) * (1 + 0.2 * expit((t - 20 h) / 5 h))"
routes:
  oral: {{into: gut, default: dose}}
  iv: {{into: central}}
states:
  S: {{initial: 1, rate: "0.1 1/h * (exp(-tad / 4 h) - S)"}}
outputs:
  Cp: {{value: central / V, unit: mg/L}}
  since: {{value: tad, unit: h}}
  day: {{value: "t / 24 h", unit: "1"}}
"""

COURSES = f"""
model: courses
title: Doses by courses of their own
parameters:
{parameters(k='0.11 1/h', V='17 L', F='0.8', tlag='0.9 h', td='3.1 h', beta='2.3', n='3.4', ktr='1.9 1/h', t50='2.2 h', s='0.4', l='8 h', m='3 h')}
compartments:
  gut: {{}}
  central: {{volume: V, default: observe}}
flows:
  - gut -> central: 0.9 1/h
  - central -> out: k
routes:
  transit: {{into: gut, bioavailability: F, lag: tlag, released: "gamma_p(n + 1, ktr * tad)", default: dose}}
  weibull: {{into: central, released: "-expm1(-(tad / td)^beta)"}}
  lognormal: {{into: central, bioavailability: 0.9, released: "Phi(log(tad / t50) / s)"}}
  burst: {{into: gut, lag: 1.5 h, released: "0.2 + 0.8 * min(tad / 9 h, 1)"}}
  gauss: {{into: gut, released: "if(tad > 0 h, Phi(sqrt(l / tad) * (tad / m - 1)) + exp(2 * l / m) * Phi(-sqrt(l / tad) * (tad / m + 1)), 0)"}}
  iv: {{into: central}}
outputs:
  Cp: {{value: central / V, unit: mg/L}}
"""


def check(text, languages=tuple(tr.LANGUAGES), subjects=1, options=()):
    model = yaml.load(text, Loader=yaml.BaseLoader)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, model["model"] + ".yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        tm.check_text_of(model["model"], model, path, list(languages), subjects, {model["model"]: text}, options)


def declared():
    """Blocks and occasions of the second model: what hangs together stands together, zeros apart."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "chance.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(RANDOM)
        nonmem = tr.Nonmem(tr.translate(path, "nonmem", "--occasions", "2")[0])
        texts = [nonmem, tr.Mrgsolve(tr.translate(path, "mrgsolve", "--occasions", "2")[0]),
                 tr.Rxode2(tr.translate(path, "rxode2", "--occasions", "2")[0])]
    for text in texts:
        label = type(text).__name__
        name = text.name
        tap.near(f"{label}: covariance of a block", text.covariance(name("eta_CL"), name("eta_V")), 0.02, 1e-15)
        tap.near(f"{label}: variance in a block", text.covariance(name("eta_Q"), name("eta_Q")), 0.25, 1e-15)
        tap.near(f"{label}: covariance between occasions", text.covariance(name("kappa_CL"), name("kappa_KA")), 0.024, 1e-12)
    numbers = [n for name in nonmem.number for n in nonmem.number[name]]
    tap.ok(sorted(numbers) == list(range(1, nonmem.n_etas + 1)) and nonmem.n_etas == 9, "NONMEM: nine ETAs, each used once",
           str(nonmem.number))
    tap.ok(("BLOCK(2)" in nonmem.text) and ("BLOCK(3)" not in nonmem.text) and nonmem.text.count("SAME") == 1,
           "NONMEM: zeros are not in blocks, the second occasion is the same")
    p = nonmem.subject({"WT": 70})["#P"]
    tap.ok(abs(sum(p.values()) - 1) < 1e-12 and len(p) == 6, "NONMEM: every combination of classes is a subpopulation", str(p))


if __name__ == "__main__":
    for source in (FUNCTIONS, NAMES, RANDOM, ROUTES, CLOCKS):
        if not sys.argv[1:] or any(f"model: {a}\n" in source for a in sys.argv[1:]):
            check(source)
    if not sys.argv[1:] or "courses" in sys.argv[1:]:
        check(COURSES, options=("--doses", "2"))
    if not sys.argv[1:]:
        declared()
    tap.done()
