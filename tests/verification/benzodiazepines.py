#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other benzodiazepines: diazepam with nordiazepam.

Each model against closed forms (numbers computed here, 1e-7), and against published observations, each with the band
in which a reconciliation of conflicting studies can be expected to lie. What was observed stands beside the check.
"""
import numpy as np

from _benzodiazepines import Diazepam, transferred
from _clonazepam import column, every, peak
from _halflife import Tap, run

tap = Tap()


def solve(model, arms, times, outputs, metrics=(), extra=""):
    """arms: {name: (items, covariates)}; the drug's alias is drug."""
    lines = ["study: verification", f"drugs: {{drug: {model}}}", "cohort: typical", "precision: double", "arms:"]
    for name, (items, covariates) in arms.items():
        lines += [f"  - name: {name}"]
        if covariates:
            lines += ["    covariates: {" + ", ".join(f"{k}: {v}" for k, v in covariates.items()) + "}"]
        lines += ["    drug:"] + [f"      - {{{item}}}" for item in items]
    lines += ["times: [{at: [" + ", ".join(f"{t:.12g} h" for t in sorted(set(times)) if t > 0) + "]}]",
              "outputs: [" + ", ".join("drug." + name for name in outputs) + "]"]
    if metrics:
        lines += ["metrics:"] + [f"  - {{{metric}}}" for metric in metrics]
    return run("\n".join(lines) + "\n" + extra)


def observed(name, found, value, band, unit=""):
    """Within band (a share) of a published value."""
    tap.ok(abs(found - value) <= band * value, f"{name}: model {found:.4g}{unit}, observed {value:g}",
           f"band {band:.0%}")


def diazepam_closed_forms():
    cases = {"typical": ({}, Diazepam()), "age 27, 58.5 kg": ({"AGE": "27 year", "WT": "58.5 kg"}, Diazepam(58.5, 27)),
             "age 73, 91.3 kg": ({"AGE": "73 year", "WT": "91.3 kg"}, Diazepam(91.3, 73)),
             "poor metaboliser": ({"CYP2C19": "poor"}, None)}
    doses = [(0.0, 7.3), (13.7, 4.9), (31.1, 2.2)]
    items = [f"oral: {mg} mg, start: {t} h" for t, mg in doses]
    times = [0.37, 1.9, 14.3, 40.0, 111.0, 333.0, 777.0]
    r = solve("diazepam_adult", {name: (items, c) for name, (c, _) in cases.items()}, times, ["Cp", "Cm", "Cactive"])
    i = solve("diazepam_adult", {name: (["iv: 7.3 mg"], c) for name, (c, _) in cases.items()}, times, ["Cp", "Cm"])
    for a, (name, (_, s)) in enumerate(cases.items()):
        if s is None:
            s = Diazepam(factor=0.46)
            s.clm *= 0.72
            s.km, s.ratio = s.clm / s.vm, s.ratio / 0.72
        for t in times:
            tap.within(f"{name}: diazepam at {t:g} h", r.at("drug.Cp", t, a), float(s.cp([t], doses)[0]), 1e-7)
            tap.within(f"{name}: nordiazepam at {t:g} h", r.at("drug.Cm", t, a),
                       float(s.metabolite([t], doses)[0]), 1e-7)
            tap.within(f"{name}: diazepam iv at {t:g} h", i.at("drug.Cp", t, a), float(s.cp([t], [(0, 7.3)], "iv")[0]),
                       1e-7)
            tap.within(f"{name}: nordiazepam iv at {t:g} h", i.at("drug.Cm", t, a),
                       float(s.metabolite([t], [(0, 7.3)], "iv")[0]), 1e-7)
        tap.within(f"{name}: half-life", column(r, "drug_half_life_terminal", a), s.half_life, 1e-9)
        tap.within(f"{name}: half-life of nordiazepam", column(r, "drug_half_life_nor", a), np.log(2) / s.km, 1e-9)


