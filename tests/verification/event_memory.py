#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory doesn't grow with the number of records: of the same subjects, four times as many records may add no more than
16 MB to the peak of a run (the 600 000 more would take 22 MB as text, 58 MB as numbers) or of an export. Chunks that
wait for the writer make peaks differ from run to run by some 10 MB, always upwards, so that the least of three runs
counts; with few records too few chunks wait. `make bench-records` measures a million."""
import os
import sys
import tempfile

from _halflife import ROOT, Tap

sys.path.insert(0, os.path.join(ROOT, "tests", "bench"))
import records as bench  # noqa: E402

SUBJECTS, FEW, MANY = 2000, 200000, 800000
RUNS, MORE = 3, 16  # MB

tap = Tap()


def main():
    peak, out, rows = {}, {}, {}
    with tempfile.TemporaryDirectory(prefix="halflife-") as folder:
        def path(name):
            return os.path.join(folder, name)

        bench.write_studies(folder, 10, 12)
        for n in (FEW, MANY):
            bench.write_data(path("events.csv"), SUBJECTS, n)
            # two threads, wherever it runs: each has its own workspace
            peak[n] = min(bench.measured("run", path("records.yaml"), "-o", path("r.h5"), "--quiet", "--force",
                                         "--threads", "2")[2] for _ in range(RUNS))
            out[n] = bench.measured("export", path("r.h5"), "--format", "nonmem", output=path("out.csv"))[2]
            with open(path("out.csv"), "rb") as f:
                rows[n] = sum(1 for _ in f) - 2  # two lines of header
    for n in (FEW, MANY):
        tap.ok(rows[n] == n, f"{n} records run and come back", f"{rows[n]} rows")
    for what, found in (("a run", peak), ("an export", out)):
        bound = found[FEW] + MORE
        tap.ok(found[MANY] <= bound,
               f"{what} of {MANY} records peaks at {found[MANY]:.0f} MB, of {FEW} at {found[FEW]:.0f} MB",
               f"at most {bound:.0f} MB")
    tap.done()


if __name__ == "__main__":
    main()
