#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two drugs' own models under the interaction: X8, the levels and the patterns of section 7 and the peaks behind
section 3.2 of the interaction page, each from a regimen."""
import math

import numpy as np

from _halflife import Tap, run
from _interaction import R, surface

tap = Tap()
DRUGS = {"clonazepam": "clonazepam_adult", "fentanyl": "fentanyl_adult"}
CLONAZEPAM = "clonazepam: [{oral: 0.5 mg, every: 12 h, for: 6 d}, {gap: 30 h}, {oral: 1.25 mg, every: 24 h, doses: 3}]"
FENTANYL = "fentanyl: [{infuse: 35 ug/h, for: 2 d}, {patch: 50 ug/h, every: 72 h, for: 6 d}, {iv: 75 ug}]"


def pair(arms, times, outputs, cohort="typical", drugs=DRUGS, interaction=True, more=""):
    """A study of the real drugs; arms are (name, text of the items)."""
    overlap = "interactions: {overlap: sedation_overlap}\n" if interaction else ""
    lines = "".join(f"  - {{name: '{name}'{', ' if items else ''}{items}}}\n" for name, items in arms)
    return run(f"study: pair\ndrugs: {{{', '.join(f'{k}: {v}' for k, v in drugs.items())}}}\n{overlap}cohort: {cohort}\n"
               f"arms:\n{lines}times: {times}\noutputs: [{', '.join(outputs)}]\nprecision: double\n{more}")


def kinetics_apart():
    """X8, and more: the same numbers whichever drug, interaction or correlation stands beside."""
    times, people = "[{until: 12 d, every: 1 h}]", "{subjects: 9, seed: 42, covariates: {WT: {lognormal: {median: 71.3 kg, cv: 19 %}}}}"
    tied = people[:-1] + ", correlations: [{between: [clonazepam.eta_CL, fentanyl.eta_CL], r: 0.3}]}"
    of = {"clonazepam": ["clonazepam.Cp", "clonazepam.Ce", "clonazepam.T"], "fentanyl": ["fentanyl.Cp", "fentanyl.Ce", "fentanyl.Pa"]}
    arms = [("both", f"{CLONAZEPAM}, {FENTANYL}"), ("clonazepam", CLONAZEPAM), ("fentanyl", FENTANYL)]
    for cohort, word in ((people, "independent"), (tied, "correlated")):
        r = pair(arms, times, of["clonazepam"] + of["fentanyl"] + ["overlap.sedation", "overlap.Pa"], cohort)
        for drug, alone in (("clonazepam", 1), ("fentanyl", 2)):
            for name in of[drug]:
                gap = float(np.max(np.abs(r[name][0] - r[name][alone])))
                limit = 1e-12 if name[-2:] in ("Cp", "Ce") else 1e-6
                tap.near(f"X8 {word}: {name} with and without the other drug", gap / float(np.max(np.abs(r[name]))), 0, limit)
        bare = pair(arms, times, of["clonazepam"] + of["fentanyl"], cohort, interaction=False)
        for name in of["clonazepam"][:2] + of["fentanyl"][:2]:
            tap.ok(np.array_equal(r[name], bare[name]), f"{word}: {name} is the same, bit for bit, with the interaction and without")
        for name in sorted(bare.subjects):
            tap.ok(np.array_equal(r.subjects[name], bare.subjects[name], equal_nan=True), f"{word}: subjects' {name} as well")
        if word == "independent":
            for k, drug in enumerate(DRUGS):
                lone = pair([(drug, (CLONAZEPAM, FENTANYL)[k])], times, of[drug], cohort, {drug: DRUGS[drug]}, False)
                for name in of[drug][:2]:
                    tap.ok(np.array_equal(lone[name][0], r[name][k + 1]), f"{name} is the same in a study that names no other drug")


def levels_of_section_7():
    """Where the printed inputs come from."""
    windows = ", ".join(f"[{24 * d} h, {24 * d + 24} h]" for d in (0, 2))
    arms = [("start", "clonazepam: [{oral: 0.5 mg, every: 24 h, for: 4 d}]"),
            ("steady", "clonazepam: [{steady_state: {oral: 0.5 mg, every: 24 h}}, {oral: 0.5 mg, every: 24 h, for: 4 d}]"),
            ("volunteer", "fentanyl: [{steady_state: {infuse: 700 ug/d}}, {infuse: 700 ug/d, for: 4 d}]"),
            ("cancer", "fentanyl: [{steady_state: {infuse: 700 ug/d}}, {infuse: 700 ug/d, for: 4 d}], covariates: {population: cancer}"),
            ("bolus", "fentanyl: [{iv: 20 ug}]"),
            ("tape", "fentanyl: [{steady_state: {tape: 1 mg, every: 24 h}}, {tape: 1 mg, every: 24 h, for: 4 d}]"),
            ("patch", "fentanyl: [{steady_state: {patch: 100 ug/h, every: 72 h}}, {patch: 100 ug/h, every: 72 h, for: 6 d}]")]
    r = pair(arms, "[{until: 4 d, every: 6 h}]", ["clonazepam.Cp", "fentanyl.Ce", "fentanyl.Cp"],
             more="metrics:\n  - {of: clonazepam.Cp, list: [Cavg], windows: [" + windows + "]}\n"
                  "  - {of: fentanyl.Cp, list: [Cavg], window: [0 h, 72 h]}\n  - {of: fentanyl.Ce, list: [Cmax]}\n")
    cavg = r.metric("clonazepam_Cp_Cavg").reshape(len(arms), -1)
    tap.printed("clonazepam's first-day average", cavg[0, 0], "1.92")
    tap.printed("its average on day 3", cavg[0, 1], "3.84")
    tap.printed("its steady-state average", cavg[1, 0], "5.21")
    fent = r.metric("fentanyl_Cp_Cavg").reshape(len(arms), -1)[:, 0]
    for a, text in ((3, "0.588"), (2, "0.769"), (5, "0.33"), (6, "2.96")):
        tap.printed(f"fentanyl's level, {arms[a][0]}", fent[a], text)
    peak = float(r.metric("fentanyl_Ce_Cmax").reshape(len(arms), -1)[4, 0])
    tap.near("0.769 and the peak of a 20 ug bolus", fent[2] + peak, 1.206, 0.0006)


def bailey_from_the_bolus():
    """3.2: 2 ug/kg in 70 kg; the peak and the indices at it."""
    arms = [("ke0 0.2102", "fentanyl: [{iv: 140 ug}]"), ("ke0 0.147", "fentanyl: [{iv: 140 ug}], parameters: {fentanyl.TVke0: 0.147 1/min}")]
    for drugs, rows in ((DRUGS, arms), (dict(DRUGS, fentanyl="fentanyl_scott_stanski"), [("Scott and Stanski", "fentanyl: [{iv: 140 ug}]")])):
        r = pair(rows, "[{until: 1 h, every: 1 min}]", ["fentanyl.Ce", "overlap.P_hyp", "overlap.P_apnoea"], drugs=drugs,
                 more="metrics:\n  - {of: fentanyl.Ce, list: [Cmax]}\n  - {of: overlap.P_hyp, list: [Cmax]}\n  - {of: overlap.P_apnoea, list: [Cmax]}\n")
        texts = ("3.06 0.60 0.11", "2.47 0.43 0.05") if drugs is DRUGS else ("1.81 - -",)
        for a, text in enumerate(texts):
            for metric, expected in zip(("fentanyl_Ce_Cmax", "overlap_P_hyp_Cmax", "overlap_P_apnoea_Cmax"), text.split()):
                if expected != "-":
                    tap.near(f"{rows[a][0]}: {metric}", float(r.metric(metric).reshape(len(rows), -1)[a, 0]), float(expected),
                             0.01 if "P_" in metric else 0.0051)


def overlap_follows_the_levels():
    """The interaction sees the drugs' own levels at every stored time, tolerance included."""
    cohort = "{subjects: 12, seed: 5, covariates: {WT: {uniform: [50 kg, 95 kg]}}}"
    r = pair([("naive", f"{CLONAZEPAM}, {FENTANYL}"), ("tolerance of breathing", f"{CLONAZEPAM}, {FENTANYL}, covariates: {{tolerance: developing}}")],
             "[{until: 12 d, every: 5 h}]", ["clonazepam.Ce", "clonazepam.TB", "fentanyl.Ce", "fentanyl.Tol_v", "overlap.P2", "overlap.P5",
             "overlap.U", "overlap.P_hyp", "overlap.PaCO2", "overlap.sedation"], cohort)
    for a in (0, 1):
        p = {k: r.subjects["overlap_" + k] for k in ("sB", "sF", "sA", "C50_vent")}
        p = {k: (v[a] if v.ndim > 1 else v)[:, None] for k, v in p.items()}
        p["C50_vent"] = 1000 * p["C50_vent"]  # stored in mg/L
        own = surface(r["fentanyl.Ce"][a], R * r["clonazepam.Ce"][a], r["fentanyl.Tol_v"][a], r["clonazepam.TB"][a],
                      sB=p["sB"], sF=p["sF"], sA=p["sA"], c50_vent=p["C50_vent"])
        for name in ("P2", "P5", "U", "P_hyp", "PaCO2", "sedation"):
            gap = float(np.max(np.abs(r["overlap." + name][a] - own[name]) / np.maximum(1, np.abs(own[name]))))
            tap.near(f"{r.arms[a]}: overlap.{name} from the levels stored beside it", gap, 0, 1e-11)
    tap.ok(bool(np.all(r["fentanyl.Tol_v"][0] == 1)) and float(r["fentanyl.Tol_v"][1].max()) > 1.5, "tolerance of breathing develops where asked for")
    tap.ok(float(r["clonazepam.TB"].max()) > 1.5, "benzodiazepine tolerance develops")


