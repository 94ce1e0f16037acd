"""Runs the kernel's own checkpatch.pl over the series, the overlay and the toy core. Called by `scripts/kernel checkpatch`.

No error and no warning is allowed. What a patch may ignore beyond the two types that mean nothing here stands in
NNNN-subject.checkpatch beside it: one `TYPE: reason` per line, lines that go on are indented. For a file of the overlay
it is kernel/dovetail/overlay.checkpatch, with `PATH TYPE: reason`.
"""

from __future__ import annotations

import pathlib
import re

import common
import series
import tree

_OVERLAY_SIDE = common.ROOT / "kernel" / "dovetail" / "overlay.checkpatch"
_IGNORED = ["FILE_PATH_CHANGES", "MISSING_SIGN_OFF"]


def run() -> None:
    tree.prepare()
    failed: list[str] = []
    patches = series.read()
    # The toy core is kernel C like the overlay.
    ours = [*tree.inputs().overlay, *(path for path in tree.inputs().cores if path.startswith("kernel/toycore/"))]
    overlay = sorted(path for path in ours if path.endswith((".c", ".h", ".S", ".rst", "Makefile")) or "Kconfig" in path)
    allowed = overlay_ignores(_OVERLAY_SIDE)
    unused = sorted(set(allowed) - set(overlay))
    if unused:
        raise common.Failure(f"{_OVERLAY_SIDE}: there is no overlay file {unused[0]}", "take its lines out")
    with common.Progress("kernel: checkpatch", len(patches) + len(overlay)) as progress:
        for patch in patches:
            _check([str(patch)], patch.name, _IGNORED + ignores(patch), failed)
            progress.step(note=patch.name)
        for path in overlay:
            _check(["-f", path], path, _IGNORED + allowed.get(path, []), failed)
            progress.step(note=path)
    if failed:
        raise common.Failure(f"checkpatch: {len(failed)} of {len(patches) + len(overlay)} are not clean:\n" + "\n".join(failed),
                             "mend them in build/linux and refresh; a further ignore goes, with its reason, into "
                             "NNNN-subject.checkpatch beside the patch, or kernel/dovetail/overlay.checkpatch")
    common.say(f"kernel: checkpatch: {len(patches)} patches and {len(overlay)} overlay files, no error, no warning")


def ignores(patch: pathlib.Path) -> list[str]:
    """The types that the side file of a patch names; each needs its reason."""
    return [match[1] for match in _lines(patch.with_suffix(".checkpatch"), r"([A-Z0-9_]+): *\S", "TYPE: reason")]


def overlay_ignores(side: pathlib.Path) -> dict[str, list[str]]:
    """Overlay file -> the types that may be ignored in it."""
    found: dict[str, list[str]] = {}
    for match in _lines(side, r"(\S+) ([A-Z0-9_]+): *\S", "PATH TYPE: reason"):
        found.setdefault(match[1], []).append(match[2])
    return found


def _lines(side: pathlib.Path, pattern: str, form: str) -> list[re.Match]:
    if not side.exists():
        return []
    found = []
    for number, line in enumerate(side.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#") or line[0].isspace():
            continue
        match = re.match(pattern, line)
        if not match:
            raise common.Failure(f"{side}:{number}: expected `{form}`, found: {line}")
        found.append(match)
    return found


def _check(arguments: list[str], name: str, ignored: list[str], failed: list[str]) -> None:
    done = common.run(["perl", "scripts/checkpatch.pl", "--no-summary", "--show-types", "--quiet",
                       "--ignore", ",".join(ignored), *arguments], cwd=common.LINUX, check=False)
    if done.returncode != 0 or done.stdout.strip():
        text = done.stdout.strip() or done.stderr.strip()
        failed.append(f"{name}:\n" + "\n".join(f"  {line}" for line in text.splitlines() if line.strip()))
