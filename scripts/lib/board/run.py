"""One boot, from the run folder to the verdict.

R1  QEMU never outlives this process: it is killed on every way out, and by the kernel should this
    process be killed itself (PR_SET_PDEATHSIG).
R2  The verdict is made once, at the end, from everything seen; a kernel report wins over CMD's
    status, over a time-out and over a dead guest.
"""

from __future__ import annotations

import contextlib
import ctypes
import enum
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

import common

from board import image, kvm, machine, monitor, report
from board.options import Options

BOARDS = common.BUILD / "board"
KEPT_BUNDLES = 24
POLL_S = 0.02
POWER_OFF_S = 60.0     # From CMD's status to the end of QEMU.
OUTPUT_LIMIT = 2 << 30  # Bytes of console or CMD output, before a runaway guest fills the disk.
TAIL_LINES = 40
SANITIZED = ("kasan", "toykasan")  # Their shadow takes an eighth of the memory.

EXIT_TIMEOUT = 124
EXIT_REPORT = 70
EXIT_DIED = 71


class Kind(enum.Enum):
    cmd = "cmd"
    timeout = "timeout"
    report = "kernel report"
    missing = "expected report not seen"
    expected_end = "expected report, guest ended"
    died = "guest died"
    qemu = "QEMU failed"
    flood = "too much output"


@dataclass
class Verdict:
    kind: Kind
    status: int
    cmd_status: int | None = None
    reports: list[report.Report] = field(default_factory=list)
    unexpected: list[report.Report] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        return f"cmd {self.cmd_status}" if self.kind is Kind.cmd else self.kind.value


def decide(*, cmd_status: int | None, timed_out: bool, qemu_status: int | None, flooded: bool,
           reports: list[report.Report], expected: list[str], gave_up: bool = False) -> Verdict:
    """R2. `qemu_status` is None when QEMU was killed by the board; `gave_up`: since it had stopped the guest for good."""
    unexpected, missing = report.judge(reports, expected)
    seen = {"cmd_status": cmd_status, "reports": reports, "unexpected": unexpected, "missing": missing}
    if unexpected:
        return Verdict(Kind.report, EXIT_REPORT, **seen)
    if timed_out:
        return Verdict(Kind.timeout, EXIT_TIMEOUT, **seen)
    if flooded:
        return Verdict(Kind.flood, EXIT_DIED, **seen)
    if cmd_status is None and (qemu_status or gave_up):
        return Verdict(Kind.qemu, machine.EXIT_UNAVAILABLE, **seen)
    if missing and (cmd_status is not None or reports):
        return Verdict(Kind.missing, EXIT_REPORT, **seen)
    if cmd_status is None:
        # A test that wants a panic has no status of its own to give.
        return Verdict(Kind.expected_end, 0, **seen) if reports else Verdict(Kind.died, EXIT_DIED, **seen)
    return Verdict(Kind.cmd, cmd_status, **seen)


class OutputParser:
    """Finds CMD's output and status in what came through the second serial port."""

    def __init__(self, mark: str) -> None:
        self.started = False
        self.status: int | None = None
        self._start = f"\1{mark} start\n".encode()
        self._status = f"\1{mark} status ".encode()
        self._held = b""  # What may be the beginning of a marker.

    def feed(self, data: bytes) -> bytes:
        """Takes what came; what of it (and of what was held back) is CMD's output."""
        if self.status is not None:
            return b""
        self._held += data
        if not self.started:
            before, found, after = self._held.partition(self._start)
            if not found:
                self._held = self._held[-len(self._start):]
                return b""
            self.started, self._held = True, after
        before, found, after = self._held.partition(self._status)
        if found:
            number, newline, _ = after.partition(b"\n")
            if newline:
                self.status = int(number)
                self._held = b""
                return before
            self._held = found + after
            return before
        # Hold back the longest end that a marker may begin with.
        keep = next((size for size in range(min(len(self._status) - 1, len(self._held)), 0, -1)
                     if self._status.startswith(self._held[-size:])), 0)
        cut = len(self._held) - keep
        out, self._held = self._held[:cut], self._held[cut:]
        return out

    def rest(self) -> bytes:
        """What was held back, once no marker can follow."""
        rest, self._held = (self._held if self.started and self.status is None else b""), b""
        return rest


