#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two drugs coming off together, and one exchanged for another: what configs/two_drugs.yaml and configs/crossover.yaml
are to show, in the typical subject. Orders and signs are judged, and where a closed form exists, numbers.
"""
import os

import numpy as np

from _halflife import ROOT, Tap, run

tap = Tap()
DAY = 24.0


def configured(name):
    with open(os.path.join(ROOT, "configs", name), encoding="utf-8") as f:
        return run(f.read() + "precision: double\n", "--typical")


def stretch(r, output, arm, begin, end):
    """Values between two days."""
    inside = (r.time >= begin * DAY - 1e-9) & (r.time <= end * DAY + 1e-9)
    return r[output][arm, 0, inside]


def by_day(r, arm, drug):
    d = r.doses
    mine = (d["arm"] == arm) & (d["drug"] == drug)
    return d["time"][mine] / DAY, d["amount"][mine]


def metric(r, name, arm):
    return float(r.metrics[name][arm].flat[0])


def two_drugs():
    r = configured("two_drugs.yaml")
    first, tape, benzo, turn, back = range(5)
    for arm in range(5):
        when, amount = by_day(r, arm, 0)
        tap.ok(float(amount[when == when.max()].sum()) > 0, f"{r.arms[arm]}: clonazepam ends on day {when.max():g}")
        before = [float(max(stretch(r, f"{drug}.withdrawal_index", arm, 0, 6))) for drug in ("clonazepam", "fentanyl")]
        least = [metric(r, f"{drug}_withdrawal_index_Cmax", arm) for drug in ("clonazepam", "fentanyl")]
        tap.ok(before[0] < 6 and before[1] < 10, f"{r.arms[arm]}: before: the ups and downs of the regimen only", before)
        tap.ok(all(x > y for x, y in zip(least, before)), f"{r.arms[arm]}: and rise later", (before, least))
    # overlap: it ends with whichever goes first, and lasts longest where the opioid stays
    hours = [metric(r, "overlap_sedation_hours_above_1", arm) for arm in range(5)]
    tap.ok(hours[first] < hours[turn] < hours[benzo], "hours of overlap: opioid first, in turn, benzodiazepine first", hours)
    tap.ok(hours[tape] < hours[first], "shorter levels and a tape at the end: less overlap", hours)
    # withdrawal: smaller steps in the end are milder, larger levels worse
    opioid = [metric(r, "fentanyl_withdrawal_index_Cmax", arm) for arm in range(5)]
    tap.ok(abs(opioid[first] - opioid[benzo]) < 0.02 * opioid[first], "the same patches are the same withdrawal, early or late",
           opioid)
    last_patch = by_day(r, back, 1)[0].max()
    tap.ok(opioid[back] > 1.3 * opioid[first], "stopping the old patch at once is worse than its steps", opioid)
    # loss of tolerance: Tol_v falls to 1 with a time constant of 7 d once the drug is gone
    gone = stretch(r, "fentanyl.Tol_v", first, 65, 180) - 1
    ratio = gone[20:40] / gone[0:20]  # ten days apart
    tap.ok(bool(np.all(np.abs(ratio[8:] - np.exp(-10 / 7)) < 0.02)), "tolerance is lost with exp(-t/7 d)", str(ratio))
    before, after = (stretch(r, "overlap.P_hyp", back, *days) for days in ((0, 6), (82, 90)))
    t0, t1 = (stretch(r, "fentanyl.Tol_v", back, *days) for days in ((0, 6), (81, 81)))
    tap.ok(t1[0] - 1 < 0.1 * (t0[0] - 1), "five weeks after the last patch a tenth of it is left", (t0[0], t1[0]))
    tap.ok(max(after) > 2 * max(before), "the old patch again: the hypoxaemia index is more than doubled",
           (max(before), max(after)))
    tap.ok(abs(max(stretch(r, "overlap.sedation", back, 82, 90)) / max(stretch(r, "overlap.sedation", back, 0, 6)) - 1) < 0.1,
           "though sedation, which has no opioid tolerance in the model, is what it was")
    tap.ok(last_patch > 80, "the old patch again from day 81", last_patch)
    for arm in (first, tape, benzo, turn):
        tap.ok(r["fentanyl.withdrawal_index"][arm, 0, -1] < 2.5, f"{r.arms[arm]}: opioid withdrawal is over on day 180",
               r["fentanyl.withdrawal_index"][arm, 0, -1])


def crossover():
    r = configured("crossover.yaml")
    asam, uk, ashton, va, under, over = range(6)
    index = [metric(r, "both_withdrawal_index_Cmax", arm) for arm in range(6)]
    sedation = [metric(r, "both_E_Cmax", arm) for arm in range(6)]
    tap.ok(abs(index[uk] - 15.8) < 0.02 * 15.8, "T4 by the index of both is T4 of the reference page (15.8)", index[uk])
    tap.ok(index[ashton] < index[uk] and index[va] < index[uk], "the right table: milder than T4", index)
    tap.ok(index[under] > 1.4 * index[ashton], "half the diazepam that was needed: withdrawal", index)
    tap.ok(sedation[over] > 1.3 * sedation[va], "twice the diazepam that was needed: sedation", sedation)
    days = [by_day(r, arm, 1)[0].max() for arm in (ashton, va)]
    tap.ok(days[0] > days[1] > 100, "the larger amount takes longer", days)
    cm, cp = (r[f"diazepam.{x}"][ashton, 0] for x in ("Cm", "Cp"))
    late = r.time > 150 * DAY
    tap.ok(float(np.median(cm[late & (cp > 1)] / cp[late & (cp > 1)])) > 1, "nordiazepam predominates late in the taper")


two_drugs()
crossover()
tap.done()
