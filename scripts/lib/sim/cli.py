"""The command line of scripts/sim: builds the simulator and runs it in as many processes as there are processors.

Each process takes every n-th seed; the first that fails ends the others, and its report is what is shown.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import common
import hostbuild

from sim import coverage

_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


def duration_s(text: str) -> int:
    """Seconds of "90", "90s", "5min", "2h"."""
    found = re.fullmatch(r"(\d+)\s*(s|m|min|h|)", text)
    if not found or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"not a duration: {text} (such as 90s, 5min, 2h)")
    return int(found[1]) * _UNITS[found[2]]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="sim", description="Searches the core for bugs on simulated CPUs.")
    made.add_argument("--for", dest="seconds", type=duration_s, metavar="DURATION", help="search so long (default: 30s)")
    made.add_argument("--seed", type=int, metavar="N", help="replay one seed")
    made.add_argument("--shrink", action="store_true", help="reduce the program of a failure")
    made.add_argument("--lines", type=int, metavar="N", help="length of the trace (default: 120)")
    made.add_argument("--explore", action="store_true", help="every schedule of the small scenarios")
    made.add_argument("--preemptions", type=int, metavar="N", help="with --explore: at most so many (default: 2)")
    made.add_argument("--coverage", action="store_true", help="which lines and branches of the core the host tests reach")
    made.add_argument("--runs", type=int, default=60, metavar="N", help="with --coverage: seeds per scenario (default: 60)")
    made.add_argument("--list", action="store_true", help="name the scenarios")
    made.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    made.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="default: all")
    return made


def built(target: str = "tests/sim/sim") -> pathlib.Path:
    """Brings the simulator up to date; its path."""
    with common.locked(hostbuild.LOCK, "sim: build"):
        for words in hostbuild.commands(target):
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
            if done.returncode:
                raise common.Failure(f"the simulator does not build:\n{(done.stdout + done.stderr)[-4000:]}")
        hostbuild.configured()
    path = common.HOST / target
    if not path.is_file():
        raise common.Failure(f"{target} is not a target of the build", "see tests/sim/meson.build")
    return path


def search(program: pathlib.Path, words: list[str], jobs: int, first: int) -> int:
    """Runs `jobs` processes over disjoint seeds; the status of the first failure, or 0."""
    with contextlib.ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile("w+", errors="replace")) for _ in range(jobs)]
        running = [subprocess.Popen([str(program), *words, "--from", str(first + job), "--stride", str(jobs)],
                                    stdout=outputs[job], stderr=subprocess.STDOUT) for job in range(jobs)]
        try:
            while None in (states := [one.poll() for one in running]) and not any(states):  # Each is polled, whatever the others say.
                time.sleep(0.1)
        finally:
            failed = next((job for job, one in enumerate(running) if one.returncode), None)
            for process in running:
                if process.poll() is None:
                    process.terminate()
                process.wait()
        for job in range(jobs) if failed is None else [failed]:
            outputs[job].seek(0)
            sys.stdout.write(outputs[job].read())
        return 0 if failed is None else 2 if running[failed].returncode == 2 else 1


def main() -> int:
    options = parser().parse_args()
    if options.coverage:
        print(coverage.measure(options.runs))
        return 0
    program = built()
    words = list(options.scenarios)
    if options.lines:
        words += ["--lines", str(options.lines)]
    if options.shrink:
        words += ["--shrink"]
    if options.list:
        return subprocess.run([program, "--list"], check=False).returncode
    if options.seed is not None:
        return subprocess.run([program, "--seed", str(options.seed), *words], check=False).returncode
    if options.explore:
        limit = ["--preemptions", str(options.preemptions)] if options.preemptions is not None else []
        return subprocess.run([program, "--explore", "--runs", "1000000", *limit, *words], check=False).returncode
    first = int(time.time()) % 1_000_000 * 1_000  # Each search by hand looks elsewhere; the report names the seed.
    return search(program, ["--for", str(options.seconds or 30), *words], max(1, options.jobs), first)
