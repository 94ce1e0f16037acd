"""Builds what runs in the guest: Meson programs, kernel modules, the kernel's selftests. Used by the suites."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil

import common
import hostbuild
import source
import tree

from check.context import Context, Failed

MODULES = common.BUILD / "modules"
SELFTESTS = common.BUILD / "selftests"
MODULE_ENV = {"MAKEFLAGS": "", "MAKELEVEL": "0", "ARCH": "x86"}
TARGETS = ("timers", "futex", "sigaltstack", "breakpoints", "ptrace", "x86", "rseq", "membarrier", "clone3",
           "filesystems/epoll", "sched", "cgroup", "perf_events", "exec")
# Of these, a program does not compile; it asks for ARCH by another name to build all that this machine can run.
PARTLY = ("mm",)


def meson(context: Context, *targets: str) -> pathlib.Path:
    """Configures build/host, and compiles these targets or all; its folder."""
    with common.locked(hostbuild.LOCK, "check: build host programs"):
        for words in hostbuild.commands(*targets):
            _well(context, words, str(words[0]))
        hostbuild.configured()
    return common.HOST


def program(context: Context, relative: str) -> pathlib.Path:
    """One program, by its path below build/host: a suite builds what it runs, not the tests of everything else."""
    path = meson(context, relative) / relative
    if not path.exists():
        raise Failed(f"{relative}: Meson does not build it")
    return path


def module_words(config: str, name: str) -> list[str | pathlib.Path]:
    """The command that builds one test module against one kernel."""
    return [common.ROOT / "tests" / "target" / "kmod" / "build.sh", common.kernel_out(config), MODULES / config, name]


def module(context: Context, config: str, folder: pathlib.Path) -> pathlib.Path:
    """Builds the modules of a folder against one kernel; where their .ko files are."""
    if not (folder / "Kbuild").exists():
        raise Failed(f"there is no kernel test module in {folder.relative_to(common.ROOT)}")
    if not (common.kernel_out(config) / ".config").exists():
        raise Failed(f"the kernel {config} is not built (./scripts/kernel build --config {config})")
    with (common.locked(MODULES / f".{config}.lock", "check: build modules"),
          common.locked(tree.LOCK, "check: build modules", shared=True)):
        _well(context, module_words(config, folder.name), f"module {folder.name} for {config}", MODULE_ENV)
    return MODULES / config / folder.name


def selftests(context: Context) -> pathlib.Path:
    """Builds the kernel's selftests, once per source version; the folder that holds them.

    Their sources are those of the unpatched kernel: vanilla and lean run the very same programs.
    """
    version = tree.state().get("version") or source.pinned().version
    out = SELFTESTS / source.tag(version)
    done = out / "kselftest"
    stamp = out / ".complete"
    key = hashlib.sha256("\n".join((*TARGETS, *PARTLY, version)).encode()).hexdigest()
    with common.locked(SELFTESTS / ".lock", "check: build selftests"):
        if stamp.exists() and stamp.read_text() == key:
            return done
        common.need_disk(common.BUILD, 400, "build the selftests")
        shutil.rmtree(out, ignore_errors=True)
        context.say("building the kernel's selftests")
        unpacked = out / "source"
        unpacked.mkdir(parents=True)
        archive = out / "source.tar"
        _well(context, ["git", f"--git-dir={common.LINUX / '.git'}", "archive", "-o", archive, source.tag(version),
                        "Makefile", "Kbuild", "Kconfig", "scripts", "include", "arch/x86", "tools/testing/selftests",
                        "tools/include", "tools/arch", "tools/scripts", "usr/include", "mm/gup_test.h"], "unpack the selftests")
        _well(context, ["tar", "-xf", archive, "-C", unpacked], "unpack the selftests")
        archive.unlink()
        jobs = f"-j{os.cpu_count() or 1}"
        built = out / "obj"
        _well(context, ["make", "-C", unpacked, f"O={built}", jobs, "headers"], "make headers", MODULE_ENV)
        _well(context, ["make", "-C", unpacked / "tools/testing/selftests", f"O={built}", jobs,
                        f"TARGETS={' '.join(TARGETS)}", "FORCE_TARGETS=1", "all"], "build the selftests", MODULE_ENV)
        # Its status says nothing: a program that a list names and that is not there fails its test.
        context.command(["make", "-k", "-C", unpacked / "tools/testing/selftests", f"O={built}", jobs, f"TARGETS={' '.join(PARTLY)}",
                         "all"], timeout_s=600, env={**MODULE_ENV, "ARCH": "x86_64"}, title="build the selftests that build")
        (built / "kselftest").rename(done)
        shutil.rmtree(unpacked)
        shutil.rmtree(built)
        stamp.write_text(key)
    return done


def _well(context: Context, argv: list, what: str, env: dict[str, str] | None = None) -> None:
    done = context.command(argv, timeout_s=600, env=env, title=what)
    if done.status != 0:
        lines = [line for line in (done.err + done.out).splitlines() if "error" in line.lower()]
        raise Failed(f"{what} failed ({done.status}): {lines[0].strip() if lines else done.last}")