def diazepam_observations():
    ages = (20, 27, 28, 40, 45, 70, 80)
    arms = {f"{age}": (["oral: 10 mg"], {"AGE": f"{age} year"}) for age in ages}
    r = solve("diazepam_adult", arms, [24], ["Cp"], ["of: drug.Cp, list: [Cmax, Tmax]"])
    t_half = {age: column(r, "drug_half_life_terminal", a) for a, age in enumerate(ages)}
    nor = {age: column(r, "drug_half_life_nor", a) for a, age in enumerate(ages)}
    top = {age: float(r.metrics["drug_Cp_Cmax"][a].flat[0]) for a, age in enumerate(ages)}
    when = {age: float(r.metrics["drug_Cp_Tmax"][a].flat[0]) for a, age in enumerate(ages)}
    own = peak(lambda x: Diazepam(age=28).cp(x, [(0, 10)]), 0.3, 4)
    tap.within("peak at 28 y against the closed form", top[28], own[1], 1e-7)
    observed("half-life per year of age (label: about 1 h a year)", (t_half[80] - t_half[20]) / 60, 1, 0.1, " h")
    observed("half-life at 80 y (Klotz 1975: about 90 h)", t_half[80], 90, 0.1, " h")
    tap.ok(20 <= t_half[20] <= 44.5, "half-life at 20 y: Klotz about 20 h, Herman 44.5 h", t_half[20])
    tap.ok(31 <= t_half[27] <= 44.5, "half-life of the young: Greenblatt 2021 31 h, Herman 44.5 h", t_half[27])
    observed("half-life of the old (Greenblatt 2021: 86 h)", t_half[70], 86, 0.15, " h")
    observed("half-life at 18-44 y (Greenblatt 1989: 44.2 h)", t_half[28], 44.2, 0.15, " h")
    observed("nordiazepam half-life of the old (80 h)", nor[70], 80, 0.1, " h")
    tap.ok(40 <= nor[27] <= 65, "nordiazepam half-life of the young: 40, 53 and 65 h observed", nor[27])
    tap.ok(all(36 <= x <= 200 for x in nor.values()), "nordiazepam half-life within 36-200 h")
    observed("peak of 10 mg at 18-44 y (406 ng/mL)", top[28], 406, 0.15)
    observed("peak of 5 mg at 19-79 y (Divoll: 157 ng/mL)", top[45] / 2, 157, 0.15)
    observed("its time (0.9 h)", when[45], 0.9, 0.25, " h")


def diazepam_accumulation():
    """10 mg three times a day: the parent-to-metabolite ratio was 2.21 after two days and 1.14 after seven."""
    r = solve("diazepam_adult", {"week": (["oral: 10 mg, every: 8 h, for: 100 d"], {}),
                                 "steady": (["steady_state: {oral: 10 mg, every: 8 h}",
                                             "oral: 10 mg, every: 8 h, for: 10 d"], {})}, [48, 168, 192, 240, 2400], ["Cp", "Cm", "Cactive"],
              ["of: [drug.Cp, drug.Cm], list: [Cavg], window: [0 h, 240 h]"])
    s, doses = Diazepam(), every(10, 8, 0, 2400)
    ratio = {t: r.at("drug.Cp", t) / r.at("drug.Cm", t) for t in (48, 168, 2400)}
    for t in (48, 168, 240):
        tap.within(f"ratio at {t} h against the closed form", r.at("drug.Cp", t) / r.at("drug.Cm", t),
                   float((s.cp([t], doses) / s.metabolite([t], doses))[0]), 1e-7)
    observed("diazepam to nordiazepam after 2 d", ratio[48], 2.21, 0.15)
    observed("diazepam to nordiazepam after 7 d", ratio[168], 1.14, 0.15)
    average = [float(r.metrics[f"drug_{x}_Cavg"][1].flat[0]) for x in ("Cp", "Cm")]
    tap.within("steady diazepam is F D/CL", average[0], s.cavg(30), 1e-6)
    tap.within("steady nordiazepam over diazepam", average[1] / average[0], s.ratio, 1e-6)
    tap.ok(average[1] > average[0], "nordiazepam predominates in long-term use (Hollister 1981)")
    share = r.at("drug.Cm", 192) / r.at("drug.Cm", 2400)
    tap.ok(0.7 < share < 1, "nordiazepam: most of its plateau after 8 d (Eatman 1977, at 21-31 y: plateau after 5-8 d)",
           share)
    low, high = s.active_average(5), s.active_average(40)
    tap.ok(0 < low and high < 2584, "5-40 mg/day within 0-2584 ng/mL in all (Hollister 1981)", (low, high))


def diazepam_equivalence():
    """Equivalent doses have the same withdrawal signal and sedation signal at steady state, by either table."""
    for table, ratio in (("ashton2002", 20), ("vadod2021", 10)):
        s = Diazepam()
        factor = transferred(ratio, s.active_average(1))
        arms = {"even": ([f"steady_state: {{infuse: {2 * ratio * 0.97 / 24} mg/h}}",
                          f"infuse: {2 * ratio * 0.97 / 24} mg/h, for: 10 d"], {"equivalence": table})}
        r = solve("diazepam_adult", arms, [240], ["Cactive", "u", "U_bzd", "A", "T", "TB", "withdrawal_index"])
        level = 2 * 1000 * 0.9 / 24 / 3.6  # clonazepam, 2 mg/day
        tap.within(f"{table}: u", r.at("drug.u", 240), level / (level + 20), 1e-6)
        tap.within(f"{table}: active concentration", r.at("drug.Cactive", 240), level * factor, 1e-6)
        tap.within(f"{table}: tolerance factor", r.at("drug.TB", 240), 1 + 2.5 * level / 15, 1e-6)
        tap.within(f"{table}: C50w", 1000 * column(r, "drug_C50w"), 20 * factor, 1e-9)
        tap.near(f"{table}: no withdrawal", r.at("drug.withdrawal_index", 240), 0, 1e-6)


diazepam_closed_forms()
diazepam_observations()
diazepam_accumulation()
diazepam_equivalence()
tap.done()
