#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the program of a tutorial page as a reader would: the page's first C block, linked with the library.

Usage: tutorial.py <page.md> <folder of the library> <output> <include>...
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys


def main() -> int:
    page, library, output = (pathlib.Path(word) for word in sys.argv[1:4])
    block = re.search(r"^```c\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    if block is None:
        print(f"{page}: no C program")
        return 1
    source = output.with_suffix(".c")
    source.write_text(block.group(1))
    words = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", *[f"-I{path}" for path in sys.argv[4:]],
             str(source), "-o", str(output), f"-L{library}", f"-Wl,-rpath,{library}", "-levl", "-pthread"]
    return subprocess.run(words, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
