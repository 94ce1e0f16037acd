"""Builds one configuration out of tree: .config made and verified, make, modules, and the stamp.

The stamp (build/kernel/<config>/.stamp.json) holds a digest of everything that a build depends on: tree, fragments,
compiler, and how make is called. It is written last and taken away first, so it is there only when the
outputs are whole; while it matches, make is not even started.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil

import common
import git
import kconfig
import packages
import tree

_EXPECTED_LINES = 2050  # Of make output in a full build, before the first build has counted them.
_NEED_MB = {"kasan": 1800, "toykasan": 1800, "debug": 1500, "toydebug": 1500}
_VERSION = 1            # Part of the stamp: raise it when this file changes what is built.


@dataclasses.dataclass(frozen=True)
class Target:
    """What is built where: a configuration's own, or a step of `kernel series`."""
    name: str
    source: pathlib.Path
    out: pathlib.Path


def target(config: str) -> Target:
    return Target(config, common.kernel_tree(config), common.kernel_out(config))


def build(config: str, jobs: int) -> bool:
    """Builds one configuration; returns False when nothing had changed."""
    kconfig.check_name(config)
    goal = target(config)
    with common.locked(common.KERNEL / f".{config}.lock", f"kernel: build {config}"):
        _prepare(config)
        if is_current(config):
            return False
        packages.ensure("kernel")
        common.need_disk(common.BUILD, max(200, _NEED_MB.get(config, 1200) - common.folder_mb(goal.out)),
                         f"build {config}")
        # Nobody may move the tree under a running make. Other configurations can build beside this one.
        with common.locked(tree.LOCK, f"kernel: build {config}", shared=True):
            key = _key(goal)
            stamp = goal.out / ".stamp.json"
            stamp.unlink(missing_ok=True)
            configure(goal)
            warnings = make(goal, ["bzImage", "modules"], jobs, f"kernel: build {config}")
            _install_modules(goal)
            common.write_atomically(goal.out / "warnings.txt", "".join(warnings))
            release = (goal.out / "include/config/kernel.release").read_text().strip()
            values = {"key": key, "release": release, "source": tree.state()["version"],
                      "config_sha256": config_sha256(goal.out), "warnings": len(warnings)}
            common.write_atomically(stamp, json.dumps(values, indent=1))
        if warnings:
            common.say(f"kernel: {len(warnings)} warnings, in {goal.out / 'warnings.txt'}; the first: {warnings[0].strip()}")
    return True


def is_current(config: str) -> bool:
    """Whether the outputs are there and nothing they depend on has changed."""
    goal = target(config)
    outputs = (common.kernel_image(config), goal.out / "vmlinux", common.kernel_modules(config))
    stamp = common.read_json(goal.out / ".stamp.json")
    return bool(stamp) and all(path.exists() for path in outputs) and stamp.get("key") == _key(goal)


