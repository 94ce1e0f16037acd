"""The pipeline's demonstration: a handler is on time while Linux keeps interrupts off. `./scripts/demo --pipeline`."""

from __future__ import annotations

import pathlib
import re
import subprocess
import time

import common
from check import preempt, programs, store, suite_preempt
from check.context import Failed

from demonstration import kernel

CONFIG = kernel.CONFIG
STALLS_MS = (1, 10, 50)
ROUNDS = 8
BOOT_TIMEOUT_S = 300

INTRODUCTION = """\
A thread in the guest turns in-band interrupts off, computes for a while, turns them on again, and does that over and
over. Meanwhile a timer is to fire every millisecond on the same CPU. Its handler runs out-of-band: the pipeline
only marks interrupts as masked for Linux, and the CPU itself goes on taking them.

The guest has one virtual CPU and counts instructions: one is one nanosecond, whatever this computer does meanwhile.
"""


def run(*, build: bool) -> int:
    started = time.monotonic()
    kernel.ready(build=build)
    module = _module()
    print(INTRODUCTION)
    rows = _run(module, started)
    if not rows:
        raise common.Failure("the guest gave no result")
    print(_table(rows))
    return _conclude(rows)


def _module() -> pathlib.Path:
    log = common.BUILD / "log" / "demo-module.log"
    with (common.locked(programs.MODULES / f".{CONFIG}.lock", "demo: build the module"),
          common.Progress("demo: build the test module") as progress):
        if common.run_logged(programs.module_words(CONFIG, preempt.FOLDER.name), log, progress, env=programs.MODULE_ENV):
            raise common.Failure(f"the test module does not build (log: {log})", "is the kernel built? leave --no-build out")
    return programs.MODULES / CONFIG / preempt.FOLDER.name / "preempt.ko"


def _run(module: pathlib.Path, started: float) -> list[dict[str, str]]:
    """One boot, one load of the module per length of stall; shows each result as it comes."""
    steps = " && ".join(f"echo stall {ms} && insmod /root/preempt.ko rounds={ROUNDS} stall_ms={ms} && "
                        "dmesg -c | grep 'preempt: ' && rmmod preempt" for ms in STALLS_MS)
    words = preempt.board_words(CONFIG, module, steps=f"echo in the guest: $(uname -r) && dmesg -c >/dev/null && {steps}",
                                timeout_s=BOOT_TIMEOUT_S)
    rows: list[dict[str, str]] = []
    held: list[str] = []
    with subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace") as board:
        assert board.stdout and board.stderr
        for line in board.stdout:
            if line.startswith("in the guest"):
                print(f"{line.rstrip()}, {time.monotonic() - started:.1f} s after the start", flush=True)
            elif line.startswith("stall "):
                print(f"  stalling {line.split()[1]} ms, {ROUNDS} times ...", end="", flush=True)
                held = []
            else:
                held.append(line)
                if "late_ns_max=" in line:
                    found = re.search(r"late_ns_max=(\d+)", line)
                    print(f" the handler was late by {int(found[1]):,} ns at most" if found else "", flush=True)
                if "played_back=" in line:
                    rows.append(preempt.values("".join(held)))
        errors = board.stderr.read()
    if board.returncode:
        raise common.Failure(f"the board ended with {board.returncode}:\n{errors.strip()[-3000:]}")
    return rows


def _table(rows: list[dict[str, str]]) -> str:
    lines = ["", f"{'stall':>8}  {'shots':>6}  {'missed':>6}  {'least':>8}  {'average':>8}  {'most late':>10}  Linux's ticks"]
    for row in rows:
        ticks = f"{row['jiffies']} of {row['jiffies_expected']}"
        lines.append(f"{row['stall_ms'] + ' ms':>8}  {row['fires']:>6}  {row['missed']:>6}  {row['late_ns_min'] + ' ns':>8}  "
                     f"{row['late_ns_avg'] + ' ns':>8}  {row['late_ns_max'] + ' ns':>10}  {ticks}")
    return "\n".join(lines)


def _conclude(rows: list[dict[str, str]]) -> int:
    judge = preempt.judge()
    worst = max(int(row["late_ns_max"]) for row in rows)
    print(f"\nWith the pipeline the handler is late by {worst:,} ns at most, however long in-band interrupts are off.")
    try:
        stock = store.load(suite_preempt.STORE, suite_preempt.conditions())
        print(f"Stock Linux, same source, same program: {int(stock['late_ns_max']) / 1e6:.1f} ms late, "
              f"{stock['missed']} of {int(stock['missed']) + int(stock['fires'])} shots missed (stored; "
              "`./scripts/check --full preempt` measures it again).")
    except Failed as failed:
        print(f"What stock Linux does is not known for this set-up: {failed}")
    if worst > judge.LATE_NS_LIMIT or any(int(row["missed"]) for row in rows):
        common.say(f"demo: that is not as it should be: at most {judge.LATE_NS_LIMIT} ns and no shot missed")
        return common.EXIT_FAILED
    return 0
