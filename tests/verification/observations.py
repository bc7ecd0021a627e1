#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""store: [observations]: what an assay would have found at each output time, beside the trajectories.

Ratios and differences of DV and IPRED have the moments of the model's residual errors (five standard errors), no
subject changes by being observed, and neither threads nor the typical subject see anything that isn't theirs.
"""
import numpy as np

from _halflife import Tap, run

tap = Tap()

MODEL = """\
model: one
title: one compartment, measured in several ways
parameters:
  TVCL: {value: 3.61 L/h, grade: assumption}
random:
  eta_CL: {sd: 0.29}
individual:
  CL: TVCL * exp(eta_CL)
compartments:
  central: {volume: 41.7 L, default: observe}
flows:
  - central -> out: CL
routes:
  iv: {into: central, default: dose}
outputs:
  Cp: {value: "central / 41.7 [L]", unit: ng/mL}
  Ca: {value: "central / 41.7 [L]", unit: mg/L}
  Cb: {value: "central / 41.7 [L]", unit: ug/L}
  Cl: {value: "central / 41.7 [L]", unit: ng/mL}
  Cn: {value: "central / 41.7 [L]", unit: ng/mL}
residual_error:
  Cp: {proportional: 0.076}
  Ca: {additive: 13.7 ng/mL}
  Cb: {proportional: "11 %", additive: 0.83 ng/mL}
  Cl: {log: 0.19}
"""

STUDY = """\
study: observed
drugs: {{d: one}}
cohort: {cohort}
arms:
  - name: a
    d: [{{iv: 11.3 mg}}]
  - name: b
    d: [{{iv: 23.9 mg}}]
times: [{{until: 11 h, every: 13 min}}]
outputs: [d.Cp, d.Ca, d.Cb, d.Cl, d.Cn]
precision: {precision}
store: {store}
"""


def study(store="[trajectories, observations]", precision="double", cohort="{subjects: 700, seed: 20260417}"):
    return STUDY.format(store=store, precision=precision, cohort=cohort)


def moments(name, x, sd):
    n = x.size
    tap.near(f"{name}: mean of {n}", x.mean(), 0, 5 * sd / np.sqrt(n))
    tap.near(f"{name}: sd of {n}", x.std(), sd, 5 * sd / np.sqrt(2 * n))


models = {"one": MODEL}
r = run(study(), models=models)
Cp = r["d.Cp"]
moments("proportional", r["d.Cp_DV"] / Cp - 1, 0.076)
moments("additive", r["d.Ca_DV"] - r["d.Ca"], 0.0137)
moments("combined, scaled", (r["d.Cb_DV"] - r["d.Cb"]) / np.hypot(0.11 * r["d.Cb"], 0.83), 1)
moments("log", np.log(r["d.Cl_DV"] / r["d.Cl"]), 0.19)
e = (r["d.Cp_DV"] / Cp - 1)[0]
f = np.log(r["d.Cl_DV"] / r["d.Cl"])[0]
tap.near("two outputs have errors of their own", np.corrcoef(e.ravel(), f.ravel())[0, 1], 0, 5 / np.sqrt(e.size))
tap.near("so have two times", np.corrcoef(e[:, :-1].ravel(), e[:, 1:].ravel())[0, 1], 0, 5 / np.sqrt(e.size))
tap.near("so have two subjects", np.corrcoef(e[:-1].ravel(), e[1:].ravel())[0, 1], 0, 5 / np.sqrt(e.size))
tap.ok(np.allclose(e, (r["d.Cp_DV"] / Cp - 1)[1], rtol=0, atol=1e-14), "arms are paired: the same errors in both")
tap.ok("d_Cn_DV" not in r.values, "an output without a residual error has no observations")

plain = run(study("[trajectories]"), models=models)
tap.ok(all(np.array_equal(plain.values[name], r.values[name]) for name in plain.values),
       "being observed changes no trajectory and no summary")
tap.ok(not any(name.endswith("_DV") for name in plain.values), "nothing is observed that wasn't asked for")
only = run(study("[observations]"), models=models)
tap.ok("d_Cp" not in only.values and np.array_equal(only["d.Cp_DV"], r["d.Cp_DV"]), "observations alone can be kept")

digests = {run(study(), "--threads", threads, models=models).attributes["payload_sha256"] for threads in (1, 2, 3)}
tap.ok(len(digests) == 1, "the same payload with 1, 2 and 3 threads", digests)
few = run(study(cohort="{subjects: 65, seed: 20260417}"), models=models)
tap.ok(np.array_equal(few["d.Cp_DV"], r["d.Cp_DV"][:, :65]), "the same observations in a smaller cohort")
other = run(study(cohort="{subjects: 65, seed: 5}"), models=models)
tap.ok(not np.isclose(other["d.Cp_DV"] / other["d.Cp"], few["d.Cp_DV"] / few["d.Cp"]).any(), "others with another seed")

single = run(study(precision="single"), models=models)
tap.ok(single["d.Cp_DV"].dtype == np.float32 and np.array_equal(single["d.Cp_DV"], r["d.Cp_DV"].astype(np.float32)),
       "in the precision of the trajectories")
typical = run(study(cohort="typical"), models=models)
tap.ok(np.array_equal(typical["d.Cp_DV"], typical["d.Cp"]), "the typical subject is measured without error")

exact = run(study().replace("[d.Cp, d.Ca, d.Cb, d.Cl, d.Cn]", "[d.Cn]"), models=models)
tap.ok(not any(name.endswith("_DV") for name in exact.values), "nothing to observe is no fault")

tap.done()
