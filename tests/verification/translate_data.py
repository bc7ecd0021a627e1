#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file of events for halflife and for the translated text: what a dose into CMT n meets, which output an observation
at CMT n shows, which columns $INPUT names. IPRED agrees record by record.

The text is made with --data, so that it has the file's columns; halflife runs the same file as a data set.
"""
import os
import subprocess
import tempfile

import h5py
import numpy as np

import _translated as tr
from _halflife import PROGRAM, ROOT, Tap

tap = Tap()

# TIME EVID AMT CMT RATE; every time its own, so that an observation is known by its time
CLONAZEPAM = """ID,TIME,EVID,AMT,CMT,RATE,MDV,WT,CRCL [L/h],note
1,0,1,1.117,1,0,1,83.7,4.9,first
1,0.61,0,.,2,.,0,83.7,4.9,.
1,1.3,1,0.731,2,0,1,83.7,4.9,.
1,1.9,0,.,1,.,0,83.7,4.9,.
1,2.7,1,0.913,4,0,1,83.7,4.9,.
1,3.1,0,.,4,.,0,83.7,4.9,.
1,4.4,1,2.03,2,0.37,1,83.7,4.9,.
1,5.9,0,.,3,.,0,83.7,4.9,.
1,8.2,1,0.6,1,0.8,1,83.7,4.9,.
1,9.3,0,.,2,.,0,83.7,4.9,.
1,17.1,0,.,0,.,0,83.7,4.9,.
1,31.7,0,.,5,.,0,83.7,4.9,last
"""
ZERO = """ID,TIME,EVID,AMT,CMT,RATE
1,0,1,3.17,1,-2
1,0.7,0,.,2,.
1,1.9,0,.,1,.
1,2.3,1,1.1,2,0.9
1,3.7,0,.,2,.
1,7.3,1,2.2,1,-2
1,9.9,0,.,2,.
"""
TRANSIT = """ID,TIME,EVID,AMT,CMT
1,0,1,3.17,1
1,1.3,0,.,2
1,2.2,1,1.9,1
1,2.9,0,.,1
1,3.4,1,0.7,2
1,4.1,0,.,2
1,6.3,1,2.3,1
1,11.9,0,.,2
"""


def rows(text):
    lines = [line.split(",") for line in text.strip().splitlines()]
    names = [name.split(" ")[0] for name in lines[0]]
    return [dict(zip(names, line)) for line in lines[1:]]


def number(row, name):
    return 0.0 if row.get(name, ".") == "." else float(row[name])


def halflife_says(folder, model, events):
    study, result = os.path.join(folder, "study.yaml"), os.path.join(folder, "result.h5")
    with open(study, "w", encoding="utf-8") as f:
        f.write(f"study: same\ndrugs: {{m: {model}}}\ncohort: typical\ndata: {events}\noutputs: [m.Cp]\ntolerance: 1e-10\n")
    subprocess.run([PROGRAM, "run", study, "-o", result, "--force", "--quiet"], check=True, capture_output=True,
                   env=dict(os.environ, HALFLIFE_DATA=ROOT))
    with h5py.File(result, "r") as f:
        return {name: f["records"][name][:] for name in ("TIME", "EVID", "IPRED")}


def check(model, text, expected_input):
    table = rows(text)
    with tempfile.TemporaryDirectory() as folder:
        events = os.path.join(folder, "events.csv")
        with open(events, "w", encoding="utf-8") as f:
            f.write(text)
        said = halflife_says(folder, model, "events.csv")
        stream = tr.Nonmem(tr.translate(model, "nonmem", "--data", events)[0])
    tap.ok(stream.record["INPUT"] == expected_input, f"{model}: $INPUT follows the file", str(stream.record["INPUT"]))
    doses = [tr.Dose(number(r, "TIME"), int(number(r, "CMT")), number(r, "AMT"), number(r, "RATE"))
             for r in table if r["EVID"] == "1"]
    seen = {number(r, "TIME"): int(number(r, "CMT")) for r in table if r["EVID"] == "0"}
    columns = {c: number(table[0], c) for c in stream.columns if c in table[0] and c in ("WT", "CRCL")}
    found = tr.simulate(stream, doses, sorted(seen), columns, seen=seen)["IPRED"]
    expected = said["IPRED"][said["EVID"] == 0]
    worst = float(np.max(np.abs(found - expected) / np.maximum(np.abs(expected), 1e-9)))
    tap.ok(len(found) == len(expected) and worst < 1e-6, f"{model}: IPRED of {len(found)} observations agrees",
           f"largest relative difference {worst:.3g}\n{found}\n{expected}")


check("clonazepam_adult", CLONAZEPAM, "ID TIME EVID AMT CMT RATE MDV WT CRCL X10=DROP".split())
check("pk_zero_depot_1cmt", ZERO, "ID TIME EVID AMT CMT RATE".split())
check("pk_transit_1cmt", TRANSIT, "ID TIME EVID AMT CMT".split())
tap.done()
