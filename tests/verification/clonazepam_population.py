#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clonazepam in populations: reference page 1.5 and the population targets of section 8.

20 000 subjects against the page's tables (1 % for means and medians, 2.5 % for standard deviations and outer points),
and another population, with other spreads, doses and weights, against the closed forms of each subject.
"""
import math

import numpy as np

from _clonazepam import Subject, peak, study
from _halflife import Tap, run

tap = Tap()


def table(name, x, mean, sd, median, low, high):
    tap.within(f"{name}: mean", float(np.mean(x)), mean, 0.01)
    tap.within(f"{name}: sd", float(np.std(x, ddof=1)), sd, 0.025)
    tap.within(f"{name}: median", float(np.median(x)), median, 0.01)
    for share, value in ((0.05, low), (0.95, high)):
        tap.within(f"{name}: {share:.0%}", float(np.quantile(x, share)), value, 0.025)


def find(r, kind, name, arm):
    """A metric of every subject of an arm."""
    return r.metrics[name if name == "day" else f"clonazepam_{name}_{kind}"][arm]


def default_population():
    """1.5, all at 70 kg; a subject's steady state is exact, so two doses are enough."""
    arms = {"single": ["oral: 2 mg"],
            "daily 1.5": ["steady_state: {oral: 0.5 mg, every: 8 h}", "oral: 0.5 mg, every: 8 h, doses: 3"],
            "daily 6": ["steady_state: {oral: 2 mg, every: 8 h}", "oral: 2 mg, every: 8 h, doses: 3"]}
    r = run(study(arms, [8, 24, 48, 72, 20000], ["Cp"],
                  ["of: clonazepam.Cp, list: [Cmax, Tmax, half_life]",
                   "of: clonazepam.Cp, list: [AUC], windows: [[0 h, 48 h], [0 h, 72 h], [0 h, 20000 h]]",
                   "of: clonazepam.Cp, list: [Cavg], window: [0 h, 24 h], name: day"],
                  cohort="{subjects: 20000, seed: 15, covariates: {WT: 70 kg}}"))
    half_life = find(r, "half_life", "Cp", 0)
    table("terminal half-life", half_life, 40.0, 12.9, 38.1, 22.8, 63.8)
    inside = float(np.mean((half_life >= 19) & (half_life <= 60)))
    n = len(half_life)
    for name, share, found in (("within 19-60 h", 0.914, inside), ("below 19 h", 0.013, float(np.mean(half_life < 19))),
                               ("above 60 h", 0.073, float(np.mean(half_life > 60)))):
        tap.near(f"share of half-lives {name}", found, share, 0.0005 + 3.5 * math.sqrt(share * (1 - share) / n))
    cl, f = r.subjects["clonazepam_CL"].ravel()[:n], r.subjects["clonazepam_F"].ravel()[:n]
    table("CL/F", cl / f, 4.27, 1.23, 4.08, 2.60, 6.55)
    tap.ok(float(f.max()) == 1.0 and 0.2 < float(np.mean(f == 1.0)) < 0.3, "F is capped at 1",
           f"{f.max()} {np.mean(f == 1)}")
    table("Cmax of 2 mg", find(r, "Cmax", "Cp", 0), 13.31, 3.17, 13.03, 8.62, 18.96)
    table("Tmax of 2 mg", find(r, "Tmax", "Cp", 0), 1.60, 0.461, 1.53, 1.01, 2.43)
    area = find(r, "AUC", "Cp", 0)
    table("AUC 0-48 h", area[:, 0], 291, 58.0, 287, 202, 391)
    table("AUC 0-72 h", area[:, 1], 361, 74.4, 356, 247, 490)
    table("AUC to infinity", area[:, 2], 507, 143, 490, 305, 768)
    worst = float(np.max(np.abs(area[:, 2] / (2000 * f / cl) - 1)))
    tap.ok(worst < 1e-8, "every AUC to infinity is its own F D/CL", worst)
    table("steady average at 1.5 mg/day", np.ravel(find(r, "Cavg", "day", 1)), 15.85, 4.48, 15.31, 9.54, 24.01)
    table("steady average at 6 mg/day", np.ravel(find(r, "Cavg", "day", 2)), 63.4, 17.9, 61.2, 38.2, 96.0)
    table("steady trough of 2 mg three times a day", r["clonazepam.Cp"][2, :, 0], 58.0, 17.6, 55.8, 33.4, 90.2)
    tap.ok(float(np.quantile(find(r, "Tmax", "Cp", 0), 0.95)) < 2.5, "V7: 95 % of peaks before 2.5 h")
    for name, found, target, band in (
            ("V1 Cmax", np.mean(find(r, "Cmax", "Cp", 0)), 14.9, 0.20),
                                      ("V1 Tmax", np.mean(find(r, "Tmax", "Cp", 0)), 1.7, 0.20),
            ("V1 AUC", np.mean(area[:, 2]), 561, 0.20), ("V1 half-life", np.mean(half_life), 39.0, 0.20),
            ("V3 Cmax", np.mean(find(r, "Cmax", "Cp", 0)), 13, 0.15), ("V3 AUC 0-72 h", np.mean(area[:, 1]), 360, 0.15),
            ("V3 half-life", np.mean(half_life), 43, 0.15),
                                      ("V8 average at 6 mg/day", np.mean(find(r, "Cavg", "day", 2)), 50, 0.30)):
        tap.within(name, float(found), target, band)


