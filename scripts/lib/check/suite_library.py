"""The library on the board: GoogleTest programs of tests/target/library, and the program of the tutorial, built as its reader would."""

from __future__ import annotations

import pathlib
import re
import sys

import common

from check import programs, suite_core
from check.context import Context, Failed

TUTORIAL = common.ROOT / "Documentation" / "tutorial" / "first-thread.md"
EXTRACT = common.ROOT / "tests" / "unit" / "lib" / "tutorial.py"
LIBRARY = "lib/libevl.so.4.0.0"


def run(context: Context) -> None:
    built = suite_core.build(context, "library", suite_core.subjects("library"))
    tutorial = _tutorial(context)
    tests = 0
    for config, smp in context.values["runs"]:
        if not context.wants(config, smp):
            continue
        passed, done = suite_core.boot(context, config, smp, built, add=[(tutorial, "/root/first-thread")], then="/root/first-thread")
        tests += passed
        _judge_tutorial(context, done.out, f"{config}, {smp} CPUs")
    context.fact(f"{tests} tests")


def _tutorial(context: Context) -> pathlib.Path:
    """The program of the page, linked with the shared library, which the board carries along."""
    folder = programs.meson(context, LIBRARY)
    program = common.BUILD / "check" / "first-thread"
    include = common.ROOT / "include"
    done = context.command([sys.executable, EXTRACT, TUTORIAL, folder / "lib", program, include, include / "uapi"], title="tutorial")
    if done.status != 0:
        raise Failed(f"the tutorial's program cannot be built: {done.last}")
    return program


def _judge_tutorial(context: Context, out: str, what: str) -> None:
    said = re.search(r"^1000 wake-ups: late by \d+\.\d us on average, \d+\.\d us at most; (\d+) switches in-band$", out, re.MULTILINE)
    if context.expect(said is not None, f"{what}: the tutorial's program does not print its line") and said is not None:
        context.expect(said[1] == "0", f"{what}: the tutorial's program left its stage {said[1]} times")
