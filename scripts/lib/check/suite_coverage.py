"""Coverage of the core by the host tests: printed, and not to fall below the issue's aim."""

from __future__ import annotations

import re

import common

from check.context import Context

_AIM = 90.0  # Per cent of the lines of kernel/evl, without kapi/ and drivers/.


def run(context: Context) -> None:
    runs = int(str(context.values["runs"]))
    done = context.command([common.SCRIPTS / "sim", "--coverage", "--runs", str(runs)], timeout_s=context.suite.form(context.long).limit_s,
                           title="coverage of kernel/evl")
    last = re.search(r"^lines ([\d.]+) % .*", done.out, re.MULTILINE)
    if not last:
        context.expect(False, f"coverage could not be measured: {done.last or f'status {done.status}'}")
        return
    context.expect(float(last[1]) >= _AIM, f"less than {_AIM:.0f} % of the core's lines are reached: {last[0]}")
    context.fact(last[0])
