# SPDX-License-Identifier: GPL-3.0-or-later
"""The structural library written a second time: REFERENCE[model](p, doses, t) gives {output: values at times t} for
doses [(hour, mg)] by the default route. p holds the parameters by the names of the model file (h, mg, L, nM; per cent as they
are written). What is linear is a sum of exponentials, the rest is integrated here.
"""
import math

import numpy as np

from _structures import Exponentials, disposition, integrated


def superposed(unit, doses, t, factor=1.0, lag=0.0):
    """Repeated doses of a linear system; unit(t) is what a dose of 1 does."""
    return factor * sum(amount * unit(np.asarray(t) - at - lag) for at, amount in doses)


# ---- Disposition: clearances and volumes from any parameterisation.

def body(p, names):
    """K, volume and exchange rates from the parameters at hand. names: the file's suffixes of the central compartment
    and of its partners, such as ("1", "2", "3")."""
    c, partners = names[0], names[1:]
    one = {k[2:]: v for k, v in p.items() if k.startswith("TV")}
    v = one.get("V" + c, one.get("V"))
    if "AOB" in one:
        back = (one["AOB"] * one["BETA"] + one["ALPHA"]) / (one["AOB"] + 1)
        k = one["ALPHA"] * one["BETA"] / back
        return k, v, [(one["ALPHA"] + one["BETA"] - back - k, back)]
    if "ALPHA" in one:
        return exponents_to_rates(one, [f"K{x}{c}" for x in partners], v)
    if "K" in one:
        return one["K"], v, [(one[f"K{c}{x}"], one[f"K{x}{c}"]) for x in partners]
    if "VSS" in one:
        return one["CL"] / v, v, [(one["Q"] / v, one["Q"] / (one["VSS"] - v))]
    q = [one.get("Q" + x, one.get("Q")) for x in partners]
    return one["CL"] / v, v, [(qx / v, qx / one["V" + x]) for qx, x in zip(q, partners)]


def exponents_to_rates(one, back_names, v):
    """K and the rates out from the exponents, by solving for the coefficients of the characteristic polynomial."""
    back = [one[name] for name in back_names]
    poles = [one[name] for name in ("ALPHA", "BETA", "GAMMA") if name in one]
    k = np.prod(poles) / np.prod(back)
    # prod(s + poles) = (s + k + sum out) prod(s + back) - sum out_i back_i prod(s + other back): at s = -back_i
    out = [np.prod([pole - b for pole in poles]) / (-b * np.prod([o - b for o in back if o != b])) for b in back]
    return k, v, list(zip(out, back))


def intravenous(*names):
    def reference(p, doses, t):
        k, v, exchange = body(p, names)
        u = Exponentials(*disposition(k, exchange), 1 / v)
        return {"Cp": superposed(u.after, doses, t, p["F1"], p["ALAG1"])}
    return reference


def oral(*names):
    def reference(p, doses, t):
        k, v, exchange = body(p, names)
        zeros, poles = disposition(k, exchange)
        u = Exponentials(zeros, [p["TVKA"], *poles], p["TVKA"] / v)
        return {"Cp": superposed(u.after, doses, t, p["F1"], p["ALAG1"])}
    return reference


def one(p, ka=None):
    """One compartment after a unit dose, at once or by first order."""
    k = p["TVCL"] / p["TVV"]
    return Exponentials([], [k], 1 / p["TVV"]) if ka is None else Exponentials([], [ka, k], ka / p["TVV"])


# ---- Absorption.

def zero(p, doses, t):
    return {"Cp": superposed(lambda x: one(p).infused(x, p["TVD1"]), doses, t, p["F1"], p["ALAG1"])}


def zero_depot(p, doses, t):
    return {"Cp": superposed(lambda x: one(p, p["TVKA"]).infused(x, p["TVD1"]), doses, t, p["F1"], p["ALAG1"])}