class RunFolder:
    """build/board/<id>, locked as long as its board runs."""

    def __init__(self) -> None:
        BOARDS.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%d-%H%M%S")
        number = 0
        while True:
            self.path = BOARDS / f"{stamp}-{os.getpid()}{f'-{number}' if number else ''}"
            try:
                self.path.mkdir()
                break
            except FileExistsError:
                number += 1
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def end(self, keep: bool, whole: bool) -> None:
        """Removes the folder, or what of it would only take space."""
        for name in (machine.GDB_SOCKET, machine.QMP_SOCKET, *(() if whole else (machine.INITRD, machine.OUTPUT))):
            with contextlib.suppress(FileNotFoundError):
                (self.path / name).unlink()
        if not keep:
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)
        prune()


def prune(keep: int = KEPT_BUNDLES) -> None:
    """Removes the oldest bundles, less those of boards that still run."""
    for folder in sorted((path for path in BOARDS.iterdir() if path.is_dir() and path.name[:1].isdigit()),
                         key=lambda path: path.name)[:-keep]:
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(handle)


def _die_with_parent() -> None:
    """In the child, before QEMU: a session of its own (Ctrl-C goes to us alone), and R1."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _deterministic(cpu: int) -> Callable[[], None]:
    """For --icount: what to do in the child, before QEMU. R1, and that the host's load does not reach into the guest's time.

    QEMU's main loop winds the clock forward when the virtual CPU has halted. It may look just between the halt and the accounting
    of what ran before it: then the clock jumps too far, and two runs of one image differ. It happens when the host lets the main
    loop wait while the virtual CPU runs. That thread needs next to no time, so it goes first (SCHED_FIFO; the virtual CPU's, a
    child, is an ordinary thread again), on the very CPU of the other: they never run at once. Where that is not allowed, a quiet
    host does it.
    """
    def prepare() -> None:
        _die_with_parent()
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
            os.sched_setaffinity(0, {cpu})
    return prepare


class _Seat:
    """A CPU of the host that no other --icount board of this checkout sits on, if there is one left."""

    def __init__(self) -> None:
        cpus = sorted(os.sched_getaffinity(0))
        self.cpu = cpus[os.getpid() % len(cpus)]
        common.BUILD.mkdir(parents=True, exist_ok=True)
        for cpu in cpus:
            handle = os.open(common.BUILD / f".icount-cpu-{cpu}", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # Until this process ends.
            except BlockingIOError:
                os.close(handle)
                continue
            self.cpu = cpu
            return


class Board:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.kernel, self.vmlinux, self.modules = _find_kernel(options)
        for host, guest in options.add:
            if not os.path.lexists(host):
                raise common.Failure(f"--add {host}: no such file or folder", status=common.EXIT_USAGE)
            if not guest.startswith("/"):
                raise common.Failure(f"--add {host}:{guest}: the guest path is not absolute", status=common.EXIT_USAGE)
        for name, drive in options.drive:
            if not os.path.isfile(drive):
                raise common.Failure(f"--drive {name}={drive}: no such file", status=common.EXIT_USAGE)
        if options.net and not os.path.isdir(options.net):
            raise common.Failure(f"--net {options.net}: no such folder", status=common.EXIT_USAGE)
        self.qemu_version = machine.qemu_version()
        self.accel, self.accel_reason = machine.choose_accel(options)
        self.folder = RunFolder()
        self.process: subprocess.Popen[bytes] | None = None
        # Told apart from anything CMD prints, and the same in every run of one command.
        text = "\0".join(options.command).encode(errors="surrogateescape")
        self.mark = "board-" + hashlib.sha256(text).hexdigest()[:24]
        self.backtraces = ""
        self.nmis = 0
        self.boot_s: float | None = None
        self.seconds = 0.0

    # Preparation.

    def prepare(self) -> list[str]:
        """Writes the image; the QEMU command."""
        options, folder = self.options, self.folder.path
        settings = {"MARK": self.mark, "MODE": options.mode, "KMEMLEAK": "1" if options.kmemleak else ""}
        size = image.build(folder / machine.INITRD, argv=options.command, modules=self.modules, settings=settings,
                           adds=[(pathlib.Path(host), guest) for host, guest in options.add])
        # The image is in memory twice while it is unpacked.
        least = 160 + 3 * size // (1 << 20)
        if not options.memory:
            usual = 512 if options.icount else 2048 if options.config in SANITIZED else 1024
            options.memory = max(usual, -(-least // 256) * 256)
        words = machine.qemu_arguments(options, self.accel, self.kernel, machine.compile_acpi(options, folder))
        (folder / "qemu.sh").write_text(f"#!/bin/sh\n# Needs {machine.INITRD}: run the board with --keep.\n"
                                        f"cd {folder} && exec {machine.as_shell(words)}")
        (folder / "command").write_bytes(image.command_script(options.command) if options.command else b"")
        return words

    def describe(self) -> str:
        options = self.options
        what = options.kernel or options.config
        return (f"{what}, {options.smp} CPU{'s' if options.smp > 1 else ''}, {options.memory} MB, {options.machine}, "
                f"{machine.ACCEL_NAMES[self.accel]} ({self.accel_reason})")

    def start(self, words: list[str], **how: object) -> None:
        try:
            before = _deterministic(_Seat().cpu) if self.options.icount else _die_with_parent
            self.process = subprocess.Popen(words, cwd=self.folder.path, preexec_fn=before, **how)
        except OSError as error:
            raise common.Failure(f"cannot run {words[0]}: {error.strerror}",
                                 "./scripts/setup installs it (package qemu-system-x86)",
                                 machine.EXIT_UNAVAILABLE) from None

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # The run.

    def run(self, sink: BinaryIO) -> Verdict:
        """Boots, streams CMD's output into `sink`, ends the machine, judges."""
        options, folder = self.options, self.folder.path
        words = self.prepare()
        common.say(f"board: {self.describe()}")
        for name in (machine.CONSOLE_LOG, machine.OUTPUT):
            (folder / name).touch()
        with (folder / "qemu.stderr").open("wb") as errors:
            self.start(words, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True)
        assert self.process
        if options.gdb:
            self._say_how_to_attach()
        parser, recogniser = OutputParser(self.mark), report.Recogniser()
        nmis = monitor.NmiSource(folder, options.nmi_every_s) if options.nmi_every_s else None
        started = time.monotonic()
        deadline = started + options.timeout_s if options.timeout_s else float("inf")
        timed_out = flooded = gave_up = False
        with ((folder / machine.OUTPUT).open("rb") as output, (folder / machine.CONSOLE_LOG).open("rb") as console,
              (folder / "qemu.stderr").open("rb") as errors):
            lines, said = _Lines(console), _Lines(errors)
            while True:
                ended = self.process.poll() is not None  # Asked first: what came before the end is then all read.
                busy = False
                while data := output.read(1 << 20):
                    _write(sink, parser.feed(data))
                    busy = True
                for line in lines.read():
                    recogniser.feed(line)
                    if options.verbose:
                        print(line.rstrip("\r"), file=sys.stderr, flush=True)
                now = time.monotonic()
                if parser.started and self.boot_s is None:
                    self.boot_s = now - started
                if parser.status is not None and deadline != float("inf"):
                    deadline = min(deadline, now + POWER_OFF_S)
                if ended:
                    break
                if self.accel == "kvm" and any(kvm.GAVE_UP in line for line in said.read()):
                    gave_up = True
                    break
                if now >= deadline:
                    timed_out = True
                    break
                if output.tell() > OUTPUT_LIMIT or console.tell() > OUTPUT_LIMIT:
                    flooded = True
                    break
                if nmis:
                    nmis.poll()
                    self.nmis = nmis.sent
                if not busy:
                    time.sleep(POLL_S)
            if timed_out:
                what = "CMD had ended, but the guest did not power off" if parser.status is not None else \
                    f"no end within {options.timeout_s:g} s" if parser.started else \
                    f"CMD was not even started within {options.timeout_s:g} s"
                common.say(f"board: {what}; asking for backtraces")
                self.backtraces = monitor.backtraces(folder, self.vmlinux, self._module_files())
            killed = self.process.poll() is None
            self.kill()
            while data := output.read(1 << 20):
                _write(sink, parser.feed(data))
            _write(sink, parser.rest())
            for line in lines.read(last=True):
                recogniser.feed(line)
        self.seconds = time.monotonic() - started
        return decide(cmd_status=parser.status, timed_out=timed_out, flooded=flooded, gave_up=gave_up, reports=recogniser.finish(),
                      qemu_status=None if killed else self.process.returncode, expected=options.expect)

    def shell(self) -> int:
        """The console on this terminal, until the guest powers off or Ctrl-A X."""
        words = self.prepare()
        common.say(f"board: {self.describe()}")
        common.say("board: Ctrl-A X ends QEMU, Ctrl-A C switches to its monitor, Ctrl-A B sends a break (SysRq)")
        if self.options.gdb:
            self._say_how_to_attach()
        saved = None
        if sys.stdin.isatty():
            import termios
            saved = termios.tcgetattr(sys.stdin)
        try:
            self.start(words)  # In our session: it reads this terminal.
            assert self.process
            return self.process.wait()
        finally:
            self.kill()
            if saved:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)

    def _module_files(self) -> dict[str, pathlib.Path]:
        """The .ko files that the guest may have loaded, by module name."""
        found: dict[str, pathlib.Path] = {}
        for top in [*([self.modules] if self.modules else []), *(pathlib.Path(host) for host, _ in self.options.add)]:
            for path in sorted(top.rglob("*.ko")) if top.is_dir() else [top]:
                if path.suffix == ".ko":
                    found[path.stem.replace("-", "_")] = path.resolve()
        return found

    def _say_how_to_attach(self) -> None:
        symbols = str(self.vmlinux) if self.vmlinux else ""
        common.say("board: waiting for gdb; in another terminal:\n"
                   f"  gdb {symbols} -ex 'target remote {self.folder.path / machine.GDB_SOCKET}' -ex 'hbreak start_kernel' -ex c")

    # The bundle.

    def console_tail(self, lines: int = TAIL_LINES) -> str:
        with contextlib.suppress(FileNotFoundError):
            text = (self.folder.path / machine.CONSOLE_LOG).read_text(errors="replace").replace("\r", "")
            return "\n".join(text.splitlines()[-lines:])
        return ""

    def qemu_errors(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return (self.folder.path / "qemu.stderr").read_text(errors="replace").strip()
        return ""

    def save_bundle(self, verdict: Verdict) -> dict:
        """Writes what was found out beside the logs; the object that --json prints."""
        folder, options = self.folder.path, self.options
        if self.backtraces:
            (folder / "backtraces.txt").write_text(self.backtraces)
        if verdict.reports:
            (folder / "reports.txt").write_text("\n\n".join(found.text for found in verdict.reports) + "\n")
        found = {
            "status": verdict.kind.name, "line": f"board: {verdict.line}", "exit": verdict.status,
            "cmd_status": verdict.cmd_status, "command": options.command, "seconds": round(self.seconds, 3),
            "boot_seconds": None if self.boot_s is None else round(self.boot_s, 3), "config": options.config,
            "kernel": str(self.kernel), "smp": options.smp, "memory_mb": options.memory, "accel": self.accel,
            "accel_reason": self.accel_reason, "icount": options.icount, "machine": options.machine,
            "qemu": self.qemu_version, "nmis": self.nmis,
            "reports": [{"kind": one.kind, "title": one.title, "text": one.text,
                         "expected": one not in verdict.unexpected} for one in verdict.reports],
            "missing": verdict.missing,
        }
        (folder / "result.json").write_text(json.dumps(found, indent=1) + "\n")
        return found


class _Lines:
    """Complete lines of a file that still grows."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self._partial = b""

    def read(self, last: bool = False) -> list[str]:
        data = self._partial + self._handle.read()
        *whole, self._partial = data.split(b"\n")
        if last and self._partial:
            whole.append(self._partial)
            self._partial = b""
        return [line.decode(errors="replace") for line in whole]


def _write(sink: BinaryIO, data: bytes) -> None:
    if data:
        sink.write(data)
        sink.flush()


def _find_kernel(options: Options) -> tuple[pathlib.Path, pathlib.Path | None, pathlib.Path | None]:
    """bzImage, vmlinux and modules."""
    if options.kernel:
        kernel = pathlib.Path(options.kernel).resolve()
        if not kernel.is_file():
            raise common.Failure(f"--kernel {options.kernel}: no such file", status=machine.EXIT_UNAVAILABLE)
        return kernel, pathlib.Path(options.vmlinux).resolve() if options.vmlinux else None, None
    kernel = common.kernel_image(options.config)
    if not kernel.is_file():
        raise common.Failure(f"the kernel {options.config} is not built (no {kernel})",
                             f"build it: ./scripts/kernel build --config {options.config}", machine.EXIT_UNAVAILABLE)
    vmlinux = common.kernel_out(options.config) / "vmlinux"
    modules = common.kernel_modules(options.config) / "lib" / "modules"
    return kernel, vmlinux if vmlinux.is_file() else None, modules if options.modules and modules.is_dir() else None
