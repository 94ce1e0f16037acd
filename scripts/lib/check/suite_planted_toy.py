"""Mistakes of a companion core and its threads: as the suite `planted`, with a module that has threads on the toy core."""

from __future__ import annotations

import common

from check import suite_planted
from check.context import Context

FOLDER = common.ROOT / "tests" / "target" / "kmod" / "toyplant"


def run(context: Context) -> None:
    suite_planted.run(context, FOLDER, "toydebug")
