"""The host tests: everything that `meson test` runs."""

from __future__ import annotations

import re

from check import programs
from check.context import Context


def run(context: Context) -> None:
    host = programs.meson(context)
    done = context.command(["meson", "test", "-C", host, "--print-errorlogs"], timeout_s=540, title="meson test")
    counts = {name: int(number) for name, number in
              re.findall(r"^(Ok|Expected Fail|Fail|Unexpected Pass|Skipped|Timeout):\s+(\d+)", done.out, re.MULTILINE)}
    failed = [line.strip() for line in done.out.splitlines() if re.search(r"\s(FAIL|TIMEOUT|ERROR)\s", line)]
    context.expect(done.status == 0, f"meson test ended with {done.status}: {'; '.join(dict.fromkeys(failed))}")
    context.expect(counts.get("Ok", 0) > 0, "no host test was run")
    context.fact(f"{counts.get('Ok', 0)} tests")
