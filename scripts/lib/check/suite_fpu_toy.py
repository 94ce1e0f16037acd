"""Registers and memory of threads that switch stages: general and vector registers, control words, PKRU, bases of FS and GS.

Threads of both stages, kernel code that uses vector registers (kfpu.ko) and forks get into each other's way on every CPU.
"""

from __future__ import annotations

import re

import common

from check import programs
from check.context import Context

PROGRAM = "tests/target/altsched/fpu"
KFPU = common.ROOT / "tests" / "target" / "kmod" / "kfpu"
_BOOT_S = 120


def run(context: Context) -> None:
    total = 0
    for config, smp, seconds in context.values["runs"]:
        if context.wants(config, smp):
            total += _boot(context, config, smp, seconds)
    context.fact(f"{total} rounds out-of-band, no mismatch")


def _boot(context: Context, config: str, smp: int, seconds: int) -> int:
    what = f"fpu on {config}, {smp} CPUs"
    module = programs.module(context, config, KFPU) / "kfpu.ko"
    done = context.board(["sh", "-c", f"insmod /root/kfpu.ko && /root/fpu {seconds} && cat /proc/kfpu && rmmod kfpu"], config=config,
                         smp=smp, timeout_s=_BOOT_S + 3 * seconds, title=what,
                         add=[(module, "/root/kfpu.ko"), (programs.program(context, PROGRAM), "/root/fpu")])
    for line in done.out.splitlines():
        if "FAILED" in line:
            context.expect(False, f"{what}: {line.strip()}")
    if not context.ran_well(done, what):
        return 0
    found = re.search(r"fpu: ok, .*?(\d+) rounds oob, (\d+) in-band", done.out)
    kernel = re.search(r"rounds (\d+)\nmismatches (\d+)", done.out)
    if not context.expect(bool(found and kernel), f"{what}: no counts"):
        return 0
    context.expect(int(kernel[1]) > seconds, f"{what}: the kernel used vector registers {kernel[1]} times only")
    context.expect(int(kernel[2]) == 0, f"{what}: {kernel[2]} of {kernel[1]} times the kernel's vector registers changed")
    context.expect(int(found[1]) > 10 * seconds, f"{what}: only {found[1]} rounds out-of-band")
    return int(found[1])
