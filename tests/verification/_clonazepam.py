# SPDX-License-Identifier: GPL-3.0-or-later
"""Clonazepam calculated independently of the program: closed forms of the reference page and plain Runge-Kutta steps.

Times in h, doses in mg, concentrations in ng/mL. A drug's answer to a dose is a sum of exponentials, so a subject is
two lists: rates, and what a unit dose adds to each exponential of the plasma and of the effect-site concentration.
"""
import math

import numpy as np

LN2 = math.log(2.0)
CL, VC, Q, VP, KA, TLAG, F = 3.6, 90.0, 30.0, 100.0, 1.7, 0.25, 0.90
KE0, EC50, GAIN = 1.6, 15.0, 2.5
T_ON, T_OFF = 48.0, 336.0
C50W, A_UP, A_DOWN = 20.0, 504.0, 168.0


class Subject:
    """A two-compartment subject; wt scales as section 1.2 says, factor multiplies clearance."""

    def __init__(self, wt=70.0, factor=1.0, cl=CL, vc=VC, q=Q, vp=VP, ka=KA, tlag=TLAG, f=F, ke0=KE0):
        self.cl, self.q = cl * (wt / 70) ** 0.75 * factor, q * (wt / 70) ** 0.75
        self.vc, self.vp = vc * wt / 70, vp * wt / 70
        self.ka, self.tlag, self.f, self.ke0 = ka, tlag, f, ke0
        self.k10, self.k12, self.k21 = self.cl / self.vc, self.q / self.vc, self.q / self.vp
        total, product = self.k10 + self.k12 + self.k21, self.k10 * self.k21
        root = math.sqrt(total * total - 4 * product)
        self.alpha = (total + root) / 2
        self.beta = product / self.alpha  # without cancellation
        self.half_life = LN2 / self.beta

    def modes(self, ka=None):
        """Rates, and plasma coefficients per mg that enters: the gut with ka, or the central compartment without."""
        a, b, k21 = self.alpha, self.beta, self.k21
        if ka is None:
            return np.array([a, b]), 1000 / self.vc * np.array([(k21 - a) / (b - a), (k21 - b) / (a - b)])
        scale = 1000 * ka / self.vc
        return np.array([a, b, ka]), scale * np.array([(k21 - a) / ((ka - a) * (b - a)),
                                                       (k21 - b) / ((ka - b) * (a - b)),
                                                       (k21 - ka) / ((a - ka) * (b - ka))])

    def parts(self, route):
        """The ways a dose by this route takes: (share of the dose, lag, rates, coefficients)."""
        if route in ("oral", "odt"):
            return [(self.f, self.tlag, *self.modes(self.ka))]
        if route == "solution":
            return [(self.f, 0.0, *self.modes(self.ka))]
        if route == "im":
            return [(0.93 * 0.85, 0.0, *self.modes(0.8)), (0.93 * 0.15, 9.0, *self.modes(1.7))]
        return [(1.0, 0.0, *self.modes())]

    def cp(self, t, doses, route="oral"):
        """Plasma concentration at times t after doses [(time, mg), ...]."""
        return self._sum(np.asarray(t, float), doses, route, lambda rates, c, s: np.exp(-np.outer(s, rates)) @ c)

    def ce(self, t, doses, route="oral"):
        def site(rates, c, s):
            share = self.ke0 / (self.ke0 - rates) * c
            return np.exp(-np.outer(s, rates)) @ share - np.exp(-self.ke0 * s) * share.sum()
        return self._sum(np.asarray(t, float), doses, route, site)

    def infused(self, t, start, duration, rate):
        """Plasma concentration of an intravenous infusion [mg/h]."""
        t = np.asarray(t, float)
        rates, c = self.modes()
        since, after = np.clip(t - start, 0, duration), np.clip(t - start - duration, 0, None)
        return (rate * np.exp(-np.outer(after, rates)) * -np.expm1(-np.outer(since, rates)) / rates) @ c

    def _sum(self, t, doses, route, answer):
        total = np.zeros(t.shape)
        for share, lag, rates, c in self.parts(route):
            for when, mg in doses:
                on = t >= when + lag - 1e-12
                total[on] += mg * share * answer(rates, c, t[on] - when - lag)
        return total

    def auc(self, until, mg, route="oral"):
        """Area from a dose at 0 to until; until=inf is F D/CL."""
        total = 0.0
        for share, lag, rates, c in self.parts(route):
            total += mg * share * float(np.sum(c / rates * -np.expm1(-rates * (until - lag))))
        return total

    def steady(self, since, mg, tau, route="oral"):
        """Steady-state concentration at a time since the last dose, in [0, tau), of mg every tau."""
        total = 0.0
        for share, lag, rates, c in self.parts(route):
            s = (since - lag) % tau
            total += mg * share * float(np.sum(c * np.exp(-rates * s) / -np.expm1(-rates * tau)))
        return total

    def cavg(self, mg_per_day):
        return 1000 * self.f * mg_per_day / 24 / self.cl


