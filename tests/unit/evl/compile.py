#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles each header and source of the core alone, with the flags the kernel build has, by GCC and by Clang.

Clang adds -Wthread-safety. kapi's headers are compiled as C as well. Each source is compiled once more as in the kernel: freestanding, out of reach of
libc's headers; its object may need nothing of the C++ run-time, and may not initialise anything at start-up.
"""

from __future__ import annotations

import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

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
    files = [file for file in files if not {"platform", "cxx", "include"} & set(file.relative_to(root).parts)]  # The kernel's own: needs its headers.
    return [(compiler, file) for file in files for compiler in ("g++", "clang++")] + \
        [("freestanding", file) for file in files if file.suffix == ".cc"] + \
        [("gcc", file) for file in files if kapi in file.parents and file.suffix == ".h"]


def compile_one(compiler: str, file: pathlib.Path, includes: list[str]) -> str:
    if compiler == "freestanding":
        return compile_freestanding(file, includes)
    language = "c" if compiler == "gcc" else "c++"
    done = subprocess.run([*COMPILERS[compiler], *(f"-I{folder}" for folder in includes), "-x", language, str(file)],
                          capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"{compiler} {file}:\n{done.stdout}{done.stderr}"


KERNEL_LIKE = ["-O2", "-std=c++20", "-fno-pie", "-ffreestanding", "-D__EXPORTED_HEADERS__", "-D_GLIBCXX_ATOMIC_WAIT_H=1", "-fno-exceptions", "-fno-rtti",
               "-fno-threadsafe-statics", "-fno-use-cxa-atexit", "-fno-stack-protector", "-mno-sse", "-mno-80387", "-mcmodel=kernel", "-nostdinc", "-nostdinc++",
               "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]
RUNTIME = re.compile(r" U (?:std::|__cxa_|__gxx_|_Unwind|operator |__dso_handle)| [tT] _GLOBAL__sub_[ID]_")


def compiler_headers() -> list[str]:
    """The header folders of libstdc++ and of the compiler, without libc's."""
    said = subprocess.run(["g++", "-E", "-x", "c++", "-v", "/dev/null"], capture_output=True, text=True, check=True).stderr
    listed = said[said.index("search starts here"):said.index("End of search")].splitlines()
    return [line.strip() for line in listed if re.search(r"/c\+\+/|/lib/gcc", line)]


def compile_freestanding(file: pathlib.Path, includes: list[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        abi = pathlib.Path(folder, "abi")
        abi.mkdir()
        for name, target in (("linux", "/usr/include/linux"), ("asm-generic", "/usr/include/asm-generic"), ("asm", "/usr/include/x86_64-linux-gnu/asm")):
            (abi / name).symlink_to(target)
        built = pathlib.Path(folder, "one.o")
        own = [f"-I{each}" for each in [*includes, f"{includes[0]}/cxx/include", str(abi)]]
        system = [word for each in compiler_headers() for word in ("-isystem", each)]
        done = subprocess.run(["g++", *KERNEL_LIKE, *own, *system, "-c", "-o", str(built), str(file)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return f"freestanding {file}:\n{done.stderr}"
        symbols = subprocess.run(["nm", str(built)], capture_output=True, text=True, check=True).stdout + \
            subprocess.run(["nm", "-uC", str(built)], capture_output=True, text=True, check=True).stdout
        bad = [line for line in symbols.splitlines() if RUNTIME.search(line)]
        return f"freestanding {file}: run-time support or start-up code:\n" + "\n".join(bad) if bad else ""


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
