"""The main demonstration: how late an out-of-band thread is, with latmus, on an idle and on a loaded guest.

Two machines: the usual one, two virtual CPUs with disk and network, where time is the host's; and the deterministic one
(`--icount`), where a nanosecond is an instruction and two runs give the same figures.
"""

from __future__ import annotations

import base64
import contextlib
import json
import pathlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import common
import hostbuild
import latmus
from board import machine
from board import options as board_options
from demonstration import kernel

BOOT_TIMEOUT_S = 900  # Real time, for a host that is busy.
DISK_BYTES = 64 << 20
DOWNLOAD_BYTES = 1 << 20
SECONDS = 10  # Of the user thread, idle and loaded.
PAGE = " --html=/tmp/page.html"
MORE = "-c 1 -f -k -i -T 2"  # Shorter, so that all of it takes less than a minute.
# Wide enough for percentiles of an emulated guest, whose worst cases are this computer's: to 5 ms idle, to 20 ms loaded.
IDLE_CELLS, LOADED_CELLS = "-H 1000 -w 5000", "-H 1000 -w 20000"

USUAL = """\
An ordinary Linux thread attaches to the core, and from then on runs out-of-band: latmus lets a timer fire every millisecond, and says how
late the thread is back at work. First the guest has nothing else to do, then Linux in it is loaded: hackbench, stress-ng, a disk, a network
card. The same is measured for a SCHED_FIFO thread of Linux, for a kernel thread and for an interrupt handler of the core.

The guest's time is this computer's: when the emulator itself has to wait for a CPU, that shows as latency. Figures to be compared
come from `./scripts/demo --icount`, or from real hardware.
"""
COUNTED = """\
The guest has one virtual CPU and counts instructions: one is one nanosecond, whatever this computer does meanwhile. Caches and pipelines
do not exist in these figures, and another run gives the same ones. A loaded second takes about 10 s here.
"""


@dataclass
class Wanted:
    build: bool = True
    icount: bool = False
    json: bool = False
    html: str = ""


def run(wanted: Wanted) -> int:
    started = time.monotonic()
    show = common.say if wanted.json else _print
    if wanted.html:
        _possible(pathlib.Path(wanted.html))
    kernel.ready("host", "tests", build=wanted.build)
    program = _program()
    show(COUNTED if wanted.icount else USUAL)
    if not wanted.icount and common.kernel_image(kernel.CONFIG).is_file():
        _say_what_it_runs_on()
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        html = bool(wanted.html)
        words = _counted_words(program, html=html) if wanted.icount else _usual_words(program, pathlib.Path(folder), html=html)
        reports = []
        for line in _output(words):
            if line.startswith(latmus.JSON):
                reports.append(json.loads(line.removeprefix(latmus.JSON)))
            elif line.startswith(latmus.HTML):
                pathlib.Path(wanted.html).write_bytes(base64.b64decode(line.removeprefix(latmus.HTML)))
            else:
                show(line)
    rows = [row for report in reports for row in latmus.figures(report)]
    order = list(latmus.CONTEXTS)
    rows.sort(key=lambda row: (row.load != "idle", order.index(row.context)))
    show(f"\n{latmus.table(rows)}\n")
    if wanted.json:
        print(json.dumps({"icount": wanted.icount, "figures": [asdict(row) for row in rows], "reports": reports}))
    if wanted.html:
        show(f"The page of the user thread under load is in {wanted.html}.")
    return _conclude(rows, show, wanted.icount, time.monotonic() - started)


def _print(text: str) -> None:
    print(text, flush=True)


def _possible(path: pathlib.Path) -> None:
    """Minutes of measurement are not lost to a file that cannot be written."""
    try:
        path.write_text("")
    except OSError as error:
        raise common.Failure(f"cannot write {path}: {error.strerror}", status=common.EXIT_USAGE) from None


