"""The suite `fpu`, on threads of the toy core, without hectic."""

from __future__ import annotations

from check import suite_fpu
from check.context import Context


def run(context: Context) -> None:
    suite_fpu.run(context, "toy")
