"""It really pre-empts: the lateness of an oob timer handler while in-band interrupts are stalled for 50 ms.

On lean: at most 2,000 virtual ns late, no period missed, each tick deferred and played back, and the same digits in
two runs of one image. The same program on vanilla must show the opposite, or it measures nothing: in the long form
by a run, in the short form by what was stored of one.
"""

from __future__ import annotations

import common

from check import preempt, programs, store
from check.context import Context, Failed

STORE = "preempt"
_BOOT_S = 90
_ROUND_S = 12  # Of this computer's time at most, for a stall of the guest's: five times what it takes when it has nothing else to do.


def conditions() -> dict:
    return store.conditions(configs=("vanilla",), sources=(preempt.FOLDER / "preempt.c",))


def run(context: Context) -> None:
    context.only_on("lean")
    rounds = int(context.values["rounds"])
    lean = _twice(context, "lean", rounds)
    _judge(context, "lean", "pipelined", lean)
    if context.values["vanilla"] == "run":
        vanilla = _twice(context, "vanilla", rounds)
    else:
        vanilla = store.load(STORE, conditions())
    _judge(context, "vanilla", "vanilla", vanilla)
    context.fact(f"late by {lean.get('late_ns_max')} ns at most in {lean.get('fires')} shots; "
                 f"vanilla: {vanilla.get('late_ns_max')} ns")


def renew(context: Context) -> None:
    values = _twice(context, "vanilla", int(context.suite.short.values["rounds"]))
    _judge(context, "vanilla", "vanilla", values)
    context.verdict()
    context.say(f"stored in {store.save(STORE, conditions(), values).relative_to(common.ROOT)}")


def _twice(context: Context, config: str, rounds: int) -> dict[str, str]:
    """Two runs of one image, at once: the host's load must not matter."""
    module = programs.module(context, config, preempt.FOLDER) / "preempt.ko"

    def once() -> str:
        limit_s = _BOOT_S + _ROUND_S * rounds
        words = preempt.board_words(config, module, steps=preempt.COMMAND.format(rounds=rounds), timeout_s=limit_s)
        done = context.command(words, timeout_s=limit_s + 60, title=f"preempt on {config}")
        if done.status != 0:
            context.ran_well(done, f"preempt on {config}")
            raise Failed(f"preempt did not run on {config}: {done.last}")
        return done.out

    first, second = context.parallel([once, once])
    if first != second:
        other = set(second.splitlines())
        differing = next((line for line in first.splitlines() if line not in other), "")
        context.expect(False, f"two runs on {config} differ: {differing}")
    return preempt.values(first)


def _judge(context: Context, config: str, kind: str, values: dict[str, str]) -> None:
    context.expect(values.get("kernel") == kind, f"{config} calls itself {values.get('kernel')}, not {kind}")
    for complaint in preempt.judge().complaints(values):
        context.expect(False, f"{config}: {complaint}")
