#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people really take. The doses taken are read back from /doses, and the course must be that of exactly these doses:

the area falls by the share missed (linear kinetics: AUC of a subject = full AUC times doses taken / doses planned), shares
and runs lie within binomial limits of their closed forms, a doubled dose conserves what it makes up for, weekends are
weekends, a subject misses the same doses in any cohort, whatever else is prescribed and however many threads there are, and
the doses taken, written out as a prescription without adherence, give the same bits.
"""
import os
import subprocess
import tempfile

import h5py
import numpy as np

from _halflife import PROGRAM, ROOT, Tap, run

tap = Tap()
HEAD = """
study: adherence
origin: "08:00"
drugs: {drug: pk_oral_1cmt}
cohort: {subjects: %d, seed: 77}
arms:
%s
times: [{until: 60 d, every: 5 d}]
outputs: [drug.Cp]
metrics: [{of: drug.Cp, list: [AUC]}]
precision: double
"""
BID = "[{oral: 100 mg, every: 12 h, for: 30 d}]"
PLANNED = 60


def study(arms, subjects=200):
    return HEAD % (subjects, "\n".join("  - {name: %s, %s drug: %s}" % (name, f"adherence: {rule}," if rule else "", items)
                                       for name, rule, items in arms))


def table(result, arm):
    """{subject: (times, amounts, missed)} of the planned doses in an arm."""
    d, own = result.doses, result.doses["arm"] == arm
    return {int(k): (d["time"][own & (d["subject"] == k)], d["amount"][own & (d["subject"] == k)],
                     d["refused"][own & (d["subject"] == k)] == 2) for k in np.unique(d["subject"][own])}


def matrix(result, arm):
    return np.array([missed for _, _, missed in table(result, arm).values()])


def share_near(name, hits, n, p):
    tap.near(name, hits / n, p, 4.5 * np.sqrt(p * (1 - p) / n))


CHAIN = "{markov: {miss_after_taken: '4 %', miss_after_missed: '45 %'}}"
ARMS = [("full", "full", BID), ("alone", "{missed: '8 %'}", BID), ("chain", CHAIN, BID),
        ("doubled", "{missed: '20 %', double_after_miss: true}", BID),
        ("weekend", "{weekends: {missed: '50 %'}, weekday: thursday}", BID), ("window", "{missed: 1, from: 3 d, until: 5 d}", BID),
        ("spread", "{missed: '8 %', spread: 1.5}", BID)]
r = run(study(ARMS))
area = r.metric("drug_Cp_AUC")


def areas():
    """60 d after the last dose nothing is left: the area is F dose / CL times the doses taken."""
    for a, (name, _, _) in enumerate(ARMS[1:], 1):
        taken = np.array([amount[~missed].sum() / 100 for _, amount, missed in table(r, a).values()])
        worst = np.abs(area[a] / area[0] - taken / PLANNED).max()
        tap.near(f"{name}: area over full area is doses taken over doses planned, for every subject", worst, 0, 1e-9)
    share_near("alone: the mean of the area falls by the share missed", (1 - area[1] / area[0]).sum() * PLANNED, 200 * PLANNED,
               0.08)


def shares():
    alone, chain = matrix(r, 1), matrix(r, 2)
    share_near("alone: share missed", alone.sum(), alone.size, 0.08)
    share_near("alone: missed after missed", (alone[:, 1:] & alone[:, :-1]).sum(), alone[:, :-1].sum(), 0.08)
    share_near("chain: missed after taken", (chain[:, 1:] & ~chain[:, :-1]).sum(), (~chain[:, :-1]).sum(), 0.04)
    share_near("chain: missed after missed", (chain[:, 1:] & chain[:, :-1]).sum(), chain[:, :-1].sum(), 0.45)
    pi = 0.04 / (0.04 + 0.55)
    share_near("chain: its first dose is missed by the stationary share", chain[:, 0].sum(), 200, pi)
    # the mean of a stationary chain has variance pi (1 - pi)/n (1 + rho)/(1 - rho), rho = b - a
    error = np.sqrt(pi * (1 - pi) / chain.size * 1.41 / 0.59)
    tap.near("chain: share missed is a/(a + 1 - b)", chain.mean(), pi, 4.5 * error)
    spread = matrix(r, 6).mean(axis=1)
    tap.ok(np.var(spread) > 3 * np.var(alone.mean(axis=1)), "spread: subjects differ more than chance makes them",
           (np.var(spread), np.var(alone.mean(axis=1))))


def doubled():
    """One dose after a gap is twice as large; what isn't made up for is lost."""
    worst = 0
    for _, amount, missed in table(r, 3).values():
        expected = np.where(np.r_[False, missed[:-1]] & ~missed, 200.0, 100.0)
        worst = max(worst, np.abs(amount - expected)[~missed].max())
        lost = missed[:-1] & missed[1:]
        total = amount[~missed].sum()
        worst = max(worst, abs(total - 100 * (PLANNED - lost.sum() - missed[-1])))
    tap.near("doubled: after a gap twice the dose; in all what was planned, less all but one dose of each gap", worst, 0, 1e-9)


