"""The kernel's own selftests, and ours for signals: lean gives the verdicts of vanilla, test by test.

Short: the tests of the short form on lean, against the stored verdicts. Long: all of them, against three runs on
vanilla, which must agree with each other and with what is stored; and the unstable ones as rates.
"""

from __future__ import annotations

import pathlib
import re
import tempfile
from dataclasses import dataclass

import common

from check import programs, selftests, store
from check.context import CORES, Context, Done, Failed

SMP = 2  # The verdicts are for so many virtual CPUs; --smp runs with others.
STORE = "selftests"
_BOOT_S = 60
_LIBGCC = pathlib.Path("/lib/x86_64-linux-gnu/libgcc_s.so.1")


def conditions() -> dict:
    return store.conditions(configs=("vanilla",), sources=(selftests.FOLDER,))


def run(context: Context) -> None:
    config = context.configs[0] if context.configs else "lean"
    stored = store.load(STORE, conditions())
    tests = selftests.stable(context.long)
    names = [test.name for test in tests]
    runs = int(context.values["vanilla_runs"])
    theirs = stored
    if runs:
        vanilla = [run_tests(context, "vanilla", tests) for _ in range(runs)]
        _expect_agreement(context, vanilla)
        for difference in selftests.compare(vanilla[0], stored, names):
            context.expect(False, f"vanilla is not as stored: {difference} (to renew: ./scripts/check --renew selftests)")
        theirs = vanilla[0]
    ours = run_tests(context, config, tests)
    for difference in selftests.compare(ours, theirs, names):
        context.expect(False, difference)
    checks = sum(max(1, len(ours[name]["tap"])) for name in names if name in ours)
    context.fact(f"{len(names)} tests, {checks} checks")
    if context.values["rate_runs"]:
        _compare_rates(context, config, selftests.unstable(), int(context.values["rate_runs"]))


def renew(context: Context) -> None:
    """Three runs on vanilla; what they agree on is stored."""
    tests = selftests.stable(long=True)
    runs = [run_tests(context, "vanilla", tests) for _ in range(3)]
    _expect_agreement(context, runs)
    missing = [test.name for test in tests if test.name not in runs[0]]
    context.expect(not missing, f"did not run: {', '.join(missing)}")
    context.verdict()
    context.say(f"stored in {store.save(STORE, conditions(), runs[0]).relative_to(common.ROOT)}")


def _expect_agreement(context: Context, runs: list[dict[str, dict]]) -> None:
    for name in selftests.varying(runs):
        seen = [run.get(name, {}).get("ended", "did not run") for run in runs]
        context.expect(False, f"{name} varies on vanilla ({'; '.join(seen)}): "
                              "it belongs in tests/selftests/unstable.list, with the reason")


def run_tests(context: Context, config: str, tests: list[selftests.Test]) -> dict[str, dict]:
    """Boots once per group, two at a time; test -> verdict."""
    built = _programs(context)
    groups = list(selftests.boots(tests).values())
    found: dict[str, dict] = {}
    # Two at a time: one that sleeps beside one that computes.
    for pair in (groups[at:at + 2] for at in range(0, len(groups), 2)):
        for verdicts in context.parallel([lambda group=group: _boot(context, built, config, group)[1] for group in pair]):
            found.update(verdicts)
    return found


@dataclass(frozen=True)
class Programs:
    """What goes into the guest: a folder and two programs."""
    kernels: pathlib.Path
    runlist: pathlib.Path
    signals: pathlib.Path


def _programs(context: Context) -> Programs:
    return Programs(programs.selftests(context), programs.program(context, "tests/selftests/runlist"),
                    programs.program(context, "tests/selftests/signal_test"))


def _boot(context: Context, built: Programs, config: str,
          tests: list[selftests.Test]) -> tuple[Done, dict[str, dict]]:
    icount = selftests.on_deterministic_machine(tests[0])
    limit = _BOOT_S + sum(test.seconds for test in tests)
    with tempfile.NamedTemporaryFile("w", prefix="tests-", suffix=".list") as listed:
        listed.write("".join(test.line() + "\n" for test in tests))
        listed.flush()
        add = [(built.kernels, selftests.GUEST), (built.signals, f"{selftests.GUEST}/signal/signal_test"),
               (built.runlist, "/root/runlist"), (pathlib.Path(listed.name), "/root/list")]
        if _LIBGCC.exists():  # glibc loads it when a thread is cancelled; no program names it.
            add.append((_LIBGCC, "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1"))
        smp = 1 if icount else context.smp[0] if context.smp else SMP
        done = context.board(["/root/runlist", "/root/list"], config=config, smp=smp, icount=icount,
                             timeout_s=limit, add=add, env={"LD_LIBRARY_PATH": str(built.kernels / "rseq")},
                             more=["--accel", "tcg-single"] if selftests.in_one_thread(tests[0]) else [],
                             title=f"{len(tests)} selftests on {config} ({tests[0].boot})")
    verdicts = selftests.parse(done.out)
    if len(tests) > 1 or tests[0].reason == "":
        context.ran_well(done, f"selftests on {config} ({tests[0].boot})")
    return done, verdicts


def _compare_rates(context: Context, config: str, tests: list[selftests.Test], runs: int) -> None:
    """Tests that vary, hang or oops vanilla: how often each ends how, in boots of its own. Both kernels take turns, under the same load."""
    built = _programs(context)
    boots = [(test, kernel) for test in tests for _ in range(runs) for kernel in ("vanilla", config)]
    jobs = [(SMP, lambda test=test, kernel=kernel: _ending(*_boot(context, built, kernel, [test]), test)) for test, kernel in boots]
    # Most of these tests sleep, or spin until they are stopped.
    endings = context.side_by_side(jobs, room=5 * CORES)
    for test in tests:
        vanilla, ours = ([ending for boot, ending in zip(boots, endings) if boot == (test, kernel)] for kernel in ("vanilla", config))
        context.say(f"{test.name}: {config}: {', '.join(ours)}; vanilla: {', '.join(vanilla)}")
        wrong = selftests.rates_differ(ours, vanilla)
        context.expect(not wrong, f"{test.name}: {wrong}")


def _ending(done: Done, verdicts: dict[str, dict], test: selftests.Test) -> str:
    if test.name in verdicts and done.status == 0:
        return verdicts[test.name]["ended"]
    if done.status is None:
        raise Failed("the suite's limit is reached")
    report = re.search(r"board: kernel report \((\S+)\)", done.err)
    return f"boot: {report[1] if report else done.last.removeprefix('board: ')}"
