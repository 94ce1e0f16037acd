"""Verdicts and counts of kernels that the short form does not build, stored in the tree.

A file holds what was found (`data`) and what it was found with (`with`). It speaks for other conditions as
little as a kernel does for another: any difference is an error, and the error names the command that renews it.
"""

from __future__ import annotations

import hashlib
import json
import pathlib

import common
import kconfig
import source
import tree
from board import machine

from check.context import Failed

FOLDER = common.ROOT / "tests" / "boot" / "stored"


def conditions(*, configs: tuple[str, ...], sources: tuple[pathlib.Path, ...], with_series: bool = False) -> dict:
    """What a stored verdict depends on.

    `sources` are the files and folders of the tests themselves. `with_series`: a patched kernel was measured, one
    that has no core in it.
    """
    found = {"kernel source": tree.state().get("version") or source.pinned().version,
             "QEMU": machine.qemu_version(), "tests": _digest(sources)}
    for config in configs:
        text = kconfig.merged_text(kconfig.requests(kconfig.fragments(config)))
        found[f"configuration of {config}"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    if with_series:
        found["overlay and series"] = tree.inputs().without_cores()[:16]
    return found


def _digest(sources: tuple[pathlib.Path, ...]) -> str:
    digest = hashlib.sha256()
    for top in sources:
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(common.ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def differences(stored: dict, now: dict) -> list[str]:
    return [f"{name} is {now.get(name, 'absent')}, stored for {stored.get(name, 'absent')}"
            for name in sorted({*stored, *now}) if stored.get(name) != now.get(name)]


def load(name: str, now: dict) -> dict:
    """The stored data, when it was found under the conditions `now`."""
    path = FOLDER / f"{name}.json"
    renew = f"./scripts/check --renew {name}"
    if not path.exists():
        raise Failed(f"no stored verdicts ({path.relative_to(common.ROOT)}); to make them: {renew}")
    held = common.read_json(path)
    if not held:
        raise Failed(f"{path.relative_to(common.ROOT)} is damaged; to make it again: {renew}")
    wrong = differences(held.get("with", {}), now)
    if wrong:
        raise Failed(f"{path.relative_to(common.ROOT)} is out of date: {'; '.join(wrong)}; to renew: {renew}")
    return held["data"]


def save(name: str, now: dict, data: dict) -> pathlib.Path:
    path = FOLDER / f"{name}.json"
    common.write_atomically(path, json.dumps({"with": now, "data": data}, indent=1, sort_keys=True) + "\n")
    return path