def refine(f, a, b, sign=1.0):
    """Place and value of the maximum (sign -1: minimum) of f, unimodal on [a, b], by golden section."""
    g = (math.sqrt(5) - 1) / 2
    x1, x2 = b - g * (b - a), a + g * (b - a)
    f1, f2 = sign * f(x1), sign * f(x2)
    while b - a > 1e-9 * max(1.0, abs(a)):
        if f1 < f2:
            a, x1, f1 = x1, x2, f2
            x2 = a + g * (b - a)
            f2 = sign * f(x2)
        else:
            b, x2, f2 = x2, x1, f1
            x1 = b - g * (b - a)
            f1 = sign * f(x1)
    return (a + b) / 2, sign * max(f1, f2)


def peak(f, a, b, n=400):
    """Place and value of the largest value of f (of an array of times) on [a, b]."""
    grid = np.linspace(a, b, n + 1)
    k = int(np.argmax(f(grid)))
    return refine(lambda x: float(f(np.array([x]))[0]), grid[max(k - 1, 0)], grid[min(k + 1, n)])


def every(mg, tau, start, end):
    """Doses of mg every tau in [start, end)."""
    return [(start + k * tau, mg) for k in range(int(math.ceil((end - start) / tau - 1e-9)))]


class Course:
    """Ce, Cp and a state x that follows a signal s(Ce) with one speed up and another down, on an even grid of step/2.

    dx/dt = k (s - x), k = ln2/up where s > x, ln2/down where s < x: classical Runge-Kutta with the given step, which
    must divide the lag. Oral doses on the grid only.
    """

    def __init__(self, subject, doses, begin, end, step=0.125):
        half = step / 2
        n = int(round((end - begin) / half))
        self.subject, self.begin, self.half = subject, begin, half
        self.t = begin + half * np.arange(n + 1)
        ((share, lag, rates, c),) = subject.parts("oral")
        site = subject.ke0 / (subject.ke0 - rates) * c
        rates = np.append(rates, subject.ke0)
        self.rates = rates
        self.unit = share * np.array([np.append(c, 0.0), np.append(site, -site.sum())])  # plasma, effect site per mg
        starts = sorted((int(round((when + lag - begin) / half)), mg) for when, mg in doses)
        assert all(abs((when + lag - begin) / half - round((when + lag - begin) / half)) < 1e-9 for when, _ in doses)
        self.cp, self.ce = np.zeros(n + 1), np.zeros(n + 1)
        amplitude, at = np.zeros_like(self.unit), 0  # (2, modes) at grid point at
        self.knots = [(0, amplitude)]
        for k, mg in starts + [(n + 1, 0.0)]:
            k = min(k, n + 1)
            if k > at:
                decay = np.exp(-np.outer(half * np.arange(k - at), rates))
                self.cp[at:k], self.ce[at:k] = decay @ amplitude[0], decay @ amplitude[1]
                amplitude = amplitude * np.exp(-rates * half * (k - at))
                at = k
            if k > n:
                break
            amplitude = amplitude + mg * self.unit
            self.knots.append((k, amplitude))

    def exact(self, t):
        """(Cp, Ce) at any time, from the last dose before it."""
        place = (t - self.begin) / self.half
        k, amplitude = [knot for knot in self.knots if knot[0] <= place + 1e-9][-1]
        return amplitude @ np.exp(-self.rates * self.half * (place - k))

    def follow(self, signal, x0, up, down):
        """The state at every second grid point (full steps); a step in which the speed changes is cut into 64."""
        s = signal.tolist()
        ku, kd, h = LN2 / up, LN2 / down, 2 * self.half
        x, out = x0, [x0]
        for i in range(0, len(s) - 2, 2):
            a, m, b = s[i], s[i + 1], s[i + 2]
            new = runge_kutta(x, a, m, b, h, ku, kd)
            if (a > x) != (b > new) or (a > x) != (m > (x + new) / 2):
                bend, new = 2 * (a - 2 * m + b), x
                for j in range(64):
                    p0, p1, p2 = (a + z * (b - a + bend * (z - 1)) for z in (j / 64, (j + 0.5) / 64, (j + 1) / 64))
                    new = runge_kutta(new, p0, p1, p2, h / 64, ku, kd)
            x = new
            out.append(x)
        return np.array(out)


def runge_kutta(x, a, m, b, h, ku, kd):
    """One classical step of dx/dt = k (s - x), s being a, m and b at its begin, middle and end."""
    d = a - x
    k1 = (ku if d > 0 else kd) * d
    d = m - x - h / 2 * k1
    k2 = (ku if d > 0 else kd) * d
    d = m - x - h / 2 * k2
    k3 = (ku if d > 0 else kd) * d
    d = b - x - h * k3
    k4 = (ku if d > 0 else kd) * d
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def index_of(w):
    return 80 * w / (w + 0.4)


