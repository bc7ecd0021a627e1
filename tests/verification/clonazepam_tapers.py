#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tapers of clonazepam: reference page 7.2 and 7.4. T5 goes over to diazepam and has no row in 7.4: its doses and
durations are those of 7.2.

Long-term 1 mg twice a day for 80 d (0-1920 h here), then the taper. Doses are read back from the result, the index is
compared with the page (2 %, peak days 0.1 d) and, for tapers the page does not have, with the script's own steps.
"""
import numpy as np

from _benzodiazepines import ashton_steps
from _clonazepam import (Subject, Withdrawal, index_of, level_doses, long_term, number, rounded_half_up, study,
                         taper_levels)
from _halflife import Tap, run

tap = Tap()
RUN_IN = 1920.0

# protocol, levels by the script, taper days, distinct doses, cumulative mg, peak index, its day, 2, 7, 28 d after
TABLE = {
    "T0": ("protocol: abrupt", [], 0, 0, "0", "34.7", 5.6, "26.6 34.0 7.87"),
    "T1": ("protocol: us_label", taper_levels("T1", 2), 21, 7, "21.0", "28.5", 23.4, "28.4 24.2 4.33"),
    "T6": ("protocol: quarter_weekly", taper_levels("T6", 2), 21, 3, "21.0", "28.1", 24.4, "27.2 25.2 4.67"),
    "T2": ("protocol: nardi2010", taper_levels("T2", 2), 49, 5, "45.5", "20.8", 51.9, "20.5 17.8 2.93"),
    "T4": ("protocol: uk_eighth", taper_levels("T4", 2), 98, 7, "98.0", "15.8", 101.7, "14.8 14.0 2.23"),
    "T3 25 %": ("protocol: asam2025, reduction: 25 %, every: 14 d", taper_levels("T3", 2, r=0.25), 126, 9, "77.7",
                "13.9", 18.0,
                "8.48 8.40 1.26"),
    "T3 exact": ("protocol: asam2025", taper_levels("T3", 2), 364, 26, "235.7", "8.89", 45.5, "6.63 6.87 1.02"),
    "T3 quantum": ("protocol: asam2025, quantum: 0.125 mg", rounded_half_up(taper_levels("T3", 2), 0.125), 364, 13,
                   "236.25",
                   "10.3", 46.0, "5.98 6.39 0.94"),
    "T3 5 %": ("protocol: asam2025, r: 5 %, w: 28 d", taper_levels("T3", 2, r=0.05, w=28), 1512, 54, "997.3", "7.05",
               1516.3,
               "5.96 6.39 0.94"),
    "T7 uncapped": ("protocol: hyperbolic, cap: none", taper_levels("T7", 2, cap=False), 224, 16, "28.1", "24.8", 5.0,
                    "0.75 0.72 0.10"),
    "T7 capped": ("protocol: hyperbolic", taper_levels("T7", 2), 280, 20, "85.4", "13.9", 18.0, "0.86 0.83 0.11"),
}


def index_near(name, found, text):
    tap.near(name, found, float(text), max(0.02 * abs(float(text)), 0.01))


def items(text, mg_per_day=2):
    return [f"oral: {mg_per_day / 2} mg, every: 12 h, for: 80 d",
            f"taper: {{{text}, from: {mg_per_day} mg/d, split: 12 h}}"]


def given(result, arm):
    """Doses of the taper: (hours since its start, mg)."""
    d = result.doses
    own = [(float(t) - RUN_IN, float(mg)) for a, t,
           mg in zip(d["arm"], d["time"], d["amount"]) if a == arm and t > RUN_IN - 1e-6]
    return sorted(own)


def solve(names, parameters=None):
    """Arms that end together share a study, so that a short taper isn't integrated for four years."""
    arms = {name: (items(TABLE[name][0]), dict({"prior_dose": "2 mg/d"}, **(parameters or {})), {}) for name in names}
    ends = {name: RUN_IN + 24 * TABLE[name][2] for name in names}
    times = [ends[name] + 24 * d for name in names for d in (2, 7, 28)]
    last = max(times) + 20 * 24
    windows = f"[{RUN_IN:g} h, {last:g} h]"
    r = run(study(arms, times + [last], ["withdrawal_index", "Cp"],
                  [f"of: clonazepam.withdrawal_index, list: [Cmax, Tmax], window: {windows}"]))
    return r, ends


