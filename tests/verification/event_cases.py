#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference cases of tests/events/cases: NONMEM's own output (and that of other programs) for given records.

Each case becomes a model file, a data set and a study; every expected row is compared within the tolerance the case
states. A case is solved twice, exactly and by GSL, which agree to 1e-7 of each column's peak (the case with time in its
right-hand side can only be integrated), and tests/events/reference.py is the second opinion on every row of it.
"""
import csv
import glob
import io
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

from _halflife import PROGRAM, ROOT, Tap, nonmem_table

sys.path.insert(0, os.path.join(ROOT, "tests", "events"))
import reference  # noqa: E402

tap = Tap()
AGREEMENT = 1e-7  # of a column's peak, exact against integrated
OPINION = 1e-10   # of a column's peak, exact against reference.py

# Structures by compartments and flows; parameters by the names of the cases.
STRUCTURES = {
    "1iv": (["central"], []),
    "2iv": (["central", "peripheral"], [("Q1", "VP1", "peripheral")]),
    "3iv": (["central", "peripheral", "deep"], [("Q1", "VP1", "peripheral"), ("Q2", "VP2", "deep")]),
    "1oral": (["depot", "central"], []),
    "2oral": (["depot", "central", "peripheral"], [("Q1", "VP1", "peripheral")]),
    "3oral": (["depot", "central", "peripheral", "deep"], [("Q1", "VP1", "peripheral"), ("Q2", "VP2", "deep")]),
    "1cmt_oral": (["depot", "central"], []),
}
UNIT = {"CL": "L/h", "V": "L", "KA": "1/h", "Q1": "L/h", "VP1": "L", "Q2": "L/h", "VP2": "L"}
COVARIATES = {"WT": "70 kg", "LAGT": "0 h", "LAG1": "0 h", "DUR2": "1 h", "RAT2": "1 mg/h", "BIOAV": "1"}
ITEM = {"F": ("bioavailability", ""), "ALAG": ("lag", " h"), "R": ("rate", " mg/h"), "D": ("duration", " h")}


def number(x):
    return repr(float(x))


def route_items(case, cmt):
    """What a dose into compartment cmt goes by: {key of a route: text}."""
    m, items = case["model"], {}
    for item, (key, unit) in ITEM.items():
        if str(cmt) in m.get(item, {}):
            items[key] = number(m[item][str(cmt)]) + unit
        text = m.get("dose_params", {}).get(f"{item}{cmt}", "")
        column = re.match(r"column (\w+)", text)
        if column and column.group(1) in case["columns"]:
            items[key] = column.group(1)
        elif column is None and text and float(text) != (1.0 if item == "F" else 0.0):
            raise ValueError(f"{case['id']}: {item}{cmt} = {text}")
    return items


def routes(case, compartments):
    lines = []
    for n, name in enumerate(compartments, 1):
        keys = {"into": name, **route_items(case, n), **({"default": "dose"} if n == 1 else {})}
        lines.append(f"  to_{name}: {{" + ", ".join(f"{k}: {v}" for k, v in keys.items()) + "}")
    return lines


def output_value(case):
    """The case's output; None when amounts are compared."""
    text = case["model"]["output"]["expr"]
    if "amounts" in text:
        return None
    return ("1000 * " if text.startswith("1000*") else "") + "central / V"


