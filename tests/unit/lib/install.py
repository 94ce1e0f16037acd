#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs the library into a folder, and builds and runs programs against it by pkg-config: C and C++, shared and static.

Usage: install.py <build folder> <output folder>
"""

from __future__ import annotations

import os
import pathlib
import shlex
import shutil
import subprocess
import sys

PROGRAM = """
#define _GNU_SOURCE
#include <stdio.h>
#include <evl/evl.h>
#include <evl/timer.h>
#include <evl/sys.h>
#include <evl/list.h>
#include <evl/atomic.h>
static DEFINE_EVL_MUTEX(lock);
int main(void)
{
	struct evl_version version = evl_get_version();

	printf("%d %d %s %d\\n", version.api_level, version.abi_level, version.version_string, evl_close_mutex(&lock));
	return evl_lock_mutex(&lock) == -EPERM ? 0 : 1;
}
""".replace("\\\\", "\\").replace("#include <stdio.h>", "#include <errno.h>\n#include <stdio.h>")


def run(words: list[str], **more: object) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    if done.returncode != 0:
        sys.exit(f"{shlex.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> int:
    build, output = sys.argv[1], pathlib.Path(sys.argv[2])
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    run(["meson", "install", "-C", build, "--no-rebuild", "--tags", "devel,runtime", "--destdir", str(output / "root")])
    pkgconfig = next((output / "root").rglob("evl.pc"))
    libraries = pkgconfig.parent.parent
    environment = os.environ | {"PKG_CONFIG_PATH": str(pkgconfig.parent), "PKG_CONFIG_SYSROOT_DIR": str(output / "root"),
                                "LD_LIBRARY_PATH": str(libraries)}
    flags = run(["pkg-config", "--cflags", "--libs", "evl"], env=environment).split()
    said = set()
    for compiler, language in (("gcc", "c"), ("g++", "c++")):
        source = output / "program.src"
        source.write_text(PROGRAM if language == "c" else PROGRAM.replace("#define _GNU_SOURCE", ""))
        for kind in ("shared", "static"):
            program = str(output / f"program-{language}-{kind}")
            wanted = flags if kind == "shared" else [str(libraries / "libevl.a") if word == "-levl" else word for word in flags]
            run([compiler, "-Wall", "-Wextra", "-Werror", "-x", language, str(source), "-x", "none", "-o", program, *wanted])
            said.add(run([program], env=environment).strip())
    print("\n".join(said))
    return 0 if len(said) == 1 and said.pop().startswith("27 36 evl.") else 1


if __name__ == "__main__":
    sys.exit(main())
