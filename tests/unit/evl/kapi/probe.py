#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds a kernel whose core only tries kapi (probe.c), boots it, and runs probe-user.c in it. Needs build/linux and build/kernel/lean.

The kernel is `lean` with EVL in place of the toy core, in the folder WORK; the whole of it is compiled, since each task has other contents.
Ends with the status of the guest: 0 when kernel and user side count no failure.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]
SOURCE = ROOT / "build" / "linux"
CONFIG = ROOT / "build" / "kernel" / "lean" / ".config"
# In the guest: what the user's half says, what the core has seen, and its verdict.
JUDGE = "/root/probe-user && cat /sys/devices/virtual/probe/probe/results && grep -q '^failures 0$' /sys/devices/virtual/probe/probe/results"


def run(*words: object, cwd: pathlib.Path | None = None) -> None:
    subprocess.run([str(word) for word in words], cwd=cwd, check=True)


def lay(tree: pathlib.Path) -> None:
    """A copy of the kernel tree with kernel/evl in it, the probe in place of the C++ objects."""
    run("rsync", "-a", "--delete", "--exclude=.git", f"{SOURCE}/", f"{tree}/")
    evl = tree / "kernel" / "evl"
    run("rsync", "-a", "--delete", f"{ROOT}/kernel/evl/", f"{evl}/")
    run("rsync", "-a", f"{ROOT}/include/uapi/evl", f"{tree}/include/uapi/")
    shutil.copy(HERE / "probe.c", evl / "probe.c")
    replace(evl / "Makefile", "core-cxx.o\n", "probe.o\n$(obj)/probe.o: $(obj)/kapi-sizes.h\n")
    for file, line in ((tree / "kernel" / "Makefile", "obj-$(CONFIG_EVL) += evl/"), (tree / "kernel" / "Kconfig.dovetail", 'source "kernel/evl/Kconfig"')):
        text = file.read_text()
        if line not in text:
            file.write_text(f"{text}\n{line}\n")


def replace(file: pathlib.Path, old: str, new: str) -> None:
    text = file.read_text()
    if old not in text:
        raise SystemExit(f"{file}: no {old!r}: has the build changed?")
    file.write_text(text.replace(old, new))


def build(tree: pathlib.Path, out: pathlib.Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(CONFIG, out / ".config")
    run("scripts/config", "--file", out / ".config", "-d", "DOVETAIL_TOYCORE", "-e", "EVL", "-d", "EVL_LATMUS", "-d", "EVL_HECTIC", cwd=tree)
    make = ["make", "-s", "-C", tree, f"O={out}", f"CC={'ccache ' if shutil.which('ccache') else ''}gcc", f"-j{os.cpu_count()}"]
    run(*make, "olddefconfig")
    run(*make, "bzImage")


def main() -> int:
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} WORK", file=sys.stderr)
        return 2
    work = pathlib.Path(sys.argv[1]).resolve()
    lay(work / "linux")
    build(work / "linux", work / "out")
    run("gcc", "-Wall", "-Wextra", "-static", "-o", work / "probe-user", HERE / "probe-user.c")
    return subprocess.run([ROOT / "scripts" / "board", "run", "--kernel", work / "out" / "arch" / "x86" / "boot" / "bzImage", "--vmlinux",
                           work / "out" / "vmlinux", "--no-modules", "--add", work / "probe-user", "--", "sh", "-c", JUDGE], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
