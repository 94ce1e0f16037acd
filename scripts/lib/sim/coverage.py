"""Which lines and branches of kernel/evl (without kapi/ and drivers/) the host tests reach: a build of its own, and gcov.

Assertions are off in that build: a branch that is taken when the core is wrong is not one that a test should take. The simulator runs each
schedule in a process of its own, since what puts the core's variables back between two runs would put back its counters as well.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field

import common

BUILD = common.BUILD / "coverage"
CORE = common.ROOT / "kernel" / "evl"
# What runs; without sanitizers and optimization but for the first.
_UNIT, _CORE, _SEARCH = "tests/unit/evl/evl-unit", "tests/sim/sim-core-test", "tests/sim/sim"
_SEEDED = ("tests/sim/evl-kernel-thread-test", "tests/sim/evl-hotplug-test")
_SEEDS = 20
_LEFT_OUT = ("kapi/", "drivers/", "cxx/", "include/")


@dataclass
class File:
    """Counts of one source file: by line, and by branch of a line."""
    lines: dict[int, int] = field(default_factory=dict)
    branches: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, line: dict[str, object]) -> None:
        number = int(str(line["line_number"]))
        self.lines[number] = self.lines.get(number, 0) + int(str(line["count"]))
        branches = line["branches"]
        assert isinstance(branches, list)
        for index, branch in enumerate(branches):
            if not branch["throw"]:
                self.branches[number, index] = self.branches.get((number, index), 0) + int(branch["count"])

    def missed(self) -> str:
        """The lines never run, as ranges."""
        runs: list[list[int]] = []
        known = sorted(self.lines)
        for at, number in enumerate(known):
            if self.lines[number]:
                continue
            if runs and at and runs[-1][1] == known[at - 1]:
                runs[-1][1] = number
            else:
                runs.append([number, number])
        return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def read(texts: Iterable[str], core: pathlib.Path = CORE) -> dict[str, File]:
    """By path below `core`: what gcov --json-format says of all object files together."""
    files: dict[str, File] = {}
    for text in texts:
        report = json.loads(text)
        for one in report["files"]:
            path = pathlib.Path(os.path.normpath(pathlib.Path(report["current_working_directory"]) / one["file"]))
            if not path.is_relative_to(core) or str(path.relative_to(core)).startswith(_LEFT_OUT):
                continue
            known = files.setdefault(str(path.relative_to(core)), File())
            for line in one["lines"]:
                known.add(line)
    return files


def percent(counts: Iterable[int]) -> tuple[int, int, float]:
    listed = list(counts)
    reached = sum(1 for count in listed if count)
    return reached, len(listed), 100.0 * reached / len(listed) if listed else 100.0


def table(files: dict[str, File]) -> str:
    rows = []
    for name, one in sorted(files.items()):
        rows.append(f"{name:32} {percent(one.lines.values())[2]:6.1f} {percent(one.branches.values())[2]:6.1f}  {one.missed()}".rstrip())
    lines = percent(count for one in files.values() for count in one.lines.values())
    branches = percent(count for one in files.values() for count in one.branches.values())
    return "\n".join([f"{'file':32} {'% ln':>6} {'% br':>6}  lines not reached", *rows,
                      f"lines {lines[2]:.1f} % ({lines[0]} of {lines[1]}), branches {branches[2]:.1f} % ({branches[0]} of {branches[1]})"])


def _run(words: list[str | pathlib.Path]) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise common.Failure(f"{words[0]} ended with status {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def _gtests(program: pathlib.Path) -> list[str]:
    """The names of a program's tests."""
    names: list[str] = []
    suite = ""
    for line in _run([program, "--gtest_list_tests"]).splitlines():
        if line.startswith("  "):
            names.append(suite + line.split()[0])
        elif line.endswith("."):
            suite = line
    return names


def measure(runs: int) -> str:
    """Builds, runs `runs` seeds of each scenario, and returns the table."""
    if not (BUILD / "build.ninja").exists():
        _run(["meson", "setup", "-Db_coverage=true", "-Dcpp_args=-DSIM_COVERAGE", BUILD, common.ROOT])
    _run(["ninja", "-C", BUILD, _UNIT, _CORE, _SEARCH, *_SEEDED])
    for counts in BUILD.rglob("*.gcda"):
        counts.unlink()
    _run([BUILD / _UNIT])
    for test in _gtests(BUILD / _CORE):
        _run([BUILD / _CORE, f"--gtest_filter={test}"])
    for program in _SEEDED:
        for seed in range(1, _SEEDS + 1):
            _run([BUILD / program, "1", str(seed)])
    _run([BUILD / _SEARCH, "--fork", "--runs", str(runs)])
    found = sorted(BUILD.rglob("*.gcda"))
    return table(read(_run(["gcov", "--branch-probabilities", "--json-format", "--stdout", path]) for path in found))
