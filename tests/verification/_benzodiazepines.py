# SPDX-License-Identifier: GPL-3.0-or-later
"""Diazepam with nordiazepam, calculated independently of the program: closed forms, and the shared withdrawal signal by
Runge-Kutta steps. Constants are copied from the models' files on purpose: a change there must be made here too.

Times in h, doses in mg, concentrations in ng/mL.
"""
import math

import numpy as np

from _clonazepam import LN2, Subject

MASS = 270.71 / 284.74


class Diazepam(Subject):
    """A Subject with the metabolite; age in years."""

    def __init__(self, wt=70.0, age=40.0, factor=1.0):
        bigger = 1 + 0.0186 * (age - 40)
        super().__init__(wt, factor, cl=1.56, vc=18.0 * bigger, q=10.0, vp=86.0 * bigger, ka=2.2, tlag=0.2, f=0.97,
                         ke0=10.0)
        self.fm = 0.75
        self.clm = 1.0 * (wt / 70) ** 0.75 * max(0.4, 1 - 0.0075 * (age - 40))
        self.vm = 87.0 * wt / 70
        self.km = self.clm / self.vm
        self.ratio = self.fm * MASS * self.cl / self.clm

    def metabolite(self, t, doses, route="oral"):
        """Nordiazepam in plasma."""
        formed = self.fm * MASS * self.cl / self.vm

        def answer(rates, c, s):
            part = formed * c / (self.km - rates)
            return np.exp(-np.outer(s, rates)) @ part - np.exp(-self.km * s) * part.sum()
        return self._sum(np.asarray(t, float), doses, route, answer)

    def effect(self, t, doses):
        """The effect site of both, which follows their sum; oral doses."""
        formed = self.fm * MASS * self.cl / self.vm

        def answer(rates, c, s):
            part = formed * c / (self.km - rates)
            every_rate = np.append(rates, self.km)
            every_c = np.append(c + part, -part.sum())
            site = self.ke0 / (self.ke0 - every_rate) * every_c
            return np.exp(-np.outer(s, every_rate)) @ site - np.exp(-self.ke0 * s) * site.sum()
        return self._sum(np.asarray(t, float), doses, "oral", answer)

    def active(self, t, doses, route="oral"):
        return self.cp(t, doses, route) + self.metabolite(t, doses, route)

    def active_average(self, mg_per_day):
        return self.cavg(mg_per_day) * (1 + self.ratio)


class Lorazepam(Subject):
    """A Subject; old: above 60 years; bigger: volumes in liver disease."""

    def __init__(self, wt=70.0, old=False, bigger=1.0):
        v = (0.89 if old else 1) * bigger
        super().__init__(wt, 0.78 if old else 1.0, cl=4.2, vc=41.0 * v, q=45.0, vp=42.0 * v, ka=1.4, tlag=0.27, f=0.93)


def one_compartment(t, doses, cl, v, ka, lag, f):
    """Concentration [ng/mL] at time t of first-order absorption into one compartment."""
    k, total = cl / v, 0.0
    for when, mg in doses:
        s = t - when - lag
        if s > 0:
            total += 1000 * f * mg * ka / v / (ka - k) * (math.exp(-k * s) - math.exp(-ka * s))
    return total


def transferred(dose_ratio, per_mg):
    """ng/mL of another drug per ng/mL of clonazepam: equal at steady state of equivalent doses; per_mg is the typical
    active concentration per mg/day."""
    return dose_ratio * per_mg / (1000 * 0.9 / 24 / 3.6)


def ashton_steps(start, pace="slow"):
    """[(mg/day, days), ...] of the way down from start mg/day."""
    steps = {"slow": ((2, 1, 1, 1), 14), "fast": ((2, 1, 1, 1), 7), "slowest": ((2, 1, 1, 0.5), 14),
             "fastest": ((4, 2, 1, 1), 7)}[pace]
    levels, d = [], start
    while True:
        knee, step = next((k, s) for k, s in zip((20, 10, 5, 0), steps[0]) if d > k + 1e-9)
        d = max(knee, d - step)
        if d <= 1e-9:
            return levels
        levels.append((d, float(steps[1])))

