#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives the tests of readers a result file, and cells of it to compare with.

As a module: result_path(). As a program it prints shell assignments: RESULT, ARMS, SUBJECTS, TIMES, the place of a cell of
clonazepam_Cp counted from 1 (CELL_ARM, CELL_SUBJECT, CELL_TIME) and its value as h5py reads it (CELL), and CMAX of that
subject and arm. The file is $HL_RESULT; or what the program makes of _study.yaml; or the sample of the unit tests.
"""
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def result_path():
    """The path of a result, made once per build; SystemExit with the reason when that fails."""
    given = os.environ.get("HL_RESULT")
    if given:
        return given
    build = os.path.join(ROOT, os.environ.get("BUILD", "build"))
    program, sample = os.path.join(build, "halflife"), os.path.join(build, "tests", "unit", "test_store_write")
    path = os.path.join(build, "tests", "readers.h5")
    study = os.path.join(HERE, "_study.yaml")
    if os.path.exists(program):
        command, extra = [program, "run", study, "-o", path, "--force", "--quiet"], {}
    else:
        command, extra = [sample], {"HL_SAMPLE": path}
    if os.path.exists(path) and os.path.getmtime(path) >= max(os.path.getmtime(command[0]), os.path.getmtime(study)):
        return path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    made = subprocess.run(command, env=dict(os.environ, **extra), stderr=subprocess.PIPE, text=True)
    if made.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {made.returncode}: {made.stderr}")
    return path


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
    for name, value in answers.items():
        print(f"export {name}={shlex.quote(str(value))}")


if __name__ == "__main__":
    sys.exit(main())
