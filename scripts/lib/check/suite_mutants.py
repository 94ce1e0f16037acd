"""Planted bugs: the simulator must find each of tests/mutants. The short form takes a fifth, another one each day."""

from __future__ import annotations

import datetime

from check.context import Context, Missing
from sim import cli, mutants


def run(context: Context) -> None:
    patches = mutants.catalogue()
    if not patches:
        raise Missing("tests/mutants")
    if not cli.core_is_complete():
        raise Missing("the whole of kernel/evl (sim_core_complete in tests/sim/meson.build)")
    every = int(str(context.values["every"]))
    patches = patches[datetime.date.today().toordinal() % every::every]
    program = mutants.prepare()
    seconds = int(str(context.values["seconds"]))

    def command(words: list[str], limit_s: int) -> tuple[int | None, str]:
        done = context.command(list(words), timeout_s=limit_s, title=words[-1])
        return done.status, done.out + done.err

    for pair in (patches[at:at + 2] for at in range(0, len(patches), 2)):
        for verdict in context.parallel([lambda patch=patch: mutants.try_one(patch, program, seconds, command) for patch in pair]):
            context.say(f"{verdict.name}: {verdict.text}")
            context.expect(verdict.found, f"{verdict.name} ({verdict.why}): {verdict.text}")
    context.fact(f"{len(patches)} of {len(mutants.catalogue())} planted bugs")