class Withdrawal:
    """The index of section 6 over a course of doses; peaks are searched between grid points."""

    def __init__(self, subject, doses, begin, end, a0, c50w=C50W, up=A_UP, down=A_DOWN, step=0.125):
        self.course = Course(subject, doses, begin, end, step)
        self.c50w = c50w
        u = self.course.ce / (self.course.ce + c50w)
        self.t, self.u = self.course.t[::2], u[::2]
        self.a = self.course.follow(u, a0, up, down)[:len(self.t)]
        self.w = np.maximum(0.0, self.a - self.u)

    def w_at(self, t):
        a = float(np.interp(t, self.t, self.a))  # A changes by less than 1e-3 in a step, nearly straight
        ce = self.course.exact(t)[1]
        return max(0.0, a - ce / (ce + self.c50w))

    def peak(self, begin, end):
        """(time, W) of the largest W in [begin, end]."""
        inside = np.flatnonzero((self.t >= begin) & (self.t <= end))
        best = max(inside[np.argsort(self.w[inside])[-5:]], key=lambda k: self._local(k, begin, end)[1])
        return self._local(best, begin, end)

    def _local(self, k, begin, end):
        a, b = max(self.t[max(k - 1, 0)], begin), min(self.t[min(k + 1, len(self.t) - 1)], end)
        fine = np.linspace(a, b, 101)
        values = [self.w_at(x) for x in fine]
        j = int(np.argmax(values))
        return refine(self.w_at, fine[max(j - 1, 0)], fine[min(j + 1, 100)])


def long_term(mg_per_day, stop=0.0, days=80):
    """Doses every 12 h from -1920 h to -12 h."""
    return every(mg_per_day / 2, 12.0, stop - 24.0 * days, stop)


def taper_levels(name, d0, r=0.10, w=14.0, d_o=0.05, ed50=0.05, cap=True):
    """[(mg/day, days), ...] of a protocol of section 7.2, from d0 mg/day."""
    levels, d, k = [], d0, 0
    while name != "T0":
        k += 1
        days = w
        if name == "T1":
            days, d = 3.0, d0 - 0.25 * k
        elif name == "T2":
            days, d = (14.0, max(1.0, d - 0.5)) if d > 1 + 1e-9 else (7.0, d - 0.25)
        elif name == "T3":
            d *= 1 - r
            d = 0.0 if d < 0.125 * (1 - 1e-12) else d
        elif name == "T4":
            days, d = 14.0, d0 * (8 - k) / 8
        elif name == "T6":
            days, d = 7.0, d0 * (4 - k) / 4
        elif name == "T7":
            o = d / (d + ed50) - d_o
            new = ed50 * o / (1 - o) if o > 0 else 0.0
            new = max(new, d * 0.75 ** (w / 14)) if cap and o > 0 else new
            d = 0.0 if new < 0.01 else new
        if d <= 1e-9:
            break
        levels.append((d, days))
    return levels


def rounded_half_up(levels, quantum):
    return [(quantum * math.floor(d / quantum + 0.5 + 1e-9), days) for d, days in levels]


def level_doses(levels, start=0.0, tau=12.0):
    """Equal doses every tau through the levels; (doses, end of the taper [h])."""
    doses, t = [], start
    for d, days in levels:
        doses += [x for x in every(d * tau / 24, tau, t, t + 24 * days) if x[1] > 0]
        t += 24 * days
    return doses, t


def study(arms, times, outputs, metrics=(), cohort="typical", model="clonazepam_adult", parameters=None, extra=""):
    """A study as YAML text. arms: {name: items} or {name: (items, parameters, covariates)}; times: hours or YAML."""
    lines = ["study: verification", f"drugs: {{clonazepam: {model}}}", f"cohort: {cohort}", "precision: double"]
    if parameters:
        lines += ["parameters:"] + [f"  clonazepam.{name}: {value}" for name, value in parameters.items()]
    lines.append("arms:")
    for name, arm in arms.items():
        items, changed, covariates = arm if isinstance(arm, tuple) else (arm, {}, {})
        lines.append(f"  - name: {name}")
        if changed:
            lines += ["    parameters:"] + [f"      clonazepam.{key}: {value}" for key, value in changed.items()]
        if covariates:
            lines += ["    covariates:"] + [f"      {key}: {value}" for key, value in covariates.items()]
        lines += ["    clonazepam:"] + [f"      - {{{item}}}" for item in items]
    if not isinstance(times, str):
        times = "[{at: [" + ", ".join(f"{t:.12g} h" for t in sorted(set(times)) if t > 0) + "]}]"
    lines += [f"times: {times}", "outputs: [" + ", ".join("clonazepam." + name for name in outputs) + "]"]
    if metrics:
        lines += ["metrics:"] + [f"  - {{{metric}}}" for metric in metrics]
    return "\n".join(lines) + "\n" + extra


def column(result, name, arm=0, subject=0):
    """A subject's covariate or individual parameter, whether or not it differs between arms."""
    values = result.subjects[name]
    return float(values[arm, subject] if values.ndim == 2 else values[subject])


def number(result, metric, arm=0, window=0, subject=0):
    """One value of a metric, whether or not it has windows."""
    values = result.metrics[metric][arm]
    return float(values[subject] if values.ndim == 1 else values[subject, window])
