#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people get wrong in studies and models, through the real program: each fault of _table.py alone, and many faults of
one file in one pass. Every one must end with exit status 2, name the very line and column and say what to do; `run` must
refuse it as `check` does and leave no file behind. Under a sanitized build any crash is a failure."""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from _base import DESIGN, EVENTS, MODEL, RECORDS, STUDY  # noqa: E402
from _table import CLASSES, TOGETHER  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("HALFLIFE", os.path.join(ROOT, "build", "halflife")))
BAR = "\u00a6"
TEXTS = {"study": ("taper.yaml", STUDY), "records": ("records.yaml", RECORDS), "model": ("trial_drug.yaml", MODEL),
         "design": ("design.yaml", DESIGN)}
n = failed = 0


def ok(good, name, why=""):
    global n, failed
    n, failed = n + 1, failed + (not good)
    print("ok" if good else "not ok", n, "-", name, flush=True)
    if not good and why:
        print("# " + why.replace("\n", "\n# "), flush=True)


def halflife(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, env=dict(os.environ, HALFLIFE_DATA=ROOT))


def places(file, text):
    """The text without its bars, and 'file:line:column: error: ' of each."""
    found = []
    while BAR in text:
        i = text.index(BAR)
        found.append(f"{file}:{text.count(chr(10), 0, i) + 1}:{i - text.rfind(chr(10), 0, i)}: error: ")
        text = text.replace(BAR, "", 1)
    return text, found


def edited(text, old, new):
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the text without fault"
    return text.replace(old, new)


def write(kind, text):
    for k, (file, good) in TEXTS.items():
        with open(file, "w", encoding="utf-8") as f:
            f.write(text if k == kind else good)
    with open("events.csv", "w", encoding="utf-8") as f:
        f.write(EVENTS)


def one_line(text):
    return " ".join(text.replace(BAR, "").split())[:70]


def refused(done, wanted):
    """Ended with 2, said each (place, remedy), and nothing that only a crash says."""
    lines = done.stderr.splitlines()
    return (done.returncode == 2 and all(any(x.startswith(place) and remedy in x for x in lines) for place, remedy in wanted)
            and "Sanitizer" not in done.stderr and "runtime error" not in done.stderr)


def why(done, wanted):
    return f"ended with {done.returncode}, expected {wanted} in\n{done.stderr}"


def each_alone():
    for name, faults in CLASSES.items():
        for kind, old, new, remedy in faults:
            file, good = TEXTS[kind]
            text, (place,) = places(file, edited(good, old, new))
            write(kind, text)
            done = halflife("check", file)
            ok(refused(done, [(place, remedy)]), f"{name}: {kind}: {one_line(new)}", why(done, (place, remedy)))
            verb = "taper" if kind == "design" else "run"
            study = {"records": "records.yaml", "design": "design.yaml"}.get(kind, "taper.yaml")
            done = halflife(verb, study, "-o", "taper.h5")
            left = [x for x in os.listdir() if x.startswith("taper.h5") or x.endswith(".part")]
            ok(refused(done, [(place, remedy)]) and not left, f"{name}: {verb} refuses it, too: {one_line(new)}", why(done, left))


def many_at_once():
    for kind, faults in TOGETHER.items():
        file, text = TEXTS[kind]
        for old, new, _ in faults:
            text = edited(text, old, new)
        text, found = places(file, text)
        order = sorted(faults, key=lambda fault: TEXTS[kind][1].index(fault[0]))
        wanted = [(place, remedy) for place, (_, _, remedy) in zip(found, order)]
        write(kind, text)
        done = halflife("check", file)
        ok(refused(done, wanted), f"all {len(faults)} faults of one {kind} in one pass", why(done, wanted))
        said = [line for line in done.stderr.splitlines() if ": error: " in line]
        ok(len(said) == len(faults), f"and nothing else is blamed in the {kind}", done.stderr)
        lines = [int(line.split(":")[1]) for line in said]
        ok(lines == sorted(lines), f"in the order of the {kind}'s lines", str(lines))


def without_fault():
    write("study", STUDY)
    for file in ("taper.yaml", "records.yaml", "trial_drug.yaml", "design.yaml"):
        done = halflife("check", file)
        ok(done.returncode == 0 and "error" not in done.stderr, f"{file} without fault passes", done.stderr)


def the_command_line():
    """--set goes through the same door."""
    write("study", STUDY)
    for setting, remedy in (("cohort.subject=5", "did you mean 'subjects'?"), ("cohort.subjects=many", "whole number"),
                            ("arms.pump.clonazepam.0.oral=1 mgg", "did you mean 'mg'?"), ("trial.TVCL=3", "needs a unit"),
                            ("arms.pumpp.clonazepam.0.oral=1 mg", "did you mean 'pump'?"), ("trial.TVCL", "=")):
        done = halflife("check", "taper.yaml", "--set", setting)
        good = done.returncode == 2 and remedy in done.stderr and "Sanitizer" not in done.stderr
        ok(good, f"--set {setting}", why(done, remedy))


def broken_files():
    """Files that are no text, no YAML, empty, endless, or somebody else's."""
    for name, data in (("empty", b""), ("only a comment", b"# nothing\n"), ("binary", bytes(range(256)) * 8), ("NUL", b"study: a\0b\n"),
                       ("latin 1", b"title: caf\xe9\n"), ("a list", b"- 1\n- 2\n"), ("tabs", b"study: x\n\tdrugs: y\n"),
                       ("deep", b"[" * 5000), ("a directory of anchors", b"a: &x [1]\nb: *x\n"), ("an unclosed quote", b"study: \"x\n"),
                       ("two documents", b"study: x\n---\nstudy: y\n"), ("a BOM and no more", b"\xef\xbb\xbf"), ("tags", b"study: !!int 3\n"),
                       ("merge keys", b"study: x\n<<: {a: 1}\n"), ("long", b"study: " + b"x" * 300000 + b"\n")):
        with open("odd.yaml", "wb") as f:
            f.write(data)
        done = halflife("check", "odd.yaml")
        good = done.returncode == 2 and "odd.yaml" in done.stderr and "error: " in done.stderr and "Sanitizer" not in done.stderr
        ok(good, f"not a study: {name}", why(done, "exit 2")[:2000])


with tempfile.TemporaryDirectory(prefix="halflife-faults-") as folder:
    os.chdir(folder)
    for part in (without_fault, each_alone, many_at_once, the_command_line, broken_files):
        part()
    os.chdir(ROOT)
print(f"# {sum(map(len, CLASSES.values()))} faults in {len(CLASSES)} classes")
print(f"1..{n}")
sys.exit(1 if failed else 0)
