"""Plants each bug of tests/mutants in a copy of the core, and lets the simulator look for it. Used by suite `mutants`.

A mutant is a patch of kernel/evl with a head of three lines that start with `#`: what is wrong with it, its kind and the
rule it breaks, and the licence. It must apply, build, and be found by the search over all scenarios.

MU1  Whether a mutant is found does not depend on how fast the machine is: the search ends after a number of seeds.
MU2  The core as it is must survive the seeds that found the mutants: else a finding says nothing.
MU3  What is built is what Meson builds, without sanitizers (target sim-plain): only what includes a file that the patch
     touches is compiled again, in a folder of its own that is the same each time, so that ccache knows it.
"""

from __future__ import annotations

import pathlib
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import common

from sim import cli

FOLDER = common.ROOT / "tests" / "mutants"
WORK = common.BUILD / "mutants"
CORE = pathlib.Path("kernel/evl")
TARGET = "tests/sim/sim-plain"
SEEDS = 300     # Of each scenario. The catalogue needs less than half of them: a change of the core or of a scenario moves that.
LIMIT_S = 240   # Of a search, so that a mutant that never ends does not hold up the others. Not what ends the others.
_HEAD = re.compile(r"# (?P<title>.+)\n# Kind: (?P<kind>[^.\n]+)\. Breaks: (?P<rule>.+)\.\n# SPDX-License-Identifier: GPL-2\.0\n")

# Runs a command with a limit in seconds; status (None: ended by the limit) and output.
Run = Callable[[list[str], int], tuple[int | None, str]]


class Unusable(Exception):
    """A mutant that says nothing about the search: it does not apply, or does not build."""


@dataclass(frozen=True)
class Mutant:
    patch: pathlib.Path
    title: str
    kind: str
    rule: str

    @property
    def name(self) -> str:
        return self.patch.stem

    @property
    def touched(self) -> frozenset[str]:
        return frozenset(re.findall(r"^\+\+\+ b/(\S+)", self.patch.read_text(), re.MULTILINE))


@dataclass(frozen=True)
class Verdict:
    mutant: Mutant
    found: bool
    text: str           # What broke, or why the mutant was not found.
    schedules: int = 0  # Complete runs it took, the last one included.
    seed: int = 0       # The seed that found it: so many of each scenario were looked at, at most.


@dataclass(frozen=True)
class Step:
    """A command of the build: compiles one source, makes an archive, or links."""
    words: tuple[str, ...]
    output: str
    depends: frozenset[str]  # Absolute paths; of a link step: what it links, as it is written.


def read(patch: pathlib.Path) -> Mutant:
    head = _HEAD.match(patch.read_text())
    if head is None:
        raise common.Failure(f"{patch.name}: the head of a mutant is missing or wrong", "see scripts/lib/sim/mutants.py")
    return Mutant(patch, head["title"], head["kind"], head["rule"])


def catalogue() -> list[Mutant]:
    return [read(patch) for patch in sorted(FOLDER.glob("*.patch"))]


def share(mutants: list[Mutant], every: int, number: int) -> list[Mutant]:
    """Each `every`-th of them, the `number`-th such share. All shares together are all mutants."""
    return mutants[number % every::every]


def parse_commands(text: str, deps: dict[str, frozenset[str]], folder: pathlib.Path) -> list[Step]:
    """The steps that `ninja -t commands` printed, which runs in `folder`."""
    steps = []
    for line in text.splitlines():
        words = shlex.split(line)
        output = words[words.index("-o") + 1] if "-o" in words else next((word for word in words if word.endswith(".a")), "")
        if "-c" in words:
            source = str((folder / words[words.index("-c") + 1]).resolve())
            steps.append(Step(tuple(words), output, deps.get(output, frozenset()) | {source}))
        elif output:
            linked = frozenset(word for word in words if word.endswith((".o", ".so", ".a")) and word != output)
            steps.append(Step(tuple(words), output, linked))
    return steps


def parse_deps(text: str, folder: pathlib.Path) -> dict[str, frozenset[str]]:
    """Output of `ninja -t deps`: by object, the files it was made of."""
    found: dict[str, frozenset[str]] = {}
    for block in text.split("\n\n"):
        lines = block.splitlines()
        head = lines[0].split(": #deps ")[0] if lines else ""
        if head:
            found[head] = frozenset(str((folder / line.strip()).resolve()) for line in lines[1:])
    return found


