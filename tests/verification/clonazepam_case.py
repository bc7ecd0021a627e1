#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worked case, clonazepam 0.5 mg a day for three weeks (reference page section 9), and targets of section 8 that
need no population."""
from _clonazepam import Course, Subject, Withdrawal, column, index_of, number, study
from _halflife import Tap, run

tap = Tap()

DAYS = (1, 2, 3, 7, 14, 21)


def printed_case():
    windows = "windows: [" + ", ".join(f"[{24 * (d - 1)} h, {24 * d} h]" for d in DAYS) + "]"
    after = (24, 48, 72, 120, 168, 240)
    r = run(study({"case": ["oral: 0.5 mg, every: 24 h, doses: 21"],
                   "dexamethasone": (["steady_state: {oral: 0.5 mg, every: 24 h}",
                                      "oral: 0.5 mg, every: 24 h, doses: 3"], {},
                                     {"dexamethasone": "present"}),
                   "steady": ["steady_state: {oral: 0.5 mg, every: 24 h}", "oral: 0.5 mg, every: 24 h, doses: 3"]},
                  [24.0 * d for d in DAYS] + [480 + h for h in after] + [1500],
                  ["Cp", "E", "E_naive", "withdrawal_index"],
                  [f"of: clonazepam.Cp, list: [Cmax, Cavg], {windows}", f"of: clonazepam.E, list: [Cmax], {windows}",
                   f"of: clonazepam.E_naive, list: [Cmax], {windows}",
                   "of: clonazepam.withdrawal_index, list: [Cmax, Tmax]"]))
    rows = ("3.38 1.45 1.92 3.9 4.0", "4.78 2.38 3.09 6.8 8.1", "5.69 2.98 3.84 7.8 11.3", "7.05 3.88 4.97 7.1 16.7",
            "7.32 4.06 5.20 5.9 17.8", "7.33 4.07 5.21 5.5 17.9")
    for k, (day, row) in enumerate(zip(DAYS, rows)):
        found = (number(r, "clonazepam_Cp_Cmax", 0, k), r.at("clonazepam.Cp", 24 * day),
                 number(r, "clonazepam_Cp_Cavg", 0, k),
                 number(r, "clonazepam_E_Cmax", 0, k), number(r, "clonazepam_E_naive_Cmax", 0, k))
        for what, value, text in zip(("peak", "trough", "average", "sedation", "sedation without tolerance"), found,
                                     row.split()):
            tap.printed(f"case, day {day}: {what}", value, text)
    for h, text in zip(after, "4.07 2.62 1.69 0.70 0.29 0.078".split()):
        tap.printed(f"case, {h} h after the last dose", r.at("clonazepam.Cp", 480 + h), text)
    tap.printed("case: peak withdrawal index", number(r, "clonazepam_withdrawal_index_Cmax"), "11")
    tap.printed("case: its day after the last dose", number(r, "clonazepam_withdrawal_index_Tmax") / 24 - 20, "7")
    tap.printed("case with dexamethasone: steady average", number(r, "clonazepam_Cp_Cavg", 1), "4.73")
    tap.printed("case: average on day 3 against steady state", number(r, "clonazepam_Cp_Cavg", 0, 2) /
                number(r, "clonazepam_Cp_Cavg", 2), "0.74")
    tap.printed("case: steady peak against first peak",
                number(r, "clonazepam_Cp_Cmax", 2) / number(r, "clonazepam_Cp_Cmax"), "2.2")


def other_case():
    """The same question with other doses, weight and times, against the script's own steps."""
    subject = Subject(62.3, factor=1.10)
    doses = [(12.0 + 24 * k, 0.35) for k in range(9)] + [(300.0 + 12 * k, 0.2) for k in range(8)]
    r = run(study({"other": (["oral: 0.35 mg, every: 24 h, doses: 9, start: 12 h",
                              "oral: 0.2 mg, every: 12 h, doses: 8, start: 300 h"],
                             {}, {"WT": "62.3 kg", "dexamethasone": "present"})},
                  [30, 107, 260, 311, 500, 900], ["Cp", "E", "withdrawal_index", "A"],
                  ["of: clonazepam.withdrawal_index, list: [Cmax, Tmax]",
                   "of: clonazepam.Cp, list: [Cmax], window: [300 h, 500 h], name: late"]))
    course = Course(subject, doses, 0, 900, 0.0625)
    tolerance = course.follow(course.ce, 0.0, 48, 336)
    own = Withdrawal(subject, doses, 0, 900, 0.0)
    for t in (30, 107, 260, 311, 500, 900):
        k = int(round(t / 0.0625))
        ce = course.ce[2 * k]
        tap.within(f"other case at {t} h: plasma", r.at("clonazepam.Cp", t), course.cp[2 * k], 1e-8)
        tap.within(f"other case at {t} h: sedation", r.at("clonazepam.E", t),
                   100 * ce ** 2 / (ce ** 2 + (15 + 2.5 * tolerance[k]) ** 2),
                   2e-5)
        tap.near(f"other case at {t} h: withdrawal", r.at("clonazepam.withdrawal_index", t), index_of(own.w_at(t)),
                 1e-3)
    t, w = own.peak(1, 900)
    tap.within("other case: peak withdrawal index", number(r, "clonazepam_withdrawal_index_Cmax"), index_of(w), 5e-5)
    tap.near("other case: its time", number(r, "clonazepam_withdrawal_index_Tmax"), t, 0.1)
    late = [i for i, time in enumerate(course.t) if 300 <= time <= 500]
    tap.within("other case: peak of the second course", number(r, "late"), max(course.cp[i] for i in late), 2e-4)


