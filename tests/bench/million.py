#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A million patients of W1, metrics and exact quantiles: peak memory, and time per patient against 10 000.

    HALFLIFE=build/halflife tests/bench/million.py FOLDER

FOLDER is where the tables of patients stand (build/bench). Runs w1_metrics.yaml without trajectories as a process of
its own, all cores, each size BENCH_RUNS times (the large one once unless asked); leaves million.csv.

    BENCH_MILLION=N   the large cohort (1000000)     BENCH_MEMORY=SIZE   what --memory is told (1500 MB)
"""
import csv
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.abspath(os.environ.get("HALFLIFE", "build/halflife"))
SMALL, LARGE = 10_000, int(float(os.environ.get("BENCH_MILLION", "1000000")))


def memory_option():
    """--memory, where this halflife knows it."""
    told = subprocess.run([PROGRAM, "help", "run"], capture_output=True, text=True, check=True).stdout
    return ["--memory", os.environ.get("BENCH_MEMORY", "1500 MB")] if "--memory" in told else []


def measured(patients):
    """One run: wall seconds and peak resident memory [MiB]."""
    command = [PROGRAM, "run", os.path.join(HERE, "w1_metrics.yaml"), "--subjects", str(patients), "--force", "--quiet",
               "--set", "store=[summaries]", "-o", "million.h5", *memory_option()]
    start = time.monotonic()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    taken = time.monotonic() - start
    os.remove("million.h5")
    if process.returncode:
        sys.exit(f"halflife ended with {process.returncode}")
    return taken, usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def row(patients, runs):
    times, peaks = zip(*(measured(patients) for _ in range(runs)))
    each = [1e6 * t / patients for t in times]
    return [patients, f"{statistics.median(times):.4g}", f"{statistics.median(each):.4g}", f"{min(each):.4g}",
            f"{max(each):.4g}", f"{max(peaks):.0f}"]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.chdir(sys.argv[1])
    runs = int(os.environ.get("BENCH_RUNS", "5"))
    with open("million.csv", "w", encoding="ascii", newline="") as f:
        table = csv.writer(f)
        table.writerow(["patients", "seconds", "us_each", "low_us", "high_us", "peak_mib"])
        for patients, times in ((SMALL, runs), (LARGE, runs if "BENCH_RUNS" in os.environ else 1)):
            values = row(patients, times)
            table.writerow(values)
            f.flush()
            print("{:>9} patients {:>9} s  {:>7} us each [{}, {}]  peak memory {} MiB".format(*values), flush=True)


if __name__ == "__main__":
    main()
