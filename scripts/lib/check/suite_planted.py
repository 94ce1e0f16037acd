"""Planted mistakes: on debug each gives exactly one report, of the right kind, that names the function that made it.

One boot per mistake, since the first report silences the checks. A boot with no mistake must give no report: else
the module itself would be what is reported.
"""

from __future__ import annotations

import json
import pathlib
import re

import common

from check import programs
from check.context import BOARD_REPORT, WITHOUT_CORE, Context

FOLDER = common.ROOT / "tests" / "target" / "kmod" / "planted"
CONFIG = "debug"
_BOOT_S = 150


def mistakes(folder: pathlib.Path = FOLDER) -> list[tuple[str, str]]:
    """Name and report of each mistake."""
    rows = [line.split(None, 1) for line in (folder / "mistakes.txt").read_text().splitlines()
            if line.strip() and not line.startswith("#")]
    return [(name, regex.strip()) for name, regex in rows]


def run(context: Context, folder: pathlib.Path = FOLDER, config: str = CONFIG) -> None:
    """`folder` has a module of its own name and its mistakes.txt."""
    context.only_on(config)
    module = programs.module(context, config, folder) / f"{folder.name}.ko"
    cases = [("none", ""), *mistakes(folder)]
    for pair in (cases[at:at + 2] for at in range(0, len(cases), 2)):
        context.parallel([lambda case=case: _plant(context, config, module, *case) for case in pair])
    context.fact(f"{len(cases) - 1} mistakes")


def _plant(context: Context, config: str, module: pathlib.Path, name: str, regex: str) -> None:
    done = context.board(["insmod", f"/root/{module.name}", f"mistake={name}"], config=config, smp=1, timeout_s=_BOOT_S, append=WITHOUT_CORE,
                         add=[(module, f"/root/{module.name}")], expect=regex, more=["--json"], title=f"planted {name}")
    try:
        found = json.loads(done.out)
    except ValueError:
        context.expect(False, f"{name}: the board gave no result: {done.last}")
        return
    reports = found["reports"]
    titles = "; ".join(report["title"] for report in reports)
    if not regex:
        context.expect(done.status == 0, f"no mistake was made, and yet: {titles or done.last}")
        return
    if not reports:
        context.expect(False, f"{name}: not reported (the board says: {done.last})")
        return
    context.expect(done.status in (0, BOARD_REPORT), f"{name}: {done.last}")
    context.expect(len(reports) == 1, f"{name}: {len(reports)} reports, not one: {titles}")
    context.expect(any(re.search(regex, report["text"], re.MULTILINE) for report in reports),
                   f"{name}: the report is `{titles}`, not `{regex}`")
    context.expect(f"planted_{name}" in reports[0]["text"], f"{name}: the report does not name planted_{name}")
    context.expect(found["cmd_status"] == 0, f"{name}: the guest did not survive the mistake ({done.last})")
