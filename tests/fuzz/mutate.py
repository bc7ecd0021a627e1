#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shipped studies and models torn at random, given to `halflife check`: it must end with 0 or 2 and say why, whatever it reads.

    tests/fuzz/mutate.py [--texts 600 | --seconds N] [--seed N] [--keep FOLDER]

Under a sanitized build (HALFLIFE=build/sanitize/halflife) every stray access ends the program otherwise. Mutations are those of
a tired person and those of a broken disk: characters changed, lost and doubled, words swapped, numbers made enormous, lines
moved, indentation shifted, quotes and brackets dropped. A text that brings the program down is kept and named. So many
texts of a seed are always the same ones; HL_SEED and HL_FUZZ_TEXTS say which where no option does.
"""
import argparse
import glob
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("HALFLIFE", os.path.join(ROOT, "build", "halflife")))
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
ODD = ["", "0", "-1", "1e400", "nan", "inf", "1e-320", "99999999999999999999", "[]", "{}", "~", "null", "''", '"', "%", "& a", "*a", "!!int 3",
       "{a: 1}", "[[[[1]]]]", "(((((", ")", "t", "exp", "if(1, 2)", "a -> b", "remove", "<<", "1 mg/h/", "^", "1^1^1^1e9", "- -", "\t", "\u00e9",
       "\U0001f48a", "mg.mg.mg.mg^-9", "h^999", "25:61", "hill(1, 1, 1)", "min()", "x" * 300, "(" * 500, "-" * 2000 + "1"]
LIMIT = 60  # seconds for one text; a hang is a failure


def change_word(text, rng):
    words = list(WORD.finditer(text))
    if not words:
        return text
    at, other = rng.choice(words), rng.choice(words)
    return text[:at.start()] + rng.choice([other.group(), rng.choice(ODD), at.group()[:-1], at.group() + at.group()[-1]]) + text[at.end():]


def change_number(text, rng):
    numbers = list(NUMBER.finditer(text))
    if not numbers:
        return text
    at = rng.choice(numbers)
    new = rng.choice(["0", "-" + at.group(), at.group() + "0000", at.group() + "e9", "1e308", "1e-308", "0.1", rng.choice(ODD)])
    return text[:at.start()] + new + text[at.end():]


def change_character(text, rng):
    i = rng.randrange(len(text) + 1)
    return text[:i] + rng.choice(["", "", rng.choice(ODD), rng.choice("{}[](),:#'\"&*!|>%@`^-+ \n\t\0\x01")]) + text[i + 1:]


def change_lines(text, rng):
    lines = text.split("\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    deed = rng.randrange(5)
    if deed == 0:
        del lines[i]
    elif deed == 1:
        lines.insert(i, lines[j])
    elif deed == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif deed == 3:
        lines[i] = rng.choice(["  ", " ", "\t"]) + lines[i]
    else:
        lines[i] = lines[i].lstrip(" ")
    return "\n".join(lines)


def change_value(text, rng):
    """What stands behind a colon becomes something else."""
    colons = [m for m in re.finditer(r": ([^,}\n]+)", text)]
    if not colons:
        return text
    at = rng.choice(colons)
    return text[:at.start(1)] + rng.choice([rng.choice(ODD), rng.choice(colons).group(1)]) + text[at.end(1):]


def cut(text, rng):
    i = rng.randrange(len(text) + 1)
    return rng.choice([text[:i], text[i:], text[:i] + text[max(0, i - rng.randrange(200)):]])


DEEDS = (change_word, change_word, change_number, change_number, change_character, change_character, change_lines, change_value, change_value, cut)


def mutate(text, rng):
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        text = rng.choice(DEEDS)(text, rng)
    return text


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT + 5))


def verdict(path):
    """None when all is well, else what went wrong."""
    try:
        done = subprocess.run([PROGRAM, "check", path], stdin=subprocess.DEVNULL, capture_output=True, timeout=4 * LIMIT, preexec_fn=limits,
                              env=dict(os.environ, HALFLIFE_DATA=ROOT, OMP_NUM_THREADS="1"))
    except subprocess.TimeoutExpired:
        return f"did not end within {4 * LIMIT} s"
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode not in (0, 2) or "Sanitizer" in said or "runtime error:" in said:
        return f"ended with {done.returncode}\n{said[-3000:]}"
    if done.returncode == 2 and "error: " not in said:
        return f"ended with 2 and didn't say why\n{said[-1000:]}"
    return None


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--texts", type=int, default=int(os.environ.get("HL_FUZZ_TEXTS", "600")))
    options.add_argument("--seconds", type=float, help="as many as there is time for, instead")
    options.add_argument("--seed", type=int, default=int(os.environ.get("HL_SEED", "0")) or int.from_bytes(os.urandom(4), "little"))
    options.add_argument("--keep", default=os.path.join(ROOT, "build", "fuzz"))
    asked = options.parse_args()
    print(f"# seed {asked.seed} (--seed {asked.seed} repeats it)", flush=True)
    files = sorted(glob.glob(os.path.join(ROOT, "configs", "*.yaml")) + glob.glob(os.path.join(ROOT, "models", "*.yaml")))
    rng, texts, failed, end = random.Random(asked.seed), 0, 0, time.monotonic() + (asked.seconds or 0)
    with tempfile.TemporaryDirectory(prefix="halflife-fuzz-") as folder:
        while texts < 10 or (time.monotonic() < end if asked.seconds else texts < asked.texts):
            source = rng.choice(files)
            with open(source, encoding="utf-8") as f:
                text = mutate(f.read(), rng)
            path = os.path.join(folder, os.path.basename(source))
            with open(path, "w", encoding="utf-8", newline="") as f:
                f.write(text)
            texts += 1
            wrong = verdict(path)
            os.unlink(path)
            if wrong:
                failed += 1
                os.makedirs(asked.keep, exist_ok=True)
                kept = os.path.join(asked.keep, f"{asked.seed}-{texts}-{os.path.basename(source)}")
                with open(kept, "w", encoding="utf-8", newline="") as f:
                    f.write(text)
                print(f"not ok {failed} - text {texts} of seed {asked.seed}, kept as {kept}\n# " + wrong.replace("\n", "\n# "), flush=True)
    print(f"# {texts} texts, {failed} brought the program down")
    if not failed:
        print(f"ok 1 - {texts} torn studies and models")
    print(f"1..{max(1, failed)}")
    return 1 if failed else 0


sys.exit(main())
