"""The commands that bring the Meson build (build/host) up to date. Used by scripts/check and scripts/bench.

Meson does not notice that a folder has got its first meson.build, so the list of those files is kept beside the build,
and the build is configured again when the list has changed. The same goes for the sources of the core, which the
simulator takes all.
"""

from __future__ import annotations

import pathlib
import shutil

import common

LOCK = common.BUILD / ".host.lock"
_LISTED = common.HOST / ".meson-files"
_SKIPPED = {"build", ".git"}


def _files() -> str:
    found = [path for top in sorted(common.ROOT.iterdir()) if top.name not in _SKIPPED
             for path in (sorted(top.rglob("meson.build")) if top.is_dir() else [top])
             if path.name == "meson.build"]
    # The simulator takes all sources of the core: which ones is decided when Meson configures.
    found += sorted((common.ROOT / "kernel" / "evl").rglob("*.cc"))
    return "".join(f"{path.relative_to(common.ROOT)}\n" for path in found)


def commands(*targets: str) -> list[list[str | pathlib.Path]]:
    """What to run, in this order, with LOCK held; then call `configured`."""
    words: list[list[str | pathlib.Path]] = []
    if not (common.HOST / "build.ninja").exists():
        shutil.rmtree(common.HOST, ignore_errors=True)
        words.append(["meson", "setup", common.HOST, common.ROOT])
    elif not _LISTED.exists() or _LISTED.read_text() != _files():
        words.append(["meson", "setup", "--reconfigure", common.HOST, common.ROOT])
    return [*words, ["ninja", "-C", common.HOST, *targets]]


def configured() -> None:
    common.write_atomically(_LISTED, _files())