def config_sha256(out: pathlib.Path) -> str:
    """Of the symbols only: the comments name the compiler, the local version names the configuration."""
    lines = [text for text in (out / ".config").read_text().splitlines()
             if text.startswith(("CONFIG_", "# CONFIG_")) and not text.startswith(("CONFIG_LOCALVERSION=",
                                                                                    "CONFIG_CC_VERSION_TEXT="))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _prepare(config: str) -> None:
    if config == "vanilla":
        tree.prepare_vanilla()
        return
    if (common.LINUX / ".git").exists() and "moving_to" not in tree.state() and tree.own_work():
        # An engineer at work: the tree is built as it is, unless overlay and series went elsewhere meanwhile.
        if tree.state().get("inputs") == tree.inputs().fingerprint():
            common.say("kernel: build/linux holds work of its own (`kernel refresh` writes it back): building it as it is")
            return
    tree.prepare()


def _key(goal: Target) -> str:
    """The digest of what the build of a target depends on."""
    if goal.source == common.LINUX_VANILLA:
        content = tree.state().get("base", "")
    else:
        repo = tree.repo()
        # Work that is not committed has no name; its status and content stand in for one.
        content = repo.tree_id("HEAD") + repo.run("diff", "HEAD").stdout + _untracked(repo)
    digest = hashlib.sha256()
    for part in (str(_VERSION), content, kconfig.merged_text(_requests(goal.name)), _compiler(),
                 *_make_arguments(goal), json.dumps(_make_env(), sort_keys=True)):
        digest.update(part.encode(errors="surrogateescape") + b"\0")
    return digest.hexdigest()


def _untracked(repo: git.Repo) -> str:
    names = repo.run("ls-files", "-z", "--others", "--exclude-standard").stdout.split("\0")
    return "".join(name + hashlib.sha256((common.LINUX / name).read_bytes()).hexdigest() for name in names if name)


def _compiler() -> str:
    return common.run(["gcc", "--version"]).stdout.splitlines()[0]


# Make -------------------------------------------------------------------------------------------

def _make_arguments(goal: Target) -> list[str]:
    """What every make of a target is called with.

    The prefix maps hide where the clone is: objects, and so the entries of ccache, are the same in another folder.
    ccache passes paths relative to the build folder, so __FILE__ needs the relative form mapped as well.
    """
    relative = os.path.relpath(goal.source, goal.out)
    maps = [f"-ffile-prefix-map={common.BUILD}/=/dovetail/", f"-fmacro-prefix-map={relative}/=",
            f"-fmacro-prefix-map={goal.source}/="]
    cached = "ccache " if shutil.which("ccache") else ""
    return ["-C", str(goal.source), f"O={goal.out}", f"CC={cached}gcc", f"CXX={cached}g++", f"HOSTCC={cached}gcc",
            f"KCFLAGS={' '.join(maps)}", f"KAFLAGS={' '.join(maps)}"]


def _make_env() -> dict[str, str]:
    """Nothing of the user's may leak into a build, and two builds of one source are the same."""
    return {"LC_ALL": "C", "ARCH": "x86", "CCACHE_BASEDIR": str(common.BUILD), "CCACHE_NOHASHDIR": "1",
            "KBUILD_BUILD_TIMESTAMP": "2026-01-01 00:00:00 UTC", "KBUILD_BUILD_USER": "dovetail",
            "KBUILD_BUILD_HOST": "build", "KBUILD_BUILD_VERSION": "1",
            # Set though empty: or the release would get a + because the tree's commit has no release tag.
            "LOCALVERSION": "", "KCONFIG_NOTIMESTAMP": "1", "MAKEFLAGS": "", "MAKELEVEL": "0"}


def _requests(config: str) -> dict[str, kconfig.Request]:
    merged = kconfig.requests(kconfig.fragments(config))
    suffix = "-vanilla" if config == "vanilla" else f"-dovetail-{config}"
    merged.setdefault("CONFIG_LOCALVERSION", kconfig.Request("CONFIG_LOCALVERSION", f'"{suffix}"', "kbuild.py"))
    return merged


def configure(goal: Target, merged: dict[str, kconfig.Request] | None = None) -> None:
    """Makes .config from the fragments and verifies it. A .config that comes out the same stays untouched."""
    merged = merged or _requests(goal.name)
    goal.out.mkdir(parents=True, exist_ok=True)
    wanted = goal.out / ".config.wanted"
    fragments = goal.out / ".config.fragments"
    fragments.write_text(kconfig.merged_text(merged))
    with common.Progress(f"kernel: configure {goal.name}") as progress:
        log = goal.out / "configure.log"
        status = common.run_logged(["make", *_make_arguments(goal), "allnoconfig"], log, progress, env={
            **_make_env(), "KCONFIG_ALLCONFIG": str(fragments), "KCONFIG_CONFIG": str(wanted)})
        if status != 0:
            raise common.Failure(f"make allnoconfig failed (log: {log})\n{_tail(log)}", "is a Kconfig file broken?")
        kconfig.verify(merged, kconfig.read_config(wanted), goal.source)
    config = goal.out / ".config"
    if config.exists() and config.read_bytes() == wanted.read_bytes():
        wanted.unlink()
    else:
        os.replace(wanted, config)


def make(goal: Target, goals: list[str], jobs: int, title: str, env: dict[str, str] | None = None) -> list[str]:
    """Runs make with a progress line; returns the compiler's and objtool's warnings."""
    log = goal.out / "make.log"
    lines_file = common.KERNEL / ".lines.json"
    counts = common.read_json(lines_file)
    warnings: list[str] = []
    count = 0

    def on_line(text: str) -> None:
        nonlocal count
        count += 1
        if re.search(r"\bwarning:", text, re.IGNORECASE):
            warnings.append(text)

    with common.Progress(title, counts.get(goal.name, _EXPECTED_LINES)) as progress:
        status = common.run_logged(["nice", "-n", "5", "make", *_make_arguments(goal), f"-j{jobs}", *goals], log, progress,
                                   env={**_make_env(), **(env or {})}, on_line=on_line)
        if status < 0:
            raise common.Failure(f"make was ended by signal {-status} (log: {log})",
                                 "somebody stopped it, or memory ran out; run this again, and it goes on from there")
        if status != 0:
            raise common.Failure(f"make failed with status {status} (log: {log})\n{_errors(log)}",
                                 "mend it in the tree (build/linux) and run this again; it goes on from there")
    # A build of everything teaches the next one its length.
    if count > counts.get(goal.name, 1000):
        common.write_atomically(lines_file, json.dumps({**common.read_json(lines_file), goal.name: count}))
    return warnings


def _install_modules(goal: Target) -> None:
    partial, final = goal.out / "modules.partial", goal.out / "modules"
    shutil.rmtree(partial, ignore_errors=True)
    with common.Progress(f"kernel: install modules of {goal.name}") as progress:
        log = goal.out / "modules.log"
        status = common.run_logged(["make", *_make_arguments(goal), f"INSTALL_MOD_PATH={partial}", "INSTALL_MOD_STRIP=1",
                                    "modules_install"], log, progress, env=_make_env())
        if status != 0:
            raise common.Failure(f"make modules_install failed (log: {log})\n{_tail(log)}")
    for link in partial.glob("lib/modules/*/build"):
        link.unlink()
    shutil.rmtree(final, ignore_errors=True)
    os.replace(partial, final)


def _errors(log: pathlib.Path) -> str:
    """The lines of a make log that say what is wrong, with the ones that follow."""
    lines = log.read_text(errors="replace").splitlines()
    first = next((number for number, text in enumerate(lines)
                  if re.search(r"\berror:|undefined reference|\*\*\* |No space left", text)), None)
    return _tail(log) if first is None else "\n".join(lines[max(0, first - 2):first + 18])


def _tail(log: pathlib.Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