def homogeneous_population():
    """1.1: the sensitivity set has a half-life CV of 21 %."""
    r = run(study({"single": ["iv: 2 mg"]}, [24], ["Cp"], ["of: clonazepam.Cp, list: [half_life]"],
                  model="clonazepam_homogeneous",
                  cohort="{subjects: 20000, seed: 16, covariates: {WT: 70 kg}}"))
    half_life = find(r, "half_life", "Cp", 0)
    tap.near("homogeneous volunteers: CV of the half-life", float(np.std(half_life) / np.mean(half_life)), 0.21,
             0.005 + 0.005)


def another_population():
    """Other spreads, weights, doses and an uneven schedule: each subject's own closed form."""
    n = 600
    cohort = (f"{{subjects: {n}, seed: 91, covariates: {{WT: {{lognormal: {{median: 61 kg, cv: \"25 %\"}}, "
              "within: [38 kg, 130 kg]}}}")
    hours = [0.9, 3.3, 20.8, 49.1, 90.7, 155.5]
    r = run(study({"ugly": ["oral: 1.3 mg, every: 11.3 h, doses: 7, start: 0.4 h"]}, hours, ["Cp", "Ce"],
                  ["of: clonazepam.Cp, list: [Cmax, Tmax, AUC, half_life]"], cohort=cohort,
                  parameters={"TVCL": "5.3 L/h", "TVKA": "0.83 1/h", "ke0": "2.9 1/h"}),
            "--set", "clonazepam.random.eta_CL.variance=0.14", "--set", "clonazepam.random.eta_V.variance=0.09")
    own = {name: r.subjects["clonazepam_" + name].ravel()[:n] for name in ("CL", "Vc", "Vp", "Q", "ka", "F")}
    wt = r.subjects["WT"].ravel()[:n]
    doses = [(0.4 + 11.3 * k, 1.3) for k in range(7)]
    worst = dict.fromkeys(("plasma", "effect site", "Cmax", "half-life", "AUC"), 0.0)
    at = [int(np.argmin(np.abs(r.time - h))) for h in hours]
    for k in range(0, n, 6):
        s = Subject(cl=own["CL"][k], vc=own["Vc"][k], vp=own["Vp"][k], q=own["Q"][k], ka=own["ka"][k], f=own["F"][k],
                    ke0=2.9)
        cp, ce = s.cp(hours, doses), s.ce(hours, doses)
        last = 0.4 + 11.3 * 6
        area = sum(s.auc(155.5 - when, mg) for when, mg in doses)
        top = max(peak(lambda x: s.cp(x, doses), when + 0.25, when + 11.3)[1] for when in (last, last - 11.3))
        for name, found, expected in (("plasma", r["clonazepam.Cp"][0, k, at], cp),
                                      ("effect site", r["clonazepam.Ce"][0, k, at], ce),
                                      ("Cmax", find(r, "Cmax", "Cp", 0)[k], top),
                                      ("AUC", find(r, "AUC", "Cp", 0)[k], area),
                                      ("half-life", find(r, "half_life", "Cp", 0)[k], s.half_life)):
            worst[name] = max(worst[name], float(np.max(np.abs(np.asarray(found) - expected)) / np.max(expected)))
    for name, deviation in worst.items():
        tap.ok(deviation < 1e-8, f"another population, a hundred of its subjects: {name}", deviation)
    eta = np.log(own["CL"] / (5.3 * (wt / 70) ** 0.75))
    tap.near("its spread of clearance", float(eta.std()), math.sqrt(0.14), 0.035)
    tap.near("centred on the typical value", float(eta.mean()), 0.0, 0.05)
    tap.ok(abs(float(np.corrcoef(eta, np.log(wt))[0, 1])) < 0.13, "which is independent of weight")
    volume = np.log(own["Vc"] / (90 * wt / 70))
    tap.near("its spread of volume", float(volume.std()), 0.3, 0.03)
    tap.ok(bool(np.allclose(own["Vp"] / own["Vc"], 100 / 90, rtol=1e-12)), "one eta moves both volumes")


default_population()
homogeneous_population()
another_population()
tap.done()
