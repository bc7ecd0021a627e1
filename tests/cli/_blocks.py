# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the examples out of a page of the manual, so that they can be checked.

    python3 _blocks.py PAGE.md DIRECTORY

Every ```yaml block says what it is by a second word, and becomes a file DIRECTORY/lineN.yaml that `halflife check`
reads (N is where the block begins):

    study    a whole study
    keys     top-level keys of a study; what is missing (study, drugs, cohort, arms, times) is added; with design: no arms
    arms     arms of the list, under arms:
    arm      what stands in an arm: drugs with their items, covariates, parameters
    model    a whole model
    part     a part of a model, laid over the model `page` with extends

A block that is to be refused begins with a comment `# error: TEXT`; the text goes to DIRECTORY/lineN.expect.
A block without such a word, or with another one, ends the program with status 1. Prints the number of files."""
import os
import re
import sys

DRUGS = "drugs: {clonazepam: clonazepam_adult, fentanyl: fentanyl_adult}\ninteractions: {overlap: sedation_overlap}\n"
ADDED = {
    "study": "study: example\n",
    "drugs": DRUGS,
    "cohort": "cohort: {subjects: 20}\n",
    "arms": ("arms:\n  - name: daily\n    clonazepam: [{oral: 0.5 mg, every: 24 h, for: 14 d}]\n"
             "    fentanyl: [{patch: 25 ug/h, every: 72 h, for: 15 d}]\n"),
    "times": "times: [{until: 20 d, every: 6 h}]\n",
}


def blocks(path):
    """(line, words after ```, text) of every fenced block; indented fences too."""
    with open(path, encoding="utf-8") as page:
        lines = page.read().split("\n")
    start, words, depth = None, [], 0
    for number, line in enumerate(lines, 1):
        fence = re.match(r"^( *)```(.*)$", line)
        if fence and start is None:
            start, words, depth = number, fence.group(2).split(), len(fence.group(1))
        elif fence:
            yield start, words, "\n".join(text[depth:] for text in lines[start:number - 1]) + "\n"
            start = None


def indented(text, by):
    return "".join(" " * by + line + "\n" if line else "\n" for line in text.rstrip("\n").split("\n"))


def as_file(kind, text):
    """The text of the file a block stands for."""
    top = set(re.findall(r"^([A-Za-z_]+):", text, re.MULTILINE))
    if kind == "study":
        return text
    if kind == "model":
        return re.sub(r"^model: .*$", "model: MODEL", text, count=1, flags=re.MULTILINE)
    if kind == "arms":
        return "".join(ADDED[key] for key in ADDED if key != "arms") + "arms:\n" + text
    if kind == "keys":
        left_out = top | ({"arms", "times"} if "design" in top else set())
        return "".join(ADDED[key] for key in ADDED if key not in left_out) + text
    if kind == "arm":
        return ADDED["study"] + DRUGS + "origin: \"08:00\"\narms:\n  - name: example\n" + indented(text, 4) + ADDED["times"]
    if kind == "part":
        return "model: MODEL\nextends: page\n" + text
    raise ValueError(kind)


def main():
    page, directory = sys.argv[1:]
    written = 0
    for line, words, text in blocks(page):
        if words[:1] != ["yaml"]:
            continue
        if len(words) != 2 or words[1] not in ("study", "keys", "arms", "arm", "model", "part"):
            print(f"{page}:{line}: a yaml block says whether it is study, keys, arms, arm, model or part", file=sys.stderr)
            return 1
        name = os.path.join(directory, f"line{line}")
        expected = re.match(r"# error: (.*)\n", text)
        if expected:
            with open(name + ".expect", "w", encoding="utf-8") as out:
                out.write(expected.group(1))
        with open(name + ".yaml", "w", encoding="utf-8") as out:
            out.write(as_file(words[1], text).replace("model: MODEL", f"model: line{line}"))
        written += 1
    print(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