def zero_first(p, doses, t):
    first = superposed(one(p, p["TVKA"]).after, doses, t, p["F1"] * p["TVFR"], p["ALAG1"])
    return {"Cp": first + superposed(lambda x: one(p).infused(x, p["TVD2"]), doses, t, p["F1"] * (1 - p["TVFR"]),
                                     p["ALAG2"])}


def zero_then_first(p, doses, t):
    zeroth = superposed(lambda x: one(p).infused(x, p["TVD2"]), doses, t, p["F1"] * p["TVFZ"], p["ALAG1"])
    return {"Cp": zeroth + superposed(one(p, p["TVKA"]).after, doses, t, p["F1"] * (1 - p["TVFZ"]),
                                      p["ALAG1"] + p["TVD2"])}


def first_first(p, doses, t):
    return {"Cp": superposed(one(p, p["TVKA1"]).after, doses, t, p["F1"] * p["TVFR"], p["ALAG1"])
            + superposed(one(p, p["TVKA2"]).after, doses, t, p["F1"] * (1 - p["TVFR"]), p["ALAG3"])}


def gamma_p(n, x):
    """The regularised incomplete gamma function P(n, x) of a whole n > 0; the series where the sum would cancel."""
    if x < n:
        term = total = 1.0 / math.factorial(n)
        for k in range(1, 400):
            term *= x / (n + k)
            total += term
        return total * x ** n * math.exp(-x)
    return 1.0 - math.exp(-x) * sum(x ** k / math.factorial(k) for k in range(n))


def transit_chain(p, doses, t):
    """A gamma density of five steps convolved with exp(-q t) is (KTR/(KTR - q))^5 exp(-q t) P(5, (KTR - q) t)."""
    u, ktr = one(p, p["TVKA"]), 5 / p["TVMTT"]
    assert ktr > max(u.p)

    def unit(x):
        return np.array([sum(c * (ktr / (ktr - q)) ** 5 * math.exp(-q * s) * gamma_p(5, (ktr - q) * s)
                             for c, q in zip(u.c, u.p)) if s > 0 else 0.0 for s in np.atleast_1d(x)])
    return {"Cp": superposed(unit, doses, t, p["F1"])}


def gamma_share(a, x):
    """The regularised incomplete gamma function P(a, x) of any a > 0, by its series of positive terms."""
    if x <= 0:
        return 0.0
    term, total, k = math.exp(a * math.log(x) - x - math.lgamma(a + 1)), 0.0, 0
    while term > 1e-18 * total or a + k < x:
        total += term
        k += 1
        term *= x / (a + k)
    return total


def transit(p, doses, t):
    """As for the chain, for any n; it needs KTR > K and KTR > KA."""
    u, a = one(p, p["TVKA"]), p["TVNTR"] + 1
    ktr = a / p["TVMTT"]
    assert ktr > max(u.p)

    def unit(x):
        return np.array([sum(c * (ktr / (ktr - q)) ** a * math.exp(-q * s) * gamma_share(a, (ktr - q) * s)
                             for c, q in zip(u.c, u.p)) if s > 0 else 0.0 for s in np.atleast_1d(x)])
    return {"Cp": superposed(unit, doses, t, p["F1"], p["ALAG1"])}


def weibull(p, doses, t):
    """Convolution over v = (tad/TD)^BETA, of which a dose enters with the density exp(-v), by the tanh-sinh rule."""
    k = p["TVCL"] / p["TVV"]
    s = np.arange(-360, 361) / 90.0
    node = 0.5 * (1 + np.tanh(0.5 * math.pi * np.sinh(s)))
    weight = 0.25 * math.pi * np.cosh(s) / np.cosh(0.5 * math.pi * np.sinh(s)) ** 2 / 90.0

    def unit(x):
        found = []
        for after in np.atleast_1d(x):
            top = min((max(after, 0.0) / p["TVTD"]) ** p["TVBETA"], 60.0)
            v = top * node
            found.append(top * np.sum(weight * np.exp(-v - k * (after - p["TVTD"] * v ** (1 / p["TVBETA"]))))
                         if after > 0 else 0.0)
        return np.array(found) / p["TVV"]
    return {"Cp": superposed(unit, doses, t, p["F1"], p["ALAG1"])}


