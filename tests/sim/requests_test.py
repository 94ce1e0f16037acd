#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when a request of the ABI has no line in requests.txt, or a line names a step that no program has."""

from __future__ import annotations

import pathlib
import re
import sys


def main() -> int:
    abi, sim = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    requests = {name for header in sorted(abi.glob("*.h"))
                for name in re.findall(r"^#define (EVL_\w*IOC_\w+)\s+_IO", header.read_text(), re.MULTILINE)}
    lines = [line.split(None, 1) for line in (sim / "requests.txt").read_text().splitlines()
             if line.strip() and not line.startswith("#")]
    steps = set(re.findall(r"^  X\((\w+)\)", (sim / "program" / "program.h").read_text(), re.MULTILINE))
    listed = {name for name, _ in lines}
    wrong = [f"{name}: no line in requests.txt" for name in sorted(requests - listed)]
    wrong += [f"{name}: not a request of the ABI" for name in sorted(listed - requests)]
    for name, text in lines:
        modelled = not text.startswith("-") and "at the start" not in text
        wrong += [f"{name}: there is no step {step}" for step in re.findall(r"\w+", text.split(",  ")[0] if modelled else "")
                  if modelled and "_" in step and step not in steps]
    print("\n".join(wrong) if wrong else f"{len(requests)} requests")
    return 1 if wrong or not requests else 0


if __name__ == "__main__":
    sys.exit(main())
