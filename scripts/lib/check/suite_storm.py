"""Storms on threads that run on both stages: signals, ptrace, fork, exec, exit, memory calls, affinity, freezing, hotplug.

Each storm is counted by the program itself, which checks that no thread is lost or runs twice, that each queued signal arrives
once, that stopped and frozen threads stand still, and that the books of the core balance: no object of it, and none of Linux, is left.
Where the kernel can, a scan for leaks ends the boot.
"""

from __future__ import annotations

import pathlib
import re

from check import programs
from check.context import CORES, Context

_ROOM = 2 * CORES + 1  # Virtual CPUs at once. One fewer than elsewhere took a tenth less, at 2 % of the events.
_CAN_SCAN = ("debug", "toydebug")  # They have kmemleak.


def run(context: Context, core: str = "evl") -> None:
    """`core`: which of the two programs, tests/target/altsched/storm-evl or storm-toy."""
    program = programs.program(context, f"tests/target/altsched/storm-{core}")
    jobs = []
    for config, smp, share in context.values["runs"]:
        if not context.wants(config, smp):
            continue
        for names in context.values["boots"]:
            counts = {name: max(8, int(context.values["events"][name] * share)) for name in names if smp > 1 or name != "hotplug"}
            if counts:
                jobs.append((smp, lambda boot=(config, smp, counts): _boot(context, program, *boot)))
    events = sum(context.side_by_side(jobs, room=_ROOM))
    context.fact(f"{events} events")


def _boot(context: Context, program: pathlib.Path, config: str, smp: int, counts: dict[str, int]) -> int:
    """One boot of several storms; how many events they made."""
    what = f"storms ({' '.join(counts)}) on {config}, {smp} CPUs"
    steps = " && ".join(f"/root/storm {name} {count}" for name, count in counts.items())
    done = context.board(["sh", "-c", steps], config=config, smp=smp, timeout_s=float(context.values["boot_s"]),
                         add=[(program, "/root/storm")], title=what, more=["--kmemleak"] if config in _CAN_SCAN else [])
    if not context.said_so(done, what, "storm .*: ok"):
        return 0
    made = {name: int(count) for name, count in re.findall(r"^storm (\w+): ok, (\d+) events", done.out, re.MULTILINE)}
    context.expect(made == counts, f"{what}: it says that it made {made}")
    return sum(made.values())
