# SPDX-License-Identifier: GPL-3.0-or-later
"""Fentanyl calculated independently of the program: closed forms of the reference page's equations.

Times in h, amounts in ug, concentrations in ng/mL (ug/L). A subject's answer to a unit dose is a sum of c t^p exp(-r t);
a first-order step before or after the central compartment (absorption, skin, effect site) is a convolution of that sum
with k exp(-k t), written out. A removed patch is a dose into a first-order step minus what it still held, later.
"""
import numpy as np

LN2 = float(np.log(2.0))


class Sum:
    """Terms (r, p, c) of c t^p exp(-r t), p = 0 or 1, from t = 0 on."""

    def __init__(self, terms):
        merged = {}
        for r, p, c in terms:
            merged[r, p] = merged.get((r, p), 0.0) + c
        self.terms = [(r, p, c) for (r, p), c in merged.items()]

    def through(self, k):
        """The same behind a first-order step of rate k."""
        out = []
        for r, p, c in self.terms:
            gap = k - r
            if abs(gap) < 1e-10 * k:
                assert p == 0
                out.append((k, 1, c * k))
            elif p == 0:
                out += [(r, 0, c * k / gap), (k, 0, -c * k / gap)]
            else:
                out += [(r, 1, c * k / gap), (r, 0, -c * k / gap ** 2), (k, 0, c * k / gap ** 2)]
        return Sum(out)

    def __call__(self, t):
        t = np.asarray(t, float)
        s = np.maximum(t, 0.0)
        return np.where(t >= -1e-12, sum(c * s ** p * np.exp(-r * s) for r, p, c in self.terms), 0.0)

    def area(self, t):
        """The integral from 0 to t."""
        s = np.maximum(np.asarray(t, float), 0.0)
        return sum(c / r * -np.expm1(-r * s) if p == 0 else c / r ** 2 * (-np.expm1(-r * s) - r * s * np.exp(-r * s))
                   for r, p, c in self.terms)

    def total(self):
        return sum(c / r ** (p + 1) for r, p, c in self.terms)

    def infused(self, t, duration):
        """One unit in all, at an even rate over duration."""
        return (self.area(t) - self.area(np.asarray(t, float) - duration)) / duration


class Disposition:
    """Mammillary, from V1 and the micro-constants per minute [(k12, k21), (k13, k31)]; at weight wt, clearance times factor."""

    def __init__(self, v1, k10, pairs, ke0=None, wt=70.0, factor=1.0, exp_v=1.0, exp_cl=0.75):
        w, self.ke0 = wt / 70, None if ke0 is None else 60 * ke0
        slow = 60 * w ** (exp_cl - exp_v)
        self.v1, self.k10 = v1 * w ** exp_v, k10 * slow * factor
        self.out, self.back = np.array([p[0] for p in pairs]) * slow, np.array([p[1] for p in pairs]) * slow
        self.cl = self.k10 * self.v1
        self.v = self.v1 * self.out / self.back
        self.vss = self.v1 + float(np.sum(self.v))
        n = len(pairs) + 1
        a = np.zeros((n, n))
        a[0, 0] = -self.k10 - self.out.sum()
        a[0, 1:], a[1:, 0] = self.back, self.out
        a[np.arange(1, n), np.arange(1, n)] = -self.back
        self.rates = np.sort(-np.linalg.eigvals(a).real)[::-1]
        c = [np.prod(self.back - r) / np.prod(np.delete(self.rates, i) - r) / self.v1 for i, r in enumerate(self.rates)]
        self.cp = Sum([(float(r), 0, float(x)) for r, x in zip(self.rates, c)])
        self.half_life = LN2 / self.rates[-1]

    @property
    def ce(self):
        return self.cp.through(self.ke0)


