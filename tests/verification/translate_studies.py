#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A study's models joined into one text: two drugs that each take doses, and an interaction that reads both.

As translate_models.py, with names that begin with the alias, inputs bound by the study, covariates fixed in an arm and a
typical value changed there. Every output of the three models agrees to 1e-6 of its largest value.
"""
import os
import tempfile

import numpy as np

import _translated as tr
from _halflife import Tap, run

tap = Tap()
HOURS = [0.37, 1.13, 2.71, 4.9, 7.3, 11.7, 16.1, 23.9, 41.7]
OUTPUTS = {"clo": ["Cp", "Ceq", "E", "E_naive", "P_somnolence", "TB", "W"],
           "fent": ["Cp", "analgesia", "PaCO2_steady", "ventilation_ratio", "vent_fda_dynamic"],
           "overlap": None}
STUDY = """
study: joined
drugs: {clo: clonazepam_adult, fent: fentanyl_adult}
interactions: {overlap: {model: sedation_overlap, inputs: {%s}}}
cohort: %s
arms:
  - name: plain
    clo: [{oral: 1.117 mg}, {im: 0.731 mg, start: 5 h}]
    fent: [{iv: 0.0513 mg, start: 1 h}]
  - name: changed
    covariates: {WT: 91.7 kg, carbamazepine: present, liver: child_pugh_b}
    parameters: {clo.TVCL: 2.91 L/h, fent.TVke0: 6.1 1/h}
    clo: [{oral: 1.117 mg}, {im: 0.731 mg, start: 5 h}]
    fent: [{iv: 0.0513 mg, start: 1 h}]
times: [%s]
outputs: [%s]
precision: double
tolerance: 1e-10
"""


def model_parts():
    """What the interaction offers and asks for, from its file."""
    import yaml
    with open(os.path.join(tr.ROOT, "models", "sedation_overlap.yaml"), encoding="utf-8") as f:
        model = yaml.load(f, Loader=yaml.BaseLoader)
    bound = {name: target.replace("fentanyl.", "fent.").replace("clonazepam.", "clo.")
             for name, target in model["inputs"].items()}
    return list(model["outputs"]), bound


def record(text, route, drug, time, amount):
    """One record per way in of a route; both drugs' routes stand in one list, told apart by their compartments."""
    prefix = {"clo": 1, "fent": 6}[drug]
    ways = [w for w in text.doses if w[0] == route and (w[1] >= 6) == (prefix == 6)]
    return [tr.Dose(time, cmt, amount, 0, code) for _, cmt, code, _ in ways]


def main():
    OUTPUTS["overlap"], bound = model_parts()
    names = [f"{alias}.{o}" for alias, outputs in OUTPUTS.items() for o in outputs]
    text_of_study = STUDY % (", ".join(f"{k}: {v}" for k, v in bound.items()), "typical",
                             ", ".join(f"{h} h" for h in HOURS), ", ".join(names))
    result = run(text_of_study)
    at = [int(np.argmin(np.abs(result.time - h))) for h in HOURS]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "joined.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text_of_study)
        for language, kind in tr.LANGUAGES.items():
            for arm, name in enumerate(("plain", "changed")):
                text = kind(tr.translate(path, language, "--arm", name)[0])
                check(f"{language}, {name}", text, result, arm, names, at)


def check(label, text, result, arm, names, at):
    columns = text.defaults()
    doses = (record(text, "oral", "clo", 0.0, 1.117) + record(text, "im", "clo", 5.0, 0.731) +
             record(text, "iv", "fent", 1.0, 0.0513))
    found = tr.simulate(text, doses, HOURS, columns)
    worst, where, lost = 0.0, "", []
    for name in names:
        here = text.name(name)
        if here not in found:
            lost.append(name)
            continue
        expected = result[name][arm, 0][at]
        off = float(np.max(np.abs(found[here] - expected)) / max(np.max(np.abs(expected)), 1e-12))
        if not off <= worst:
            worst, where = off, name
    tap.ok(not lost, f"{label}: every output is in the text", f"missing: {lost}")
    tap.ok(worst <= 1e-6, f"{label}: {len(names)} outputs agree", f"{where} differs by {worst:.3g} of its largest value")


main()
tap.done()
