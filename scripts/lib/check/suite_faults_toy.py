"""The suite `faults`, on threads of the toy core, which go back out-of-band by themselves."""

from __future__ import annotations

from check import suite_faults
from check.context import Context


def run(context: Context) -> None:
    suite_faults.run(context, "toy")
