# SPDX-License-Identifier: GPL-3.0-or-later
"""What the records of a data set do to a linear model, plainly: the second opinion for the event engine.

NONMEM's rules, written for reading and not for speed. Between two instants at which anything changes, the amounts x
obey dx/dt = A x + b + (sum of running infusions), which one matrix exponential carries across. Steady state is
superposition: an infinite series of equal doses, the old ones summed as a geometric series (I - G)^-1 with
G = exp(A II), the infusions that may still run one by one.

Nothing here knows how the engine works: the two only share the rules.
"""
from dataclasses import dataclass

import numpy as np


def expm(a):
    """exp(a) by scaling, a Taylor polynomial and squaring."""
    norm = np.linalg.norm(a, 1)
    halvings = max(0, int(np.ceil(np.log2(norm / 0.5)))) if norm > 0 else 0
    a = a / 2.0 ** halvings
    total = term = np.eye(len(a))
    for k in range(1, 20):
        term = term @ a / k
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total


@dataclass
class Part:
    """One way of a dose into the body, with the values in force at its record."""
    state: int
    fraction: float = 1.0
    F: float = 1.0
    lag: float = 0.0
    rate: float = None        # of RATE -1
    duration: float = None    # of RATE -2
    zero_order: float = None  # duration of a dose given at once


@dataclass
class Input:
    """What one dose does through one part: at once (rate None), or at a rate for a while."""
    state: int
    lag: float
    amount: float
    rate: float = None
    duration: float = 0.0


@dataclass
class Arrival:
    time: float
    input: Input
    nominal: bool  # no lag: its time is t + k II, and meets a TIME that differs by rounding only


class Model:
    """A linear model. Fill in by subclass or by assignment:
    rates(p) -> A, b;  initial(p) -> x;  parts(p, cmt) -> [Part] of a dose with this CMT (0: the default);
    state_of(cmt) -> state. p is the record whose values are in force."""

    def rates(self, p):
        raise NotImplementedError

    def initial(self, p):
        return np.zeros(len(self.rates(p)[1]))

    def parts(self, p, cmt):
        return [Part(self.state_of(cmt))]

    def state_of(self, cmt):
        return cmt - 1


def inputs_of(record, parts, scales):
    """What each dose of a record and of its series does."""
    amt, rate = record.get("AMT", 0.0), record.get("RATE", 0.0)
    found = []
    for q in parts:
        amount = amt * q.fraction
        duration = q.duration if rate == -2 else q.zero_order if rate == 0 else None
        given = q.rate if rate == -1 else rate * q.fraction if rate > 0 else None
        if duration is not None:
            found.append(Input(q.state, q.lag, 0.0, q.F * amount / duration, duration))
        elif given is None:
            assert rate == 0, f"RATE {rate} but the model states no value"
            found.append(Input(q.state, q.lag, q.F * amount))
        elif scales == "rate":
            found.append(Input(q.state, q.lag, 0.0, q.F * given, amount / given))
        else:
            found.append(Input(q.state, q.lag, 0.0, given, q.F * amount / given))
    return found


