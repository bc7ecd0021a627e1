# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks after the links and commands of Markdown pages.

    python3 _links.py PAGE...               every relative link that leads nowhere; status 1 if there is one
    python3 _links.py --commands PAGE...    lines "PAGE VERB --option..." for every `halflife VERB ...` in code"""
import os
import re
import sys


def slug(heading):
    """The anchor that Markdown renderers make of a heading."""
    text = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def read(path):
    with open(path, encoding="utf-8") as page:
        return page.read()


def prose(text):
    """Without fenced blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(path):
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", prose(read(path)), re.MULTILINE)}


def lost_links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(read(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        full = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(full):
            yield f"{page}: no file {target}"
        elif anchor and full.endswith(".md") and anchor not in anchors(full):
            yield f"{page}: no heading #{anchor} in {full}"


def commands(page):
    """Code spans may be broken over lines, blocks not."""
    text = read(page)
    code = [line for block in re.findall(r"^ *```.*?\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
            for line in block.split("\n")]
    code += [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(text))]
    for line in code:
        for command in re.findall(r"(?:^|[&;] *|\| *)(?:build/)?halflife ([a-z]+[^#|;&]*)", line):
            words = command.split()
            options = {word.split("=")[0] for word in words[1:] if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word)}
            yield f"{page} {words[0]} {' '.join(sorted(options - {'--help'}))}".rstrip()


def main():
    words = sys.argv[1:]
    if words[:1] == ["--commands"]:
        for line in sorted({line for page in words[1:] for line in commands(page)}):
            print(line)
        return 0
    lost = [fault for page in words for fault in lost_links(page)]
    print("\n".join(lost), file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
