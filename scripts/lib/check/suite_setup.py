"""The ground: nothing is missing, the builds are current and without warnings, and a second build does nothing."""

from __future__ import annotations

import json

import common

from check import context as base
from check.context import Context


def run(context: Context) -> None:
    done = context.command([common.SCRIPTS / "setup", "--check"])
    context.expect(done.status == 0, f"scripts/setup --check: {done.out.strip() or done.last}")
    for config in context.configs or context.suite.form(context.long).configs:
        _check_build(context, config)
    context.fact(f"a second build takes at most {context.values['again_s']} s")


def _check_build(context: Context, config: str) -> None:
    done = context.command([base.KERNEL, "info", "--config", config, "--json"])
    if not context.expect(done.status == 0, f"kernel info: {config}: {done.last}"):
        return
    info = json.loads(done.out)
    context.expect(info["current"], f"{config}: its build is not current")
    context.expect(info["warnings"] == 0, f"{config}: {info['warnings']} warnings in the build, "
                                          f"in {common.kernel_out(config) / 'warnings.txt'}")
    again_s = float(context.values["again_s"])
    done = context.command([base.KERNEL, "build", "--config", config, "--json"], timeout_s=2 * again_s,
                           title=f"second build of {config}")
    if context.expect(done.status == 0, f"{config}: the second build ended with {done.status}: {done.last}"):
        context.expect(not json.loads(done.out)["changed"], f"{config}: the second build built something")
        context.expect(done.seconds <= again_s, f"{config}: the second build took {common.seconds(done.seconds)}")
