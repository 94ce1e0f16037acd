"""Counts guest instructions of fixed in-band workloads (bench/inband.c) and compares two kernels.

Used by scripts/bench and by the suite off-parity. The machine is the deterministic one: one virtual CPU under icount,
where a run of one image gives the same numbers each time, whatever the host does.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass

import common

_LINE = re.compile(r"^inband: (\S+) instructions (\d+) operations (\d+) entries (\d+)$", re.MULTILINE)
BOOT_TIMEOUT_S = 240


@dataclass(frozen=True)
class Aim:
    """What the pipeline may cost: a ratio, or instructions per kernel entry."""
    ratio: float = 0.0
    per_entry: float = 0.0

    def text(self) -> str:
        return f"at most {self.ratio:.2f}" if self.ratio else f"at most {self.per_entry:.0f} per entry"


AIMS = {"null-syscall": Aim(per_entry=40), "pipe-ping-pong": Aim(per_entry=40), "fork-exec": Aim(ratio=1.03),
        "page-faults": Aim(ratio=1.03), "hackbench": Aim(ratio=1.03)}


@dataclass(frozen=True)
class Count:
    instructions: int
    operations: int
    entries: int


@dataclass(frozen=True)
class Comparison:
    workload: str
    base: Count
    new: Count

    @property
    def ratio(self) -> float:
        return self.new.instructions / self.base.instructions

    @property
    def per_entry(self) -> float | None:
        """Instructions more per kernel entry; None where entries are not counted."""
        if not self.base.entries:
            return None
        return (self.new.instructions - self.base.instructions) / self.base.entries

    def meets(self, aim: Aim) -> bool:
        if aim.ratio:
            return self.ratio <= aim.ratio
        return self.per_entry is not None and self.per_entry <= aim.per_entry


def adds(program) -> list[tuple[object, str]]:
    """What goes into the guest beside the workloads."""
    hackbench = shutil.which("hackbench")
    if not hackbench:
        raise common.Failure("hackbench is missing", "./scripts/setup installs it (package rt-tests)")
    return [(program, "/root/inband"), (hackbench, "/root/hackbench")]


COMMAND = ["/root/inband", "/root/hackbench"]


def parse(output: str) -> dict[str, Count]:
    """Workload -> count, of what bench/inband printed; fails unless all are there."""
    found = {name: Count(*(int(number) for number in numbers)) for name, *numbers in _LINE.findall(output)}
    missing = sorted(set(AIMS) - set(found))
    if missing:
        raise common.Failure(f"no count of {', '.join(missing)} came out of the guest")
    return found


def as_data(counts: dict[str, Count]) -> dict[str, list[int]]:
    return {name: [one.instructions, one.operations, one.entries] for name, one in counts.items()}


def from_data(data: dict[str, list[int]]) -> dict[str, Count]:
    return {name: Count(*numbers) for name, numbers in data.items()}


def compare(base: dict[str, Count], new: dict[str, Count]) -> list[Comparison]:
    for name in AIMS:
        if (base[name].operations, base[name].entries) != (new[name].operations, new[name].entries):
            raise common.Failure(f"{name}: the two kernels ran different amounts of work")
    return [Comparison(name, base[name], new[name]) for name in AIMS]
