"""Faults of threads that run out-of-band have the outcome that they have in-band, after one move, for the reason "exception"."""

from __future__ import annotations

from check import programs
from check.context import Context

_BOOT_S = 120


def run(context: Context, core: str = "evl") -> None:
    """`core`: which of the two programs, tests/target/altsched/faults-evl or faults-toy."""
    program = programs.program(context, f"tests/target/altsched/faults-{core}")
    cases = 0
    for config, smp in context.values["runs"]:
        if not context.wants(config, smp):
            continue
        what = f"faults on {config}, {smp} CPUs"
        done = context.board(["/root/faults"], config=config, smp=smp, timeout_s=_BOOT_S, title=what,
                             add=[(program, "/root/faults")])
        if context.said_so(done, what, "faults: ok"):
            raised = done.out.count("on both stages")
            # All but those that an emulator need not raise.
            context.expect(raised >= 8, f"{what}: only {raised} kinds of faults were compared")
            cases += raised
    context.fact(f"{cases} faults compared")
