#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks found, held against the bars; and the tables of docs/performance.md.

    tests/bench/tables.py FOLDER             prints every bar with its figure and leaves FOLDER/bars.csv
    tests/bench/tables.py FOLDER --manual    prints the tables of the manual, in Markdown
    tests/bench/tables.py FOLDER --into docs/performance.md     puts them there, between the marks `<!-- table NAME -->`
                                             and `<!-- end -->`, and today's date and this machine with them

FOLDER is where the benchmarks left their tables (build/bench); what is missing there was not measured. A bar is `met`
when the whole spread of the runs meets it, `not met` when none of it does, else `not to be told`.
"""
import csv
import datetime
import os
import platform
import re
import sys

WORKLOADS = ("W1", "W2", "W3", "W4", "W5")
SECOND_THREAD = 1.6  # a trivial loop gains less than this: the second core isn't free, and nothing follows


class Results:
    """The tables of one folder, as lists of rows by column."""

    def __init__(self, folder):
        self.folder = folder

    def rows(self, name, **where):
        path = os.path.join(self.folder, name + ".csv")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8", newline="") as f:
            return [row for row in csv.DictReader(f) if all(row[key] == value for key, value in where.items())]

    def row(self, name, **where):
        return next(iter(self.rows(name, **where)), None)


def spread(row, name, low=None, high=None):
    """Median, lowest and highest of a quantity, or None where the row or its figure is missing."""
    if not row or not row.get(name):
        return None
    return tuple(float(row[key]) for key in (name, low or f"{name}_low", high or f"{name}_high"))


def seconds(row):
    return spread(row, "median_s", "low_s", "high_s")


def judged(figure, least=None, most=None):
    """`met`, `not met` or `not to be told`, and why the last."""
    median, low, high = figure
    fits = [(least is None or x >= least) and (most is None or x <= most) for x in (low, high, median)]
    if all(fits):
        return "met", ""
    if not any(fits) and (least is None or high < least or (most is not None and low > most)):
        return "not met", ""
    return "not to be told", f"the runs straddle the bar; their median {'meets it' if fits[2] else 'does not'}"


class Bars:
    def __init__(self, results):
        self.results, self.lines = results, []

    def add(self, what, bar, figure, least=None, most=None, doubt="", missing="not measured"):
        if figure is None:
            self.lines.append((what, bar, "", "not to be told", missing))
            return
        verdict, why = ("not to be told", doubt) if doubt else judged(figure, least, most)
        text = f"{figure[0]:.3g}" if figure[0] == figure[1] == figure[2] else "{:.3g} [{:.3g}, {:.3g}]".format(*figure)
        self.lines.append((what, bar, text, verdict, why))

    def speed(self, w, column, least):
        names = {"plain": "the matrix exponential", "rk8pd": "GSL rk8pd 1e-8" if w != "W3" else "GSL rk8pd 1e-6"}
        figure = spread(self.results.row("workloads", workload=w, method="engine"), column)
        self.add(f"{w}, times {names[column]}", f">= {least}", figure, least=least)

    def error(self, w, most):
        row = self.results.row("workloads", workload=w, method="engine")
        self.add(f"{w}, largest relative error", f"<= {most:g}", row and (float(row["error"]),) * 3, most=most)

    def solving(self):
        self.speed("W1", "plain", 5)
        self.speed("W1", "rk8pd", 150)
        self.error("W1", 1e-11)
        metrics = self.results.row("workloads", workload="W1", method="engine with metrics")
        self.add("W1 with metrics, times without", "<= 1.3", spread(metrics, "engine"), most=1.3)
        sampled = self.results.row("workloads", workload="W1", method="engine with metrics of the output times")
        self.add("W1 with metrics of the output times, times without", "<= 1.3", spread(sampled, "engine"), most=1.3)
        self.speed("W2", "plain", 5)
        self.speed("W2", "rk8pd", 20)
        self.error("W2", 1e-11)
        self.speed("W3", "rk8pd", 15)
        self.error("W3", 1e-6)
        self.speed("W4", "plain", 5)
        self.error("W4", 1e-11)

    def writing(self):
        for what, row in (("W1 to a file, none: times the chunks", "run uncompressed (x: of chunks hashed and synced)"),
                          ("W1 to a file, fast: times compressing", "run fast (x: of chunks compressed only)"),
                          ("W1 to a file, fast: times its own packing", "run fast (x: of chunks packed only)")):
            self.add(what, "<= 1.25", spread(self.results.row("writing", what=row), "ratio"), most=1.25)

    def million(self):
        rows = self.results.rows("million")
        small, large = (rows[0], rows[-1]) if len(rows) > 1 else (None, None)
        doubt = f"{large['patients']} patients only" if large and float(large["patients"]) < 1e6 else ""
        memory, ratio = large and float(large["peak_mib"]), None
        if large:
            ratio = tuple(float(large[key]) / float(small[other]) for key, other in
                          (("us_each", "us_each"), ("low_us", "high_us"), ("high_us", "low_us")))
        missing = "make bench-million has not been run"
        self.add("a million of W1: peak memory, MiB", "<= 2048", memory and (memory,) * 3, most=2048, doubt=doubt,
                 missing=missing)
        self.add("a million of W1: time each, times 10 000", "<= 1.1", ratio, most=1.1, doubt=doubt, missing=missing)

    def threads(self):
        for name in ("W1", "W1 with metrics", "W2", "W3", "W4", "W5"):
            row = self.results.row("threads", workload=name)
            few = row and float(row["loop"]) < SECOND_THREAD
            doubt = f"the trivial loop itself gained {float(row['loop']):.2f} times only" if few else ""
            self.add(f"{name}, two threads: share of a loop's gain", ">= 0.95", spread(row, "share"), least=0.95,
                     doubt=doubt)

    def growth(self):
        for what in ("patients", "arms", "outputs", "hourly", "doses"):
            for w in WORKLOADS if what == "patients" else ("W1", "W3"):
                figure = spread(self.results.row("slopes", against=what, workload=w), "slope", "low", "high")
                name = "outputs, hourly" if what == "hourly" else what
                self.add(f"{w}, slope against {name}", "0.95 to 1.05", figure, 0.95, 1.05, missing="too few points")

    def all(self):
        self.solving()
        self.writing()
        self.million()
        self.threads()
        process = self.results.rows("writing")[:1]
        small = process[0] if process and process[0]["what"].startswith("W4") else None
        self.add("W4, one patient, whole process, s", "< 0.05", seconds(small) and (seconds(small)[0],) * 3, most=0.05)
        self.growth()
        return self.lines


# ---- Markdown.

def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def with_spread(figure, format="{:.3g}"):
    return "-" if figure is None else (format + " [" + format + ", " + format + "]").format(*figure)


def contest_table(results, w):
    rows = []
    for row in results.rows("workloads", workload=w, threads="1"):
        ratios = [f"{float(row[key]):.3g}" if row[key] else "-" for key in ("plain", "rk8pd", "engine")]
        rows.append([row["method"], with_spread(seconds(row)), *ratios, row["error"] + row["less_exact"]])
    first = "s per 100 000" if w == "W4" else "s per 10 000" if w == "W5" else "s per 1000"
    return markdown([w, first, "x exponential", "x rk8pd", "engine's times", "error"], rows)


def growth_table(results):
    rows = []
    for row in results.rows("slopes"):
        slope = with_spread(spread(row, "slope", "low", "high"), "{:.3f}")
        fixed, each = (f"{float(row[key]):.2g}" for key in ("fixed_s", "each_s"))
        rows.append([row["against"], row["workload"], fixed, slope, row["intercept"], each, row["points"]])
    return markdown(["against", "", "fixed, s", "slope", "intercept", "s each", "points"], rows)


def threads_table(results):
    rows = [[row["workload"], *(with_spread(spread(row, key), "{:.2f}") for key in ("gain", "loop", "share"))]
            for row in results.rows("threads")]
    return markdown(["", "two threads against one", "trivial loop", "share"], rows)


def writing_table(results):
    rows = [[row["what"], with_spread(seconds(row)), with_spread(spread(row, "ratio"), "{:.2f}")]
            for row in results.rows("writing")]
    return markdown(["", "s", "times"], rows)


def million_table(results):
    rows = [[row["patients"], row["seconds"], f"{float(row['us_each']):.1f}", row["peak_mib"]]
            for row in results.rows("million")]
    return markdown(["patients", "s", "us each", "peak MiB"], rows)


def roofline_table(results):
    return markdown(["stage", "what", "achieved", "roof", "share"],
                    [[row[key] for key in ("stage", "what", "achieved", "roof", "share")]
                     for row in results.rows("roofline")])


def profile_table(results):
    shares = {}
    for row in results.rows("profile"):
        shares.setdefault(row["stage"], {})[row["workload"]] = row["percent"] + " %"
    names = [name for name in ("W1", "W1 with metrics", *WORKLOADS[1:]) if any(name in row for row in shares.values())]
    return markdown(["stage", *names], [[part, *(row.get(name, "") for name in names)] for part, row in shares.items()])


def processor():
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
            return next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())
    except OSError:
        return platform.processor() or platform.machine()


def manual_tables(results):
    bars = markdown(["bar", "wanted", "found", "", "why"], Bars(results).all())
    machine = f"{datetime.date.today():%d %B %Y}, {os.cpu_count()} cores of {processor()}, {platform.system()}."
    tables = {"bars": bars, "growth": growth_table(results), "threads": threads_table(results),
              "writing": writing_table(results), "million": million_table(results),
              "roofline": roofline_table(results), "profile": profile_table(results), "machine": machine}
    tables.update({w: contest_table(results, w) for w in WORKLOADS})
    return tables


def put_into(path, tables):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for name, table in tables.items():
        mark = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = mark.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", text)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def print_bars(results):
    lines = Bars(results).all()
    with open(os.path.join(results.folder, "bars.csv"), "w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows([("bar", "wanted", "found", "verdict", "why"), *lines])
    for what, bar, figure, verdict, why in lines:
        print(f"{what:<51} {bar:>12}  {figure:<26} {verdict}{': ' + why if why else ''}")


def main():
    words = sys.argv[1:]
    if not words or len(words) > 3:
        sys.exit(__doc__)
    results = Results(words[0])
    if words[1:] == ["--manual"]:
        for name, table in manual_tables(results).items():
            print(f"{name}\n\n{table}\n")
    elif words[1:2] == ["--into"]:
        put_into(words[2], manual_tables(results))
    else:
        print_bars(results)


if __name__ == "__main__":
    main()
