"""What a suite is given: its parameters, a log, and the ways to run things, all of them bounded in time.

C1  No command outlives its limit or this process: each has a session of its own, which is ended whole.
C2  Every command and all it said is in the log; the terminal shows progress and failures.
"""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

import common

from check.table import Form, Suite

LOGS = common.BUILD / "check"
BOARD = common.SCRIPTS / "board"
KERNEL = common.SCRIPTS / "kernel"
BOARD_TIMEOUT = 124
BOARD_REPORT = 70
_SHOWN_FAILURES = 12
# Boot parameter: the core leaves the out-of-band stage and the timers to a module that is a test of them.
WITHOUT_CORE = "evl.state=disabled"
CORES = os.cpu_count() or 1
# Virtual CPUs that run at once, where no time is measured.
ROOM = 3 * CORES
_WATCHDOG_S = 30  # A soft lockup is reported after twice that.

# What a job returns.
T = TypeVar("T")


class Failed(Exception):
    """The suite found something wrong."""


class Skipped(Exception):
    """--config or --smp leave nothing of this suite."""


@dataclass(frozen=True)
class Done:
    """A command that has ended. `status` is None when it was ended by its limit."""
    status: int | None
    out: str
    err: str
    seconds: float

    @property
    def last(self) -> str:
        """The last line on stderr: the board's verdict."""
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""