def patterns():
    """Section 7: what a simulation should reproduce."""
    base = "fentanyl: [{steady_state: {infuse: 700 ug/d}}, {infuse: 700 ug/d, for: 15 d}]"
    naive = "parameters: {clonazepam.gain: 0}"
    arms = [("added", f"{base}, clonazepam: [{{oral: 0.5 mg, every: 24 h, for: 15 d, start: 2 d}}], {naive}"),
            ("bolus", f"{base[:-1]}, {{iv: 20 ug, start: 243 h}}], clonazepam: [{{oral: 0.5 mg, every: 24 h, for: 15 d, start: 2 d}}], {naive}"),
            ("stop both", f"fentanyl: [{{steady_state: {{patch: 50 ug/h, every: 72 h}}}}, {{patch: 50 ug/h, every: 72 h, for: 6 d}}], "
                          f"clonazepam: [{{oral: 0.5 mg, every: 24 h, for: 6 d}}], {naive}"),
            ("opioid first", f"fentanyl: [{{steady_state: {{infuse: 700 ug/d}}}}, {{infuse: 350 ug/d, for: 15 d}}], "
                             f"clonazepam: [{{steady_state: {{oral: 0.5 mg, every: 24 h}}}}, {{oral: 0.5 mg, every: 24 h, for: 15 d}}]"),
            ("benzodiazepine first", f"fentanyl: [{{steady_state: {{infuse: 700 ug/d}}}}, {{infuse: 700 ug/d, for: 15 d}}], "
                                     f"clonazepam: [{{steady_state: {{oral: 0.5 mg, every: 24 h}}}}, {{oral: 0.25 mg, every: 24 h, for: 15 d}}]")]
    windows = ", ".join(f"[{24 * d} h, {24 * d + 24} h]" for d in range(16))
    r = pair(arms, "[{until: 16 d, every: 1 h}]", ["clonazepam.Ce", "fentanyl.Ce", "overlap.sedation", "overlap.U", "overlap.boost"],
             more=f"metrics:\n  - {{of: overlap.sedation, list: [Cavg, Cmax], windows: [{windows}]}}\n")
    day = r.metric("overlap_sedation_Cavg")[:, 0, :]
    tap.ok(day[0, 2] > 2 * day[0, 1], "(1) sedation jumps on the first day of a benzodiazepine", str(day[0]))
    peak = r.metric("overlap_sedation_Cmax")[:, 0, :]
    tap.ok(peak[1, 10] > peak[0, 10] * 1.1 and abs(peak[1, 9] - peak[0, 9]) < 1e-12, "(1) and again after a bolus", str(peak[:2, 8:12]))
    tap.ok(bool(np.all(np.diff(day[0, 2:8]) > 0)) and day[0, 9] - day[0, 8] < 0.02 * day[0, 9],
           "(2) overlap rises beyond the first day and levels off in 5-8 days", str(day[0]))
    u = r["overlap.U"][2, 0]
    stop = int(np.argmin(np.abs(r.time - 144)))
    tap.ok(u[stop + 12] > 0.5 * u[stop] and r["overlap.boost"][2, 0, stop + 24] > 1.2, "(3) stopping does not end overlap at once", str(u[stop:stop + 30]))
    end = int(np.argmin(np.abs(r.time - 15 * 24)))
    tap.within("(4) half the opioid halves U", r["overlap.U"][3, 0, end] / r["overlap.U"][3, 0, 0], 0.5, 0.02)
    boost = r["overlap.boost"][4, 0]
    tap.within("(4) half the benzodiazepine lowers only the factor", r["overlap.U"][4, 0, end] / r["overlap.U"][4, 0, 0], boost[end] / boost[0], 1e-3)


for part in (kinetics_apart, levels_of_section_7, bailey_from_the_bolus, overlap_follows_the_levels, patterns):
    part()
tap.done()