# ---- Elimination.

def into(index, amount):
    def change(y):
        y = y.copy()
        y[index] += amount
        return y
    return change


def course(rhs, start, p, doses, t, unit=1.0):
    """States with doses into the first of them; unit turns mg into that state's unit."""
    return integrated(rhs, start, [(at + p["ALAG1"], into(0, unit * p["F1"] * amount)) for at, amount in doses], t)


def lambert_w(log_x):
    """W(x) for x = exp(log_x): w + log w = log x, by Newton."""
    w = math.exp(log_x) if log_x < 1 else log_x - math.log(log_x)
    for _ in range(60):
        w -= (w + math.log(w) - log_x) / (1 + 1 / w)
    return w


def iv_mm(p, doses, t):
    """Between doses C exp(C/KM) falls as exp(-VM/V/KM t), so that C = KM W(...)."""
    km, speed = p["TVKM"], p["TVVM"] / p["TVV"] / p["TVKM"]
    marks = sorted(set(list(t) + [at + p["ALAG1"] for at, _ in doses]))
    c, now, found = 0.0, 0.0, {}
    for mark in marks:
        if c > 0:
            c = km * lambert_w(math.log(c / km) + c / km - speed * (mark - now))
        c += sum(p["F1"] * amount / p["TVV"] for at, amount in doses if at + p["ALAG1"] == mark)
        now, found[mark] = mark, c
    return {"Cp": np.array([found[x] for x in t])}


def iv_mixed(p, doses, t):
    v = p["TVV"]
    y = course(lambda y: -y * (p["TVCL"] + p["TVVM"] / (p["TVKM"] + y / v)) / v, [0.0], p, doses, t)
    return {"Cp": y[:, 0] / v}


def oral_mm(p, doses, t):
    v, linear = p["TVV"], p.get("TVCL", 0.0)

    def rhs(y):
        a = p["TVKA"] * y[0]
        return np.array([-a, a - y[1] * (linear + p["TVVM"] / (p["TVKM"] + y[1] / v)) / v])
    return {"Cp": course(rhs, [0.0, 0.0], p, doses, t)[:, 1] / v}


def iv_2cmt_mixed(p, doses, t):
    v1, v2 = p["TVV1"], p["TVV2"]

    def rhs(y):
        moved = p["TVQ"] * (y[0] / v1 - y[1] / v2)
        c = y[0] / v1
        return np.array([-moved - p["TVCL"] * c - p["TVVM"] * c / (p["TVKM"] + c), moved])
    return {"Cp": course(rhs, [0.0, 0.0], p, doses, t)[:, 0] / v1}


def induction(p, doses, t):
    v, kenz = p["TVV"], math.log(2) / p["T_ENZ"]

    def rhs(y):
        c = y[1] / v
        return np.array([-p["TVKA"] * y[0], p["TVKA"] * y[0] - p["TVCL"] * y[2] * c,
                         kenz * (1 + p["EMAX"] * c / (p["EC50"] + c) - y[2])])
    y = course(rhs, [0.0, 0.0, 1.0], p, doses, t)
    return {"Cp": y[:, 1] / v, "ENZ": y[:, 2]}


MOLAR = 0.15  # mg per nmol, of the antibody of both models of target-mediated disposition


def tmdd(p, doses, t):
    """In concentrations: free drug C and complex RC of the central volume, drug in the peripheral one, free target."""
    v1, v2 = p["TVV1"], p["TVV2"]

    def rhs(y):
        c, tissue, r, rc = y.tolist()
        bound = p["KON"] * c * r - p["KOFF"] * rc
        return np.array([-p["TVCL"] / v1 * c - p["TVQ"] / v1 * (c - tissue) - bound, p["TVQ"] / v2 * (c - tissue),
                         p["KDEG"] * (p["TVR0"] - r) - bound, bound - p["KINT"] * rc])
    y = course(rhs, [0.0, 0.0, p["TVR0"], 0.0], p, doses, t, 1 / v1 / MOLAR)
    return {"Cp": y[:, 0] * MOLAR, "C": y[:, 0], "RC": y[:, 3], "Rtot": y[:, 2] + y[:, 3],
            "occupancy": 100 * y[:, 3] / (y[:, 2] + y[:, 3])}