def targets():
    """Section 8: V5, V13, V16 are deterministic."""
    r = run(study({"6 mg": ["oral: 6 mg"], "1 mg": ["oral: 1 mg"], "vein": ["iv: 0.5 mg"],
                   "child low": (["steady_state: {oral: 0.42 mg, every: 12 h}"], {}, {"WT": "30 kg"}),
                   "child high": (["steady_state: {oral: 1.665 mg, every: 12 h}",
                                   "oral: 1.665 mg, every: 12 h, for: 1 d"], {},
                                  {"WT": "30 kg"})},
                  [2 / 60, 120, 8000], ["Cp"], ["of: clonazepam.Cp, list: [Cmax, Tmax]",
                                               "of: clonazepam.Cp, list: [AUC], windows: [[0 h, 120 h], [0 h, 8000 h]]",
                                               "of: clonazepam.Cp, list: [Cavg], window: [0 h, 24 h], name: day"]))
    tap.printed("V5: peak of 6 mg", number(r, "clonazepam_Cp_Cmax"), "40.5")
    tap.within("V5: inside 15 %", number(r, "clonazepam_Cp_Cmax"), 41.3, 0.15)
    tap.printed("V5: area to 120 h", number(r, "clonazepam_Cp_AUC", 0, 0), "1337")
    tap.printed("V5: area to infinity", number(r, "clonazepam_Cp_AUC", 0, 1), "1500")
    tap.near("V5: area inside 1 SD", number(r, "clonazepam_Cp_AUC", 0, 1), 1028, 568)
    tap.printed("V13: peak of 1 mg", number(r, "clonazepam_Cp_Cmax", 1), "6.75")
    tap.near("V13: inside 1 SD", number(r, "clonazepam_Cp_Cmax", 1), 6.5, 2.5)
    tap.printed("V14: 0.5 mg into a vein at 2 min", r.at("clonazepam.Cp", 2 / 60, 2), "5.5")
    tap.printed("V16: 30 kg, 0.111 mg/kg/day", number(r, "day", 4), "65")
    tap.printed("V16: 30 kg, clearance and 0.028 mg/kg/day", 1000 * 0.9 * 0.84 / 24 / column(r, "clonazepam_CL", 3),
                "17")


printed_case()
other_case()
targets()
tap.done()
