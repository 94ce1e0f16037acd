"""The storms of the suite `storm`, on threads of the toy core."""

from __future__ import annotations

from check import suite_storm
from check.context import Context


def run(context: Context) -> None:
    suite_storm.run(context, "toy")