def tmdd_qss(p, doses, t):
    v1, v2 = p["TVV1"], p["TVV2"]

    def free(total, target):
        b = total - target - p["KSS"]
        return (b + np.sqrt(b * b + 4 * p["KSS"] * total)) / 2

    def rhs(y):
        total, tissue, target = y
        c = free(total, target)
        moved = p["TVQ"] * (c - tissue)
        return np.array([-p["TVCL"] / v1 * c - moved / v1 - p["KINT"] * (total - c), moved / v2,
                         p["KDEG"] * (p["TVR0"] - target) - (p["KINT"] - p["KDEG"]) * (total - c)])
    y = course(rhs, [0.0, 0.0, p["TVR0"]], p, doses, t, 1 / v1 / MOLAR)
    total, target = y[:, 0], y[:, 2]
    c = free(total, target)
    share = np.where(total > 0, c / np.maximum(total, 1e-300), p["KSS"] / (p["KSS"] + target))
    return {"Cp": c * MOLAR, "C": c, "Ctot": total, "free": share, "occupancy": 100 * (total - c) / target}


# ---- Recirculation and metabolites.

def linear(matrix, start, t):
    """exp(matrix t) start, by eigenvalues."""
    values, vectors = np.linalg.eig(matrix)
    weights = np.linalg.solve(vectors, np.asarray(start, complex))
    t = np.asarray(t, float)
    e = np.exp(np.multiply.outer(np.maximum(t, 0.0), values)) * weights
    return np.where((t >= 0)[:, None], (e @ vectors.T).real, 0.0)


def recycling(p, doses, t):
    v, ka, kgb = p["TVV"], p["TVKA"], p["KGB"]
    m = np.array([[-ka, 0, kgb * p["FRE"]], [ka, -(p["TVCL"] + p["TVCLB"]) / v, 0], [0, p["TVCLB"] / v, -kgb]])
    return {"Cp": superposed(lambda x: linear(m, [1, 0, 0], x)[:, 1], doses, t, p["F1"], p["ALAG1"]) / v}


MEALS = [(4.0, 1.0), (10.0, 1.0), (16.0, 1.0), (22.0, 1.0)]


def recycling_meals(p, doses, t, meals=None):
    v = p["TVV"]

    def rhs(y):
        gut, central, gall, signal = y
        emptied = p["KGB"] * signal * gall
        return np.array([emptied * p["FRE"] - p["TVKA"] * gut,
                         p["TVKA"] * gut - (p["TVCL"] + p["TVCLB"]) / v * central,
                         p["TVCLB"] / v * central - emptied, -p["KME"] * signal])
    changes = [(at + p["ALAG1"], into(0, p["F1"] * amount)) for at, amount in doses]
    changes += [(at, into(3, amount)) for at, amount in (MEALS if meals is None else meals)]
    y = integrated(rhs, np.zeros(4), changes, t)
    return {"Cp": y[:, 1] / v, "Ag": y[:, 2]}


def metabolite(p, doses, t):
    k, km, ka = p["TVCL"] / p["TVV"], p["TVCLM"] / p["VM"], p["TVKA"]
    m = np.array([[-ka, 0, 0], [ka * p["FH"], -k, 0], [ka * (1 - p["FH"]) * p["FM"], k * p["FM"], -km]])
    y = superposed(lambda x: linear(m, [1, 0, 0], x), doses, t, p["F1"], p["ALAG1"])
    return {"Cp": y[:, 1] / p["TVV"], "Cm": p["MMR"] * y[:, 2] / p["VM"]}


# ---- Responses, on one compartment with first-order absorption.

def direct(p, doses, t):
    c = superposed(one(p, p["TVKA"]).after, doses, t, p["F1"], p["ALAG1"])
    g = p.get("TVGAMMA", 1.0)
    return {"Cp": c, "E": p["TVE0"] + p["TVEMAX"] * c ** g / (p["TVEC50"] ** g + c ** g)}


