"""Builds what the suites need, runs them in order, keeps their results, and writes the summary.

Results are in build/check/<short|long>.json and are written after each suite, so that a run that was stopped can
be continued: `--resume` keeps the suites that have passed, each with the commit and date of its run.
"""

from __future__ import annotations

import datetime
import importlib
import json
import math
import os
import pathlib
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import common

from check import table
from check.context import LOGS, Context, Failed, Skipped, opened

BUILD_LIMIT_S = 3600


@dataclass
class Result:
    name: str
    verdict: str  # passed, failed, skipped
    seconds: float
    commit: str = ""
    date: str = ""
    why: str = ""
    log: str = ""
    facts: list[str] = field(default_factory=list)


@dataclass
class Plan:
    suites: tuple[table.Suite, ...]
    long: bool
    configs: tuple[str, ...] = ()
    smp: tuple[int, ...] = ()
    resume: bool = False
    build: bool = True


def commit_name() -> str:
    """HEAD of the project, with a + when files differ from it."""
    done = common.run(["git", "-C", common.ROOT, "rev-parse", "--short=12", "HEAD"], check=False)
    if done.returncode:
        return "unknown"
    changed = common.run(["git", "-C", common.ROOT, "status", "--porcelain", "-uno"], check=False).stdout.strip()
    return done.stdout.strip() + ("+" if changed else "")


def now_text() -> str:
    return datetime.datetime.now().strftime("%Y-%m-%d %H:%M")


class Results:
    """The results of one form, on disk. A run of all suites begins with none, once its kernels are built; a run of some
    keeps the others', and so those of a run beside it."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def clear(self) -> None:
        self._write({})

    def _read(self) -> dict[str, Result]:
        return {one["name"]: Result(**one) for one in common.read_json(self._path).get("suites", [])}

    def _write(self, results: dict[str, Result]) -> None:
        text = json.dumps({"suites": [asdict(one) for one in results.values()]}, indent=1)
        common.write_atomically(self._path, text + "\n")

    def passed(self, name: str) -> Result | None:
        found = self._read().get(name)
        return found if found and found.verdict == "passed" else None

    def put(self, result: Result) -> None:
        with common.locked(self._path.with_suffix(".lock"), "check: results"):
            self._write({**self._read(), result.name: result})


def needed(plan: Plan) -> list[str]:
    """The kernels to build, in the order in which they are first asked for."""
    found = list(plan.configs)
    for suite in plan.suites:
        found += [config for config in suite.form(plan.long).configs if config not in found and not plan.configs]
    return found


def build_kernels(configs: Sequence[str]) -> dict[str, str]:
    """Builds them one after the other; configuration -> why it could not be built."""
    broken: dict[str, str] = {}
    for config in configs:
        log = LOGS / f"build-{config}.log"
        with common.Progress(f"check: build {config}") as progress:
            status = common.run_logged(["timeout", "--signal=TERM", str(BUILD_LIMIT_S), common.SCRIPTS / "kernel",
                                        "build", "--config", config], log, progress)
            if status:
                errors = [line for line in log.read_text(errors="replace").splitlines() if "error" in line.lower()]
                broken[config] = (f"the kernel {config} does not build (log: {os.path.relpath(log)})"
                                  + (f": {errors[0].strip()}" if errors else ""))
                common.say(f"check: {broken[config]}")
    return broken


def run(plan: Plan) -> list[Result]:
    results = Results(LOGS / ("long.json" if plan.long else "short.json"))
    todo = [suite for suite in plan.suites if not (plan.resume and results.passed(suite.name))]
    whole = all(suite in plan.suites for suite in table.usual(plan.long))
    found: list[Result] = []
    broken: dict[str, str] = {}
    if plan.build:
        broken = build_kernels(needed(Plan(tuple(todo), plan.long, plan.configs)))
    else:
        common.say("check: --no-build: the kernels are tested as they are, current or not")
    if whole and not plan.resume:
        results.clear()
    end = time.monotonic() + table.WHOLE_S[plan.long] if whole else math.inf
    for number, suite in enumerate(plan.suites, 1):
        kept = results.passed(suite.name) if plan.resume else None
        if kept:
            common.say(f"check: {suite.name} [{number}/{len(plan.suites)}]: passed before, at {kept.commit}")
            found.append(kept)
            continue
        common.say(f"check: {suite.name} [{number}/{len(plan.suites)}]: {suite.summary}")
        result = run_suite(suite, plan, broken, end=end)
        results.put(result)
        common.say(f"check: {suite.name}: {result.verdict} ({common.seconds(result.seconds)})"
                   + (f": {result.why.splitlines()[0]}" if result.why else ""))
        found.append(result)
    return found


def run_suite(suite: table.Suite, plan: Plan, broken: dict[str, str], function: str = "run", end: float = math.inf) -> Result:
    """`end`: of the time that all suites have together, on time.monotonic()."""
    form = suite.form(plan.long)
    result = Result(suite.name, "passed", 0.0, commit_name(), now_text())
    started = time.monotonic()
    with opened(Context(suite, form, long=plan.long, configs=plan.configs, smp=plan.smp, end=end)) as context:
        result.log = os.path.relpath(context.log_path)
        try:
            for config in form.configs:
                if config in broken:
                    raise Failed(broken[config])
            getattr(importlib.import_module(suite.module), function)(context)
            context.verdict()
        except Skipped as skipped:
            result.verdict, result.why = "skipped", str(skipped)
        except Failed as failed:
            result.verdict, result.why = "failed", str(failed)
        except common.Failure as failure:
            result.verdict, result.why = "failed", failure.what + (f" ({failure.hint})" if failure.hint else "")
        except Exception as error:  # A mistake in a suite is that suite's failure; the others still run.
            context.log(traceback.format_exc())
            result.verdict, result.why = "failed", f"the suite itself is broken: {type(error).__name__}: {error}"
        if result.why:
            context.log(f"!! {result.verdict}: {result.why}")
        result.facts = context.facts
    result.seconds = round(time.monotonic() - started, 1)
    return result


def counts_line(results: Sequence[Result]) -> str:
    counts = {verdict: sum(one.verdict == verdict for one in results) for verdict in ("passed", "failed", "skipped")}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items())


def summary(results: Sequence[Result], long: bool, left_out: Sequence[str] = ()) -> str:
    """One line per suite, those that this form leaves out, and the counts on a line of their own."""
    lines = []
    for one in results:
        where = f"  {one.commit} {one.date}" if long else ""
        lines.append(f"{one.name:12} {one.verdict:8} {common.seconds(one.seconds):>13}{where}"
                     + (f"  {'; '.join(one.facts)}" if one.facts else ""))
        if one.verdict != "passed":
            lines += [f"    {text}" for text in one.why.splitlines()]
        if one.verdict == "failed":
            lines.append(f"    log: {one.log}")
    if left_out:
        lines.append(f"not in this form (--full, or by name): {', '.join(left_out)}")
    return "\n".join([*lines, counts_line(results)])