def clearances(v1, v2, v3, cl, q2, q3, ke0, **more):
    """The same from volumes and clearances per minute; v3 None for two compartments."""
    pairs = [(q2 / v1, q2 / v2)] + ([] if v3 is None else [(q3 / v1, q3 / v3)])
    return Disposition(v1, cl / v1, pairs, ke0, **more)


# Reference page 2.1; the ke0 that section 4 gives each set, where it gives one.
SETS = {
    "adult": (clearances, (12.1, 35.7, 224, 0.632, 2.80, 1.55, 0.2102)),
    "scott_stanski": (Disposition, (12.7, 0.056, [(0.373, 0.096), (0.180, 0.0077)], 0.147)),
    "scott_stanski_b": (clearances, (12.7, 50.7, 274, 0.574, 4.01, 1.95, 0.147)),
    "scott_stanski_c": (Disposition, (13.0, 0.0492, [(0.380, 0.0960), (0.179, 0.0077)], 0.147)),
    "shafer": (Disposition, (6.09, 0.0827, [(0.471, 0.102), (0.225, 0.006)], 0.1123)),
    "shafer_kg": (clearances, (70 * 0.105, 70 * 0.446, 70 * 3.37, 70 * 0.00838, 70 * 0.0474, 70 * 0.0199, 0.1269)),
    "mcclain_hug": (Disposition, (26.9, 0.041, [(0.185, 0.103), (0.141, 0.020)], 0.147)),
    "bae": (clearances, (10.1, 26.5, 206, 0.704, 2.38, 1.49, 0.1915)),
    "algera": (clearances, (10.5, 14.4, 166, 1.26, 2.04, 2.28, 0.18)),
    "yassen": (clearances, (19.5, 150, None, 0.98, 3.51, None, 0.0422)),
    "icu": (clearances, (203, 523, None, 0.583, 0.917, None, 1.4345)),
    "liver_transplant": (clearances, (59.0, 94.3, None, 0.362, 1.61, None, 0.9554)),
}


def disposition(name, wt=70.0, **more):
    make, values = SETS[name]
    more = {"wt": wt, **more}
    if name == "liver_transplant":  # the central volume is stated for 69 kg and grows with weight^1.3
        v1, v2, v3, cl, q2, q3, ke0 = values
        w = wt / 70
        return clearances(v1 * (wt / 69) ** 1.3, v2 * w, v3, cl * w ** 0.75, q2 * w ** 0.75, q3, ke0)
    if name == "shafer_kg":
        more = {"exp_cl": 1.0, **more}
    return make(*values, **more)


def adult(cl=37.92, **more):
    """IV-DEF with another typical clearance [L/h]."""
    return clearances(12.1, 35.7, 224, cl / 60, 2.80, 1.55, 0.2102, **more)


# Transdermal, reference page 5.3.
MATRIX, TAPE, CONTENT_TIME, TAPE_BASE, F_TD = 0.0103, 0.0297, 168.0, 640.0, 0.92


def skin(answer, kf=0.20, ks=0.018, fs=0.33):
    """The answer to a unit that enters the skin."""
    fast, slow = answer.through(kf), answer.through(ks)
    return Sum([(r, p, (1 - fs) * c) for r, p, c in fast.terms] + [(r, p, fs * c) for r, p, c in slow.terms])


def patch(answer, t, content, wear, k=MATRIX, f=F_TD, lag=2.0, phases=((np.inf, 1.0, 1.0),)):
    """A patch put on at 0: answer is of a unit into the skin. phases: (until, factor on k, factor on F), in order."""
    t, total, held, begin = np.asarray(t, float) - lag, 0.0, content, 0.0
    for until, on_k, on_f in phases:
        until = min(until, wear)
        if until <= begin:
            continue
        rate = k * on_k
        left = held * np.exp(-rate * (until - begin))
        step = answer.through(rate)
        total = total + f * on_f * (held * step(t - begin) - left * step(t - until))
        held, begin = left, until
    return total