def effect_compartment(p, doses, t):
    k, ka, ke0, g = p["TVCL"] / p["TVV"], p["TVKA"], p["TVKE0"], p["TVGAMMA"]
    ce = superposed(Exponentials([], [ka, k, ke0], ke0 * ka / p["TVV"]).after, doses, t, p["F1"], p["ALAG1"])
    ce = np.maximum(ce, 0.0)
    return {"Cp": direct(p, doses, t)["Cp"], "Ce": ce,
            "E": p["TVE0"] + p["TVEMAX"] * ce ** g / (p["TVEC50"] ** g + ce ** g)}


def turnover(p, doses, t):
    k, ka, kout = p["TVCL"] / p["TVV"], p["TVKA"], p["TVKOUT"]
    u = Exponentials([], [ka, k, kout], p["TVR0"] * kout * p["TVSLOPE"] * ka / p["TVV"])
    return {"Cp": superposed(one(p, ka).after, doses, t, p["F1"], p["ALAG1"]),
            "effect": p["TVR0"] + superposed(u.after, doses, t, p["F1"], p["ALAG1"])}


def indirect(production, loss):
    """production and loss: how the drug multiplies KIN and KOUT."""
    def reference(p, doses, t):
        v, kout, r0 = p["TVV"], p["TVKOUT"], p["TVR0"]

        def rhs(y):
            c = y[1] / v
            return np.array([-p["TVKA"] * y[0], p["TVKA"] * y[0] - p["TVCL"] * c,
                             kout * (r0 * production(p, c) - loss(p, c) * y[2])])
        y = course(rhs, [0.0, 0.0, r0], p, doses, t)
        return {"Cp": y[:, 1] / v, "effect": y[:, 2]}
    return reference


def nothing(p, c):
    return 1.0


def inhibited(p, c):
    return 1 - p["IMAX"] * c / (p["TVIC50"] + c)


def stimulated(p, c):
    return 1 + p["SMAX"] * c / (p["TVSC50"] + c)


REFERENCE = {
    "pk_zero_1cmt": zero, "pk_zero_depot_1cmt": zero_depot, "pk_zero_first_1cmt": zero_first,
    "pk_zero_then_first_1cmt": zero_then_first, "pk_first_first_1cmt": first_first,
    "pk_transit_chain_1cmt": transit_chain, "pk_transit_1cmt": transit, "pk_weibull_1cmt": weibull,
    "pk_iv_1cmt_mm": iv_mm, "pk_iv_1cmt_mixed": iv_mixed,
    "pk_oral_1cmt_mm": oral_mm, "pk_oral_1cmt_mixed": oral_mm, "pk_iv_2cmt_mixed": iv_2cmt_mixed,
    "pk_oral_1cmt_induction": induction, "pk_iv_2cmt_tmdd": tmdd, "pk_iv_2cmt_tmdd_qss": tmdd_qss,
    "pk_oral_1cmt_ehr": recycling, "pk_oral_1cmt_ehr_meals": recycling_meals, "pk_oral_1cmt_metabolite": metabolite,
    "pd_emax": direct, "pd_sigmoid_emax": direct, "pd_effect_compartment": effect_compartment, "pd_turnover": turnover,
    "pd_idr1": indirect(inhibited, nothing), "pd_idr2": indirect(nothing, inhibited),
    "pd_idr3": indirect(stimulated, nothing), "pd_idr4": indirect(nothing, stimulated),
}
for _names, _variants in (("1", ("", "_trans1")), ("12", ("", "_trans1", "_trans3", "_trans5", "_trans6")),
                          ("123", ("", "_trans1", "_trans6"))):
    for _variant in _variants:
        REFERENCE[f"pk_iv_{len(_names)}cmt{_variant}"] = intravenous(*_names)
        REFERENCE[f"pk_oral_{len(_names)}cmt{_variant}"] = oral(*(str(int(x) + 1) for x in _names))
