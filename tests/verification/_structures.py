# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scripts on the structural library share: studies of several models at once, and solutions that owe nothing
to the program: sums of exponentials by partial fractions, and an integrator of their own.
"""
import os
import re
import subprocess

import numpy as np

from _halflife import PROGRAM, ROOT


def study(models, items, times, outputs, parameters=None, cohort="typical", arms=None, metrics=(), extra=""):
    """A study as YAML text. models: {alias: model}; items: {alias: [item, ...]}; outputs: dotted names; parameters:
    {alias.NAME: value}; arms: {name: parameters of that arm}, all with the same items."""
    lines = ["study: structures", "drugs:"] + [f"  {alias}: {model}" for alias, model in models.items()]
    lines += [f"cohort: {cohort}", "precision: double"]
    if parameters:
        lines += ["parameters:"] + [f"  {name}: {value}" for name, value in parameters.items()]
    lines.append("arms:")
    for name, changed in (arms or {"one": {}}).items():
        lines.append(f"  - name: {name}")
        if changed:
            lines += ["    parameters:"] + [f"      {key}: {value}" for key, value in changed.items()]
        for alias, doses in items.items():
            lines += [f"    {alias}:"] + [f"      - {{{item}}}" for item in doses]
    if not isinstance(times, str):
        times = "[{at: [" + ", ".join(f"{t:.15g} h" for t in sorted(set(times)) if t > 0) + "]}]"
    lines += [f"times: {times}", "outputs: [" + ", ".join(outputs) + "]"]
    if metrics:
        lines += ["metrics:"] + [f"  - {{{metric}}}" for metric in metrics]
    return "\n".join(lines) + "\n" + extra


def values(result, name, arm=0):
    """A variable of /subjects of all subjects, whether or not it differs between arms."""
    found = result.subjects[name]
    return found[arm] if found.ndim == 2 else found


def metric(result, name, arm=0, subject=0):
    return float(np.ravel(result.metrics[name][arm])[subject])


def curve(tap, name, found, expected, relative):
    """Whole profiles: the largest deviation relative to the profile's peak."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    worst = float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))
    tap.ok(worst <= relative, name, f"largest deviation {worst:.3g} of the peak, at most {relative:.3g}")


class Exponentials:
    """A sum of c_i exp(-p_i t): what a linear system does after a unit dose."""

    def __init__(self, zeros, poles, gain):
        """gain * prod(s + zeros) / prod(s + poles) as a sum of partial fractions; the poles differ."""
        self.p = np.asarray(poles, float)
        self.c = np.array([gain * np.prod([z - p for z in zeros])
                           / np.prod([q - p for j, q in enumerate(self.p) if j != i]) for i, p in enumerate(self.p)])

    def after(self, t):
        """A dose of 1 at time 0, before it nothing."""
        t = np.asarray(t, float)
        e = np.exp(-np.multiply.outer(np.maximum(t, 0.0), self.p))
        return np.where(t >= 0, e @ self.c, 0.0)

    def infused(self, t, duration):
        """A dose of 1 at a constant rate over a duration from time 0."""
        t = np.asarray(t, float)
        tail, head = np.maximum(t - duration, 0.0), np.clip(t, 0.0, duration)
        parts = (np.exp(-np.multiply.outer(tail, self.p)) * -np.expm1(-np.multiply.outer(head, self.p)))
        return parts @ (self.c / self.p) / duration


def disposition(k, exchange=()):
    """Zeros and poles of a mammillary body: elimination rate k, exchange [(out, back), ...]."""
    n = len(exchange)
    matrix = np.zeros((n + 1, n + 1))
    matrix[0, 0] = k + sum(out for out, _ in exchange)
    for i, (out, back) in enumerate(exchange, 1):
        matrix[0, i], matrix[i, 0], matrix[i, i] = -back, -out, back
    return [back for _, back in exchange], np.sort(np.linalg.eigvals(matrix).real)[::-1]


def extrapolated(rhs, y, h):
    """One step of length h by Gragg's method with 2, 4, ... 16 substeps, extrapolated to none (Bulirsch and Stoer): the
    new state, and how far the last two extrapolations are apart."""
    table = []
    for k in range(1, 9):
        n, previous = 2 * k, y
        now = y + h / n * rhs(y)
        for _ in range(n - 1):
            previous, now = now, previous + 2 * h / n * rhs(now)
        row = [(previous + now + h / n * rhs(now)) / 2]
        for j, earlier in enumerate(table[-1] if table else [], 1):
            row.append(row[-1] + (row[-1] - earlier) / ((k / (k - j)) ** 2 - 1))
        table.append(row)
    return table[-1][-1], np.abs(table[-1][-1] - table[-2][-1])


def integrated(rhs, start, changes, t, tolerance=1e-12):
    """States at times t (ascending) of dy/dt = rhs(y), which doesn't depend on time. changes: [(time, function of the
    state that gives the new one)]; one at an asked time comes first."""
    y, now, found, h = np.asarray(start, float), 0.0, {}, 0.1
    scale = np.abs(y)
    for at in sorted(set([0.0] + [c[0] for c in changes] + list(t))):
        while now < at:
            h = min(h, at - now)
            new, error = extrapolated(rhs, y, h)
            scale = np.maximum(scale, np.abs(new))
            if np.all(error <= tolerance * scale + 1e-300):
                now, y = (at if h == at - now else now + h), new
                h *= 1.6
            else:
                h *= 0.5
        for _, change in (c for c in changes if c[0] == at):
            y = np.asarray(change(y), float)
            scale = np.maximum(scale, np.abs(y))
            h = 0.1
        found[at] = y
    return np.array([found[at] for at in t])


def filed(model):
    """The parameters of a model as the program prints them: {name: (number, unit)}."""
    done = subprocess.run([PROGRAM, "models", model], capture_output=True, text=True, check=True,
                          env=dict(os.environ, HALFLIFE_DATA=ROOT))
    lines = done.stdout.split("\nParameters", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    found = {}
    for line in lines:
        match = re.match(r"  (\w+)  +(\S+)(?: (\S+))?  +assumption", line)
        if match:
            found[match.group(1)] = (float(match.group(2)), match.group(3) or "")
    return found