def printed_table():
    for group in (("T0", "T1", "T6", "T2", "T4", "T3 25 %"), ("T3 exact", "T3 quantum", "T7 uncapped", "T7 capped"),
                  ("T3 5 %",)):
        r, ends = solve(group)
        for a, name in enumerate(group):
            _, levels, days, distinct, total, top, day, after = TABLE[name]
            doses = given(r, a)
            expected, end = level_doses(levels)
            same = len(doses) == len(expected) and np.allclose(np.array(doses), np.array(expected), rtol=1e-9,
                                                               atol=1e-6)
            tap.ok(bool(same or not (doses or expected)), f"{name}: {len(expected)} doses at their times", doses[:6])
            tap.ok(end == 24 * days and (not doses or abs(doses[-1][0] + 12 - end) < 1e-6),
                   f"{name}: {days} taper days")
            tap.ok(len({round(mg, 9) for _, mg in doses}) == distinct, f"{name}: {distinct} distinct doses")
            tap.printed(f"{name}: cumulative mg", sum(mg for _, mg in doses), total)
            index_near(f"{name}: peak index", number(r, "clonazepam_withdrawal_index_Cmax", a), top)
            tap.near(f"{name}: peak day", number(r, "clonazepam_withdrawal_index_Tmax", a) / 24 - 80, day, 0.1)
            for d, text in zip((2, 7, 28), after.split()):
                index_near(f"{name}: index {d} d after the taper",
                           r.at("clonazepam.withdrawal_index", ends[name] + 24 * d, a), text)
            tap.within(f"{name}: level 2 d after the taper", r.at("clonazepam.Cp", ends[name] + 48, a),
                       float(Subject().cp([end + 48], long_term(2) + expected)[0]), 1e-7)


def low_c50w():
    """With C50w 0.5 ng/mL: 41-45 about 7-9 d after the end, T0 46 at 12 d, T7 capped 21."""
    for group in (("T0", "T1", "T6", "T2", "T4", "T3 25 %"), ("T3 exact", "T3 quantum", "T7 capped")):
        r, ends = solve(group, {"C50w": "0.5 ng/mL"})
        for a, name in enumerate(group):
            top = number(r, "clonazepam_withdrawal_index_Cmax", a)
            day = (number(r, "clonazepam_withdrawal_index_Tmax", a) - ends[name]) / 24
            if name == "T0":
                tap.ok(round(top) == 46 and round(day) == 12, "C50w 0.5: T0", f"{top} at {day} d")
            elif name == "T7 capped":
                tap.ok(round(top) == 21, "C50w 0.5: T7 capped", top)
            else:
                tap.ok(41 <= round(top) <= 45 and 7 <= round(day) <= 9, f"C50w 0.5: {name}", f"{top} at {day} d")


def printed_levels():
    """7.4: the first and last levels, and taper days from 4 mg/day."""
    cases = {"T1": ("protocol: T1", 45), "T2": ("protocol: T2", 105), "T3": ("protocol: T3", 448),
             "T4": ("protocol: T4", 98),
             "T3 25": ("protocol: T3, r: 0.25", 168)}
    r = run(study({name: items(text, 4) for name, (text, _) in cases.items()}, [2400], ["Cp"]))
    for a, (name, (_, days)) in enumerate(cases.items()):
        tap.near(f"from 4 mg/day: {name} taper days", (given(r, a)[-1][0] + 12) / 24, days, 1e-6)
    levels = {"T3": ("protocol: asam2025", "1.8 1.62 1.458 1.3122 1.1810", "0.1595 0.1436 0.1292"),
              "T7": ("protocol: hyperbolic", "1.5 1.125 0.8438 0.6328 0.4746 0.3560 0.2670 "
                      "0.2002 0.1502 0.1168 0.0929 0.0751 0.0612 0.0500",
                     "")}
    r = run(study({name: items(text) for name, (text, *_) in levels.items()}, [2400], ["Cp"]))
    for a, (name, (_, begin, end)) in enumerate(levels.items()):
        amounts = [2 * mg for _, mg in given(r, a)]
        seen = [mg for k, mg in enumerate(amounts) if k == 0 or abs(mg - amounts[k - 1]) > 1e-9]
        texts = list(enumerate(begin.split())) + [(k - len(end.split()), text) for k, text in enumerate(end.split())]
        for k, text in texts:
            tap.printed(f"{name}: level {k}", seen[k], text)