def days():
    """Day 0 is a Thursday that begins at 08:00 of the study's clock."""
    wrong = seen = 0
    for time, _, missed in table(r, 4).values():
        weekday = (3 + np.floor((8 + time) / 24).astype(int)) % 7
        wrong += (missed & (weekday < 5)).sum()
        seen += (weekday >= 5).sum()
    tap.ok(wrong == 0, "weekend: nothing missed from Monday to Friday", wrong)
    share_near("weekend: half of what is planned on Saturdays and Sundays", matrix(r, 4).sum(), seen, 0.5)
    missed = [time[m] for time, _, m in table(r, 5).values()]
    tap.ok(all(np.array_equal(m, [72, 84, 96, 108]) for m in missed), "window: all doses in it and no other", missed[0])


def same_person():
    """Cohort, arm, and what was prescribed before don't matter; thread and block neither."""
    small = run(study(ARMS, subjects=10))
    same = all(np.array_equal(matrix(small, a), matrix(r, a)[:10]) for a in range(1, len(ARMS)))
    tap.ok(same, "the first ten of 200 miss the same doses as the ten of 10")
    tap.ok(np.array_equal(small["drug.Cp"], r["drug.Cp"][:, :10]), "and their courses have the same bits")
    late = run(study([("late", "{missed: '8 %'}", "[{oral: 30 mg, every: 6 h, for: 2 d}, {oral: 100 mg, every: 12 h, for: 28 d}]")]))
    there = {k: set(time[m]) for k, (time, _, m) in table(r, 1).items()}
    other = {k: set(time[m]) for k, (time, _, m) in table(late, 0).items()}
    tap.ok(all({t for t in there[k] if t >= 48} == {t for t in other[k] if t >= 48} for k in there),
           "other doses before don't change which are missed later")
    digests = {run(study(ARMS, subjects=70), "--threads", n).attributes["payload_sha256"] for n in (1, 2, 3)}
    tap.ok(len(digests) == 1, "the same payload with 1, 2 and 3 threads", digests)


def swept():
    """A rule for all arms, over its chance: the draws stay, so whoever misses a dose at 3 % misses it at 10 %."""
    r = run(study([("one", None, BID)], subjects=40) + "adherence: {missed: 0 %}\nsweep: {factors: {adherence.missed: [0 %, 3 %, 10 %]}}\n")
    none, few, many = (matrix(r, a) for a in range(3))
    tap.ok(len(r.arms) == 3 and not none.any(), "a sweep over the chance: nothing missed at 0 %", r.arms)
    tap.ok(few.any() and not (few & ~many).any() and many.sum() > few.sum(), "what is missed at 3 % is missed at 10 %, too")


