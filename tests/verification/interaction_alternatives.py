#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section 6 of the interaction page: published surfaces as alternatives, each against its general form; Minto's B."""
import os

import numpy as np

from _halflife import Tap
from _interaction import R, arm, deviation, hill, levels

tap = Tap()
SEED = int(os.environ.get("HL_SEED", "0")) or int.from_bytes(os.urandom(4), "little")
rng = np.random.default_rng(SEED)
print(f"# seed {SEED} (HL_SEED={SEED} repeats it)")
EXACT = 1e-12
BARR = dict(zip((2, 3, 4, 5, 6), (68, 101, 208, 304, 375)))
FENTANYL = dict(zip((2, 3, 4, 5, 6), (2.0, 3.5, 5.5, 7.5, 9.5)))
GRECO = {"moaas3": (5.1, 5.8), "moaas1": (3.6, 5.0), "laryngoscopy": (33.2, 2.2), "tetanus": (14.7, 6.0), "pressure": (8.2, 8.3),
         "sevoflurane": (9.4, 5.2), "somatic": (6.8, 2.63), "pressure_fall": (1.5, 1.5)}
MINTO = {"vinik": 2.57, "benshlomo": 2.08, "kissin_sedation": 1.44, "kissin_hypnosis": 2.92}
BOUILLON = {"bouillon": (0.72, 6.9, 0.83), "bouillon_consciousness": (0.97, 5.1, 0.60), "bouillon_laryngoscopy": (0.97, 5.1, 1.05)}


def expected(a, b, n=3.0):
    """All outputs for the hypnotic a and the opioid b, both in units of their C50."""
    out = {"hyp": a, "opi": b, "P_additive": hill(a + b, 1, n), "P_reduced": hill(a * (1 + b), 1, n),
           "P_bliss": 1 - (1 - hill(a, 1, n)) * (1 - hill(b, 1, n)), "P_vereecke": hill(a * (1 + b ** 0.931), 1, 6.40),
           "BIS": 97.4 * (1 - hill(a + b, 1, 1.43))}
    for name, (alpha, steep) in GRECO.items():
        out[f"P_{name}"] = hill(a + b + alpha * a * b, 1, steep)
    theta = np.where(a + b > 0, b / np.where(a + b > 0, a + b, 1), 0)
    for name, B in MINTO.items():
        out[f"P_minto_{name}"] = hill((a + b) / (1 - B * theta + B * theta ** 2), 1, n)
    for name, (gO, gH, pre) in BOUILLON.items():
        post = pre * (1 - b ** gO / (b ** gO + pre ** gO))
        out[f"P_{name}"] = hill(a, post, gH)
    return out


def at_random():
    worst = {}
    for level in BARR:
        points = [(float(rng.uniform(0.02, 15)), float(rng.uniform(1, 600))) for _ in range(10)] + [(0.0, 31.26), (0.769, 0.0)]
        cf, cb = np.array(points).T
        own = expected(cb / BARR[level], cf / FENTANYL[level])
        r = levels([arm(f"{k}", f, b, level=f"ramsay{level}") for k, (f, b) in enumerate(points)], list(own), model="sedation_alternatives")
        for name, value in own.items():
            worst[name] = max(worst.get(name, 0), deviation(r["overlap." + name][:, 0, 0], value))
    for name, value in worst.items():
        tap.ok(value < EXACT, f"{name} against its form, 60 points at five levels", value)


def minto():
    """B equivalent to the data: at the mixtures that were measured, the sum 1/coefficient gives one half."""
    for name, fraction_sum, theta in (("vinik", 1 / 2.8, 0.5), ("benshlomo", 0.48, 0.25 / 0.48), ("kissin_sedation", 1 / 1.56, 0.5),
                                      ("kissin_hypnosis", 1 / 3.7, 0.5)):
        exact_b = (1 - fraction_sum) / (theta * (1 - theta))
        tap.printed(f"B from the data of {name}", exact_b, str(MINTO[name]))
        cf, cb = theta * fraction_sum * 7.5, (1 - theta) * fraction_sum * 304
        r = levels([arm("mixture", cf, cb)], [f"P_minto_{name}"], model="sedation_alternatives")
        tap.near(f"one half at the mixture of {name}", r.at(f"overlap.P_minto_{name}", 0), 0.5, 0.01)


def flumazenil():
    names = ["CB", "hyp", "P_additive", "P_bliss", "P_moaas1", "P_reduced", "P_vereecke"]
    r = levels([arm("both", 2.0, 200.0, flumazenil="present"), arm("opioid", 2.0, 0)], names, model="sedation_alternatives")
    tap.ok(all(r["overlap." + n][0, 0, 0] == r["overlap." + n][1, 0, 0] for n in names), "flumazenil leaves the opioid's share, exactly")
    r = levels([arm("R", 2.0, 6 * 10.0, {"overlap.R": 9.3})], ["CB"], model="sedation_alternatives")
    tap.near("R is a parameter here, too", r.at("overlap.CB", 0), 93 * R / 6, 1e-12)


for part in (at_random, minto, flumazenil):
    part()
tap.done()