def other_tapers():
    """Start doses, steps and quanta that no table has, against the script's own recursion and index."""
    cases = {
        "T1 3.3": ("protocol: us_label", 3.3, taper_levels("T1", 3.3), 70.0),
        "T2 2.7": ("protocol: nardi2010", 2.7, taper_levels("T2", 2.7), 70.0),
        "T3 1.7": ("protocol: asam2025, reduction: 8 %, every: 17 d, quantum: 0.1 mg", 1.7,
                   rounded_half_up(taper_levels("T3", 1.7, r=0.08, w=17), 0.1), 58.5),
        "T4 5.2": ("protocol: uk_eighth", 5.2, taper_levels("T4", 5.2), 103.0),
        "T7 1.3": ("protocol: hyperbolic, dO: 0.025, w: 10 d, ED50: 0.10 mg/d", 1.3,
                   taper_levels("T7", 1.3, w=10, d_o=0.025, ed50=0.10), 70.0),
    }
    for a, (name, (text, mg, levels, wt)) in enumerate(cases.items()):
        subject = Subject(wt)
        expected, end = level_doses(levels)
        times = [RUN_IN + 0.37 * end, RUN_IN + end, RUN_IN + end + 100, RUN_IN + end + 700]
        window = f"[{RUN_IN:g} h, {times[-1]:.12g} h]"
        r = run(study({name: (items(text, mg), {"prior_dose": f"{mg} mg/d"}, {"WT": f"{wt} kg"})}, times,
                      ["withdrawal_index", "Cp"],
                      [f"of: clonazepam.withdrawal_index, list: [Cmax, Tmax], window: {window}"]))
        doses = given(r, 0)
        same = len(doses) == len(expected) and np.allclose(np.array(doses), np.array(expected), rtol=1e-9, atol=1e-6)
        tap.ok(bool(same), f"{name}: doses", f"{len(doses)}, expected {len(expected)}: {doses[:4]}")
        level = subject.cavg(mg)
        own = Withdrawal(subject, long_term(mg) + expected, -RUN_IN, end + 700, level / (level + 20))
        t, w = own.peak(0, end + 700)
        tap.within(f"{name}: peak index", number(r, "clonazepam_withdrawal_index_Cmax"), index_of(w), 5e-5)
        tap.near(f"{name}: its time [h]", number(r, "clonazepam_withdrawal_index_Tmax") - RUN_IN, t, 0.1)
        for hour in times:
            tap.near(f"{name}: index at {hour - RUN_IN:.1f} h", r.at("clonazepam.withdrawal_index", hour),
                     index_of(own.w_at(hour - RUN_IN)), 2e-3)