def told():
    """What explain says of a subject is what the result holds."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "study.yaml")
        with open(source, "w", encoding="utf-8") as f:
            f.write(study(ARMS))
        done = subprocess.run([PROGRAM, "explain", source, "--arm", "doubled", "--subject", "7", "--events", "0"],
                              capture_output=True, text=True, env=dict(os.environ, HALFLIFE_DATA=ROOT))
    _, amount, missed = table(r, 3)[7]
    said = f"doses missed ({missed.sum()}; {(amount[~missed] > 150).sum()} taken twice)"
    tap.ok(said in done.stdout and done.stdout.count("dose missed by oral") == missed.sum(), "explain: " + said, done.stdout[-2000:])
    tap.ok("drug, 60 doses: 20 % of doses missed, each alone; the first dose taken after a gap is doubled; from 0 h" in done.stdout,
           "explain: the rule in words", done.stdout[-2000:])


def written_again():
    """The resolved study runs to the same payload; a data set leaves the rule aside and says so."""
    with tempfile.TemporaryDirectory() as folder:
        first, again = os.path.join(folder, "first.h5"), os.path.join(folder, "again.h5")
        one = run(study(ARMS, subjects=12), keep=first)
        with h5py.File(first) as f:
            text = f["provenance/resolved_study"].attrs["text"]
        two = run(text.decode() if isinstance(text, bytes) else text, keep=again)
        tap.ok(all(np.array_equal(one.doses[name], two.doses[name]) for name in one.doses) and
               np.array_equal(one["drug.Cp"], two["drug.Cp"]), "the resolved study gives the same doses and courses")
        table = os.path.join(folder, "events.csv")
        with open(table, "w", encoding="utf-8") as f:
            f.write("ID,TIME,AMT,CMT,EVID\n1,0,100,1,1\n1,5,.,2,0\n")
        source = os.path.join(folder, "study.yaml")
        with open(source, "w", encoding="utf-8") as f:
            f.write("adherence: {missed: 5 %}" + study(ARMS, subjects=12))
        done = subprocess.run([PROGRAM, "check", source, "--data", table], capture_output=True, text=True,
                              env=dict(os.environ, HALFLIFE_DATA=ROOT))
        tap.ok(done.returncode == 0 and "adherence: is for prescriptions" in done.stderr,
               "a data set leaves adherence aside, with a word", done.stderr)


CASE = """
study: replay
drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult}
cohort: {subjects: %s, seed: 5}
arms:
%s
times: [{until: 24 d, every: 3 h}]
outputs: [clonazepam.Cp, clonazepam.withdrawal_index, fentanyl.Cp]
metrics: [{of: clonazepam.Cp, list: [troughs, Ctrough, accumulation, time_to_steady]}]
precision: double
"""
PLAN = """
    clonazepam: [{steady_state: {oral: 1 mg, every: 12 h}}, {oral: 1 mg, every: 12 h, for: 7 d}, {taper: {protocol: T6, from: 2 mg/d}, stop: 24 d}]
    fentanyl: [{steady_state: {patch: 25 ug/h, every: 72 h}}, {patch: 25 ug/h, every: 72 h, for: 15 d}, {patch: [12.5 ug/h, 12.5 ug/h], every: 72 h, for: 6 d}]"""
RULE = "adherence: {missed: '30 %', double_after_miss: true}"


def written_out(times, amounts, missed):
    return ["{oral: %.17g mg, start: %.17g h}" % (mg, t) for t, mg, m in zip(times, amounts, missed) if not m]


def patches_worn(changes, missed):
    """(on, off, number of patches): a change that is missed leaves the last ones on. In the steady state the one put on at
    -72 h is due off at 0."""
    worn = []
    for t, m in zip(changes, missed):
        if m and worn:
            worn[-1][1] += 72
        elif not m:
            worn.append([t, t + 72, 1 if t < 360 else 2])
    return worn


def replay():
    """The doses of one subject as a prescription for everybody: the same bits for that subject."""
    r = run(CASE % (11, f"  - name: some\n    {RULE}{PLAN}\n  - name: all{PLAN}"))
    digests = {run(CASE % (37, f"  - name: some\n    {RULE}{PLAN}"), "--threads", n).attributes["payload_sha256"] for n in (1, 3)}
    tap.ok(len(digests) == 1, "states that are integrated: the same payload with 1 and 3 threads", digests)
    more = run(CASE % (37, f"  - name: some\n    {RULE}{PLAN}"))
    tap.ok(np.array_equal(more["clonazepam.withdrawal_index"][0, :11], r["clonazepam.withdrawal_index"][0]),
           "and the same courses among 11 as among 37")
    d = r.doses
    tap.ok(np.array_equal(r.at("clonazepam.Cp", 0), r.at("clonazepam.Cp", 0, arm=1)), "the steady state misses nothing")
    for k in (3, 8, 10):
        own = (d["arm"] == 0) & (d["subject"] == k)
        oral, patch = own & (d["drug"] == 0), own & (d["drug"] == 1)
        changes, first = np.unique(d["time"][patch], return_index=True)
        missed = d["refused"][patch][first] == 2
        items = ["{steady_state: {oral: 1 mg, every: 12 h}}"]
        items += written_out(d["time"][oral], d["amount"][oral], d["refused"][oral] == 2)
        worn = patches_worn(changes, missed)
        assert not missed[0], "a steady state whose last patch stays on can't be written as items; another subject"
        on = ["{steady_state: {patch: 25 ug/h, every: 72 h}}"]
        on += ["{patch: [%s], start: %g h, wear: %g h}" % (", ".join(["25 ug/h" if n == 1 else "12.5 ug/h"] * n), a, b - a) for a, b, n in worn]
        same = run(CASE % (11, "  - name: replayed\n    clonazepam: [%s]\n    fentanyl: [%s]" % (", ".join(items), ", ".join(on))))
        for output in ("clonazepam.Cp", "clonazepam.withdrawal_index", "fentanyl.Cp"):
            tap.ok(np.array_equal(same[output][0, k - 1], r[output][0, k - 1]), f"subject {k}: {output} of the doses taken, written out",
                   np.abs(same[output][0, k - 1] - r[output][0, k - 1]).max())
        taken = d["time"][oral][d["refused"][oral] == 0]
        tap.within(f"subject {k}: Ctrough is at the end of the interval of the last dose taken",
                   r.metric("clonazepam_Cp_Ctrough")[0, k - 1], r.at("clonazepam.Cp", taken[-1] + 12, subject=k - 1), 1e-12)
        troughs = r.metric("clonazepam_Cp_troughs")[0, k - 1]
        before = [r.at("clonazepam.Cp", t, subject=k - 1) for t in taken[1:]]
        tap.ok(np.array_equal(np.isfinite(troughs).nonzero()[0], np.arange(taken[0] == 0, len(taken)))
               and np.allclose(troughs[1:len(taken)], before, rtol=1e-12), f"subject {k}: a trough before each dose taken", troughs)


for part in (areas, shares, doubled, days, same_person, swept, told, written_again, replay):
    part()
tap.done()
