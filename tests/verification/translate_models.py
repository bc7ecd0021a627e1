#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every model of the library, translated and computed by other means: equations, values and units survive.

Each model is given to `halflife translate` for every tool. The text is parsed and integrated here (_translated.py) for a
typical subject that takes one dose by every route of the model, and for subjects with covariates and random effects of
their own; halflife runs the same. Every output agrees to 1e-6 of its largest value. What a model file says is read here
from its YAML, independently of the program.

    translate_models.py [MODEL...]     only these
"""
import glob
import math
import os
import sys

import numpy as np
import yaml
from scipy.optimize import least_squares

import _translated as tr
from _halflife import ROOT, Tap, run

tap = Tap()
AGREE = 1e-6
INTERACTIONS = {"sedation_alternatives", "sedation_overlap", "withdrawal_shared"}  # read other models' outputs; see translate_studies.py
QUICK = ["Cp", "analgesia", "eeg", "pharmacokinetic_mass", "amount_body"]
HOURS = [0.37, 1.13, 2.71, 4.9, 7.3, 11.7, 16.1, 23.9, 30.3, 41.7, 58.3, 77.7]


# ---- The model file, read here ----

def merge(base, over):
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    merged = dict(base)
    for key, value in over.items():
        if value == "remove":
            merged.pop(key, None)
        elif key == "flows":
            merged[key] = (merged.get(key) or []) + value
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def own(name):
    with open(os.path.join(ROOT, "models", name + ".yaml"), encoding="utf-8") as f:
        return yaml.load(f, Loader=yaml.BaseLoader)


def load(name):
    model = own(name)
    return merge(load(model["extends"]), model) if "extends" in model else model


def number(text):
    """The number of "3.6 L/h", "20 %"."""
    word = str(text).split()[0]
    return float(word) / (100 if str(text).endswith("%") else 1)


def variance(entry):
    if "variance" in entry:
        return number(entry["variance"])
    if "sd" in entry:
        return number(entry["sd"]) ** 2
    return math.log1p(number(entry["cv"]) ** 2)


# ---- Doses: one of each route ----

def is_patch(route):
    return isinstance(route, dict) and "patch" in route


def plan(model):
    """(study items, [(route, time, kind, strength)]): every route of the model in turn."""
    items, given = [], []
    for k, (name, route) in enumerate((model.get("routes") or {}).items()):
        start = round(0.2 + 2.3 * k, 3)
        if is_patch(route):
            unit = route["patch"].get("nominal", "mg")
            strength = 25.3 if unit == "ug/h" else 1.7
            wear = 31.9 if "content" in route["patch"] else None
            items.append(f"{{{name}: {strength} {unit}, start: {start} h, wear: {wear or 72} h}}")
            given.append((name, start, "patch" if wear else "reservoir", strength, wear))
        else:
            amount = round(0.731 + 0.193 * k, 4)
            items.append(f"{{{name}: {amount} mg, start: {start} h}}")
            given.append((name, start, "dose", amount, None))
    return items, given


def records(text, given, columns, etas):
    """The records that say the same to another tool, by the text's own list of ways in."""
    doses = []
    for name, start, kind, strength, wear in given:
        ways = [w for w in text.doses if w[0] == name]
        assert ways, f"the text has no route {name}"
        if kind == "patch":
            doses += patch_records(text, ways, start, strength, wear, columns, etas)
            continue
        for _, cmt, code, how in ways:
            rate = -2 if "RATE=-2" in how else -1 if "RATE=-1" in how and "AMT in mg; RATE" not in how else 0
            amount = strength * 1e-3 * 72 if kind == "reservoir" else strength
            doses.append(tr.Dose(start, cmt, amount, rate, code))
    return doses


