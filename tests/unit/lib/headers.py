#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles every public header alone, in C and C++, with both compilers, and each initializer the headers offer.

Usage: headers.py <include> <include/uapi>; what was compiled and failed is printed. Nothing is linked or run.
"""

from __future__ import annotations

import concurrent.futures
import pathlib
import shutil
import subprocess
import sys

COMMON = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-fsyntax-only"]
# The oldest and the newest language by one compiler, what is usual between them by the other.
DIALECTS = [("gcc", "c", "gnu99"), ("clang", "c", "gnu11"), ("g++", "c++", "gnu++11"), ("clang++", "c++", "c++17"), ("g++", "c++", "c++20")]

# At file scope, static or not, and in a function; as an application writes them.
USES = """
#include <evl/evl.h>
#include <evl/timer.h>
#include <evl/sys.h>
static struct evl_mutex m1 = EVL_MUTEX_INITIALIZER("m1", EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_NORMAL);
struct evl_mutex m2 = EVL_MUTEX_INITIALIZER("m2", EVL_CLOCK_REALTIME, 10, EVL_MUTEX_RECURSIVE);
static DEFINE_EVL_MUTEX(m3);
DEFINE_EVL_MUTEX(m4);
static struct evl_event e1 = EVL_EVENT_INITIALIZER("e1", EVL_CLOCK_MONOTONIC, EVL_CLONE_PRIVATE);
static DEFINE_EVL_EVENT(e2);
DEFINE_EVL_EVENT(e3);
#if __EVL__ != 27 || EVL_ABI_PREREQ != 36
#error "not the revision that was promised"
#endif
int use(void);
int use(void)
{
	struct evl_mutex local = EVL_MUTEX_INITIALIZER("local", EVL_CLOCK_MONOTONIC, 0, 0);
	struct evl_sched_attrs attrs;
	union evl_value values[3] = { evl_intval(1), evl_ptrval(&attrs), evl_nil };
	int oldmask, status;

	attrs.sched_policy = SCHED_RR;
	attrs.sched_priority = 1;
	attrs.sched_rr_quantum.tv_sec = 0;
	attrs.sched_rr_quantum.tv_nsec = 1000000;
	status = evl_attach_self("name:%d", 1);
	status += evl_attach_self(NULL);
	status += evl_new_mutex(&local, "m");
	status += evl_new_mutex(&local, NULL);
	status += evl_new_event(&e1, "e:%s", "x");
	status += evl_new_xbuf(1024, "x");
	status += evl_new_proxy(1, 4096, "p:%d", 2);
	status += evl_set_schedattr(evl_get_self(), &attrs);
	status += evl_set_thread_mode(evl_get_self(), EVL_T_WOSS | EVL_T_HMSIG, &oldmask);
	status += evl_lock_mutex(&m1) + evl_lock_mutex(&m2) + evl_lock_mutex(&m3);
	status += evl_wait_event(&e2, &m4) + evl_signal_event(&e3);
	status += (int)EVL_STACK_DEFAULT + (int)values[0].val;
	status += (int)evl_printf("%d\\n", status);
	return status + POLLIN;
}
"""


def jobs(includes: list[pathlib.Path], folder: pathlib.Path) -> list[list[str]]:
    headers = sorted(str(path.relative_to(top)) for top in includes for path in top.rglob("*.h") if "uapi" not in path.relative_to(top).parts)
    words = []
    for compiler, kind, standard in DIALECTS:
        if shutil.which(compiler) is None:
            continue
        base = [compiler, "-x", kind, f"-std={standard}", *COMMON, *[f"-I{top}" for top in includes]]
        words += [[*base, "-include", header, "/dev/null"] for header in headers]
        words.append([*base, *(["-Wno-c99-designator"] if compiler == "clang++" else []), str(folder / "uses.src")])
    return words


def main() -> int:
    includes = [pathlib.Path(word).resolve() for word in sys.argv[1:3]]
    folder = pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "uses.src").write_text(USES)
    failed = 0
    work = jobs(includes, folder)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for words, done in zip(work, pool.map(lambda job: subprocess.run(job, capture_output=True, text=True, check=False), work)):
            if done.returncode != 0:
                failed += 1
                print(" ".join(words), done.stderr, sep="\n")
    print(f"{len(work)} compilations, {failed} failed")
    return 1 if failed or not work else 0


if __name__ == "__main__":
    sys.exit(main())
