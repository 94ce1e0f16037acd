"""Reading of lists and outputs of the selftests, and comparison of verdicts. No boot happens here.

A verdict is how a test ended (`exit 0`, `signal 11`, `timeout`, `stuck`, or `boot: ...` when the kernel did not
live to tell) and what each of its TAP lines said. Two kernels agree on a test when both are the same.
"""

from __future__ import annotations

import math
import pathlib
import re
from dataclasses import dataclass

import common

FOLDER = common.ROOT / "tests" / "selftests"
GUEST = "/root/kselftest"
_TAP = re.compile(r"^(?:.*\.\.)?\s*(ok|not ok)\s+(\d+)\b[ -]*(.*)$")


@dataclass(frozen=True)
class Test:
    name: str
    boot: str
    seconds: int
    folder: str
    command: str
    short: bool = True
    reason: str = ""

    def line(self) -> str:
        """For runlist in the guest."""
        return f"{self.name}|{GUEST}/{self.folder}|{self.seconds}|{self.command}"


def _rows(path: pathlib.Path, columns: int) -> list[list[str]]:
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            row = [word.strip() for word in line.split("|", columns - 1)]
            if len(row) != columns or not all(row):
                raise common.Failure(f"{path}:{number}: not {columns} columns: {line}")
            rows.append(row)
    names = [row[0] for row in rows]
    for name in names:
        if names.count(name) > 1:
            raise common.Failure(f"{path}: {name} is there twice")
    return rows


def stable(long: bool) -> list[Test]:
    """tests.list; the short form leaves out the long ones."""
    found = []
    for name, form, boot, seconds, folder, command in _rows(FOLDER / "tests.list", 6):
        if form not in ("short", "long"):
            raise common.Failure(f"{FOLDER / 'tests.list'}: {name}: form is neither short nor long: {form}")
        if long or form == "short":
            found.append(Test(name, boot, int(seconds), folder, command, form == "short"))
    return found


def unstable() -> list[Test]:
    return [Test(name, name, int(seconds), folder, command, False, reason)
            for name, seconds, folder, command, reason in _rows(FOLDER / "unstable.list", 5)]


def on_deterministic_machine(test: Test) -> bool:
    """Whether its boot runs under icount: a busy host cannot change a verdict there, and sleeping takes no time."""
    return test.boot.startswith("icount")


def in_one_thread(test: Test) -> bool:
    """Whether the virtual CPUs of its boot take turns in one thread of the emulator."""
    return test.boot.startswith("single")


def boots(tests: list[Test]) -> dict[str, list[Test]]:
    grouped: dict[str, list[Test]] = {}
    for test in tests:
        grouped.setdefault(test.boot, []).append(test)
    return grouped


def parse(output: str) -> dict[str, dict]:
    """Test -> verdict, of what runlist printed."""
    found: dict[str, dict] = {}
    name, lines = "", []
    for line in output.splitlines():
        begin = re.match(r"@@@ begin (\S+)$", line)
        end = re.match(r"@@@ end (\S+) ([\d.]+) (.+)$", line)
        if begin:
            name, lines = begin[1], []
        elif end and end[1] == name:
            found[name] = {"ended": end[3], "tap": tap(lines)}
        else:
            lines.append(line)
    return found


def tap(lines: list[str]) -> dict[str, str]:
    """`1 name` -> ok, not ok, skip. Blanks are normalised; what a name says beyond its words is kept."""
    found: dict[str, str] = {}
    for line in lines:
        match = _TAP.match(line)
        if match:
            verdict, number, name = match.groups()
            skipped = re.match(r"#\s*SKIP\b", name) or re.search(r"#\s*SKIP\b", name)
            found[f"{number} {' '.join(name.split())}".strip()] = "skip" if skipped and verdict == "ok" else verdict
    return found


def compare(ours: dict[str, dict], theirs: dict[str, dict], names: list[str]) -> list[str]:
    """Each difference between two kernels, test by test."""
    wrong = []
    for name in names:
        one, other = ours.get(name), theirs.get(name)
        if not other:
            wrong.append(f"{name}: no stored verdict")
        elif not one:
            wrong.append(f"{name}: did not run")
        elif one["ended"] != other["ended"]:
            wrong.append(f"{name}: {one['ended']}, on vanilla {other['ended']}{_first_difference(one, other)}")
        elif one["tap"] != other["tap"]:
            wrong.append(f"{name}: {_first_difference(one, other).removeprefix(', ')}")
    return wrong


def _first_difference(one: dict, other: dict) -> str:
    for item in [*other["tap"], *one["tap"]]:
        if one["tap"].get(item) != other["tap"].get(item):
            return f", `{item}` is {one['tap'].get(item, 'absent')}, on vanilla {other['tap'].get(item, 'absent')}"
    return ""


def varying(runs: list[dict[str, dict]]) -> list[str]:
    """Tests that did not give the same verdict in each run."""
    names = {name for run in runs for name in run}
    return sorted(name for name in names if any(run.get(name) != runs[0].get(name) for run in runs))


def fisher(a: int, b: int, c: int, d: int) -> float:
    """Two-sided p of the table ((a, b), (c, d)): how likely so uneven a split is if both rows are alike."""
    rows, columns, total = (a + b, c + d), a + c, a + b + c + d

    def chance(x: int) -> float:
        return math.comb(rows[0], x) * math.comb(rows[1], columns - x) / math.comb(total, columns)

    observed = chance(a)
    low, high = max(0, columns - rows[1]), min(rows[0], columns)
    return sum(p for p in (chance(x) for x in range(low, high + 1)) if p <= observed * (1 + 1e-9))


def rates_differ(ours: list[str], theirs: list[str], significance: float = 0.01) -> str:
    """Compares how often each ending was seen; what differs, or nothing."""
    for ending in sorted({*ours, *theirs}):
        mine, other = ours.count(ending), theirs.count(ending)
        if fisher(mine, len(ours) - mine, other, len(theirs) - other) < significance:
            return f"`{ending}` {mine} of {len(ours)} times, on vanilla {other} of {len(theirs)}"
    return ""
