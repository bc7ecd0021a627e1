# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scripts on the structural library share: studies of several models at once, and solutions that owe nothing
to the program: sums of exponentials by partial fractions, convolution by quadrature, and scipy's integrators.
"""
import numpy as np
from scipy.integrate import solve_ivp


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


def integrated(rhs, start, stops, t, method="LSODA"):
    """scipy's solution at times t (ascending). stops: [(time, function of the state that gives the new one)], applied
    before a value at the same time is taken."""
    y, now, found = np.asarray(start, float), 0.0, {}
    marks = sorted(set([0.0] + [s for s, _ in stops] + list(t)))
    for at in marks:
        if at > now:
            done = solve_ivp(rhs, (now, at), y, method=method, rtol=1e-12, atol=1e-13)
            assert done.success, done.message
            y, now = done.y[:, -1], at
        for _, change in (s for s in stops if s[0] == at):
            y = np.asarray(change(y), float)
        found[at] = y
    return np.array([found[at] for at in t])
