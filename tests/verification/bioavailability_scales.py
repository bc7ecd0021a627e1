#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What F does to a prescribed infusion: with bioavailability_scales: rate it scales the rate, with duration the time.

One compartment behind a lag, each subject with a clearance, an F and a lag of its own, which are read from the result;
so every value has a closed form. The integrator solves the same.
"""
import numpy as np

from _halflife import Tap, run

tap = Tap()

MODEL = """\
model: one
title: one compartment whose input is partly lost
parameters:
  TVCL: {value: 3.61 L/h, grade: assumption}
  TVV: {value: 41.7 L, grade: assumption}
  TVF: {value: 0.73, grade: assumption}
  TVlag: {value: 0.31 h, grade: assumption}
random:
  eta_CL: {sd: 0.29}
  eta_F: {sd: 0.41}
  eta_lag: {sd: 0.5}
individual:
  CL: TVCL * exp(eta_CL)
  V: TVV
  F: TVF * exp(eta_F)
  tlag: TVlag * exp(eta_lag)
compartments:
  central: {volume: V, default: observe}
flows:
  - central -> out: CL
routes:
  sc: {into: central, bioavailability: F, lag: tlag, default: dose}
outputs:
  Cp: {value: central / V, unit: mg/L}
"""

STUDY = """\
study: scales
drugs: {{d: one}}
cohort: {{subjects: 9, seed: 20260417}}
arms:
  - name: once
    d: [{{infuse: 11.3 mg, over: 4.7 h, route: sc}}]
  - name: often
    d:
      - {{infuse: 2.9 mg/h, for: 3.1 h, route: sc}}
      - {{infuse: 7.7 mg, over: 5.3 h, every: 8.9 h, doses: 4, route: sc, gap: 1.7 h}}
  - name: always
    d: [{{infuse: 1.37 mg/h, route: sc}}]
  - name: steady
    d: [{{steady_state: {{infuse: 7.7 mg, over: 5.3 h, every: 8.9 h, route: sc}}}}]
  - name: steady for ever
    d: [{{steady_state: {{infuse: 1.37 mg/h, route: sc}}}}]
times: [{{until: 60 h, every: 23 min}}]
outputs: [d.Cp]
precision: double
tolerance: 1e-11
solver: {solver}
{scales}
"""


def infusion(t, start, rate, duration, k, V):
    """C(t) of one infusion into an empty compartment."""
    during = np.clip(t - start, 0, duration)
    after = np.maximum(t - start - duration, 0)
    return rate / (k * V) * -np.expm1(-k * during) * np.exp(-k * after)


def expected(arm, t, who, scales):
    CL, V, F, lag = (who[name] for name in ("d_CL", "d_V", "d_F", "d_tlag"))
    k = CL / V

    def given(start, amount, duration):
        rate = amount / duration
        if scales == "duration":
            return infusion(t, start + lag, rate, F * duration, k, V)
        return infusion(t, start + lag, F * rate, duration, k, V)

    endless = 1.37 * (1 if scales == "duration" else F)
    if arm == "once":
        return given(0, 11.3, 4.7)
    if arm == "often":
        return given(0, 2.9 * 3.1, 3.1) + sum(given(4.8 + 8.9 * n, 7.7, 5.3) for n in range(4))
    if arm == "always":
        return endless / CL * -np.expm1(-k * np.maximum(t - lag, 0))
    if arm == "steady":  # doses since long before 0, none from 0 on; 400 of them are an infinity at these half-lives
        return sum(given(-8.9 * n, 7.7, 5.3) for n in range(1, 400))
    return endless / CL * np.exp(-k * np.maximum(t - lag, 0))


for solver in ("exact", "gsl-rk8pd"):
    for scales in ("rate", "duration", ""):
        line = f"bioavailability_scales: {scales}" if scales else ""
        r = run(STUDY.format(solver=solver, scales=line), models={"one": MODEL})
        worst = {}
        for a, arm in enumerate(r.arms):
            for i in range(9):
                who = {name: float(value[i] if value.ndim == 1 else value[a, i]) for name, value in r.subjects.items()}
                right = expected(arm, r.time, who, scales or "rate")
                error = np.abs(r["d.Cp"][a, i] - right).max() / right.max()
                worst[arm] = max(worst.get(arm, 0.0), error)
        for arm, error in worst.items():
            limit = 1e-11 if solver == "exact" else 1e-8
            tap.ok(error < limit, f"{scales or 'rate where nothing is said'}, {solver}, {arm}: 9 subjects within "
                   f"{error:.1e} of the closed form")

tap.done()
