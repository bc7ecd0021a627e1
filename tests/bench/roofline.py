#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roofline of each stage: what it does per second, held against what this machine can do.

    tests/bench/roofline.py FOLDER      FOLDER: where the benchmarks stand (build/bench)

Solving W1 to W4, one thread. Time is measured (bench_stage). What a patient costs is counted in two runs of different
size, the difference being what the additional patients cost: instructions and cycles by `perf stat` where the machine
counts them, else instructions by valgrind (cachegrind) and cycles as time x clock; bytes that miss the first and second
cache by cachegrind, whose caches are simulated; floating-point operations, at most, by valgrind's lackey: every
operation on a vector or a number in double precision, comparisons and selections among them. Valgrind runs the engine's
AVX2 form. Roofs are those of bench_roofs. Times and roofs are the best of their runs, so that a neighbour on the
machine counts little. Writing is held against the rates of hashing, compressing and the disk. Prints the table and
leaves roofline.csv.
"""
import csv
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
STAGES = {"W1": ("w1.yaml", []), "W1 with metrics": ("w1_metrics.yaml", ["metrics"]), "W2": ("w2.yaml", []),
          "W3": ("w3.yaml", []), "W4": ("w4.yaml", [])}
FEW, MORE = 32, 96   # patients in the counted runs: whole blocks
LINE = 64            # bytes of a cache line


def stage(name, patients, repeats=1, before=()):
    """What bench_stage prints, and what a tool that runs it says."""
    study, more = STAGES[name]
    command = [*before, "./bench_stage", os.path.join(HERE, study), str(patients), str(repeats), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def per_patient(name, count):
    """The difference of two counted runs, by patient; count(patients) gives a dictionary."""
    few, more = count(FEW), count(MORE)
    return {key: max(0, (more[key] - few[key]) / (MORE - FEW)) for key in few}


def counted_by_perf(name):
    """Instructions and cycles, or nothing where the machine doesn't count."""
    if not shutil.which("perf"):
        return {}

    def count(patients):
        said = stage(name, patients, before=["perf", "stat", "-x", ",", "-e", "instructions:u,cycles:u"])[1]
        lines = [line.split(",") for line in said.splitlines() if line.count(",") > 2]
        return {line[2].split(":")[0]: float(line[0]) for line in lines if line[0].isdigit()}

    counts = per_patient(name, count)
    return counts if len(counts) == 2 else {}


def cache(level, otherwise):
    """This machine's cache as cachegrind wants it: size, ways, line."""
    def asked(what):
        done = subprocess.run(["getconf", f"{level}_{what}"], capture_output=True, text=True, check=False)
        return int(done.stdout) if done.stdout.strip().isdigit() else 0

    size, ways = asked("SIZE"), asked("ASSOC")
    return f"{size},{ways},{LINE}" if size and ways else otherwise


def counted_by_cachegrind(name):
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=yes", "--cachegrind-out-file=cachegrind.out",
            "--D1=" + cache("LEVEL1_DCACHE", "32768,8,64"), "--LL=" + cache("LEVEL2_CACHE", "1048576,16,64")]

    def count(patients):
        stage(name, patients, before=tool)
        with open("cachegrind.out", encoding="ascii", errors="replace") as f:
            lines = f.read().splitlines()
        os.remove("cachegrind.out")
        events = next(line for line in lines if line.startswith("events:")).split()[1:]
        values = dict(zip(events, map(float, next(line for line in lines if line.startswith("summary:")).split()[1:])))
        return {"instructions": values["Ir"], "first": LINE * (values["D1mr"] + values["D1mw"]),
                "second": LINE * (values["DLmr"] + values["DLmw"])}

    return per_patient(name, count)


def counted_by_lackey(name):
    """Floating-point operations: a 256-bit operation counts as four, a 128-bit one as two."""
    def count(patients):
        said = stage(name, patients, before=["valgrind", "--tool=lackey", "--detailed-counts=yes"])[1]
        rows = re.findall(r"(F64|V128|V256)\s+[\d,]+\s+[\d,]+\s+([\d,]+)", said)
        return {"flops": sum({"F64": 1, "V128": 2, "V256": 4}[kind] * int(n.replace(",", "")) for kind, n in rows)}

    return per_patient(name, count)


def roofs():
    subprocess.run(["./bench_roofs", HERE, "scratch.bin", "."], check=True)
    with open("roofs.csv", encoding="ascii", newline="") as f:
        return {row["what"]: float(row["high"]) for row in csv.DictReader(f)}


def solving(name, roof):
    """Rows of one workload: (stage, what, achieved, roof, share)."""
    time = 1e-6 * float(stage(name, 512, 15)[0])
    count = counted_by_cachegrind(name)
    count.update(counted_by_lackey(name))
    count.update(counted_by_perf(name))
    cycles = count.get("cycles", 1e9 * roof["clock"] * time)
    yield name, "us per patient", f"{1e6 * time:.3g}", "", ""
    form = "" if "cycles" in count else " (AVX2 form)"
    yield name, f"thousand instructions per patient{form}", f"{1e-3 * count['instructions']:.3g}", "", ""
    yield name, "thousand cycles per patient", f"{1e-3 * cycles:.3g}", "", ""
    for what, amount, key in (("Gflop/s, none fused", count["flops"], "multiply and add apart"),
                              ("GB/s past the first cache", count["first"], "copy in the second cache"),
                              ("GB/s past the second cache", count["second"], "copy beyond it")):
        rate = 1e-9 * amount / time
        yield name, what, f"{rate:.3g}", f"{roof[key]:.3g}", f"{rate / roof[key]:.0%}"


def writing(roof):
    """A whole run of W1 to a file, by the bytes of its values, against each thing that must be done with them."""
    with open("writing.csv", encoding="ascii", newline="") as f:
        rows = {row["what"]: row for row in csv.DictReader(f)}
    patients = float(os.environ.get("BENCH_WRITE_SUBJECTS", "10000"))
    size, threads = 1e-6 * patients * 4 * 2017 * 4, len(os.sched_getaffinity(0))
    for what, row, limits in (("uncompressed", "run uncompressed (x: of H5Dwrite)", ("SHA-256", "write and fsync")),
                              ("fast", "run fast (x: of chunks compressed only)", ("shuffle and deflate",))):
        rate = size / float(rows[row]["median_s"])
        for limit in limits:
            peak = roof[limit] * (1 if "write" in limit else threads)
            yield "writing", f"MB/s {what}, against {limit}", f"{rate:.3g}", f"{peak:.3g}", f"{rate / peak:.0%}"


def all_rows(roof):
    if shutil.which("valgrind"):
        for name in STAGES:
            yield from solving(name, roof)
    else:
        print("valgrind is missing: solving is left out")
    if os.path.exists("writing.csv"):
        yield from writing(roof)
    else:
        print("writing.csv is missing (make bench): writing is left out")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.chdir(sys.argv[1])
    roof = roofs()
    with open("roofline.csv", "w", encoding="utf-8", newline="") as f:
        table = csv.writer(f)
        table.writerow(("stage", "what", "achieved", "roof", "share"))
        for row in all_rows(roof):
            table.writerow(row)
            print("{:<16} {:<46} {:>14} {:>8} {:>5}".format(*row), flush=True)


if __name__ == "__main__":
    main()
