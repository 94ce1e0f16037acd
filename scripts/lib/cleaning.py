"""Removes build products and says what each frees. Called by `scripts/kernel clean`. Own work is kept."""

from __future__ import annotations

import os
import pathlib
import shutil

import common
import kconfig
import tree


def clean(config: str | None, dry_run: bool) -> None:
    total = 0
    verb = "would free" if dry_run else "freed"
    if config is not None:
        kconfig.check_name(config)
    for path in _of_config(config) if config else _everything():
        size = common.folder_mb(path)
        if not dry_run:
            _remove(path)
        common.say(f"kernel: {verb} {size} MB: {path}")
        total += size
    common.say(f"kernel: {verb} {total} MB in all" if total else "kernel: nothing to clean")


def _of_config(config: str) -> list[pathlib.Path]:
    return [path for path in (common.kernel_out(config), common.BUILD / "deb" / config) if path.exists()]


def _everything() -> list[pathlib.Path]:
    """All that scripts/kernel made; another script's folders in build/ are not ours to remove."""
    names = ["kernel", "deb", "series", "download", "linux-vanilla", ".linux-vanilla.partial", ".linux.partial"]
    if (common.LINUX / ".git").exists():
        if "moving_to" in tree.state() or tree.own_work():
            common.say("kernel: build/linux is kept: it holds work that is in neither overlay nor series")
        else:
            names.append("linux")
    return [common.BUILD / name for name in names if (common.BUILD / name).exists()]


def _remove(path: pathlib.Path) -> None:
    """Renamed first: a removal that is stopped leaves no half folder under the name that counts."""
    doomed = path.with_name(f".removing.{path.name}")
    shutil.rmtree(doomed, ignore_errors=True)
    os.replace(path, doomed)
    shutil.rmtree(doomed)
