"""What every script of the project shares: paths, messages, errors, locks, commands, disk checks.

Called by the Python programs in scripts/. Standard library only, Python 3.11. A script begins with

    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
    import common

and ends with `sys.exit(common.run_main(main))`, which turns a `common.Failure` into a message and an
exit status, and Ctrl-C into a short line and 130.

Exit statuses: 0 done, 1 failed, 2 wrong use, 77 not supported here.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence

# Paths ------------------------------------------------------------------------------------------

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
# The build folder can be moved, which the tests use and which a small root disk may need.
BUILD = pathlib.Path(os.environ.get("DOVETAIL_BUILD", ROOT / "build")).resolve()
LINUX = BUILD / "linux"                  # The patched git tree.
LINUX_VANILLA = BUILD / "linux-vanilla"  # The unpatched source.
KERNEL = BUILD / "kernel"                # One O= folder per configuration.
HOST = BUILD / "host"                    # The Meson build.
CONFIGS = ROOT / "kernel" / "configs"
OVERLAY = ROOT / "kernel" / "dovetail" / "overlay"
PATCHES = ROOT / "kernel" / "dovetail" / "patches" / "6.12"
# Companion cores, by their folder in the Linux tree.
CORES = {f"{path}/": ROOT / path for path in ("kernel/evl", "kernel/toycore", "include/uapi/evl")}


def kernel_out(config: str) -> pathlib.Path:
    """The build folder of one configuration (holds .config and vmlinux)."""
    return KERNEL / config


def kernel_image(config: str) -> pathlib.Path:
    return kernel_out(config) / "arch" / "x86" / "boot" / "bzImage"


def kernel_modules(config: str) -> pathlib.Path:
    """What modules_install wrote: holds lib/modules/<release>."""
    return kernel_out(config) / "modules"


def kernel_tree(config: str) -> pathlib.Path:
    """The source tree that one configuration is built from."""
    return LINUX_VANILLA if config == "vanilla" else LINUX


def config_names(configs: pathlib.Path = CONFIGS) -> list[str]:
    """The configurations one can build: the fragments in kernel/configs, less the common part."""
    return sorted(path.stem for path in configs.glob("*.config") if path.stem != "base")


# Errors -----------------------------------------------------------------------------------------

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNSUPPORTED = 77


class Failure(Exception):
    """A failure the user can act on: what went wrong and where, then `hint`: what to do next."""

    def __init__(self, what: str, hint: str = "", status: int = EXIT_FAILED) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.status = status


def run_main(main: Callable[[], int | None]) -> int:
    """Runs `main`, and turns what it raises into a message and an exit status."""
    program = pathlib.Path(sys.argv[0]).name
    # A SIGTERM must run the clean-up that Ctrl-C runs.
    signal.signal(signal.SIGTERM, _raise_interrupt)
    try:
        return main() or 0
    except Failure as failure:
        sys.stdout.flush()
        print(f"{program}: error: {failure.what}", file=sys.stderr)
        if failure.hint:
            print(f"{program}: {failure.hint}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        sys.stdout.flush()
        print(f"\n{program}: stopped; run the same command again to continue", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


def _raise_interrupt(_signum: int, _frame: object) -> None:
    raise KeyboardInterrupt


def say(text: str) -> None:
    """One line for the user. On stderr, so that stdout carries data only (--json, streamed output)."""
    sys.stderr.write(f"{text}\n")  # At once, as print() would not do: boots side by side speak from threads of their own.
    sys.stderr.flush()


# Progress ---------------------------------------------------------------------------------------

def pauses() -> Iterator[float]:
    """Seconds between signs of life where each is a line of its own: rarer and rarer, so that a log is mostly of what was found."""
    pause = 20.0
    while True:
        yield pause
        pause = min(2 * pause, 120.0)


class Progress:
    """A progress line for a step that may take over two seconds.

    On a terminal: one line, redrawn, with the time spent. Elsewhere: a first line, then one after
    each of pauses(), then a last line with the time.

        with Progress("kernel: build lean", total=1500) as progress:
            for line in output:
                progress.step()
    """

    def __init__(self, title: str, total: int = 0) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._note = ""
        self._tty = sys.stderr.isatty()
        self._pauses = itertools.repeat(0.2) if self._tty else pauses()
        self._pause = next(self._pauses)
        self._start = time.monotonic()
        self._last = self._start - (0 if not self._tty else 10)

    def __enter__(self) -> Progress:
        if self._tty:
            self._draw()
        else:
            say(f"{self._title} ...")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        verdict = "done" if kind is None else "stopped" if kind is KeyboardInterrupt else "failed"
        start = "\r\033[K" if self._tty else ""
        say(f"{start}{self._title}: {verdict} ({seconds(self.elapsed())})")

    def elapsed(self) -> float:
        return time.monotonic() - self._start

    def step(self, count: int = 1, note: str = "") -> None:
        """`count` more units are done; `note` is shown beside the percentage."""
        self._done += count
        self.tick(note)

    def tick(self, note: str = "") -> None:
        """Call it often: redraws when it is time to."""
        if note:
            self._note = note
        now = time.monotonic()
        if now - self._last >= self._pause:
            self._last = now
            self._pause = next(self._pauses)
            self._draw()

    def _draw(self) -> None:
        # The total is an estimate, so 100 % is only ever said by the last line.
        share = f" {min(99, 100 * self._done // self._total)} %" if self._total else ""
        text = f"{self._title}:{share} ({seconds(self.elapsed())}) {self._note}".rstrip()
        if self._tty:
            width = shutil.get_terminal_size().columns
            print(f"\r\033[K{text[:width - 1]}", end="", file=sys.stderr, flush=True)
        else:
            say(text)


def seconds(span: float) -> str:
    """A duration for people: 4.2 s, or 3 min 07 s."""
    return f"{span:.1f} s" if span < 60 else f"{int(span) // 60} min {int(span) % 60:02d} s"


# Commands ---------------------------------------------------------------------------------------

def run(argv: Sequence[str | pathlib.Path], *, cwd: pathlib.Path | None = None,
        env: dict[str, str] | None = None, check: bool = True,
        input_text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a short command and captures its output. A failure names command, status and stderr."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(words, cwd=cwd, env=merged_env(env), input=input_text, text=True,
                              errors="replace", capture_output=True, check=False)
    except FileNotFoundError:
        raise Failure(f"program not found: {words[0]}", "./scripts/setup installs what is needed") from None
    if check and done.returncode != 0:
        tail = (done.stderr or done.stdout).strip()[-3000:]
        raise Failure(f"`{' '.join(words)}` failed with status {done.returncode}:\n{tail}")
    return done


def run_logged(argv: Sequence[str | pathlib.Path], log: pathlib.Path, progress: Progress, *,
               cwd: pathlib.Path | None = None, env: dict[str, str] | None = None,
               on_line: Callable[[str], None] | None = None) -> int:
    """Runs a long command: its output goes to `log`, each line is one step of `progress`.

    The command has a process group of its own, so that Ctrl-C ends it whole, its children too.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [str(word) for word in argv]
    with log.open("w", errors="replace") as out:
        try:
            process = subprocess.Popen(words, cwd=cwd, env=merged_env(env), text=True, errors="replace",
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        except FileNotFoundError:
            raise Failure(f"program not found: {words[0]}", "./scripts/setup installs what is needed") from None
        try:
            with _ticking(progress):
                assert process.stdout is not None
                for line in process.stdout:
                    out.write(line)
                    if on_line:
                        on_line(line)
                    progress.step()
            return process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise


@contextlib.contextmanager
def _ticking(progress: Progress) -> Iterator[None]:
    """Redraws the progress line while the command is silent (a long link step)."""
    import threading
    stop = threading.Event()

    def loop() -> None:
        while not stop.wait(1.0):
            progress.tick()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def merged_env(extra: dict[str, str] | None) -> dict[str, str]:
    """This environment with the C locale (messages are parsed) and `extra`."""
    return {**os.environ, "LC_ALL": "C", **(extra or {})}


# Files and disk ---------------------------------------------------------------------------------

def write_atomically(path: pathlib.Path, text: str) -> None:
    """Writes beside `path`, then renames: a reader, or the next run, never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as out:
            out.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def read_json(path: pathlib.Path) -> dict:
    """The object in `path`; empty when the file is not there or was damaged."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def need_disk(folder: pathlib.Path, need_mb: int, purpose: str) -> None:
    """Fails before any work when `folder` has less than `need_mb` free."""
    probe = folder
    while not probe.exists():
        probe = probe.parent
    free_mb = shutil.disk_usage(probe).free // (1 << 20)
    # For tests: pretend that the disk has only so much left.
    free_mb = min(free_mb, int(os.environ.get("DOVETAIL_FREE_MB", free_mb)))
    if free_mb < need_mb:
        raise Failure(f"not enough disk space to {purpose}: {need_mb} MB needed, {free_mb} MB free in {probe}",
                      "free some space (`./scripts/kernel clean` names what it frees), or set DOVETAIL_BUILD to a "
                      "folder on a larger disk")


def folder_mb(folder: pathlib.Path) -> int:
    """What `folder` takes on the disk, in MB; 0 when it is not there."""
    if not folder.exists():
        return 0
    return int(run(["du", "-sm", folder]).stdout.split()[0])


# Locks ------------------------------------------------------------------------------------------

@contextlib.contextmanager
def locked(path: pathlib.Path, purpose: str, shared: bool = False) -> Iterator[None]:
    """Holds a lock on `path`, exclusive or shared; says so in one line when another run holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{purpose}: waiting for another run that holds {path}")
            fcntl.flock(handle, kind)
        yield
