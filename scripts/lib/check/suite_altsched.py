"""A user task keeps its period of 1 ms on the out-of-band stage, whatever in-band interrupts do.

A sibling thread on the same CPU has them off for 50 ms at a time: by local_irq_disable(), then by holding a spinlock taken with
spin_lock_irqsave(). On lean, a thread of the core misses nothing; on vanilla the same program with SCHED_FIFO 99 is late by a
stall, or it would measure nothing. The long form runs vanilla, the short form trusts what was stored of a run.
"""

from __future__ import annotations

import common

from check import programs, store
from check.context import Context, Failed

STORE = "altsched"
PROGRAM = "tests/target/altsched/period-evl"
STALL = common.ROOT / "tests" / "target" / "kmod" / "stall"
LATE_NS_LIMIT = 50_000  # Under icount, where one instruction is one nanosecond.
_BOOT_S = 90
_ROUND_S = 15  # Of this computer's time at most, for two stalls of the guest's: five times what they take when it has nothing else to do.


def conditions() -> dict:
    folder = common.ROOT / "tests" / "target" / "altsched"
    sources = (folder / "period.c", folder / "core.h", STALL / "stall.c")
    return store.conditions(configs=("vanilla",), sources=sources)


def run(context: Context) -> None:
    context.only_on("lean")
    rounds = int(context.values["rounds"])
    if context.values["vanilla"] == "run":
        oob, fifo = context.parallel([lambda: _measure(context, "lean", "oob", rounds), lambda: _measure(context, "vanilla", "fifo", rounds)])
    else:
        oob, fifo = _measure(context, "lean", "oob", rounds), store.load(STORE, conditions())
    context.expect(oob["missed"] == 0, f"oob: {oob['missed']} of {oob['shots']} periods missed")
    context.expect(oob["late_ns_max"] <= LATE_NS_LIMIT, f"oob: late by {oob['late_ns_max']} ns, more than {LATE_NS_LIMIT}")
    context.expect(oob["oob"] == 1 and oob["forced"] == 0, f"oob: it did not stay out-of-band: moved in-band {oob['forced']} times")
    # Two stalls per round, each of 50 periods.
    context.expect(oob["shots"] >= rounds * 100, f"oob: only {oob['shots']} periods")
    _judge_fifo(context, fifo)
    context.fact(f"oob: late by {oob['late_ns_max']} ns at most, {oob['early_ns_max']} ns early by the clock's gravity, "
                 f"in {oob['shots']} periods, none missed; "
                 f"SCHED_FIFO on vanilla: {fifo['late_ns_max']} ns, {fifo['missed']} missed")


def renew(context: Context) -> None:
    values = _measure(context, "vanilla", "fifo", int(context.suite.short.values["rounds"]))
    _judge_fifo(context, values)
    context.verdict()
    context.say(f"stored in {store.save(STORE, conditions(), values).relative_to(common.ROOT)}")


def _judge_fifo(context: Context, fifo: dict[str, int]) -> None:
    context.expect(fifo["late_ns_max"] > 45_000_000, f"vanilla: late by {fifo['late_ns_max']} ns only: was anything stalled?")
    context.expect(fifo["missed"] >= fifo["rounds"] * 90, f"vanilla: only {fifo['missed']} periods missed")


def _measure(context: Context, config: str, mode: str, rounds: int) -> dict[str, int]:
    module = programs.module(context, config, STALL) / "stall.ko"
    done = context.board(["sh", "-c", f"insmod /root/stall.ko && /root/period {mode} {rounds}"], config=config, icount=True,
                         timeout_s=_BOOT_S + _ROUND_S * rounds, title=f"period {mode} on {config}",
                         add=[(module, "/root/stall.ko"), (programs.program(context, PROGRAM), "/root/period")])
    if done.status != 0 or "period: ok" not in done.out:
        context.ran_well(done, f"period {mode} on {config}")
        raise Failed(f"period {mode} did not run on {config}: {(done.out.strip().splitlines() or [done.last])[-1]}")
    pairs = (pair.split("=", 1) for line in done.out.splitlines() for pair in line.split() if "=" in pair)
    return {key: int(value) for key, value in pairs if value.isdigit()}