def linear_model(case):
    compartments, distribution = STRUCTURES[case["model"]["structure"]]
    used = {"CL", "V", *(["KA"] if "depot" in compartments else []), *(x for q, v, _ in distribution for x in (q, v))}
    lines = ["model: case", f"title: \"{case['id']}\""]
    covariates = [c for c in case["columns"] if c in COVARIATES]
    if covariates:
        lines += ["covariates:"] + [f"  {c}: {{default: {COVARIATES[c]}}}" for c in covariates]
    lines += ["parameters:"]
    individual = []
    for name in sorted(used):
        value = case["model"]["params"][name]
        if isinstance(value, str):  # 1.1*(WT/70)^0.75
            typical, power = re.fullmatch(r"([\d.]+)\*\(WT/70\)\^([\d.]+)", value).groups()
            lines.append(f"  TV{name}: {{value: {typical} {UNIT[name]}, grade: assumption}}")
            individual.append(f"  {name}: \"TV{name} * (WT / 70 kg)^{power}\"")
        else:
            lines.append(f"  {name}: {{value: {number(value)} {UNIT[name]}, grade: assumption}}")
    lines += ["individual:"] * bool(individual) + individual + ["compartments:"]
    volume = {"central": "V", **{name: v for _, v, name in distribution}}
    for name in compartments:
        keys = [f"volume: {volume.get(name)}"] * (name in volume) + ["default: observe"] * (name == "central")
        lines.append(f"  {name}: {{{', '.join(keys)}}}")
    lines += ["flows:"] + ["  - depot -> central: KA"] * ("depot" in compartments)
    lines += [f"  - central <-> {name}: {q}" for q, _, name in distribution] + ["  - central -> out: CL"]
    lines += ["routes:"] + routes(case, compartments)
    lines += ["outputs:", f"  Y: {{value: {output_value(case) or 'central / V'}, unit: mg/L}}"]
    return "\n".join(lines) + "\n"


def timed_model(case):
    """dA1/dt = KG A1 - KS0 exp(-GAMMA t) ln(DOSE) A1: a flow whose coefficient is a function of time."""
    p = case["model"]["params"]
    assert case["model"]["odes"] == ["dA1/dt = KG*A1 - KS0*exp(-GAMMA*t)*ln(DOSE)*A1"]
    return (f"model: case\ntitle: \"{case['id']}\"\ncovariates:\n  DOSE: {{default: 1}}\nparameters:\n"
            f"  KG: {{value: {p['KG']} 1/h, grade: assumption}}\n  KS0: {{value: {p['KS0']} 1/h, grade: assumption}}\n"
            f"  GAMMA: {{value: {p['GAMMA']} 1/h, grade: assumption}}\n"
            f"compartments:\n  A1: {{initial: {case['model']['init']['A1']} mg, default: observe}}\n"
            "flows:\n  - A1 -> out: KS0 * exp(-GAMMA * t) * log(DOSE) - KG\n"
            "outputs:\n  Y: {value: A1, unit: mg}\n")


def data_set(case):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(case["columns"])
    writer.writerows([[repr(x) for x in row] for row in case["records"]])
    return out.getvalue()


def study(solver):
    return ("study: case\ndrugs: {d: case}\ncohort: typical\ndata: {file: events.csv, covariates: next}\n"
            f"outputs: [d.Y]\nsolver: {solver}\ntolerance: {'1e-10' if solver == 'exact' else '1e-12'}\n"
            "store: [records, amounts]\n")