def patch_records(text, ways, start, strength, wear, columns, etas):
    """On: a record per phase. Off: each phase ends where the next begins, the last at removal."""
    text.subject(columns, etas)
    lag = [text.items["ALAG"].get(cmt, 0.0) for _, cmt, _, _ in ways]
    doses = []
    for j, (_, cmt, code, _) in enumerate(ways):
        if lag[j] - lag[0] >= wear:
            continue
        end = min(lag[j + 1] if j + 1 < len(ways) else math.inf, lag[0] + wear)
        doses += [tr.Dose(start, cmt, strength, 0, code), tr.Dose(start + end, cmt, off=True)]
    return doses


# ---- Halflife ----

def study(name, items, outputs, cohort):
    return "\n".join([
        "study: translated", f"drugs: {{m: {name}}}", f"cohort: {cohort}", "arms:", "  - name: all", "    m:",
        *[f"      - {i}" for i in items], f"times: [{', '.join(f'{h} h' for h in HOURS)}]",
        f"outputs: [{', '.join('m.' + o for o in outputs)}]", "precision: double", "solver: exact", "tolerance: 1e-9", ""])


def compare(label, text, result, subject, outputs, columns, etas, given):
    found = tr.simulate(text, records(text, given, columns, etas), HOURS, columns, etas)
    at = [int(np.argmin(np.abs(result.time - h))) for h in HOURS]
    worst, where = 0.0, ""
    for output in outputs:
        here = text.name(output)
        if here not in found:
            tap.ok(False, f"{label}: output {output} is in the text")
            continue
        expected = result["m." + output][0, subject][at]
        scale = max(np.max(np.abs(expected)), 1e-12)
        off = float(np.max(np.abs(found[here] - expected)) / scale)
        if not off <= worst:
            worst, where = off, output
    tap.ok(worst <= AGREE, f"{label}: {len(outputs)} outputs agree", f"{where} differs by {worst:.3g} of its largest value")


# ---- What a text declares ----

def check_declared(label, text, model):
    """Variances by the names of the effects, and every covariate as a column."""
    random = dict(model.get("random") or {})
    blocks = [random.pop("block")] if "block" in random else random.pop("blocks", [])
    members = {eta for b in blocks for eta in b["of"]}
    bad = []
    for eta, entry in random.items():
        here = text.name(eta)
        known = here in text.etas or here + "_1" in text.etas
        if known and eta not in members and abs(text.covariance(here, here) - variance(entry)) > 1e-12:
            bad.append(f"{eta}: {text.covariance(here, here)} for {variance(entry)}")
    tap.ok(not bad, f"{label}: variances", "; ".join(bad))


def cohort_of(model):
    """Two subjects whose covariates differ from the defaults and from one another."""
    lines = []
    for name, c in (model.get("covariates") or {}).items():
        if "categories" in c:
            even = ", ".join(f"{k}: {1 / len(c['categories']):.17g}" for k in c["categories"])
            lines.append(f"{name}: {{categorical: {{{even}}}}}")
        else:
            unit = " ".join(c["default"].split()[1:])
            low, high = 0.8 * number(c["default"]), 1.25 * number(c["default"])
            lines.append(f"{name}: {{uniform: [{low:.6g} {unit}, {high:.6g} {unit}]}}")
    return f"{{subjects: 2, seed: 20240229, covariates: {{{', '.join(lines)}}}}}"


def personal(result, subject, model):
    """Columns of one subject's data, from the result."""
    columns = {}
    for name in model.get("covariates") or {}:
        columns[name] = float(result.subjects[name][subject])
    for name in model.get("mixtures") or {}:
        columns[name] = float(result.subjects["m_" + name][subject])
    return columns


def columns_of(text, language, personal_columns, model):
    """The same under the text's names; a class is a subpopulation in NONMEM."""
    columns = {}
    for name, value in personal_columns.items():
        if name in (model.get("mixtures") or {}) and language == "nonmem":
            columns["MIXNUM"] = int(value) + 1
        elif text.name(name) in text.columns:
            columns[text.name(name)] = value
    return columns