class Body:
    """Amounts, running infusions, what is still to come, and the clock."""

    def __init__(self, model):
        self.model = model
        self.x, self.on, self.running, self.pending, self.clock = None, None, [], [], 0.0

    def reset(self, p, time):
        self.x = np.array(self.model.initial(p), float)
        self.on = np.ones(len(self.x), bool)
        self.running, self.pending, self.clock = [], [], time

    def masked(self, p):
        """A and b with the rows of compartments that are off set to zero."""
        a, b = self.model.rates(p)
        return np.where(self.on[:, None], a, 0.0), np.where(self.on, b, 0.0)

    def drift(self, p, dt):
        """Carries the amounts over dt on which nothing changes."""
        a, b = self.masked(p)
        for state, rate, _ in self.running:
            b = b.copy()
            b[state] += rate
        n = len(b)
        m = np.zeros((n + 1, n + 1))
        m[:n, :n], m[:n, n] = a, b
        e = expm(m * dt)
        self.x = e[:n, :n] @ self.x + e[:n, n]

    def enter(self, q, time):
        """An input arrives: its compartment is switched on again."""
        self.on[q.state] = True
        if q.rate is None:
            self.x[q.state] += q.amount
        else:
            self.running.append((q.state, q.rate, time + q.duration))

    def due(self, arrival, time):
        return arrival.time <= time or (arrival.nominal and
                                        abs(arrival.time - time) <= 1e-12 * max(1.0, abs(time)))

    def advance(self, p, time):
        """To this time with these parameters: every arrival and every end of an infusion on the way."""
        while True:
            coming = sorted((a for a in self.pending if self.due(a, time)), key=lambda a: a.time)
            instant = min([time] + [min(a.time, time) for a in coming[:1]] + [end for _, _, end in self.running])
            if instant > self.clock:
                self.drift(p, instant - self.clock)
                self.clock = instant
            self.running = [r for r in self.running if r[2] > instant]
            if coming and min(coming[0].time, time) <= instant:
                self.pending.remove(coming[0])
                self.enter(coming[0].input, instant)
            elif instant >= time:
                self.clock = time
                return

    def periodic(self, p, inputs, II, time):
        """The amounts due to doses at time - k II, k = 1, 2, ..., and what of them still runs or travels."""
        for q in inputs:
            self.on[q.state] = True
        keep = np.flatnonzero(self.on)
        a = self.model.rates(p)[0][np.ix_(keep, keep)]
        n, g = len(keep), expm(a * II)
        total = np.zeros(len(self.on))
        for q in inputs:
            into = (keep == q.state).astype(float)
            k, phase = 1, II - q.lag
            while phase < 0:  # dose k is on its way: it arrives at time + lag - k II
                self.pending.append(Arrival(time + q.lag - k * II, q, False))
                k, phase = k + 1, phase + II
            sum_ = np.zeros(n)
            if q.rate is None:
                sum_ = expm(a * phase) @ np.linalg.solve(np.eye(n) - g, into * q.amount)
            else:
                while phase < q.duration:  # still running
                    sum_ += self.infused(a, into, phase) * q.rate
                    self.running.append((q.state, q.rate, time - phase + q.duration))
                    phase += II
                done = self.infused(a, into, q.duration) * q.rate
                sum_ += expm(a * (phase - q.duration)) @ np.linalg.solve(np.eye(n) - g, done)
            total[keep] += sum_
        return total

    @staticmethod
    def infused(a, into, duration):
        """What is there at the end of an infusion of this duration at rate 1."""
        n = len(into)
        m = np.zeros((n + 1, n + 1))
        m[:n, :n], m[:n, n] = a, into
        return expm(m * duration)[:n, n]

    def equilibrium(self, p, b):
        """-A^-1 b among the compartments that are on."""
        keep = np.flatnonzero(self.on)
        x = np.zeros(len(self.on))
        if np.any(b[keep]):
            x[keep] = np.linalg.solve(-self.model.rates(p)[0][np.ix_(keep, keep)], b[keep])
        return x

    def steady(self, p, record, inputs, time):
        if record["SS"] != 2:
            self.running, self.pending = [], []
        if record.get("AMT", 0) == 0:  # a constant infusion that ends now
            b = np.zeros(len(self.on))
            for q in inputs:
                self.on[q.state] = True
                b[q.state] += q.rate
            raised = self.equilibrium(p, b)
        else:
            raised = self.periodic(p, inputs, record["II"], time)
        base = self.x * self.on if record["SS"] == 2 else self.equilibrium(p, self.model.rates(p)[1])
        self.x = base + raised

    def dose(self, p, record, scales, time):
        amt, rate, ss = record.get("AMT", 0), record.get("RATE", 0), record.get("SS", 0)
        parts = self.model.parts(p, int(record.get("CMT", 0)))
        constant = ss and amt == 0
        if constant:  # F isn't applied
            inputs = [Input(q.state, q.lag, 0.0, q.rate if rate == -1 else rate * q.fraction, np.inf) for q in parts]
        else:
            inputs = inputs_of(record, parts, scales)
        if ss:
            self.steady(p, record, inputs, time)
        if constant:
            return
        for q in inputs:
            for k in range(int(record.get("ADDL", 0)) + 1):
                nominal = time + k * record.get("II", 0)
                if k == 0 and q.lag == 0:
                    self.enter(q, time)
                else:
                    self.pending.append(Arrival(nominal + q.lag, q, q.lag == 0))

    def apply(self, p, record, scales):
        evid, time = record["EVID"], record["TIME"]
        if evid in (3, 4):
            self.reset(p, time)
        if evid in (1, 4):
            self.dose(p, record, scales, time)
        elif evid == 2 and record.get("CMT", 0) != 0:
            state = self.model.state_of(abs(int(record["CMT"])))
            self.on[state] = record["CMT"] > 0
            if not self.on[state]:
                self.x[state] = 0.0
                self.running = [r for r in self.running if r[0] != state]
        elif evid == 8:
            state = self.model.state_of(int(record["CMT"]))
            self.on[state] = True
            self.x[state] = record["AMT"]


def run(model, records, rule="next", scales="duration"):
    """The amounts after each record, in order. rule: whose values hold over (t_prev, t], those of the record at t
    ("next") or of the one before ("previous")."""
    body, shown = Body(model), []
    for i, record in enumerate(records):
        if i == 0:
            body.reset(record, record["TIME"])
        elif record["EVID"] not in (3, 4):
            body.advance(record if rule == "next" else records[i - 1], record["TIME"])
        body.apply(record, record, scales)
        shown.append(body.x.copy())
    return shown