def whole_quanta():
    """7.1: half up to the quantum, then whole quanta, the larger part (or first spare one) in the evening."""
    text = study({"bid": ["taper: {protocol: us_label, from: 1.5 mg/d, quantum: 0.25 mg, split: bid, "
                          "at: [\"08:00\", \"20:00\"]}"],
                  "tid": ["taper: {list: [{dose: 1.0 mg/d, for: 2 d}, {dose: 1.25 mg/d, for: 2 d}], quantum: 0.25 mg, "
                          "split: tid, at: [\"08:00\", \"14:00\", \"20:00\"]}"]}, [400], ["Cp"],
                 extra="origin: \"08:00\"\n")
    r = run(text)
    d = r.doses
    rows = {a: sorted((float(t), float(mg)) for b, t, mg in zip(d["arm"], d["time"], d["amount"]) if a == b)
            for a in (0, 1)}
    expected = []
    for k, (level, _) in enumerate(taper_levels("T1", 1.5)):
        quanta = int(level / 0.25 + 0.5)
        morning, evening = quanta // 2 * 0.25, (quanta - quanta // 2) * 0.25
        for day in range(3):
            expected += [(24.0 * (3 * k + day), morning), (24.0 * (3 * k + day) + 12, evening)]
    expected = [x for x in expected if x[1] > 0]
    found = [x for x in rows[0] if x[1] > 0]
    tap.ok(len(found) == len(expected) and np.allclose(found, expected), "twice a day: the larger part in the evening",
           found[:8])
    found = [x for x in rows[1] if x[1] > 0]
    expected = [(24.0 * day + hour, mg) for day in range(4) for hour, mg in
                ((0, 0.25 if day < 2 else 0.5), (6, 0.25), (12, 0.5))]
    tap.ok(len(found) == len(expected) and np.allclose(found, expected), "thrice: evening first, then morning",
           found[:8])


def crossover():
    """T5: one dose at a time every 7 d, then down; 30-60 weeks from 40 mg of diazepam, 20-40 from 20 mg."""
    cases = {(mg, table, pace): None for mg in (1, 2) for table in ("ashton2002", "vadod2021")
             for pace in ("slow", "fast")}
    lines = ["study: verification", "drugs: {clonazepam: clonazepam_adult, diazepam: diazepam_adult}",
             "cohort: typical", "origin: \"08:00\"", "arms:"]
    for mg, table, pace in cases:
        lines += [f"  - name: {mg} {table} {pace}", "    clonazepam:",
                  f"      - {{oral: {mg / 2} mg, every: 12 h, for: 7 d}}",
                  f"      - taper: {{protocol: T5, from: {mg} mg/d, at: [\"08:00\", \"20:00\"], to: diazepam, "
                  f"equivalence: {table}, pace: {pace}, target: {{quantum: 1 mg, split: bid}}}}"]
    r = run("\n".join(lines) + "\ntimes: [{at: [500 d]}]\noutputs: [clonazepam.Cp, diazepam.Cp]\n")
    d = {name: values.tolist() for name, values in r.doses.items()}
    for a, (mg, table, pace) in enumerate(cases):
        rows = [(t, amount, drug) for arm, t, amount, drug in zip(d["arm"], d["time"], d["amount"], d["drug"])
                if arm == a]
        by_day = {}
        for t, amount, drug in rows:
            day = by_day.setdefault(int(t // 24), [0.0, 0.0])
            day[drug] += amount
        start = mg * (20 if table == "ashton2002" else 10)
        expected = {day: [mg, 0] for day in range(7)}
        expected.update({7 + day: [mg / 2, start / 2] for day in range(7)})
        expected.update({14 + day: [0, start] for day in range(7)})
        day = 21
        for level, days in ashton_steps(start, pace):
            expected.update({day + k: [0, level] for k in range(int(days))})
            day += int(days)
        name = f"T5, {mg} mg/day, {table}, {pace}"
        tap.ok(by_day == expected, f"{name}: {len(expected)} days of doses",
               [(k, by_day.get(k), expected.get(k)) for k in range(day) if by_day.get(k) != expected.get(k)][:5])
        weeks = (max(by_day) + 1 - 14) / 7
        if start in (20, 40):
            low, high = (30, 60) if start == 40 else (20, 40)
            tap.ok(low <= weeks <= high, f"{name}: {weeks:g} weeks from {start} mg/day, {low}-{high} in the source")
        evening = [t for t, _, drug in rows if drug == 1 and t < 14 * 24]
        tap.ok(evening and all(abs(t % 24 - 12) < 1e-9 for t in evening), f"{name}: the evening's dose goes first")


printed_levels()
crossover()
printed_table()
low_c50w()
other_tapers()
whole_quanta()
tap.done()
