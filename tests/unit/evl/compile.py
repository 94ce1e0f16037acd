#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles each header and source of the core alone, with the flags the kernel build has, by GCC and by Clang.

Clang adds -Wthread-safety. kapi's headers are compiled as C as well. Nothing is generated: only messages matter.
"""

from __future__ import annotations

import concurrent.futures
import pathlib
import shutil
import subprocess
import sys

FREESTANDING = ["-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-Wall", "-Wextra", "-Werror", "-Wnon-virtual-dtor", "-Woverloaded-virtual",
                "-Wno-unused-parameter", "-fsyntax-only"]
COMPILERS = {
    "g++": ["g++", "-std=c++20", "-Wsuggest-override", *FREESTANDING],
    "clang++": ["clang++", "-std=c++20", "-Wthread-safety", "-Wno-pragma-once-outside-header", *FREESTANDING],
    "gcc": ["gcc", "-std=gnu11", "-include", "stdbool.h", "-include", "stddef.h", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"],
}


def jobs(root: pathlib.Path) -> list[tuple[str, pathlib.Path]]:
    files = sorted(root.rglob("*.h")) + sorted(root.rglob("*.cc"))
    kapi = root / "kapi"
    files = [file for file in files if "platform" not in file.relative_to(root).parts]  # The kernel's own: needs its headers.
    return [(compiler, file) for file in files for compiler in ("g++", "clang++")] + \
        [("gcc", file) for file in files if kapi in file.parents and file.suffix == ".h"]


def compile_one(compiler: str, file: pathlib.Path, includes: list[str]) -> str:
    language = "c" if compiler == "gcc" else "c++"
    done = subprocess.run([*COMPILERS[compiler], *(f"-I{folder}" for folder in includes), "-x", language, str(file)],
                          capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"{compiler} {file}:\n{done.stdout}{done.stderr}"


def main() -> int:
    root, includes = pathlib.Path(sys.argv[1]), sys.argv[1:]
    missing = [name for name in COMPILERS if shutil.which(name) is None]
    if missing:
        print(f"not installed: {', '.join(missing)}")
        return 1
    work = jobs(root)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        reports = [report for report in pool.map(lambda job: compile_one(*job, includes), work) if report]
    print("\n".join(reports) if reports else f"{len(work)} compilations")
    return 1 if reports or not work else 0


if __name__ == "__main__":
    sys.exit(main())
