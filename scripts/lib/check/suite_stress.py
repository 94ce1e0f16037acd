"""rcutorture, locktorture and a mixed load on debug: none of the checks that debug turns on may report anything.

Beside the torture tests, tasks run out-of-band all the time, come and go.

Both torture tests run at the same time, on two boards of two virtual CPUs; within one kernel there is one torture test at a
time. The mixed load has a board of four: after them in the short form, 2 minutes each, and beside them in the long one, 20 minutes.
"""

from __future__ import annotations

import pathlib
import shutil

import common

from check import programs
from check.context import Context, Failed

SCRIPTS = common.ROOT / "tests" / "boot" / "stress"
CONFIG = "debug"
_AROUND_S = 240  # Boot, end of the tests, and the scan for leaks, on a busy host.


def run(context: Context) -> None:
    context.only_on(CONFIG)
    seconds = int(context.values["seconds"])
    tools = []
    for name in ("stress-ng", "hackbench"):
        path = shutil.which(name)
        if not path:
            raise Failed(f"{name} is missing (./scripts/setup installs it)")
        tools.append((pathlib.Path(path), f"/usr/bin/{name}"))
    oob = [(programs.program(context, "tests/target/altsched/debuggee-evl"), "/root/debuggee"), (SCRIPTS / "oob.sh", "/root/oob.sh")]
    jobs = [lambda: _script(context, "rcutorture", 2, seconds, oob), lambda: _script(context, "locktorture", 2, seconds, oob)]
    mixed = [lambda: _script(context, "mixed", 4, seconds, tools, ["--kmemleak"])]
    for at_once in ([jobs + mixed] if context.values["at_once"] else [jobs, mixed]):
        context.parallel(at_once)
    context.fact(f"{seconds} s each")


def _script(context: Context, name: str, smp: int, seconds: int, add: list | None = None, more: list | None = None) -> None:
    done = context.board(["sh", f"/root/{name}.sh", str(seconds)], config=CONFIG, smp=smp, timeout_s=seconds + _AROUND_S,
                         add=[(SCRIPTS / f"{name}.sh", f"/root/{name}.sh"), *(add or [])], modules=True, more=more or [],
                         title=name)
    context.said_so(done, name, f"{name}: ok")
