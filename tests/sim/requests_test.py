#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when a request of the ABI, or a transfer, has no line in requests.txt, or a line names a step that no program has, or that random programs never make.

A transfer is a handler of the core's for reading or writing, on either stage: xbuf.oob_read is what device/xbuf.cc has for oob_read(). Drivers are left out.

The build of the simulator runs it: a new request without a model does not build.
"""

from __future__ import annotations

import pathlib
import re
import sys


def transfers(core: pathlib.Path) -> set[str]:
    """FILE.HANDLER of each handler for reading or writing in the tables of file operations below `core`."""
    found = set()
    for source in core.rglob("*.cc"):
        if "drivers" not in source.parts:
            found |= {f"{source.stem}.{name}" for name in re.findall(r"^\s*\.((?:oob_)?(?:read|write)) = &?\w+,$", source.read_text(), re.MULTILINE)}
    return found


def wrong(abi: str, moves: set[str], text: str, steps: set[str], written: set[str]) -> list[str]:
    """What is wrong with the lines `text`, by the ABI's headers, the transfers, the steps there are, and those that random programs have."""
    requests = set(re.findall(r"^#define (EVL_\w*IOC_\w+)\s+_IO", abi, re.MULTILINE))
    found = [] if requests else ["the headers have no request: do they look different?"]
    found += [] if moves else ["the core has no transfer: does it look different?"]
    requests |= moves
    listed: set[str] = set()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(" ")
        listed.add(name)
        if not (rest := rest.strip()):
            found.append(f"{name}: no step, and no reason")
        elif rest[0] in "-*":
            found += [] if len(rest) > 2 else [f"{name}: no reason"]
        else:
            for step in (one.strip() for one in rest.split(",")):
                if step not in steps:
                    found.append(f"{name}: there is no step {step}")
                elif step not in written:
                    found.append(f"{name}: no random program has the step {step}")
    found += [f"{name}: no line in requests.txt" for name in sorted(requests - listed)]
    return found + [f"{name}: not a request of the ABI, nor a transfer" for name in sorted(listed - requests)]


def main() -> int:
    abi, sim = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    headers = "\n".join(header.read_text() for header in sorted(abi.glob("*.h")))
    program = sim / "program"
    steps = set(re.findall(r"^  X\((\w+)\)", (program / "program.h").read_text(), re.MULTILINE))
    written = set(re.findall(r"Op::(\w+)", (program / "program.cc").read_text()))
    found = wrong(headers, transfers(sim.parents[1] / "kernel" / "evl"), (sim / "requests.txt").read_text(), steps, written)
    print("\n".join(found) if found else "each request has its model")
    if not found and len(sys.argv) > 3:
        pathlib.Path(sys.argv[3]).write_text("")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
