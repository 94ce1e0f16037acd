"""The suite `gdb`, on threads of the toy core."""

from __future__ import annotations

from check import suite_gdb
from check.context import Context


def run(context: Context) -> None:
    suite_gdb.run(context, "toy")