def find_etas(text, result, subject, columns):
    """The random effects that give this subject's individual values."""
    stored = {text.name(k[2:]): float(v[subject]) for k, v in result.subjects.items()
              if k.startswith("m_") and np.issubdtype(v.dtype, np.floating)}
    names = list(text.number) if hasattr(text, "number") else occasion_free(text)
    base = text.subject(columns)
    used = [k for k in stored if k in base and stored[k] != 0 and np.isfinite(stored[k])]

    def residual(x):
        e = text.subject(columns, dict(zip(names, x)))
        return [float(e[k]) / stored[k] - 1 for k in used]
    if not names or not used:
        return {}, 0.0
    fit = least_squares(residual, np.zeros(len(names)), xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return dict(zip(names, fit.x)), float(np.max(np.abs(fit.fun)))


# ---- One model ----

def thoroughly(name):
    """The languages a model is computed in; all of them are read. A variant shares its equations with the model it
    extends, which is computed in all: one language each, in turn."""
    languages = list(tr.LANGUAGES)
    return [languages[sum(map(ord, name)) % 3]] if "extends" in own(name) else languages


def check(name):
    model, variant = load(name), "extends" in own(name)
    few = [o for o in QUICK if variant and o in model["outputs"]] if "CAR" in (model.get("states") or {}) else []
    if few:  # a variant of a model with a stiff chain: what doesn't need the chain
        model["outputs"] = {o: model["outputs"][o] for o in few}
    check_text_of(name, model, name, thoroughly(name), 1 if variant else 2,
                  options=[w for o in few for w in ("--only", o)])


def check_text_of(name, model, source, languages, subjects, models=None, options=()):
    """A model (as read here) whose file is source, translated; models: {name: YAML text} where it isn't the library's."""
    outputs = list(model.get("outputs") or {})
    items, given = plan(model)
    typical = run(study(name, items, outputs, "typical"), models=models)
    people = run(study(name, items, outputs, cohort_of(model)), models=models)
    defaults = {}
    for covariate, c in (model.get("covariates") or {}).items():
        defaults[covariate] = (c["categories"].index(c["default"]) if "categories" in c else number(c["default"]))
    for language, kind in tr.LANGUAGES.items():
        label = f"{name}, {language}"
        try:
            text = kind(tr.translate(source, language, *options)[0])
        except (tr.Malformed, RuntimeError) as error:
            tap.ok(False, f"{label}: the text can be read", error)
            continue
        tap.ok(True, f"{label}: the text can be read")
        check_declared(label, text, model)
        if language not in languages:
            continue
        columns = columns_of(text, language, defaults, model)
        compare(f"{label}, typical", text, typical, 0, outputs, columns, {}, given)
        for subject in range(subjects if language == languages[0] else 0):
            columns = columns_of(text, language, personal(people, subject, model), model)
            etas, off = find_etas(text, people, subject, columns)
            tap.ok(off < 1e-9, f"{label}, subject {subject}: individual values", f"differ by {off:.3g}")
            compare(f"{label}, subject {subject}", text, people, subject, outputs, columns, etas, given)


def occasion_free(text):
    """Names of effects, those of occasions once."""
    names = []
    for name in text.etas:
        if name.endswith("_1") and name[:-2] + "_2" in text.etas:
            names.append(name[:-2])
        elif not (name[-2:] in ("_2", "_3") and name[:-2] + "_1" in text.etas):
            names.append(name)
    return names


if __name__ == "__main__":
    asked = sys.argv[1:]
    for path in sorted(glob.glob(os.path.join(ROOT, "models", "*.yaml"))):
        model_name = os.path.basename(path)[:-5]
        if model_name not in INTERACTIONS and (not asked or model_name in asked):
            check(model_name)
    for model_name in sorted(INTERACTIONS) if not asked else []:
        try:
            tr.translate(model_name, "nonmem", expect=2)
            tap.ok(True, f"{model_name} is refused alone")
        except RuntimeError as error:
            tap.ok(False, f"{model_name} is refused alone", error)
    tap.done()
