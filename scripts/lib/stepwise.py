"""Builds a small SMP configuration after each patch of the series. Called by `scripts/kernel series`.

What passed is remembered by content (source, overlay, the patches so far, configuration), so only patches that changed, and
those after them, are built again. No core is part of this configuration, so the progress of one changes nothing. A warning
fails the step: the unpatched source gives none in this configuration.
"""

from __future__ import annotations

import hashlib
import json
import pathlib

import common
import kbuild
import kconfig
import series
import tree

_FOLDER = common.BUILD / "series"
_CONFIG = "small"


def run(start: str | None, jobs: int) -> None:
    tree.prepare()
    patches = series.read()
    first = _first(patches, start)
    repo = tree.repo()
    commits = repo.out("rev-list", "--reverse", f"{tree.state()['base']}..HEAD").split()
    commits = commits[len(commits) - len(patches):]
    with common.locked(_FOLDER / ".lock", "kernel: series"):
        passed_file = _FOLDER / "passed.json"
        passed = common.read_json(passed_file)
        steps = [(number, patches[number], commits[number]) for number in range(first, len(patches))]
        keys = {number: _key(patches[:number + 1]) for number, _, _ in steps}
        todo = [step for step in steps if keys[step[0]] not in passed]
        common.say(f"kernel: series: {len(steps)} patches, {len(steps) - len(todo)} passed before, {len(todo)} to build")
        for number, patch, commit in todo:
            _build(number, len(patches), patch, commit, jobs)
            passed[keys[number]] = patch.name
            common.write_atomically(passed_file, json.dumps(passed, indent=1))
    common.say(f"kernel: series: all {len(steps)} build")


def _first(patches: list[pathlib.Path], start: str | None) -> int:
    if start is None:
        return 0
    for number, patch in enumerate(patches):
        if patch.name.startswith(start.zfill(4) if start.isdigit() else start) or start in patch.name:
            return number
    raise common.Failure(f"no patch of the series is called {start}",
                         f"look into {common.PATCHES / 'series'}", common.EXIT_USAGE)


def _key(patches: list[pathlib.Path]) -> str:
    """What a step depends on: the source, the overlay, the patches up to this one, and the configuration."""
    of = tree.Inputs(tree.inputs().overlay, {}, patches).fingerprint()
    config = kconfig.merged_text(kconfig.requests(kconfig.fragments(_CONFIG)))
    return hashlib.sha256(f"{tree.state()['base']} {of} {config}".encode()).hexdigest()


def _build(number: int, total: int, patch: pathlib.Path, commit: str, jobs: int) -> None:
    goal = kbuild.Target("series", _FOLDER / "linux", _FOLDER / "out")
    common.need_disk(common.BUILD, 2500 - min(2500, common.folder_mb(_FOLDER)), "build the series")
    goal.source.mkdir(parents=True, exist_ok=True)
    # An index of its own: only files that differ from the step before are written, and build/linux is left alone.
    # The lock of a checkout that was stopped is stale: `series` holds its own lock.
    (common.LINUX / ".git" / "series-index.lock").unlink(missing_ok=True)
    here = tree.repo().with_work_tree(goal.source, "series-index")
    here.run("read-tree", "--reset", "-u", commit)
    here.run("checkout-index", "-a", "-q", check=False)
    merged = kconfig.requests(kconfig.fragments(_CONFIG))
    # Before the patch that makes it selectable on x86, a symbol is there but cannot take.
    for name in ("IRQ_PIPELINE", "DOVETAIL"):
        symbol = "CONFIG_" + name
        if symbol in kconfig.defined_symbols(goal.source):
            selectable = f"select HAVE_{name}" in (goal.source / "arch/x86/Kconfig").read_text()
            merged[symbol] = kconfig.Request(symbol, "y" if selectable else None, "stepwise.py")
    kbuild.configure(goal, merged)
    try:
        warnings = kbuild.make(goal, ["bzImage", "modules"], jobs, f"kernel: series {number + 1}/{total} {patch.name}")
    except common.Failure as failure:
        raise common.Failure(f"the tree does not build after {patch.name}: {failure.what}",
                             f"mend the patch in build/linux, refresh, then: ./scripts/kernel series {patch.name[:4]}") from None
    if warnings:
        raise common.Failure(f"the build after {patch.name} warns:\n{''.join(warnings[:20])}",
                             f"mend the patch in build/linux, refresh, then: ./scripts/kernel series {patch.name[:4]}")
