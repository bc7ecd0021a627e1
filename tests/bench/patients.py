#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patients of workloads W1 to W4, as tables that the studies read.

    tests/bench/patients.py FOLDER            writes w1_patients.csv ... w4_patients.csv
    tests/bench/patients.py --boluses         prints the demand boluses of W2 as a study writes them

Lognormal with a coefficient of variation of 30 % around the typical value, all from one generator with a fixed seed,
so the tables are the same on every machine. The order of drawing matters.
"""
import os
import sys

import numpy as np

SEED = 20240607
OMEGA = np.sqrt(np.log(1 + 0.30**2))


class Draw:
    def __init__(self):
        self.dice = np.random.Generator(np.random.PCG64(SEED))

    def lognormal(self, typical, n):
        return typical * np.exp(OMEGA * self.dice.standard_normal(n))

    def table(self, typical, n):
        return {name: self.lognormal(value, n) for name, value in typical.items()}


def everything():
    """The tables by name, and the times of W2's boluses [h]."""
    draw = Draw()
    w1 = draw.table({"KAZ [1/h]": 1.5, "CLZ [L/h]": 3.0, "V1Z [L]": 120., "KAF [1/h]": 0.04, "CLF [L/h]": 45.,
                     "V1F [L]": 15.}, 1000)
    w2 = draw.table({"CL [L/h]": 45., "V1 [L]": 15.}, 1000)
    boluses = np.sort(draw.dice.uniform(0.05, 47.5, 40))
    w3 = draw.table({"KA [1/h]": 1.5, "VMAX [mg/h]": 0.6, "V1 [L]": 120.}, 1000)
    w4 = draw.table({"KA [1/h]": 1.0, "CL [L/h]": 5., "V [L]": 50.}, 100000)
    return {"w1": w1, "w2": w2, "w3": w3, "w4": w4}, boluses


def write(path, table):
    with open(path, "w", encoding="ascii") as f:
        f.write(",".join(table) + "\n")
        for row in zip(*table.values()):
            f.write(",".join(repr(float(value)) for value in row) + "\n")


def main():
    tables, boluses = everything()
    if sys.argv[1:] == ["--boluses"]:
        for time in boluses:
            print(f"      - {{iv: 20 ug, start: {float(time)!r} h}}")
        return
    folder = sys.argv[1] if len(sys.argv) == 2 else "build/bench"
    os.makedirs(folder, exist_ok=True)
    for name, table in tables.items():
        write(os.path.join(folder, f"{name}_patients.csv"), table)


if __name__ == "__main__":
    main()
