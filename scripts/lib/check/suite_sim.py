"""The simulator looks for bugs in the core: schedules by the seeds of today, on top of those of `unit`.

The seeds of `meson test` are always the same. Here they move on, so that each run of this suite looks elsewhere.
"""

from __future__ import annotations

import re
import time

from check.context import Context
from sim import cli


def run(context: Context) -> None:
    program = cli.built()
    seconds = int(str(context.values["seconds"]))
    first = int(time.time()) % 1_000_000 * 1_000
    jobs = [lambda job=job: context.command([program, "--for", str(seconds), "--from", str(first + job), "--stride", "2"],
                                            timeout_s=seconds + 60, title=f"sim, half {job + 1}") for job in range(2)]
    schedules = 0
    for done in context.parallel(jobs):
        failed = re.search(r"^FAILED .*", done.out, re.MULTILINE)
        replay = re.search(r"^replay: (.*)", done.out, re.MULTILINE)
        context.expect(done.status == 0, f"{failed[0] if failed else done.last or 'no result'}"
                                         f"{f' ({replay[1]})' if replay else ''}")
        counted = re.search(r"^(\d+) schedules", done.out, re.MULTILINE)
        schedules += int(counted[1]) if counted else 0
    context.expect(schedules > 0, "no schedule was run")
    context.fact(f"{schedules} schedules")
