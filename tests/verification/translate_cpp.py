#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts for mrgsolve, compiled as mrgsolve compiles them: parameters, compartments and effects become macros, variables
of blocks become globals in an unnamed namespace, $MAIN, $ODE and $TABLE become functions.

The compiler sees what a reader of texts can't: names that clash with C++ or its library, whole numbers divided, a
missing semicolon. The compiled functions are then called, and give what the parser of _translated.py gives.
"""
import ctypes
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

import _translated as tr
from _halflife import ROOT, Tap

tap = Tap()
COMPILER = shutil.which(os.environ.get("CXX", "g++")) or shutil.which("clang++")
ALONE = {"sedation_alternatives", "sedation_overlap", "withdrawal_shared"}

FRAME = """
#include <vector>
#include <math.h>
#include <iostream>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
typedef double capture;
struct databox {
    unsigned newind; double time; int evid; short cmt; double amt;
    double mtime(double when) { return when; }
    double tad() { return 0.0; }
};
%(global)s
namespace {
%(variables)s
}
#define NEWIND self.newind
#define TIME self.time
#define EVID self.evid
#define CMT self.cmt
#define AMT self.amt
#define SOLVERTIME _ODETIME_[0]
%(macros)s
extern "C" void block_main(databox &self, const double *_THETA_, const double *_ETA_, double *_A_0_, double *_F_,
                           double *_ALAG_, double *_D_, double *_R_)
{
%(MAIN)s
}
extern "C" void block_ode(const double *_ODETIME_, const double *_A_, double *_DADT_, const double *_THETA_)
{
%(ODE)s
}
extern "C" void block_table(databox &self, const double *_THETA_, const double *_ETA_, const double *_EPS_,
                            const double *_A_)
{
%(TABLE)s
}
extern "C" void give(double *value)
{
%(give)s
}
"""


def blocks(text):
    """Lines of each block without comments."""
    found, block = {}, None
    for line in text.text.splitlines():
        line = line.split("//")[0].rstrip()
        match = re.match(r"\$([A-Z]+)", line)
        if match:
            block = match[1]
            line = line[match.end():]
        found.setdefault(block, []).append(line)
    return found


def source(text):
    part = blocks(text)
    variables = []
    for name in ("MAIN", "ODE", "TABLE"):
        for i, line in enumerate(part[name]):
            match = re.match(r"\s*(?:double|capture) (\w+) =", line)
            if match:
                variables.append(match[1])
                part[name][i] = re.sub(r"^\s*(?:double|capture) ", "", line)
    macros = [f"#define {p} _THETA_[{i}]" for i, p in enumerate(text.thetas)]
    for i, c in enumerate(text.cmt):
        macros += [f"#define {c} _A_[{i}]", f"#define {c}_0 _A_0_[{i}]", f"#define dxdt_{c} _DADT_[{i}]",
                   f"#define F_{c} _F_[{i}]", f"#define ALAG_{c} _ALAG_[{i}]", f"#define D_{c} _D_[{i}]",
                   f"#define R_{c} _R_[{i}]"]
    macros += [f"#define {e} _ETA_[{i}]" for i, e in enumerate(text.etas)]
    macros += [f"#define {e} _EPS_[{i}]" for i, e in enumerate(text.eps)]
    captured = text.table()
    return FRAME % {"global": "\n".join(part.get("GLOBAL", [])), "macros": "\n".join(macros),
                    "variables": "\n".join(f"double {v};" for v in variables),
                    "give": "\n".join(f"value[{i}] = {c};" for i, c in enumerate(captured)),
                    **{name: "\n".join(part[name]) for name in ("MAIN", "ODE", "TABLE")}}


class Databox(ctypes.Structure):
    _fields_ = [("newind", ctypes.c_uint), ("time", ctypes.c_double), ("evid", ctypes.c_int), ("cmt", ctypes.c_short),
                ("amt", ctypes.c_double)]


def array(values):
    return (ctypes.c_double * max(1, len(values)))(*values)


def compiled(label, text, folder):
    path, library = os.path.join(folder, "model.cpp"), os.path.join(folder, label + ".so")
    with open(path, "w", encoding="utf-8") as f:
        f.write(source(text))
    done = subprocess.run([COMPILER, "-std=gnu++11", "-O0", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror=shadow",
                           "-Wno-unused-variable", "-Wno-unused-parameter", "-o", library, path],
                          capture_output=True, text=True)
    tap.ok(done.returncode == 0, f"{label} compiles", done.stderr[:2000])
    return ctypes.CDLL(library) if done.returncode == 0 else None


def compare(label, text, library):
    """Rates and outputs at random states, effects and a time, from the compiled functions and from the parser."""
    random = np.random.default_rng(20240229)
    n, worst = len(text.cmt), 0.0
    for _ in range(3):
        etas = {e: 0.3 * random.standard_normal() for e in text.etas}
        y, t = random.uniform(0.01, 0.2, n), float(random.uniform(1, 50))
        text.subject({}, etas)
        expected = np.array(text.rates(t, y, t))
        shown = text.outputs(t, y, 0)
        box, theta = Databox(1, 0.0, 0, 0, 0.0), array([float(v) for v in text.thetas.values()])
        eta, eps = array([etas[e] for e in text.etas]), array([0.0] * len(text.eps))
        start, items = array([0.0] * n), [array([0.0] * n) for _ in range(4)]
        library.block_main(ctypes.byref(box), theta, eta, start, *items)
        rates, value = array([0.0] * n), array([0.0] * len(text.table()))
        library.block_ode(array([t]), array(y), rates, theta)
        box.time = t
        library.block_table(ctypes.byref(box), theta, eta, eps, array(y))
        library.give(value)
        pairs = list(zip(rates, expected)) + [(v, float(shown[name])) for v, name in zip(value, text.table())]
        pairs += [(a, b) for a, b in zip(start, text.start)]
        for a, b in pairs:
            if not (np.isnan(a) and np.isnan(b)):
                worst = max(worst, abs(a - b) / max(abs(b), 1e-9))
    tap.ok(worst < 1e-11, f"{label}: compiled and parsed agree", f"largest difference {worst:.3g}")


def main():
    if not COMPILER:
        print("ok 1 - compiled texts # SKIP C++ compiler not found\n1..1")
        sys.exit(0)
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(glob.glob(os.path.join(ROOT, "models", "*.yaml"))):
            name = os.path.basename(path)[:-5]
            if name in ALONE or (sys.argv[1:] and name not in sys.argv[1:]):
                continue
            text = tr.Mrgsolve(tr.translate(name, "mrgsolve")[0])
            library = compiled(name, text, folder)
            if library:
                compare(name, text, library)
        if not sys.argv[1:]:
            text = tr.Mrgsolve(tr.translate("configs/overlap.yaml", "mrgsolve")[0])
            library = compiled("overlap", text, folder)
            if library:
                compare("configs/overlap.yaml", text, library)
    tap.done()


main()
