#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual's pages of the library (scripts/model-pages): one per model, an index by families with the table of ADVAN
and TRANS; on the page of each structure the worked example is right to the last digit shown.
"""
import glob
import os
import re
import subprocess
import tempfile

import numpy as np

from _halflife import PROGRAM, ROOT, Tap, unit_of_last_digit
from _references import REFERENCE

tap = Tap()


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def doses(page):
    """[(hour, mg)] by the default route of the page's study."""
    route = re.search(r"\| `(\w+)` \(default\)", page).group(1)
    found = []
    for item in re.findall(r"\{([^{}]*)\}", re.search(r"    drug: \[(.*)\]\n", page).group(1)):
        keys = dict(part.split(": ") for part in item.split(", "))
        if route in keys:
            every, n = float(keys.get("every", "0 h").split()[0]), int(keys.get("doses", "1"))
            found += [(k * every, float(keys[route].split()[0])) for k in range(n)]
    return found


def parameters(page):
    table = page.split("## Parameters", 1)[1].split("##", 1)[0]
    return {name: float(value) for name, value in re.findall(r"^\| `(\w+)` \| (\S+)", table, re.M)}


def worked_example(name, page):
    """The table of the page against the equations written a second time, from the numbers on the page. What is
    integrated has digits down to 1e-8 of its peak."""
    lines = page.split("## Worked example", 1)[1].split("\n\n| t [h] |", 1)[1].split("\n\n", 1)[0].splitlines()
    names = [column.split(" [")[0].strip() for column in lines[0].strip("| ").split("|")]
    rows = [[text.strip() for text in line.strip("| ").split("|")] for line in lines[2:]]
    times = np.array([float(row[0]) for row in rows])
    expected = REFERENCE[name](parameters(page), doses(page), times)
    wrong = [f"{output} at {row[0]} h: {row[1 + k]}, expected {expected[output][i]:.7g}"
             for k, output in enumerate(names) if output in expected for i, row in enumerate(rows)
             if abs(float(row[1 + k]) - expected[output][i]) > 0.5001 * unit_of_last_digit(row[1 + k])
             + 1e-8 * np.max(np.abs(expected[output]))]
    shown = [output for output in names if output in expected]
    tap.ok(shown and not wrong and len(rows) >= 9 and np.max(np.abs(expected[shown[0]])) > 0,
           f"{name}: {len(rows)} times of {', '.join(shown)}", "\n".join(wrong))


def check(folder):
    models = [os.path.basename(path)[:-5] for path in glob.glob(os.path.join(ROOT, "models", "*.yaml"))]
    pages = {os.path.basename(path)[:-3]: read(path) for path in glob.glob(os.path.join(folder, "*.md"))}
    index = pages.pop("README")
    tap.ok(sorted(pages) == sorted(models), "a page per model", sorted(set(pages) ^ set(models)))
    tap.ok(all(f"]({name}.md)" in index for name in models), "the index names them all")
    tap.ok("greenblatt2005" in pages["clonazepam_adult"] and "flowchart" in pages["clonazepam_adult"],
           "a drug's page has its picture and references")
    table = re.findall(r"^\| ADVAN(\d+) \| TRANS(\d) \| ([A-Z0-9 ]+) \| \[(\w+)\]", index, re.M)
    expected = [(1, 2), (2, 2), (3, 5), (4, 5), (11, 3), (12, 3)]
    tap.ok([(a, sum(int(row[0]) == a for row in table)) for a, _ in expected] == expected and len(table) == 20,
           "the index has every TRANS of ADVAN 1, 2, 3, 4, 11 and 12", table)
    tap.ok(table == sorted(table, key=lambda row: (int(row[0]), int(row[1]))), "in NONMEM's order")
    manual = read(os.path.join(ROOT, "docs", "structures.md"))
    listed = re.findall(r"^\| ADVAN(\d+) \| TRANS(\d) \| ([A-Z0-9 ]+) \| `(\w+)`", manual, re.M)
    tap.ok(listed == table, "docs/structures.md has the same table")
    tap.ok(all(f"`{name}`" in manual for name in REFERENCE), "docs/structures.md names every structure")
    for name in sorted(REFERENCE):
        worked_example(name, pages[name])


with tempfile.TemporaryDirectory(prefix="halflife-") as where:
    made = subprocess.run([os.path.join(ROOT, "scripts", "model-pages"), where], capture_output=True, text=True,
                          env=dict(os.environ, HALFLIFE=PROGRAM))
    if tap.ok(made.returncode == 0, "the pages are made", made.stderr):
        check(where)
tap.done()