def halflife(*words):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True,
                          env=dict(os.environ, HALFLIFE_DATA=ROOT))
    if done.returncode:
        raise RuntimeError(f"halflife {words[0]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def solve(folder, case, solver):
    """The exported table: {column: array}, one row per record."""
    files = {"case.yaml": timed_model(case) if case["model"]["structure"] == "ode" else linear_model(case),
             "study.yaml": study(solver), "events.csv": data_set(case)}
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    target = os.path.join(folder, "result.h5")
    halflife("run", os.path.join(folder, "study.yaml"), "-o", target, "--force", "--quiet")
    structure = case["model"]["structure"]
    amounts = ["A_" + name for name in (["A1"] if structure == "ode" else STRUCTURES[structure][0])]
    return nonmem_table(halflife("export", target, "d_Y", *amounts, "--format", "nonmem"))


def column(table, case, key):
    """The column an expected value is compared with: an amount A1, A2 ... or the output."""
    amount = re.fullmatch(r"A(\d)", key)
    if amount:
        return table["A_" + STRUCTURES[case["model"]["structure"]][0][int(amount.group(1)) - 1]]
    return table["d_Y"]


def compare(case, table):
    """The worst row: by how many times its tolerance it is off; rows that are not to be compared left out."""
    worst, where, compared = 0.0, "", 0
    for e in case["expected"]:
        if e["row"] in case.get("skip_rows", []) or e["time"] < case.get("compare_from_time", -np.inf):
            continue
        for key in set(e) - {"row", "time", "evid"}:
            found, tolerance = column(table, case, key)[e["row"] - 1], case["tolerance"]
            off = abs(found - e[key]) / (tolerance["rel"] * abs(e[key]) + tolerance["abs"] + 1e-300)
            compared += 1
            if not off <= worst:
                worst, where = off, f"row {e['row']} {key}: found {found:.12g}, expected {e[key]:.12g}"
    return worst, where, compared


class Case(reference.Model):
    """The linear model of a case, for reference.py."""

    def __init__(self, case):
        self.case = case
        self.compartments, self.distribution = STRUCTURES[case["model"]["structure"]]

    def rates(self, p):
        value = {k: eval(v.replace("^", "**"), {"WT": p.get("WT")}) if isinstance(v, str) else v
                 for k, v in self.case["model"]["params"].items()}
        at, n = {c: i for i, c in enumerate(self.compartments)}, len(self.compartments)
        a = np.zeros((n, n))

        def flow(source, to, k):
            a[at[source], at[source]] -= k
            if to:
                a[at[to], at[source]] += k

        flow("central", None, value["CL"] / value["V"])
        if "depot" in at:
            flow("depot", "central", value["KA"])
        for q, v, name in self.distribution:
            flow("central", name, value[q] / value["V"])
            flow(name, "central", value[q] / value[v])
        return a, np.zeros(n)

    def parts(self, p, cmt):
        items = route_items(self.case, cmt)

        def get(key, absent):
            text = items.get(key)
            return absent if text is None else float(p[text] if text in p else text.split()[0])

        return [reference.Part(cmt - 1, F=get("bioavailability", 1.0), lag=get("lag", 0.0), rate=get("rate", None),
                               duration=get("duration", None))]


def opinion(case):
    """The case by reference.py, as the columns of an exported table."""
    model = Case(case)
    records = [dict(zip(case["columns"], map(float, row))) for row in case["records"]]
    amounts = np.array(reference.run(model, records))
    scale = 1000 if (output_value(case) or "").startswith("1000") else 1
    at = model.compartments.index("central")
    return {**{"A_" + c: amounts[:, i] for i, c in enumerate(model.compartments)},
            "d_Y": scale * amounts[:, at] / case["model"]["params"]["V"]}


def apart(a, b):
    """The largest difference of two tables in their common computed columns, relative to each column's peak."""
    worst = 0.0
    for name in a:
        if name.startswith("A_") or name == "d_Y":
            peak = np.max(np.abs(b[name]))
            off = np.max(np.abs(a[name] - b[name]))
            worst = max(worst, off / peak if peak > 0 else off)
    return worst


def check(case):
    name, linear = case["id"], case["model"]["structure"] != "ode"
    with tempfile.TemporaryDirectory(prefix="halflife-") as folder:
        exact = solve(folder, case, "exact")
        rows = len(case["records"])
        tap.ok(len(exact["TIME"]) == rows, f"{name}: a row for each of {rows} records", f"{len(exact['TIME'])} rows")
        worst, where, compared = compare(case, exact)
        tap.ok(worst <= 1 and compared > 0, f"{name}: {compared} values, off by at most {worst:.2g} tolerances", where)
        if not linear:
            return
        integrated = solve(folder, case, "gsl-rk8pd")
        off = apart(integrated, exact)
        tap.ok(off <= AGREEMENT, f"{name}: integration differs from the exact solution by {off:.1e} of the peak")
        off = apart(exact, opinion(case))
        tap.ok(off <= OPINION, f"{name}: the plain reference differs by {off:.1e} of the peak")


def main():
    cases = []
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "events", "cases", "*.json"))):
        with open(path, encoding="utf-8") as f:
            cases.append(json.load(f))
    timed = sum(c["model"]["structure"] == "ode" for c in cases)
    tap.ok(len(cases) == 40 and timed == 1, "40 cases, one of them timed", f"{len(cases)} cases")
    for case in cases:
        try:
            check(case)
        except (RuntimeError, KeyError, ValueError) as fault:
            tap.ok(False, f"{case['id']}: ran", f"{type(fault).__name__}: {fault}")
    tap.done()


if __name__ == "__main__":
    main()