class Planter:
    """Builds mutants from the objects of the build as it is. One for all mutants of a run."""

    def __init__(self) -> None:
        self.program = cli.built(TARGET)
        self.core = common.ROOT / CORE
        # What was built: whoever edits the core meanwhile must not meet objects of another layout.
        shutil.rmtree(WORK, ignore_errors=True)
        self.as_built = WORK / "as-built"
        shutil.copytree(self.core, self.as_built)

        def ninja(*words: str) -> str:
            return subprocess.run(["ninja", "-C", common.HOST, "--quiet", "-t", *words], capture_output=True, text=True, check=True).stdout

        deps = parse_deps(ninja("deps"), common.HOST)
        needed = {TARGET}
        steps = parse_commands(ninja("commands", TARGET), deps, common.HOST)
        for step in reversed(steps):  # Links come after what they link.
            if step.output in needed and "-c" not in step.words:
                needed |= step.depends
        self.steps = [step for step in steps if step.output in needed]

    def stale(self, touched: frozenset[str]) -> list[Step]:
        """The steps that a change of these files makes necessary, in order."""
        changed = {str(common.ROOT / name) for name in touched}
        made: set[str] = set()
        found = []
        for step in self.steps:
            if step.depends & (changed if "-c" in step.words else made):
                made.add(step.output)
                found.append(step)
        return found

    def plant(self, mutant: Mutant, run: Run) -> pathlib.Path:
        """The search program with the bug in it. Raises Unusable."""
        folder = WORK / mutant.name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.as_built, folder / CORE)
        done = subprocess.run(["patch", "-p1", "--no-backup-if-mismatch", "-F0", "-i", mutant.patch], cwd=folder, capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise Unusable(f"does not apply: {done.stdout.strip()[-300:]}")
        made: dict[str, str] = {}
        for step in self.stale(mutant.touched):
            if step.output.endswith(".a"):
                raise Unusable("changes what the simulated Linux is built from: plant bugs in the core, not in kapi")
            made[step.output] = str(folder / pathlib.Path(step.output).name)
            status, out = run(self._moved(step, folder, made), 300)
            if status != 0:
                raise Unusable(f"does not build: {out.strip()[-600:]}")
        if not made:
            raise Unusable("touches nothing of what the simulator is built from")
        if not (folder / self.program.name).exists():
            shutil.copy2(self.program, folder)  # It looks for the library beside itself.
        return folder / self.program.name

    def _moved(self, step: Step, folder: pathlib.Path, made: dict[str, str]) -> list[str]:
        """The command with the copy in place of the core, and what was made anew in place of what was there."""
        words = []
        skip = False
        for word in step.words:
            if skip or word in ("-MD", "-MQ", "-MF", "-Werror"):
                skip = not skip and word in ("-MQ", "-MF")
                continue
            words.append(made.get(word, word.replace(str(self.core), str(folder / CORE))))
        return ["env", "-C", str(common.HOST), *words]


def judge(mutant: Mutant, status: int | None, out: str) -> Verdict:
    """What the end of a search means. Only what the simulator says about a schedule is a finding."""
    found = re.search(r"^found by schedule (\d+)", out, re.MULTILINE)
    reason = re.search(r"^FAILED (\S+, seed (\d+).*)", out, re.MULTILINE)
    if status == 1 and found and reason:
        return Verdict(mutant, True, reason[1], int(found[1]), int(reason[2]))
    if status is None:
        return Verdict(mutant, False, "the search did not end in its time")
    last = (out.strip().splitlines() or ["no output"])[-1]
    return Verdict(mutant, False, f"survived: {last}" if status == 0 else f"the search ended with status {status}: {last}")


def try_one(mutant: Mutant, planter: Planter, run: Run) -> Verdict:
    """Plants one bug and searches for it."""
    try:
        program = planter.plant(mutant, run)
    except Unusable as error:
        return Verdict(mutant, False, str(error))
    try:
        return judge(mutant, *run([str(program), "--runs", str(SEEDS), "--lines", "1"], LIMIT_S))
    finally:
        shutil.rmtree(WORK / mutant.name, ignore_errors=True)


def try_none(planter: Planter, seeds: int, run: Run) -> str:
    """MU2: searches the core as it is with the first `seeds`; empty when nothing is found."""
    status, out = run([str(planter.program), "--runs", str(max(1, seeds)), "--lines", "1"], LIMIT_S)
    reason = re.search(r"^FAILED (.*)", out, re.MULTILINE)
    return "" if status == 0 else reason[1] if reason else f"status {status}"
