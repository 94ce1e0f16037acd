"""rcutorture, locktorture and a mixed load on debug: none of the checks that debug turns on may report anything.

The short form runs both torture tests at the same time, on two boards of two virtual CPUs, and then the mixed load on one of
four: 2 minutes each. Within one kernel there is one torture test at a time.
"""

from __future__ import annotations

import pathlib
import shutil

import common

from check.context import Context, Failed

SCRIPTS = common.ROOT / "tests" / "boot" / "stress"
CONFIG = "debug"
_AROUND_S = 240  # Boot, end of the tests, and the scan for leaks, on a busy host.


def run(context: Context) -> None:
    context.only_on(CONFIG)
    seconds = int(context.values["seconds"])
    context.parallel([lambda: _script(context, "rcutorture", 2, seconds), lambda: _script(context, "locktorture", 2, seconds)])
    tools = []
    for name in ("stress-ng", "hackbench"):
        path = shutil.which(name)
        if not path:
            raise Failed(f"{name} is missing (./scripts/setup installs it)")
        tools.append((pathlib.Path(path), f"/usr/bin/{name}"))
    _script(context, "mixed", 4, seconds, tools, ["--kmemleak"])
    context.fact(f"{seconds} s each")


def _script(context: Context, name: str, smp: int, seconds: int, add: list | None = None, more: list | None = None) -> None:
    done = context.board(["sh", f"/root/{name}.sh", str(seconds)], config=CONFIG, smp=smp, timeout_s=seconds + _AROUND_S,
                         add=[(SCRIPTS / f"{name}.sh", f"/root/{name}.sh"), *(add or [])], modules=True, more=more or [],
                         title=name)
    if context.ran_well(done, name):
        context.expect(f"{name}: ok" in done.out, f"{name}: it did not say that it passed")