class Context:
    def __init__(self, suite: Suite, form: Form, *, long: bool, configs: Sequence[str], smp: Sequence[int],
                 end: float = math.inf) -> None:
        """`end`: of the time that all suites have together, on time.monotonic()."""
        self.suite = suite
        self.long = long
        self.values = form.values
        self.configs = tuple(configs)  # Of --config and --smp; empty when not given.
        self.smp = tuple(smp)
        own = time.monotonic() + form.limit_s
        self._deadline = min(own, end)
        self._limit = (f"the suite's limit of {form.limit_s:.0f} s" if own <= end
                       else "the limit of all suites together, after which --resume continues,")
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False
        self._refused = False  # --config and --smp took a combination out, and
        self._ran = False  # left one in, or the suite booted another.
        self._failures: list[str] = []
        self.facts: list[str] = []  # Shown beside the verdict, such as a maximum lateness.
        self.log_path = LOGS / f"{suite.name}.log"
        LOGS.mkdir(parents=True, exist_ok=True)
        self._log = self.log_path.open("w", errors="replace")

    # What was asked for on the command line.

    def wants(self, config: str, smp: int | None = None) -> bool:
        """Whether --config and --smp leave this combination in."""
        wanted = (not self.configs or config in self.configs) and (not self.smp or smp is None or smp in self.smp)
        self._refused |= not wanted
        self._ran |= wanted
        return wanted

    def only_on(self, config: str) -> None:
        """For a suite that means something on one kernel only."""
        if not self.wants(config):
            raise Skipped(f"runs on {config} only")

    # Messages and verdicts.

    def log(self, text: str) -> None:
        with self._lock:
            if not self._log.closed:
                self._log.write(text.rstrip("\n") + "\n")
                self._log.flush()

    def say(self, text: str) -> None:
        self.log(f"## {text}")
        common.say(f"  {self.suite.name}: {text}")

    def fact(self, text: str) -> None:
        self.log(f"## {text}")
        self.facts.append(text)

    def expect(self, true: bool, otherwise: str) -> bool:
        """Records a failure and goes on: one run shows all that is wrong."""
        if not true:
            with self._lock:
                self._failures.append(otherwise)
            self.log(f"!! {otherwise}")
            common.say(f"  {self.suite.name}: FAILED: {otherwise}")
        return true

    def verdict(self) -> None:
        if self._failures:
            more = len(self._failures) - _SHOWN_FAILURES
            raise Failed("\n".join(self._failures[:_SHOWN_FAILURES]) + (f"\nand {more} more" if more > 0 else ""))
        if self._refused and not self._ran:
            raise Skipped("--config and --smp leave nothing of it")

    # Commands.

    def left_s(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def command(self, argv: Sequence[str | pathlib.Path], *, timeout_s: float = 120, cwd: pathlib.Path | None = None,
                env: dict[str, str] | None = None, title: str = "") -> Done:
        """Runs a command, captures both streams, and ends it with its children at the limit."""
        words = [str(word) for word in argv]
        limit = min(timeout_s, self.left_s())
        started = time.monotonic()
        if self._stopped:
            raise Failed("stopped")
        if limit <= 0:
            raise Failed(f"{self._limit} is reached")
        try:
            process = subprocess.Popen(words, cwd=cwd or common.ROOT, env=common.merged_env(env), text=True,
                                       errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, start_new_session=True)
        except FileNotFoundError:
            raise Failed(f"program not found: {words[0]} (./scripts/setup installs what is needed)") from None
        with self._lock:
            self._running.add(process)
            stopped = self._stopped
        try:
            if stopped:  # While it was being started: stop() has not seen it.
                raise Failed("stopped")
            out, err = self._wait(process, limit, title or words[0])
            status = process.returncode
        except subprocess.TimeoutExpired:
            out, err = _end(process)
            status = None
        except BaseException:
            _end(process)
            raise
        finally:
            with self._lock:
                self._running.discard(process)
        done = Done(status, out, err, time.monotonic() - started)
        self.log(f"$ {shlex.join(words)}\n{done.out}\n{done.err}\n"
                 f"-- {'ended by its limit' if status is None else f'status {status}'}, {common.seconds(done.seconds)}\n")
        return done

    def _wait(self, process: subprocess.Popen[str], limit: float, title: str) -> tuple[str, str]:
        """communicate() with signs of life, as a Progress has them."""
        started = time.monotonic()
        pauses = common.pauses()
        while True:
            spent = time.monotonic() - started
            try:
                return process.communicate(timeout=min(next(pauses), max(0.01, limit - spent)))
            except subprocess.TimeoutExpired:
                if time.monotonic() - started >= limit:
                    raise
                common.say(f"  {self.suite.name}: {title} ({common.seconds(time.monotonic() - started)})")

    def board(self, command: Sequence[str], *, config: str, smp: int = 1, timeout_s: float = 120,
              add: Sequence[tuple[pathlib.Path, str]] = (), append: str = "", icount: bool = False,
              modules: bool = False, expect: str = "", device: Sequence[str] = (), more: Sequence[str] = (),
              env: dict[str, str] | None = None, title: str = "") -> Done:
        """One boot. `out` is CMD's output; the status is the board's (124 time-out, 70 kernel report)."""
        self._ran = True
        # Emulated, also where KVM works: limits and stored verdicts are the emulator's, and so is the CPU model.
        words: list[str | pathlib.Path] = [BOARD, "run", "--config", config, "--accel", "tcg", "--smp", str(smp),
                                           "--timeout", f"{min(timeout_s, max(1.0, self.left_s() - 30)):.0f}"]
        words += [f"--add={host}:{guest}" for host, guest in add]
        # The watchdogs measure the host as well: a virtual CPU that gets no time is "stuck". One minute is the kernel's.
        parameters = [] if icount else [f"watchdog_thresh={_WATCHDOG_S}"]
        parameters += [append] if append else []
        words += ["--append", " ".join(parameters)] if parameters else []
        words += ["--icount"] if icount else []
        words += [] if modules else ["--no-modules"]
        words += ["--expect", expect] if expect else []
        for one in device:
            words += ["--device", one]
        # The board ends by itself at its limit, with backtraces; ours is behind it.
        return self.command([*words, *more, "--", *command], timeout_s=timeout_s + 90, env=env,
                            title=title or f"{config}, {smp} CPU{'s' if smp > 1 else ''}: {command[0]}")

    def ran_well(self, done: Done, what: str) -> bool:
        """Expects a boot to have ended with status 0."""
        if done.status == 0:
            return True
        why = "ended by the suite's limit" if done.status is None else done.last or f"status {done.status}"
        report = [line.split("|", 1)[1].strip() for line in done.err.splitlines() if line.startswith("  |")]
        named = next((line for line in report if "BUG" in line or "WARNING" in line), report[0] if report else "")
        return self.expect(False, f"{what}: {why}{f': {named}' if named else ''}")

    def said_so(self, done: Done, what: str, good: str) -> bool:
        """Expects a boot to have ended well, to have printed no line with FAILED, and one that matches `good`."""
        fine = True
        for line in (done.out + done.err).splitlines():
            if "FAILED" in line:
                fine = self.expect(False, f"{what}: {line.strip()}")
        return (self.ran_well(done, what) and fine
                and self.expect(re.search(good, done.out + done.err) is not None, f"{what}: it did not say that it passed"))

    def parallel(self, jobs: Sequence[Callable[[], object]]) -> list[object]:
        """Runs the jobs at once; the first exception ends them all."""
        with ThreadPoolExecutor(max_workers=len(jobs) or 1) as pool:
            futures = [pool.submit(job) for job in jobs]
            try:
                return [future.result() for future in futures]
            except BaseException:
                self.stop()
                raise

    def side_by_side(self, jobs: Sequence[tuple[int, Callable[[], T]]], room: int | None = None) -> list[T]:
        """Runs jobs, each with the virtual CPUs it needs, as many at once as the host has room for; their results in the order given.

        Those that need most begin: what is left at the end is small, and no core waits for one large boot. `room`: how many virtual CPUs
        run at once, unless one boot alone has more: fewer where the guest is judged by what it does in a second.
        """
        room = ROOM if room is None else room
        waiting = sorted(range(len(jobs)), key=lambda at: -jobs[at][0])
        results: dict[int, T] = {}
        running: dict[Future[T], int] = {}
        with ThreadPoolExecutor(max_workers=len(jobs) or 1) as pool:
            try:
                while waiting or running:
                    for at in [*waiting]:
                        if jobs[at][0] <= room or not running:
                            room -= jobs[at][0]
                            waiting.remove(at)
                            running[pool.submit(jobs[at][1])] = at
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        at = running.pop(future)
                        results[at] = future.result()
                        room += jobs[at][0]
            except BaseException:
                self.stop()
                raise
        return [results[at] for at in range(len(jobs))]

    def stop(self) -> None:
        """Ends every command that still runs."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)

    def close(self) -> None:
        self.stop()
        with self._lock:
            self._log.close()


def _end(process: subprocess.Popen[str]) -> tuple[str, str]:
    """SIGTERM to the session, which lets the board end QEMU and scripts/kernel its make; then SIGKILL."""
    for number, patience in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=patience)
    return "", ""


@contextlib.contextmanager
def opened(context: Context) -> Iterator[Context]:
    try:
        yield context
    finally:
        context.close()
