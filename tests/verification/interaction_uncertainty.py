#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section 10 of the interaction page: what is drawn when a cohort asks for uncertainty, by its moments and its whole
distribution; the spread between subjects of 3.1; and the page's example of R alone.

What was drawn is read off the outputs: at fixed levels each output depends on one drawn number at a time. Bounds are
five standard errors (moments), and for whole distributions the Kolmogorov-Smirnov distance that one run in a million exceeds.
"""
import math
import os

import numpy as np

from _halflife import Tap
from _interaction import C50B, C50F, C_APNOEA, C_HYP, KB, R, Phi, arm, levels

tap = Tap()
SEED = int(os.environ.get("HL_SEED", "0")) or int.from_bytes(os.urandom(4), "little")
print(f"# seed {SEED} (HL_SEED={SEED} repeats it)")
N = 4000
CF, CB = 1.0, 40.0


def distributed(name, sample, cdf, mean, sd):
    """Mean, spread and shape of a sample."""
    sample = np.sort(np.asarray(sample, float))
    n = len(sample)
    tap.near(f"{name}: mean", float(sample.mean()), mean, 5 * sd / math.sqrt(n))
    tap.near(f"{name}: standard deviation", float(sample.std(ddof=1)), sd, 5 * sd / math.sqrt(2 * n))
    p = cdf(sample)
    distance = max(float(np.max(np.arange(1, n + 1) / n - p)), float(np.max(p - np.arange(n) / n)))
    tap.near(f"{name}: distribution", distance, 0, 2.7 / math.sqrt(n))


def lognormal(name, sample, median, omega):
    distributed(name, np.log(sample), lambda x: Phi((x - math.log(median)) / omega), math.log(median), omega)


def uniform(name, sample, low, high):
    distributed(name, sample, lambda x: np.clip((x - low) / (high - low), 0, 1), (low + high) / 2, (high - low) / math.sqrt(12))
    tap.ok(bool(np.all((sample >= low - 1e-6) & (sample <= high + 1e-6))), f"{name}: within its limits")


def probit(p):
    """The inverse of Phi by bisection."""
    low, high = np.full_like(p, -30.0), np.full_like(p, 9.0)
    for _ in range(70):
        middle = (low + high) / 2
        below = Phi(middle) < p
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


NAMES = ["CB", "U", "boost", "P_hyp", "P_apnoea", "EF", "D", "TB_breathing", "u2", "u4", "P2", "PaCO2"]


def drawn(cohort, more=""):
    arms = [arm("both", CF, CB), arm("benzodiazepine", 0, CB), arm("fentanyl", CF, 0), arm("tolerant", CF, CB, TB_set=2)]
    r = levels(arms, NAMES, "[{at: [0 h]}]", f"{{subjects: {N}, seed: {SEED}{cohort}}}", more=more)
    return r, {name: r["overlap." + name][:, :, 0] for name in NAMES}


def uncertainty():
    r, o = drawn(", uncertainty: drawn")
    both, benzo, fent, tolerant = range(4)
    lognormal("R", o["CB"][both] / (CB / R), 6, 0.35)
    lognormal("KB", o["CB"][benzo] / (o["boost"][benzo] - 1), KB, 0.25)
    stim = CF / o["U"][fent]
    uniform("stim", stim, 1, 1.5)
    n = np.log(o["P2"][both] / (1 - o["P2"][both])) / np.log(o["u2"][both])
    uniform("n", n, 2, 5)
    # Two probabilities of one subject give sigma; C_E is what remains.
    q_both, q_fent = probit(o["P_hyp"][both]), probit(o["P_hyp"][fent])
    tap.ok(float(max(q_both.max(), q_fent.max())) < 6.5, "no probability is so near 1 that its digits are lost")
    sigma = np.log(o["U"][both] / o["U"][fent]) / (q_both - q_fent)
    uniform("sigma", sigma, 0.3, 0.6)
    c_hyp = o["U"][fent] / np.exp(q_fent * sigma)
    lognormal("C_E, hypoxaemia", c_hyp, C_HYP, 0.2)
    lognormal("C_E, apnoea", o["U"][both] / np.exp(probit(o["P_apnoea"][both]) * sigma), C_APNOEA, 0.2)
    kv = o["CB"][benzo] / (1 / o["D"][benzo] - 1)
    lognormal("450", kv, 450, 0.4)
    # Uncertainty of the typical value and spread between subjects (variance 0.16) together.
    c50 = CF * (1 / o["EF"][fent] - 1) ** (1 / 1.5)
    lognormal("fentanyl's C50 of ventilation, with its spread between subjects", c50, 1.6, math.sqrt(0.5 ** 2 + 0.16))
    a, f, both_u = o["u4"][benzo] * stim, o["u4"][fent] * stim, o["u4"][both] * stim
    lognormal("alpha, with its spread between subjects", (both_u - a - f) / (a * f), 6, math.sqrt(0.5 ** 2 + 0.25))
    uniform("breathing TB where tolerance has developed", o["TB_breathing"][tolerant], 1, 1.3)
    tap.ok(bool(np.all(o["TB_breathing"][both] == 1)), "breathing TB is 1 in the naive")
    kept = {"overlap_R": o["CB"][both] / (CB / R), "overlap_stim": stim, "overlap_n_sed": n, "overlap_sigma": sigma}
    for name, inferred in kept.items():
        worst = float(np.max(np.abs(r.subjects[name] / inferred - 1)))
        tap.near(f"/subjects/{name} is what the outputs were made with", worst, 0, 1e-6)
    independent({"R": o["CB"][both], "KB": o["CB"][benzo] / (o["boost"][benzo] - 1), "stim": stim, "n": n, "sigma": sigma,
                 "C_E": c_hyp, "450": kv, "C50": c50, "TB": o["TB_breathing"][tolerant]})


def independent(samples):
    """Joint sampling: none follows another."""
    names, x = list(samples), np.array([np.log(v) for v in samples.values()])
    r = np.corrcoef(x) - np.eye(len(names))
    worst = np.unravel_index(np.argmax(np.abs(r)), r.shape)
    tap.near(f"largest correlation of any two, {names[worst[0]]} and {names[worst[1]]}", float(r[worst]), 0, 5.5 / math.sqrt(N))


def spread():
    """3.1: omega^2 of C50B 0.15, of C50F 0.16, of ln alpha 0.25, with no uncertainty asked for."""
    _, o = drawn("")
    both, benzo, fent, tolerant = range(4)
    tap.ok(all(bool(np.all(o[name][a] == o[name][a, 0])) for name in ("CB", "U", "boost", "P_hyp", "P_apnoea") for a in range(4)),
           "without uncertainty R, KB, stim, sigma and C_E are the same for everyone")
    lognormal("C50B between subjects", CB / o["u2"][benzo], C50B[2], math.sqrt(0.15))
    lognormal("C50F between subjects", CF / o["u2"][fent], C50F[2], math.sqrt(0.16))
    a, f = o["u4"][benzo], o["u4"][fent]
    lognormal("alpha between subjects", (o["u4"][both] - a - f) / (a * f), 6, 0.5)
    lognormal("C50 of ventilation between subjects", CF * (1 / o["EF"][fent] - 1) ** (1 / 1.5), 1.6, 0.4)
    tap.ok(bool(np.all(o["TB_breathing"][tolerant] == 1)), "without uncertainty breathing has no tolerance")


def r_alone():
    """At 0.769 + 0.5 mg/d, R from 3 to 12 moves U from 0.95 to 1.51."""
    r = levels([arm(f"R {x}", 0.769, 31.26, {"overlap.R": x}) for x in (3, 12)], ["U"])
    for a, text in enumerate(("0.95", "1.51")):
        tap.printed(f"U at R {(3, 12)[a]}", r.at("overlap.U", 0, a), text)
    tap.printed("the lower end of R's 95 % interval", 6 * math.exp(-1.96 * 0.35), "3")
    tap.printed("its upper end", 6 * math.exp(1.96 * 0.35), "12")


for part in (uncertainty, spread, r_alone):
    part()
tap.done()