def _program() -> pathlib.Path:
    log = common.BUILD / "log" / "demo-programs.log"
    with common.locked(hostbuild.LOCK, "demo: build latmus"), common.Progress("demo: build latmus") as progress:
        for words in hostbuild.commands(latmus.PROGRAM):
            if common.run_logged(words, log, progress):
                raise common.Failure(f"latmus does not build (log: {log})")
        hostbuild.configured()
    return common.HOST / latmus.PROGRAM


def _usual_words(program: pathlib.Path, folder: pathlib.Path, *, html: bool) -> list[str]:
    disk, net = folder / "disk.img", folder / "net"
    with disk.open("wb") as handle:
        handle.truncate(DISK_BYTES)
    net.mkdir()
    (net / "data").write_bytes(bytes(DOWNLOAD_BYTES))
    user = f"-c 1 -u -T {SECONDS} --chart"
    plan = [("idle", f"{user} {IDLE_CELLS}"), ("idle", f"{MORE} {IDLE_CELLS}"),
            ("heavy", f"{user} {LOADED_CELLS}" + (PAGE if html else "")), ("heavy", f"{MORE} {LOADED_CELLS}")]
    return _words(program, "hackbench", "stress-ng") + [
        "--smp", "2", f"--drive=d0={disk}", "--device=virtio-blk-pci,drive=d0", f"--net={net}", "--", *latmus.guest_words(plan)]


def _counted_words(program: pathlib.Path, *, html: bool) -> list[str]:
    user, more = "-u -T 3 -w 50 -H 1000 --chart", "-f -k -i -T 3 -w 50 -H 1000"
    plan = [("idle", user), ("idle", more), ("loopback", user + (PAGE if html else "")), ("loopback", more)]
    return _words(program, "hackbench") + ["--smp", "1", "--icount", "--", *latmus.guest_words(plan)]


def _words(program: pathlib.Path, *tools: str) -> list[str]:
    return [str(common.SCRIPTS / "board"), "run", "--config", kernel.CONFIG, "--no-modules", "--timeout", str(BOOT_TIMEOUT_S),
            *(f"--add={host}:{guest}" for host, guest in latmus.adds(program, tools))]


def _say_what_it_runs_on() -> None:
    """Before the board, whose words are kept back: to find out whether KVM works may take half a minute, once."""
    accel, why = machine.choose_accel(board_options.parse(["run", "--config", kernel.CONFIG, "--", "true"]))
    common.say(f"demo: the guest runs under {machine.ACCEL_NAMES[accel]} ({why})")


@contextlib.contextmanager
def _board(words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """The board never outlives the demonstration, and what it says of a failure is part of the message."""
    with (tempfile.TemporaryFile("w+", errors="replace") as errors,
          subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace") as board):
        try:
            yield board
        except BaseException:
            board.terminate()
            raise
        if board.wait():
            errors.seek(0)
            raise common.Failure(f"the board ended with {board.returncode}:\n{errors.read().strip()[-3000:]}")


def _output(words: list[str]) -> Iterator[str]:
    with _board(words) as board:
        assert board.stdout
        for line in board.stdout:
            yield line.rstrip("\n")


def _conclude(rows: list[latmus.Figures], show, icount: bool, spent_s: float) -> int:
    found = {(row.load == "idle", row.context): row for row in rows}
    user, fifo = found[False, "user"], found[False, "fifo"]
    show(f"Under load, the out-of-band user thread was late by {user.max_ns:,} ns at most in {user.samples:,} periods; the SCHED_FIFO thread "
         f"by {fifo.max_ns:,} ns in {fifo.samples:,}.")
    switches = sum(row.inband_switches for row in rows)
    show(f"It was switched in-band {switches} times against its will. All of it took {common.seconds(spent_s)}.")
    if switches:
        common.say("demo: that is not as it should be: a thread that is switched in-band has lost its guarantee")
        return common.EXIT_FAILED
    if icount and (user.max_ns >= fifo.max_ns or 2 * user.max_ns > 3 * found[True, "user"].max_ns):
        common.say("demo: that is not as it should be: loaded, the user thread is to be at most 1.5 times as late as idle, and less late "
                   "than the SCHED_FIFO thread")
        return common.EXIT_FAILED
    return 0
