# SPDX-License-Identifier: GPL-3.0-or-later
"""A study, one with a data set, one that asks for a taper, and a model without fault. Each fault of _table.py is a small edit of one of them."""

STUDY = """\
study: taper
title: Three ways to stop
origin: "08:00"
drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult, trial: trial_drug}
interactions:
  overlap: {model: sedation_overlap, inputs: {CF: fentanyl.Ce}}
parameters:
  trial.TVCL: 4 L/h
cohort:
  subjects: 12
  seed: 20211009
  covariates:
    WT: {lognormal: {median: 70 kg, cv: "20 %"}, within: [45 kg, 120 kg]}
    AGE: {uniform: [20 year, 75 year]}
    smoker: {categorical: {absent: 0.8, present: 0.2}}
  correlations:
    - {between: [clonazepam.eta_CL, fentanyl.eta_CL], r: 0.3}
arms:
  - name: eighths
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - {oral: 1 mg, every: 12 h, for: 2 d}
      - taper: {protocol: uk_eighth, from: 2 mg/d, split: 12 h}
    fentanyl:
      - {patch: 25 ug/h, every: 72 h, for: 9 d}
    trial:
      - {oral: 100 mg, at: ["20:00"], for: 3 d}
  - name: pump
    covariates: {carbamazepine: present}
    clonazepam:
      - {oral: 0.5 mg, every: 24 h, doses: 3, start: 12 h}
    fentanyl:
      - {infuse: 600 ug/d, for: 2 d, demand: {bolus: 20 ug, per_hour: 0.21, lockout: 10 min, hourly_limit: 3}}
times: [{until: 1 d, every: 30 min}, {until: 9 d, every: 6 h}]
outputs: [clonazepam.Cp, fentanyl.Ce, overlap.sedation]
metrics:
  - {of: clonazepam.Cp, list: [Cmax, AUC]}
  - {of: overlap.sedation, above: "2", list: [hours_above, first_time]}
quantiles: ["5 %", "50 %", "95 %"]
solver: exact
precision: double
sweep:
  design: grid
  factors:
    arms.eighths.trial.0.oral: [50 mg, 100 mg]
"""

MODEL = """\
model: trial_drug
title: Two compartments, an effect site and a tolerance
molar_mass: 300 g/mol
references:
  trial2020: {cite: "Trial. J Test 2020;1:1"}
covariates:
  WT: {default: 70 kg, range: [30 kg, 200 kg]}
  smoker: {default: absent, categories: [absent, present]}
parameters:
  TVCL: {value: 5 L/h, grade: assumption, source: trial2020, range: [1 L/h, 10 L/h], uncertainty: {lognormal: 0.2}}
  TVV: {value: 50 L, grade: assumption}
  TVQ: {value: 8 L/h, grade: assumption}
  ka: {value: 1 1/h, grade: assumption}
  EC50: {value: 500 ng/mL, grade: assumption}
  t_tol: {value: 48 h, grade: assumption}
  f_smoker:
    by: smoker
    values:
      absent: {value: 1, grade: assumption}
      present: {value: 1.3, grade: assumption}
random:
  eta_CL: {cv: "30 %", grade: assumption}
  block: {of: [eta_V, eta_Q], sd: [0.2, 0.3], correlation: [[1, 0.4], [0.4, 1]]}
mixtures:
  absorption: {slow: 0.75, fast: 0.25}
individual:
  CL: "TVCL * (WT / 70 kg)^0.75 * f_smoker * exp(eta_CL)"
  V: TVV * WT / 70 [kg] * exp(eta_V)
  Q: TVQ * exp(eta_Q)
  kabs: "if(absorption = fast, 10, 1) * ka"
compartments:
  gut: {}
  central: {volume: V, default: observe}
  peripheral: {volume: 2 * V}
flows:
  - gut -> central: kabs
  - central -> out: CL
  - central <-> peripheral: Q
routes:
  oral: {into: gut, bioavailability: 0.8, lag: 0.25 h, default: dose}
  iv: {into: central}
effect_sites:
  Ce: {follows: Cp, ke0: "0.7 [1/h]"}
states:
  tol: {unit: ng/mL, initial: 0 ng/mL, rate: (Ce - tol) / t_tol}
outputs:
  Cp: {value: central / V, unit: ng/mL, label: plasma concentration}
  effect: {value: "100 % * hill(Ce, EC50 + tol, 2)", unit: "%", label: effect}
residual_error:
  Cp: {proportional: 0.1}
"""

RECORDS = """\
study: records
title: A data set in the place of prescriptions
drugs: {trial: trial_drug, clonazepam: clonazepam_adult}
cohort:
  seed: 3
  covariates:
    smoker: {categorical: {absent: 0.8, present: 0.2}}
arms:
  - name: as it is
  - name: slower
    parameters: {trial.TVCL: 3 L/h}
data:
  file: events.csv
  columns: {AMT: {column: dose, unit: mg}, WT: {column: weight, unit: kg}}
  covariates: {default: next, WT: interpolate}
  bioavailability_scales: duration
  missing: [NA]
  ignore: "#"
  observe: {2: trial.Cp}
outputs: [trial.Cp, trial.effect]
solver: exact
store: [records, amounts]
"""

EVENTS = """\
ID,TIME,dose,CMT,DV,weight
1,0,37.1,1,.,71.3
1,1.7,.,2,NA,70.9
2,0,41.9,1,.,58.3
2,3.1,.,2,.,NA
"""

DESIGN = """\
study: stopping
origin: "08:00"
drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult}
cohort: {subjects: 12, seed: 20211009}
design:
  before:
    clonazepam:
      - {steady_state: {oral: 1 mg, every: 12 h}}
      - {oral: 1 mg, every: 12 h, for: 2 d}
    fentanyl: [{patch: 25 ug/h, every: 72 h, for: 9 d}]
  taper:
    clonazepam:
      from: 2 mg/d
      at: ["08:00", "20:00"]
      products: [{tablet: 0.5 mg, break: halves}, {solution: 0.1 mg/mL, mark: 0.5 mL}]
      most_pieces: 4
      cap: "40 % per 14 d"
  lengths: [7 d, 14 d]
  longest: 26 week
  follow: 8 week
  keep:
    - {of: clonazepam.withdrawal_index, peak: "20", in: "90 %"}
    - {of: clonazepam.Cp, hours_above: 48 h, threshold: 30 ng/mL, in: "50 %"}
  aim: fewest_changes
  within: 20 week
  adherence: {missed: "5 %"}
  judge: {seed: 7, subjects: 30}
  compare: [abrupt, {protocol: asam2025, reduction: "5 %", name: slowly}]
  stress:
    - {name: inhibitor, covariates: {cyp3a4_inhibitor: strong}}
    - {name: a week without, pause: {at: 10 d, for: 7 d, dose: none}}
  under: [inhibitor]
  after: [2 d, 7 d]
"""
