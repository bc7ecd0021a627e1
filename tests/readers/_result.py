#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives the tests of readers a result file, and cells of it to compare with.

As a module: result_path(). As a program it prints shell assignments: RESULT, ARMS, SUBJECTS, TIMES, the place of a cell of
clonazepam_Cp counted from 1 (CELL_ARM, CELL_SUBJECT, CELL_TIME) and its value as h5py reads it (CELL), and CMAX of that
subject and arm. The file is $HL_RESULT; or what the program makes of _study.yaml; or the sample of the unit tests.

The same for the result of a data set, records_path(): RECORDS, N_RECORDS, N_INDIVIDUALS, a record counted from 1 (ROW)
with its ROW_ID and ROW_IPRED, and one whose AMT is missing (ROW_MISSING). The file is $HL_RECORDS, or what the program
makes of _records.yaml and _records.csv, or the sample of the unit tests.
"""
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def build_path(*parts):
    return os.path.join(ROOT, os.environ.get("BUILD", "build"), *parts)


def made(name, study, sample):
    """A result file in the build: what the program makes of a study, or the sample of a unit test where there is no
    program. Made anew when either is younger than the file."""
    path, program = build_path("tests", name), build_path("halflife")
    sources = [os.path.join(HERE, source) for source in study]
    if os.path.exists(program):
        command, extra = [program, "run", sources[0], "-o", path, "--force", "--quiet"], {}
    else:
        command, extra = [build_path("tests", "unit", sample)], {"HL_SAMPLE": path}
    newest = max(os.path.getmtime(source) for source in [command[0], *sources])
    if os.path.exists(path) and os.path.getmtime(path) >= newest:
        return path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    done = subprocess.run(command, env=dict(os.environ, **extra), stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return path


def result_path():
    """The path of a result, made once per build; SystemExit with the reason when that fails."""
    return os.environ.get("HL_RESULT") or made("readers.h5", ["_study.yaml"], "test_store_write")


def records_path():
    """The same of a data set's result."""
    return os.environ.get("HL_RECORDS") or made("records.h5", ["_records.yaml", "_records.csv"], "test_store_records")


def records_answers():
    import h5py
    import numpy as np
    path = records_path()
    with h5py.File(path, "r") as file:
        records = file["records"]
        row = int(np.nonzero(records["IPRED"][:] > 0)[0][-1])
        return {"RECORDS": path, "N_RECORDS": len(records["record"]), "N_INDIVIDUALS": len(file["subjects/ID"]),
                "ROW": row + 1, "ROW_ID": int(records["ID"][row]), "ROW_IPRED": repr(float(records["IPRED"][row])),
                "ROW_MISSING": int(np.nonzero(np.isnan(records["AMT"][:]))[0][0]) + 1}


def main():
    import h5py
    path = result_path()
    with h5py.File(path, "r") as file:
        cp = file["clonazepam_Cp"]
        arms, subjects, times = cp.shape
        place = (arms - 1, subjects - 2, times // 2)
        answers = {"RESULT": path, "ARMS": arms, "SUBJECTS": subjects, "TIMES": times, "CELL_ARM": place[0] + 1,
                   "CELL_SUBJECT": place[1] + 1, "CELL_TIME": place[2] + 1, "CELL": repr(float(cp[place])),
                   "CMAX": repr(float(file["metrics/clonazepam_Cp_Cmax"][place[0], place[1]]))}
    answers.update(records_answers())
    for name, value in answers.items():
        print(f"export {name}={shlex.quote(str(value))}")


if __name__ == "__main__":
    sys.exit(main())
