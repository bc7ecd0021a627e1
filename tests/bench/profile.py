#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time goes: shares of processor time by stage, sampled by perf while bench_stage solves one workload.

    tests/bench/profile.py FOLDER       FOLDER: where the benchmarks stand (build/bench)

A sample counts for the stage of the source file that its function stands in (PARTS, the first that fits). Prints the
table and leaves profile.csv. Without perf there is none, and that is said.
"""
import collections
import csv
import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
STAGES = (("W1", "w1.yaml", 1000, []), ("W1 with metrics", "w1_metrics.yaml", 200, ["metrics"]),
          ("W2", "w2.yaml", 1000, []), ("W3", "w3.yaml", 100, []), ("W4", "w4.yaml", 100000, []),
          ("W5", "../../configs/tapers.yaml", 16, ["metrics"]))
REPEATS = 40
PARTS = (("solve/(glide|sweep)", "modes carried on, outputs shown"), ("solve/(eigen|modes|apart)", "eigensystems"),
         ("base/vector", "exponentials"), ("solve/batch", "series integrator"),
         ("solve/strand|measure/", "metrics"), ("solve/", "events, strides"), ("model/", "formulas of the model"),
         ("cohort/|base/random", "cohort"), ("regimen/", "doses"), ("bench/workloads", "checksum of the values"))
OTHER = "libraries, system, reading"


def places():
    """The stage of every function of the engine and of the benchmark."""
    stage_of = {}
    for path in sorted(glob.glob("../obj/**/*.o", recursive=True) + glob.glob("workloads/*.o")):
        name = os.path.abspath(path)
        part = next((part for pattern, part in PARTS if re.search(pattern, name)), OTHER)
        listed = subprocess.run(["nm", "--defined-only", path], capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            words = line.split()
            if len(words) == 3 and words[1] in "tTiW":
                stage_of.setdefault(words[2].split(".")[0], part)
    return stage_of


def sampled(study, patients, more):
    """Share of the samples by function."""
    subprocess.run(["perf", "record", "-q", "-o", "profile.perf", "./bench_stage", os.path.join(HERE, study),
                    str(patients), str(REPEATS), *more], check=True, capture_output=True)
    told = subprocess.run(["perf", "report", "-i", "profile.perf", "--stdio", "--sort", "symbol"], capture_output=True,
                          text=True, check=True).stdout
    os.remove("profile.perf")
    return [(float(share), name.split(".")[0]) for share, name in re.findall(r"^\s*([\d.]+)%\s+\[.\]\s+(\S+)", told,
                                                                             re.MULTILINE)]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.chdir(sys.argv[1])
    if not shutil.which("perf"):
        print("perf is missing: no profile")
        return
    stage_of = places()
    with open("profile.csv", "w", encoding="ascii", newline="") as f:
        table = csv.writer(f)
        table.writerow(("workload", "stage", "percent"))
        for name, study, patients, more in STAGES:
            shares = collections.Counter()
            for share, function in sampled(study, patients, more):
                shares[stage_of.get(function, OTHER)] += share
            for part, share in shares.most_common():
                if share >= 1:
                    table.writerow((name, part, f"{share:.0f}"))
                    print(f"{name:<16} {part:<32} {share:4.0f} %", flush=True)


if __name__ == "__main__":
    main()