def patches(answer, t, starts, content, wear, **more):
    return sum(patch(answer, np.asarray(t, float) - s, content, wear, **more) for s in starts)


def peak(f, a, b, n=2000, sign=1.0):
    """Place and value of the largest (sign -1: smallest) value of f, a function of an array of times, on [a, b]."""
    for _ in range(8):
        grid = np.linspace(a, b, n + 1)
        k = int(np.argmax(sign * f(grid)))
        a, b = grid[max(k - 1, 0)], grid[min(k + 1, n)]
        n = 40
    return float((a + b) / 2), float(f(np.array([(a + b) / 2]))[0])


def crossing(f, level, a, b):
    """Where f, a function of an array of times, falls through level between a and b."""
    for _ in range(100):
        m = (a + b) / 2
        a, b = (m, b) if float(f(np.array([m]))[0]) > level else (a, m)
    return (a + b) / 2


def steps(slope, x, times, step):
    """Classical Runge-Kutta from 0 through times, multiples of step; slope(t, x) of arrays. The states at times."""
    wanted, out = {int(round(t / step)): i for i, t in enumerate(times)}, [None] * len(times)
    x = np.array(x, float)
    for i in range(max(wanted) + 1):
        if i in wanted:
            out[wanted[i]] = x.copy()
        t = i * step
        k1 = slope(t, x)
        k2 = slope(t + step / 2, x + step / 2 * k1)
        k3 = slope(t + step / 2, x + step / 2 * k2)
        k4 = slope(t + step, x + step * k3)
        x = x + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.array(out)


def study(arms, times, outputs, metrics=(), cohort="typical", model="fentanyl_adult", parameters=None, extra=""):
    """A study as YAML text. arms: {name: items} or {name: (items, parameters, covariates)}; times: hours or YAML items."""
    lines = ["study: verification", f"drugs: {{f: {model}}}", f"cohort: {cohort}", "precision: double"]
    if parameters:
        lines += ["parameters:"] + [f"  f.{name}: {value}" for name, value in parameters.items()]
    lines.append("arms:")
    for name, arm in arms.items():
        items, changed, covariates = arm if isinstance(arm, tuple) else (arm, {}, {})
        lines.append(f'  - name: "{name}"')
        if changed:
            lines += ["    parameters:"] + [f"      f.{key}: {value}" for key, value in changed.items()]
        if covariates:
            lines += ["    covariates:"] + [f"      {key}: {value}" for key, value in covariates.items()]
        lines += ["    f:"] + [f"      - {{{item}}}" for item in items] if items else []
    if not isinstance(times, str):
        times = "[{at: [" + ", ".join(f"{t:.12g} h" for t in sorted(set(times)) if t > 0) + "]}]"
    lines += [f"times: {times}", "outputs: [" + ", ".join("f." + name for name in outputs) + "]"]
    if metrics:
        lines += ["metrics:"] + [f"  - {{{metric}}}" for metric in metrics]
    return "\n".join(lines) + "\n" + extra


def at(r, output, hours, arm=0, subject=0):
    """The stored values at output times."""
    return np.array([r.at("f." + output, h, arm, subject) for h in hours])


def column(r, name, arm=0, subject=0):
    """A subject's covariate or individual parameter, whether or not it differs between arms."""
    values = r.subjects[name]
    return float(values[arm, subject] if values.ndim == 2 else values[subject])


def number(r, metric, arm=0, window=0, subject=0):
    """One value of a metric, whether or not it has windows."""
    values = r.metrics[metric][arm]
    return float(values[subject] if values.ndim == 1 else values[subject, window])


def curve(tap, name, found, expected, relative=1e-9):
    """Whole profiles: the largest deviation relative to the profile's peak."""
    found, expected = np.asarray(found), np.asarray(expected)
    worst = float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))
    tap.ok(worst <= relative, name, f"largest deviation {worst:.3g} of the peak, at most {relative:.3g}")
