"""Writes overlay, cores and series back from the commits in build/linux. Called by scripts/kernel.

A file that the base does not have goes to kernel/dovetail/overlay/, or to the folder of the core that it belongs to.
A commit that touches files of the base becomes a patch, of those files only; what it adds beside them goes to the
overlay. The output depends on the commits alone, so that prepare and then refresh changes nothing.

The cores may have moved on outside of build/linux since the last prepare, as long as they did not in it: then they
are not written back, and build/linux takes them over.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil

import common
import git
import series
import tree

_FORMAT = ("--zero-commit", "--no-signature", "--no-numbered", "--keep-subject", "--no-stat", "-p", "--no-renames",
           "--diff-algorithm=histogram", "--abbrev=12", "--no-color", "--no-attach", "--no-thread", "--stdout")


def refresh() -> None:
    """Writes everything back, and checks that prepare would make the same tree of it."""
    if not (common.LINUX / ".git").exists():
        raise common.Failure("there is no build/linux", "./scripts/kernel prepare makes it")
    with common.locked(tree.LOCK, "kernel: refresh"):
        if "moving_to" in tree.state():
            raise common.Failure("a prepare was stopped half way", "run `./scripts/kernel prepare` first")
        _refresh()


def _refresh() -> None:
    repo, now = tree.repo(), tree.state()
    base = now["base"]
    if tree.dirty():
        raise common.Failure("build/linux has changes that are not committed:\n" + repo.out("status", "--short"),
                             "commit them in build/linux, then run this again")
    moved_on = now.get("inputs") != tree.inputs().fingerprint()
    if moved_on and (_cores_changed(repo, now) or tree.inputs().without_cores() not in (now.get("kernel_inputs"), now["inputs"])):
        raise common.Failure("overlay, series or cores changed since the last prepare, so writing back would undo that",
                             "keep one of the two: `git diff kernel/` shows the other side")
    if not repo.ok("merge-base", "--is-ancestor", base, "HEAD"):
        raise common.Failure(f"the history of build/linux does not begin at its base ({base[:12]})",
                             "rebase your commits onto the tag `base`")
    if repo.out("rev-list", "--merges", f"{base}..HEAD"):
        raise common.Failure("build/linux has a merge commit, which no series can hold", "rebase onto the tag `base`")
    files = repo.files(base)
    patches = _patches(repo, base, files)
    new = {path: entry for path, entry in repo.files("HEAD").items() if path not in files}
    cores = {path: entry for path, entry in new.items() if _core_of(path)}
    changed = _write_files(repo, common.OVERLAY, {path: entry for path, entry in new.items() if path not in cores})
    for prefix, folder in common.CORES.items():
        own = {path.removeprefix(prefix): entry for path, entry in cores.items() if path.startswith(prefix)}
        if own and not moved_on:
            changed += _write_files(repo, folder, own)
    changed += _write_patches(patches)
    # The new commits (one per patch, the overlay first) must give the very tree that is there. Then the branch
    # moves to them, and no file does.
    wanted = tree.inputs()
    head = tree.make_commits(repo, base, wanted, "kernel: apply the series")
    names = [name for name in repo.out("diff", "--name-only", head, "HEAD").splitlines() if not (moved_on and _core_of(name))]
    if names:
        raise common.Failure("what was written back does not give the tree of build/linux; it differs in:\n" + "\n".join(names),
                             "the old state is in git: `git diff kernel/`")
    values = {key: now[key] for key in ("base", "version", "pin")}
    tree.move(head, **tree.fingerprints(wanted), **values)
    for name in changed:
        common.say(f"kernel: wrote {name}")
    common.say(f"kernel: {len(patches)} patches, {len(new)} new files; "
               + (f"{len(changed)} files changed" if changed else "nothing changed"))


def _core_of(path: str) -> str:
    """The prefix of the core that a path in the Linux tree belongs to, or nothing."""
    return next((prefix for prefix, folder in common.CORES.items() if path.startswith(prefix) and folder.is_dir()), "")


def _cores_changed(repo: git.Repo, now: dict) -> bool:
    """Whether a commit made in build/linux since the last prepare touches a core."""
    return bool(repo.out("diff", "--name-only", now["head"], "HEAD", "--", *common.CORES))


def _patches(repo: git.Repo, base: str, files: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """(slug, text) of every commit that touches files of the base."""
    found = []
    for commit in repo.out("rev-list", "--reverse", f"{base}..HEAD").split():
        touched = repo.run("diff-tree", "-r", "-z", "--no-commit-id", "--name-only", "--no-renames", commit).stdout.split("\0")
        edits = [path for path in touched if path in files]
        if not edits:
            continue
        text = repo.run("format-patch", *_FORMAT, "-1", commit, "--", *edits).stdout
        found.append((_slug(repo.out("log", "-1", "--format=%f", commit)), text.rstrip("\n") + "\n"))
    return found


def _slug(subject: str) -> str:
    """The name that git format-patch would give, so that a series it wrote keeps its names."""
    return subject[:52]


def _write_files(repo: git.Repo, folder: pathlib.Path, wanted: dict[str, tuple[str, str]]) -> list[str]:
    """Makes `folder` hold exactly `wanted`; a file that is right already is not touched."""
    changed = []
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")
             if path.is_symlink() or path.is_file()} if folder.is_dir() else {}
    for path in sorted(set(there) - set(wanted)):
        there[path].unlink()
        changed.append(f"{_shown(there[path])} (removed)")
        for parent in there[path].parents:
            if parent == folder or any(parent.iterdir()):
                break
            parent.rmdir()
    for path, (mode, blob) in sorted(wanted.items()):
        target = folder / path
        content = common.subprocess.run(["git", "cat-file", "blob", blob], env=common.merged_env(repo.env),
                                        capture_output=True, check=True).stdout
        if path in there and tree._mode(target) == mode and tree._content(target) == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.parent / f".{target.name}.partial"
        partial.unlink(missing_ok=True)
        if mode == "120000":
            partial.symlink_to(content.decode())
        else:
            partial.write_bytes(content)
            partial.chmod(0o755 if mode == "100755" else 0o644)
        os.replace(partial, target)
        changed.append(_shown(target))
    return changed


def _write_patches(patches: list[tuple[str, str]]) -> list[str]:
    """Writes the patch files and the series; side files (NNNN-slug.checkpatch) follow their patch."""
    folder = common.PATCHES
    old = {path.name: path for path in series.read(folder)}
    sides = {re.sub(r"^\d+-", "", path.stem): path for path in folder.glob("*.checkpatch")}
    names = [f"{number:04d}-{slug}.patch" for number, (slug, _) in enumerate(patches, 1)]
    if not names and not old:
        return []
    changed = []
    folder.mkdir(parents=True, exist_ok=True)
    for name, (slug, text) in zip(names, patches, strict=True):
        target = folder / name
        if not target.exists() or target.read_text(errors="surrogateescape") != text:
            _write(target, text)
            changed.append(_shown(target))
        side = sides.pop(slug, None)
        if side and side.name != f"{target.stem}.checkpatch":
            shutil.move(side, folder / f"{target.stem}.checkpatch")
            changed.append(_shown(folder / f"{target.stem}.checkpatch"))
    listing = "".join(name + "\n" for name in names)
    if not (folder / "series").exists() or (folder / "series").read_text() != listing:
        _write(folder / "series", listing)
        changed.append(_shown(folder / "series"))
    for name in sorted(set(old) - set(names)):
        old[name].unlink()
        changed.append(f"{_shown(old[name])} (removed)")
    for side in sides.values():
        common.say(f"kernel: {_shown(side)} stands beside no patch any more: rename or remove it")
    return changed


def _write(path: pathlib.Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, errors="surrogateescape")
    os.replace(partial, path)


def _shown(path: pathlib.Path) -> str:
    return str(path.relative_to(common.ROOT)) if path.is_relative_to(common.ROOT) else str(path)
