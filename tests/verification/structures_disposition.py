#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Structural library, disposition: the models behind NONMEM's ADVAN 1, 2, 3, 4, 11 and 12 in all TRANS.

Profiles against sums of exponentials by partial fractions; every TRANS of one drug against every other; the conversions
between parameterisations against eigenvalues of the rate matrix.
"""
import numpy as np

from _halflife import Tap, run
from _structures import Exponentials, curve, disposition, metric, study, values

tap = Tap()
EXACT = 1e-9
TIMES = np.array([0.05, 0.3, 0.37, 0.9, 1.61, 3.3, 5.5, 7.67, 7.9, 9.2, 14.97, 15.3, 22.28, 23.1, 30.9, 47, 71.3,
                  119.9])
DOSES = [0.0, 7.3, 14.6, 21.9]

# Ugly drugs: clearances, volumes, absorption. The peripheral volumes and clearances in order.
BODIES = {
    1: [(3.71, 29.3, [], 0.83), (11.9, 64.1, [], 2.17), (0.83, 7.77, [], 0.097)],
    2: [(4.47, 17.3, [(9.13, 52.9)], 1.31), (0.71, 5.9, [(0.53, 7.1)], 0.223), (23.1, 31.7, [(1.9, 203.0)], 3.9)],
    3: [(3.97, 11.3, [(14.1, 23.3), (2.77, 91.7)], 0.71), (0.67, 4.9, [(3.1, 5.3), (0.41, 8.3)], 2.9),
        (17.3, 41.9, [(41.0, 19.7), (7.9, 310.0)], 0.29)],
}


def names(n, oral):
    """The parameters of the base model of n compartments: clearance, central volume, [(Q, V)]."""
    first = 2 if oral else 1
    if n == 1:
        return "TVCL", "TVV", []
    if n == 2:
        return "TVCL", f"TVV{first}", [("TVQ", f"TVV{first + 1}")]
    return "TVCL", f"TVV{first}", [(f"TVQ{first + i}", f"TVV{first + i}") for i in (1, 2)]


def base_parameters(alias, n, oral, body):
    cl, v, peripheral, ka = body
    name_cl, name_v, name_p = names(n, oral)
    changed = {f"{alias}.{name_cl}": f"{cl} L/h", f"{alias}.{name_v}": f"{v} L",
               f"{alias}.F1": 0.83, f"{alias}.ALAG1": "0.37 h"}
    for (name_q, name_vp), (q, vp) in zip(name_p, peripheral):
        changed.update({f"{alias}.{name_q}": f"{q} L/h", f"{alias}.{name_vp}": f"{vp} L"})
    if oral:
        changed[f"{alias}.TVKA"] = f"{ka} 1/h"
    return changed


def unit(body, oral):
    """Concentration after 1 mg: into the depot, or into the central compartment."""
    cl, v, peripheral, ka = body
    zeros, poles = disposition(cl / v, [(q / v, q / vp) for q, vp in peripheral])
    return Exponentials(zeros, [ka, *poles], ka / v) if oral else Exponentials(zeros, poles, 1 / v)


def closed_forms():
    """All six, each with three drugs: repeated doses with F and lag, and an infusion into the vein."""
    models, items, outputs = {}, {}, []
    for n in (1, 2, 3):
        for oral in (False, True):
            alias = f"{'oral' if oral else 'iv'}{n}"
            models[alias] = f"pk_{'oral' if oral else 'iv'}_{n}cmt"
            items[alias] = [f"{'oral' if oral else 'iv'}: 61.3 mg, every: 7.3 h, doses: 4"]
            outputs.append(alias + ".Cp")
    arms = {f"drug{i}": {} for i in range(3)}
    for i, changed in enumerate(arms.values()):
        for alias in models:
            n = int(alias[-1])
            changed.update(base_parameters(alias, n, alias.startswith("oral"), BODIES[n][i]))
    r = run(study(models, items, TIMES, outputs, arms=arms,
                  metrics=[f"of: {name}, list: [half_life]" for name in outputs]))
    at = [int(np.argmin(np.abs(r.time - t))) for t in TIMES]
    for alias, model in models.items():
        for i, body in enumerate(BODIES[int(alias[-1])]):
            u = unit(body, alias.startswith("oral"))
            expected = sum(0.83 * 61.3 * u.after(TIMES - d - 0.37) for d in DOSES)
            curve(tap, f"{model}, drug {i}: four doses with F and lag", r[alias + ".Cp"][i, 0, at], expected, EXACT)
            tap.within(f"{model}, drug {i}: terminal half-life", metric(r, f"{alias}_Cp_half_life", i),
                       np.log(2) / min(u.p), EXACT)
    items = {alias: ["infuse: 13.7 mg/h, for: 5.1 h, route: iv, start: 1.1 h"] for alias in models}
    r = run(study(models, items, TIMES, outputs, arms=arms))
    for alias, model in models.items():
        for i, body in enumerate(BODIES[int(alias[-1])]):
            f, lag = (1.0, 0.0) if alias.startswith("oral") else (0.83, 0.37)
            expected = f * 13.7 * 5.1 * unit(body, False).infused(TIMES - 1.1 - lag, 5.1)
            curve(tap, f"{model}, drug {i}: an infusion", r[alias + ".Cp"][i, 0, at], expected, EXACT)


def confluent():
    """KA equal to K: the limit F Dose K t exp(-K t)/V."""
    r = run(study({"x": "pk_oral_1cmt"}, {"x": ["oral: 73.1 mg"]}, TIMES, ["x.Cp"],
                  {"x.TVKA": "0.125 1/h", "x.TVCL": "4.5 L/h", "x.TVV": "36 L"}))
    at = [int(np.argmin(np.abs(r.time - t))) for t in TIMES]
    curve(tap, "pk_oral_1cmt, KA equal to K", r["x.Cp"][0, 0, at],
          73.1 / 36 * 0.125 * TIMES * np.exp(-0.125 * TIMES), EXACT)


def conversions(n, oral, body):
    """Every parameter of every TRANS, from the rate matrix and its eigenvalues."""
    cl, v, peripheral, _ = body
    exchange = [(q / v, q / vp) for q, vp in peripheral]
    zeros, poles = disposition(cl / v, exchange)
    c = 2 if oral else 1
    found = {"CL": cl, "K": cl / v}
    if n == 1:
        found["V"] = v
    else:
        found.update({f"V{c}": v, "V": v, "VSS": v + sum(vp for _, vp in peripheral)})
        for i, ((q, vp), (out, back)) in enumerate(zip(peripheral, exchange), 1):
            found.update({("Q" if n == 2 else f"Q{c + i}"): q, f"V{c + i}": vp})
            found.update({f"K{c}{c + i}": out, f"K{c + i}{c}": back})
        found.update(zip(("ALPHA", "BETA", "GAMMA"), poles))
        e = Exponentials(zeros, poles, 1 / v)
        found["AOB"] = e.c[0] / e.c[1]
    return found


UNITS = {"C": "L/h", "Q": "L/h", "V": "L", "K": "1/h", "A": "1/h", "B": "1/h", "G": "1/h"}
TRANS = {
    (1, False): {"": "CL V", "_trans1": "K V"},
    (1, True): {"": "CL V", "_trans1": "K V"},
    (2, False): {"": "CL V1 Q V2", "_trans1": "K K12 K21 V1", "_trans3": "CL V Q VSS", "_trans5": "AOB ALPHA BETA V1",
                 "_trans6": "ALPHA BETA K21 V1"},
    (2, True): {"": "CL V2 Q V3", "_trans1": "K K23 K32 V2", "_trans3": "CL V Q VSS", "_trans5": "AOB ALPHA BETA V2",
                "_trans6": "ALPHA BETA K32 V2"},
    (3, False): {"": "CL V1 Q2 V2 Q3 V3", "_trans1": "K K12 K21 K13 K31 V1", "_trans6": "ALPHA BETA GAMMA K21 K31 V1"},
    (3, True): {"": "CL V2 Q3 V3 Q4 V4", "_trans1": "K K23 K32 K24 K42 V2", "_trans6": "ALPHA BETA GAMMA K32 K42 V2"},
}


def every_trans():
    """The same drug in every parameterisation: the files' own values, and ugly ones converted here."""
    models = {f"{'oral' if oral else 'iv'}{n}{trans}": f"pk_{'oral' if oral else 'iv'}_{n}cmt{trans}"
              for (n, oral), variants in TRANS.items() for trans in variants}
    ugly, truth = {}, {}
    for (n, oral), variants in TRANS.items():
        body = BODIES[n][0]
        truth[n, oral] = conversions(n, oral, body)
        for trans, listed in variants.items():
            alias = f"{'oral' if oral else 'iv'}{n}{trans}"
            for name in listed.split():
                u = "" if name == "AOB" else " " + UNITS[name[0]]
                ugly[f"{alias}.TV{name}"] = f"{truth[n, oral][name]:.17g}{u}"
            if oral:
                ugly[f"{alias}.TVKA"] = f"{body[3]} 1/h"
    items = {a: [f"{'oral' if a.startswith('oral') else 'iv'}: 87.7 mg, every: 7.3 h, doses: 4"] for a in models}
    r = run(study(models, items, TIMES, [alias + ".Cp" for alias in models], arms={"as filed": {}, "ugly": ugly}))
    at = [int(np.argmin(np.abs(r.time - t))) for t in TIMES]
    for (n, oral), variants in TRANS.items():
        base = f"{'oral' if oral else 'iv'}{n}"
        u = unit(BODIES[n][0], oral)
        expected = sum(87.7 * u.after(TIMES - d) for d in DOSES)
        for trans in variants:
            model = models[base + trans]
            if trans:
                curve(tap, f"{model}: the drug of the base model", r[base + trans + ".Cp"][0, 0, at],
                      r[base + ".Cp"][0, 0, at], EXACT)
            curve(tap, f"{model}: an ugly drug", r[base + trans + ".Cp"][1, 0, at], expected, EXACT)
            shown = [name for name in truth[n, oral] if f"{base}{trans}_{name}" in r.subjects]
            worst = max(abs(values(r, f"{base}{trans}_{name}", 1)[0] / truth[n, oral][name] - 1) for name in shown)
            tap.ok(worst <= EXACT and len(shown) >= 2 * n, f"{model}: {', '.join(shown)} of the ugly drug",
                   f"largest relative deviation {worst:.3g}")


def populations():
    """Random effects: AUC = F Dose/CL in everyone, whatever the parameterisation; nobody fails."""
    models = {f"{'oral' if oral else 'iv'}{n}{trans}": f"pk_{'oral' if oral else 'iv'}_{n}cmt{trans}"
              for (n, oral), variants in TRANS.items() for trans in variants}
    items = {alias: [f"{'oral' if alias.startswith('oral') else 'iv'}: 100 mg"] for alias in models}
    r = run(study(models, items, [4000.0], [a + ".Cp" for a in models], cohort="{subjects: 40, seed: 90211}",
                  metrics=[f"of: {a}.Cp, list: [AUC]" for a in models]))
    tap.ok(int(np.sum(r.subjects["status"])) == 0, "every subject of every model is solved")
    for alias, model in models.items():
        cl = values(r, alias + "_CL")
        auc = np.ravel(r.metrics[alias + "_Cp_AUC"][0])
        worst = float(np.max(np.abs(auc * cl / 100 - 1)))
        tap.ok(worst <= 1e-8 and np.std(cl) > 0, f"{model}: AUC = Dose/CL in 40 subjects", f"worst {worst:.3g}")


closed_forms()
confluent()
every_trans()
populations()
tap.done()
