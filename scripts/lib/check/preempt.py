"""Runs tests/target/kmod/preempt in a guest. Used by the suite `preempt` and by scripts/demo.

What the values have to be is said in one place, judge.py beside the module.
"""

from __future__ import annotations

import importlib.util
import pathlib
import tempfile
from types import ModuleType

import common

from check.context import WITHOUT_CORE

FOLDER = common.ROOT / "tests" / "target" / "kmod" / "preempt"
COMMAND = "insmod /root/preempt.ko rounds={rounds} && dmesg | grep 'preempt: '"


def judge() -> ModuleType:
    spec = importlib.util.spec_from_file_location("preempt_judge", FOLDER / "judge.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def values(output: str) -> dict[str, str]:
    """key=value pairs of what the module printed."""
    with tempfile.NamedTemporaryFile("w", prefix="preempt-", suffix=".log") as log:
        log.write(output)
        log.flush()
        return judge().parse(log.name)


def board_words(config: str, module: pathlib.Path, *, steps: str, timeout_s: float) -> list[str | pathlib.Path]:
    """The board's command line: the deterministic machine, one virtual CPU, nothing else in the guest."""
    return [common.SCRIPTS / "board", "run", "--config", config, "--icount", "--smp", "1", "--no-modules",
            "--append", WITHOUT_CORE, "--timeout", f"{timeout_s:.0f}", "--add", f"{module}:/root/preempt.ko", "--", "sh", "-c", steps]
