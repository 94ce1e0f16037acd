"""Storms on threads that run on both stages of the toy core: signals, ptrace, fork, exec, exit, memory calls, affinity, freezing, hotplug.

Each storm is counted by the program itself, which checks that no thread is lost or runs twice, that each queued signal arrives
once, that stopped and frozen threads stand still, and that the books of the core balance. On debug, a scan for leaks ends the boot.
"""

from __future__ import annotations

import re

from check import programs
from check.context import Context

PROGRAM = "tests/target/altsched/storm"


def run(context: Context) -> None:
    events = 0
    for config, smp, share in context.values["runs"]:
        if not context.wants(config, smp):
            continue
        for names in context.values["boots"]:
            events += _boot(context, config, smp, {name: max(8, int(context.values["events"][name] * share)) for name in names
                                                   if smp > 1 or name != "hotplug"})
    context.fact(f"{events} events")


def _boot(context: Context, config: str, smp: int, counts: dict[str, int]) -> int:
    """One boot of several storms; how many events they made."""
    if not counts:
        return 0
    what = f"storms ({' '.join(counts)}) on {config}, {smp} CPUs"
    steps = " && ".join(f"/root/storm {name} {count}" for name, count in counts.items())
    done = context.board(["sh", "-c", steps], config=config, smp=smp, timeout_s=float(context.values["boot_s"]),
                         add=[(programs.program(context, PROGRAM), "/root/storm")], title=what,
                         more=["--kmemleak"] if config == "toydebug" else [])
    for line in done.out.splitlines():
        if "FAILED" in line:
            context.expect(False, f"{what}: {line.strip()}")
    if not context.ran_well(done, what):
        return 0
    made = {name: int(count) for name, count in re.findall(r"^storm (\w+): ok, (\d+) events", done.out, re.MULTILINE)}
    context.expect(made == counts, f"{what}: it says that it made {made}")
    return sum(made.values())
