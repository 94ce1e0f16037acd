"""The core on the board: GoogleTest programs of tests/target/core, one per subject, all of them in each boot.

Besides its tests, each program is expected to leave no element behind; on debug, the memory of the kernel is scanned for leaks.
One more boot is for boot parameters, which are its command line.
"""

from __future__ import annotations

import pathlib
import re
import shlex

import common

from check import programs
from check.context import Context, Done

FOLDER = common.ROOT / "tests" / "target"
RUNNER = FOLDER / "core" / "run.sh"
RULES = common.ROOT / "utils" / "udev" / "60-evl.rules"
TRACE = "trace"  # Switches static keys: an emulator with a thread per CPU may run the old code (Documentation/board.md), so on one CPU only.
PARAMETERS = "boot"  # The program that looks at the boot parameters, in a boot of its own.
PARAMETER_WORDS = "evl.state=stopped evl.oobcpus=1 evl.sysheap_size=1048576"
_PROGRAM_LIMIT_S = 240


def run(context: Context) -> None:
    tests = 0
    names = [name for name in subjects("core") if name != PARAMETERS]
    built = build(context, "core", [*names, PARAMETERS])
    for config, smp in context.values["runs"]:
        if context.wants(config, smp):
            here = [name for name in names if smp == 1 or name != TRACE]
            tests += boot(context, config, smp, {name: built[name] for name in here}, add=[(RULES, "/root/60-evl.rules")])[0]
    for config, smp in context.values["parameters"]:
        if context.wants(config, smp):
            tests += boot(context, config, smp, {PARAMETERS: built[PARAMETERS]}, append=PARAMETER_WORDS)[0]
    context.fact(f"{tests} tests")


def subjects(suite: str) -> list[str]:
    """What the programs of tests/target/SUITE are about: their names without `_test`."""
    return sorted(path.name.removesuffix("_test.cc") for path in (FOLDER / suite).glob("*_test.cc"))


def build(context: Context, suite: str, names: list[str]) -> dict[str, pathlib.Path]:
    targets = {name: f"tests/target/{suite}/{name}_test" for name in names}
    folder = programs.meson(context, *targets.values())
    return {name: folder / target for name, target in targets.items()}


def boot(context: Context, config: str, smp: int, built: dict[str, pathlib.Path], *, add: list[tuple[pathlib.Path, str]] | None = None,
         then: str = "", append: str = "") -> tuple[int, Done]:
    """Runs these programs in one boot, and a command after them; how many tests passed, and the boot."""
    guest = {name: f"/root/{name}_test" for name in built}
    command = ["/root/run.sh", str(_PROGRAM_LIMIT_S), *guest.values()]
    if then:
        command = ["sh", "-c", f"{shlex.join(command)} && {then}"]
    done = context.board(command, config=config, smp=smp, append=append, timeout_s=float(context.values["boot_s"]),
                         title=f"{' '.join(built)} on {config}, {smp}",
                         add=[(RUNNER, "/root/run.sh"), *((built[name], guest[name]) for name in built), *(add or [])],
                         more=["--kmemleak"] if config == "debug" else [])
    return judge(context, done, f"{config}, {smp} CPUs", list(built)), done


def judge(context: Context, done: Done, what: str, names: list[str]) -> int:
    """Failures by name, then whether everything ran."""
    passed = 0
    for name in names:
        said = re.search(rf"^target: {name}_test\n(.*?)^target: {name}_test status (\d+)$", done.out, re.MULTILINE | re.DOTALL)
        if said is None:
            begun = re.findall(r"^\[ RUN      \] (\S+)", done.out, re.MULTILINE)
            context.expect(False, f"{what}: {name} did not come to its end{f' (last test: {begun[-1]})' if begun else ''}")
            continue
        failed = sorted(set(re.findall(r"^\[  FAILED  \] (\w+\S*?)(?:, where.*| \(\d+ ms\))?$", said[1], re.MULTILINE)))
        context.expect(said[2] == "0" and not failed, f"{what}: {name}: {' '.join(failed) or f'status {said[2]}'}")
        counted = re.search(r"^\[  PASSED  \] (\d+) tests?\.$", said[1], re.MULTILINE)
        context.expect(counted is not None, f"{what}: {name} says nothing of its tests")
        passed += int(counted[1]) if counted else 0
    for line in re.findall(r"^target: \w+ left .*$", done.out, re.MULTILINE):
        context.expect(False, f"{what}: {line.removeprefix('target: ')}")
    context.ran_well(done, what)
    return passed
