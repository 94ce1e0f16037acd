"""Runs latmus in a guest and reads what it found. Used by scripts/demo and by the suite `latmus`.

A plan is a list of steps, (load, words for latmus), which tests/target/latmus/measure.sh runs one after the other in one boot.
"""

from __future__ import annotations

import json
import pathlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

import common

FOLDER = common.ROOT / "tests" / "target" / "latmus"
PROGRAM = "utils/latmus"  # Below the Meson build.
JSON, HTML = "@json ", "@html "
CONTEXTS = {"irq": "interrupt handler", "kernel": "kernel thread", "user": "user thread", "fifo": "SCHED_FIFO thread",
            "sirq": "in-band interrupt"}
Plan = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Figures:
    """One context under one load. Times are ns; under icount a ns is an instruction."""
    load: str
    context: str
    samples: int
    min_ns: int
    avg_ns: float
    p99_ns: int
    p999_ns: int
    max_ns: int
    overruns: int
    inband_switches: int
    ending: str


def adds(program: pathlib.Path, tools: Sequence[str]) -> list[tuple[pathlib.Path, str]]:
    """What goes into the guest."""
    found = [(program, "/root/latmus"), *((FOLDER / name, f"/root/{name}") for name in ("load.sh", "measure.sh"))]
    for tool in tools:
        path = shutil.which(tool)
        if not path:
            raise common.Failure(f"{tool} is missing", "./scripts/setup installs it")
        found.append((pathlib.Path(path), f"/usr/bin/{tool}"))
    return found


def guest_words(plan: Plan) -> list[str]:
    return ["sh", "/root/measure.sh", *(word for step in plan for word in step)]


def reports(output: str) -> list[dict]:
    """The JSON objects that latmus printed, in order."""
    return [json.loads(line.removeprefix(JSON)) for line in output.splitlines() if line.startswith(JSON)]


def figures(report: dict) -> list[Figures]:
    """Fails when a context has no sample: a run without figures is none."""
    found = []
    for run in report["runs"]:
        if not run["samples"]:
            raise common.Failure(f"latmus took no sample of {run['context']} under {report['load']}: {run['ending']}",
                                 "does the host give the emulator enough time (uptime)? Runs under --icount do not depend on it")
        found.append(Figures(report["load"], run["context"], run["samples"], run["min_ns"], run["avg_ns"], run["p99_ns"],
                             run["p999_ns"], run["max_ns"], run["overruns"], run["inband_switches"], run["ending"]))
    return found


def table(rows: Sequence[Figures]) -> str:
    """All figures, in ns."""
    lines = [f"{'load':<9} {'who answers':<18} {'samples':>8} {'min ns':>9} {'avg ns':>9} {'p99 ns':>12} {'p99.9 ns':>12} "
             f"{'max ns':>12} {'overruns':>9} {'in-band switches':>17}"]
    lines += [f"{row.load:<9} {CONTEXTS[row.context]:<18} {row.samples:>8,} {row.min_ns:>9,} {row.avg_ns:>9,.0f} {row.p99_ns:>12,} "
              f"{row.p999_ns:>12,} {row.max_ns:>12,} {row.overruns:>9,} {row.inband_switches:>17}" for row in rows]
    return "\n".join(lines)
