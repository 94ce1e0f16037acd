"""With the pipeline compiled out the kernel behaves as vanilla: the same selftest verdicts, hardly more instructions.

Long: `off` and `vanilla` are built, run and counted. Short: neither is built; what was stored of both is
judged by the same rules, and it must have been stored for this very series, or it says nothing.
"""

from __future__ import annotations

import common
import inband

from check import programs, selftests, store, suite_selftests
from check.context import Context, Failed

STORE = "off-parity"
MOST = 1.005  # Instructions on off, per instruction on vanilla.


def conditions() -> dict:
    sources = (selftests.FOLDER, common.ROOT / "bench" / "inband.c")
    return store.conditions(configs=("off", "vanilla"), sources=sources, with_series=True)


def run(context: Context) -> None:
    if context.values["measure"]:
        data = measure(context)
    else:
        data = store.load(STORE, conditions())
    judge(context, data)


def renew(context: Context) -> None:
    data = measure(context)
    judge(context, data)
    context.verdict()
    context.say(f"stored in {store.save(STORE, conditions(), data).relative_to(common.ROOT)}")


def judge(context: Context, data: dict) -> None:
    vanilla, off = (inband.from_data(data["instructions"][config]) for config in ("vanilla", "off"))
    for one in inband.compare(vanilla, off):
        context.expect(one.ratio <= MOST, f"{one.workload}: {one.ratio:.4f} times the instructions of vanilla, "
                                          f"{MOST} allowed")
    highest = max(inband.compare(vanilla, off), key=lambda one: one.ratio)
    theirs = store.load(suite_selftests.STORE, suite_selftests.conditions())
    names = sorted(data["selftests"])
    short = sorted(test.name for test in selftests.stable(long=False))
    context.expect(set(short) <= set(names), "selftests of the short form are missing in what off ran")
    for difference in selftests.compare(data["selftests"], theirs, names):
        context.expect(False, f"off: {difference}")
    context.fact(f"{highest.ratio:.4f} ({highest.workload}), {len(names)} selftests alike")


def measure(context: Context) -> dict:
    """Counts on both kernels, and the short form's selftests on off."""
    program = programs.program(context, "bench/inband")
    counts = {}
    for config in ("vanilla", "off"):
        done = context.board(inband.COMMAND, config=config, icount=True, add=inband.adds(program),
                             timeout_s=inband.BOOT_TIMEOUT_S)
        if done.status != 0:
            raise Failed(f"counting on {config}: {done.last}")
        counts[config] = inband.as_data(inband.parse(done.out))
    verdicts = suite_selftests.run_tests(context, "off", selftests.stable(long=False))
    return {"instructions": counts, "selftests": verdicts}
