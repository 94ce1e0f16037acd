"""Registers and memory of threads that switch stages: general and vector registers, control words, PKRU, bases of FS and GS.

Threads of both stages, kernel code that uses vector registers (kfpu.ko) and forks get into each other's way on every CPU: the
program `fpu`. On the EVL core hectic comes next: threads of all its kinds, in the kernel too, switch to each other and check theirs.
"""

from __future__ import annotations

import pathlib
import re

import common

from check import programs
from check.context import CORES, Context

KFPU = common.ROOT / "tests" / "target" / "kmod" / "kfpu"
_BOOT_S = 120


def run(context: Context, core: str = "evl") -> None:
    """`core`: which of the two programs, tests/target/altsched/fpu-evl or fpu-toy."""
    program = programs.program(context, f"tests/target/altsched/fpu-{core}")
    ours = [run for run in context.values["runs"] if context.wants(run[0], run[1])]
    theirs = [run for run in context.values.get("hectic", ()) if context.wants(run[0], run[1])]
    hectic = programs.program(context, "utils/hectic") if theirs else program
    rounds = sum(context.side_by_side([(run[1], lambda run=run: _boot(context, program, *run)) for run in ours]))
    # It fails when a CPU did not switch for a second: three virtual CPUs on one of the host's, in turn waiting for each other's locks, may not.
    switches = sum(context.side_by_side([(run[1], lambda run=run: _hectic(context, hectic, *run)) for run in theirs], room=2 * CORES))
    context.fact(f"{rounds} rounds out-of-band" + (f", {switches} switches by hectic" if switches else "") + ", no mismatch")


def _boot(context: Context, program: pathlib.Path, config: str, smp: int, seconds: int) -> int:
    what = f"fpu on {config}, {smp} CPUs"
    module = programs.module(context, config, KFPU) / "kfpu.ko"
    done = context.board(["sh", "-c", f"insmod /root/kfpu.ko && /root/fpu {seconds} && cat /proc/kfpu && rmmod kfpu"], config=config,
                         smp=smp, timeout_s=_BOOT_S + 3 * seconds, title=what,
                         add=[(module, "/root/kfpu.ko"), (program, "/root/fpu")])
    if not context.said_so(done, what, "fpu: ok"):
        return 0
    found = re.search(r"fpu: ok, .*?(\d+) rounds oob, (\d+) in-band", done.out)
    kernel = re.search(r"rounds (\d+)\nmismatches (\d+)", done.out)
    if not context.expect(bool(found and kernel), f"{what}: no counts"):
        return 0
    context.expect(int(kernel[1]) > seconds, f"{what}: the kernel used vector registers {kernel[1]} times only")
    context.expect(int(kernel[2]) == 0, f"{what}: {kernel[2]} of {kernel[1]} times the kernel's vector registers changed")
    context.expect(int(found[1]) > 10 * seconds, f"{what}: only {found[1]} rounds out-of-band")
    return int(found[1])


def _hectic(context: Context, program: pathlib.Path, config: str, smp: int, seconds: int) -> int:
    """Two threads of each kind on each CPU, and the summary that they switched on each of them until the end."""
    what = f"hectic on {config}, {smp} CPUs"
    done = context.board(["/root/hectic", "-T", str(seconds)], config=config, smp=smp, timeout_s=_BOOT_S + 3 * seconds, title=what,
                         add=[(program, "/root/hectic")])
    if not context.ran_well(done, what):
        return 0
    rows = re.findall(r"^RTD\|\s*(\d+)\|\s*(\d+)\|\s*(\d+)$", done.out, re.MULTILINE)
    last = {int(cpu): int(total) for cpu, _, total in rows}
    context.expect("FPU check routines: OK." in done.out, f"{what}: the check of registers is not tested")
    context.expect(sorted(last) == list(range(smp)), f"{what}: rows of CPUs {sorted(last)}")
    for cpu, total in last.items():
        context.expect(total > 20 * seconds, f"{what}: only {total} switches on CPU {cpu}")
    return sum(last.values())
