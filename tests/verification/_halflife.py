# SPDX-License-Identifier: GPL-3.0-or-later
"""What every verification script shares: running studies given as text, and TAP lines.

Numbers to compare with are written as strings, as printed on the reference page: a value agrees when it differs by no
more than the larger of half a unit of the last printed digit and 1e-4 relative (times: half a unit of the last digit).
"""
import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.environ.get("HALFLIFE", os.path.join(ROOT, "build", "halflife"))


class Result:
    """A result file in memory: r['clonazepam.Cp'][arm, subject, time], r.metric('clonazepam_Cp_Cmax')[arm, subject]."""

    def __init__(self, path):
        self.values, self.metrics, self.subjects, self.doses, self.reviews = {}, {}, {}, {}, {}
        with h5py.File(path, "r") as f:
            self.time = f["time"][:]
            self.attributes = dict(f.attrs)
            self.arms = [a.decode() if isinstance(a, bytes) else a for a in f["arm_name"][:]]
            for name, item in f.items():
                if isinstance(item, h5py.Dataset) and name != "arm_name":
                    self.values[name] = item[:]
            for group, into in (("metrics", self.metrics), ("subjects", self.subjects), ("doses", self.doses),
                                ("reviews", self.reviews)):
                for name, item in f.get(group, {}).items():
                    into[name] = item[:]

    def __getitem__(self, name):
        return self.values[name.replace(".", "_")]

    def metric(self, name):
        return self.metrics[name]

    def arm(self, name):
        return self.arms.index(name)

    def at(self, output, hour, arm=0, subject=0):
        """The stored value at an output time."""
        k = int(np.argmin(np.abs(self.time - hour)))
        assert abs(self.time[k] - hour) < 1e-9, f"{hour} h is not an output time"
        return float(self[output][arm, subject, k])


def run(study, *options, keep=None, expect=0, models=None):
    """Runs a study (YAML text); the result, or the completed process when expect is not 0. models: {name: YAML text} of
    models beside the study."""
    folder = tempfile.mkdtemp(prefix="halflife-")
    try:
        source, target = os.path.join(folder, "study.yaml"), keep or os.path.join(folder, "result.h5")
        with open(source, "w", encoding="utf-8") as f:
            f.write(study)
        for name, text in (models or {}).items():
            with open(os.path.join(folder, name + ".yaml"), "w", encoding="utf-8") as f:
                f.write(text)
        environment = dict(os.environ, HALFLIFE_DATA=ROOT)
        done = subprocess.run([PROGRAM, "run", source, "-o", target, "--force", "--quiet", *map(str, options)],
                              capture_output=True, text=True, env=environment)
        if done.returncode != expect:
            raise RuntimeError(f"halflife ended with {done.returncode}:\n{done.stderr}")
        return Result(target) if expect == 0 else done
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def nonmem_table(text):
    """{column: array} of what `halflife export --format nonmem` prints; a missing value is NaN."""
    lines = text.splitlines()
    assert lines[0].startswith("TABLE NO."), lines[0]
    rows = [[float("nan") if word == "." else float(word) for word in line.split()] for line in lines[2:]]
    return dict(zip(lines[1].split(), np.array(rows).T))


def unit_of_last_digit(text):
    mantissa, _, exponent = text.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals)


class Tap:
    """Counts and prints checks as TAP; call done() at the end."""

    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name, why=""):
        self.n += 1
        self.failed += not good
        print(("ok" if good else "not ok"), self.n, "-", name, flush=True)
        if not good and why:
            print("# " + str(why).replace("\n", "\n# "), flush=True)
        return good

    def near(self, name, found, expected, tolerance):
        """Absolute tolerance."""
        good = bool(abs(found - expected) <= tolerance)
        return self.ok(good, name, f"found {found:.10g}, expected {expected:.10g}, tolerance {tolerance:.3g}")

    def within(self, name, found, expected, relative):
        return self.near(name, found, expected, relative * abs(expected))

    def printed(self, name, found, text, relative=1e-4):
        """Against a value as the page prints it."""
        expected = float(text)
        slack = max(0.5 * unit_of_last_digit(text) * (1 + 1e-9), relative * abs(expected))
        return self.near(name, found, expected, slack)

    def done(self):
        print(f"1..{self.n}", flush=True)
        sys.exit(1 if self.failed else 0)
