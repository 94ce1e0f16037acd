"""Planted bugs: the simulator must find each of tests/mutants. The short form takes a fifth, another one each day."""

from __future__ import annotations

import datetime
import os
import queue

from check.context import Context, Failed
from sim import mutants


def run(context: Context) -> None:
    catalogue = mutants.catalogue()
    if not catalogue:
        raise Failed("there is no mutant in tests/mutants")
    every = int(str(context.values["every"]))
    today = datetime.date.today().toordinal() % every
    chosen = mutants.share(catalogue, every, today)
    if every > 1:
        context.say(f"share {today + 1} of {every}, by the date: {', '.join(mutant.name for mutant in chosen)}")

    def command(words: list[str], limit_s: int) -> tuple[int | None, str]:
        done = context.command(list(words), timeout_s=limit_s, title="a search")
        return done.status, done.out + done.err

    planter = mutants.Planter()
    waiting: queue.SimpleQueue[mutants.Mutant] = queue.SimpleQueue()
    for mutant in chosen:
        waiting.put(mutant)
    verdicts: list[mutants.Verdict] = []

    def work() -> None:
        while True:
            try:
                mutant = waiting.get_nowait()
            except queue.Empty:
                return
            verdict = mutants.try_one(mutant, planter, command)
            verdicts.append(verdict)
            context.log(f"{mutant.name}: {verdict.text}")
            # What the search says of a planted bug stays in the log: a reader of the terminal would take it for a failure of the suite.
            context.say(f"{mutant.name}: " + (f"found by schedule {verdict.schedules:,}" if verdict.schedules else "not found"))
            context.expect(verdict.found, f"{mutant.name} ({mutant.title}): {verdict.text}")

    context.parallel([work] * (os.cpu_count() or 1))
    furthest = max((verdict.seed for verdict in verdicts), default=0)
    reason = mutants.try_none(planter, furthest, command)
    context.expect(not reason, f"the search finds something in the core as it is, so that its other findings say little: {reason}")
    found = [verdict for verdict in verdicts if verdict.found]
    context.fact(f"{len(found)} of {len(chosen)} planted bugs found ({len(catalogue)} in all), "
                 f"by {max((verdict.schedules for verdict in found), default=0)} schedules at most")
