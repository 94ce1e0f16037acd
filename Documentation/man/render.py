#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Renders a page of this folder as a manual page, with lowdown: render.py LOWDOWN PAGE.md > PAGE."""

import re
import subprocess
import sys


def main() -> int:
    lowdown, page = sys.argv[1:]
    with open(page, encoding="utf-8") as file:
        first, _, text = file.read().partition("\n")
    title = re.fullmatch(r"# (\S+)\((\d)\)", first)
    if not title:
        print(f"{page}:1: not a title like `# name(1)`", file=sys.stderr)
        return 1
    # The title is in the head of a manual page; what is under it moves up a level. man(1) asks for the preprocessor of tables by the first line.
    text = re.sub(r"^#(#+ )", r"\1", text, flags=re.MULTILINE)
    done = subprocess.run([lowdown, "-s", "-Tman", f"-Mtitle={title[1]}", f"-Msection={title[2]}"],
                          input=text, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return done.returncode
    print("'\\\" t\n" + done.stdout, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
