"""What is asked of a running machine from outside: QMP commands, and backtraces through gdb's stub."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from board import machine

GDB_LIMIT_S = 90.0


class Qmp:
    """A QMP connection. The path is opened relative to the run folder, for its limited length."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(5.0)
        handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        try:
            self._socket.connect(f"/proc/self/fd/{handle}/{machine.QMP_SOCKET}")
        finally:
            os.close(handle)
        self._stream = self._socket.makefile("rw")
        self._stream.readline()  # The greeting.
        self.command("qmp_capabilities")

    def command(self, name: str) -> dict:
        self._stream.write(json.dumps({"execute": name}) + "\n")
        self._stream.flush()
        while True:
            line = self._stream.readline()
            if not line:
                raise ConnectionError("QEMU closed the monitor")
            answer = json.loads(line)
            if "return" in answer or "error" in answer:  # Anything else is an event.
                return answer

    def close(self) -> None:
        self._socket.close()


class NmiSource:
    """Injects an NMI into every virtual CPU each `period_s`. Poll it often."""

    def __init__(self, folder: pathlib.Path, period_s: float) -> None:
        self.sent = 0
        self._qmp: Qmp | None = None
        self._folder = folder
        self._period_s = period_s
        self._next = time.monotonic() + period_s

    def poll(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._period_s
        with contextlib.suppress(OSError, ValueError):  # The machine is about to end.
            if self._qmp is None:
                self._qmp = Qmp(self._folder)
            self._qmp.command("inject-nmi")
            self.sent += 1


def backtraces(folder: pathlib.Path, vmlinux: pathlib.Path | None, modules: dict[str, pathlib.Path],
               limit_s: float = GDB_LIMIT_S) -> str:
    """Registers and backtrace of every virtual CPU. Stops the machine; never raises.

    `modules` says where the files of kernel modules are, by module name.
    """
    words = ["gdb", "-batch", "-nx", "-iex", "set auto-load off", "-iex", "set pagination off",
             "-iex", "set debuginfod enabled off", "-iex", "set confirm off"]
    if vmlinux:
        words.append(str(vmlinux))
    else:
        words += ["-ex", "set architecture i386:x86-64"]
    words += ["-ex", "set remotetimeout 20", "-ex", f"target remote ./{machine.GDB_SOCKET}",
              "-ex", f"source {pathlib.Path(__file__).with_name('gdb_dump.py')}", "-ex", "disconnect"]
    names = json.dumps({name: str(path) for name, path in modules.items()})
    try:
        process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
                                   env={**os.environ, "LC_ALL": "C", "BOARD_MODULES": names})
    except OSError:
        return "no backtraces: gdb is missing; ./scripts/setup installs it\n"
    try:
        said, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        said += f"\ngdb was stopped after {limit_s:.0f} s\n"
    # What gdb says while it attaches is of use only when it got no further.
    said = said.partition("=== symbols\n")[2] or said
    return said if vmlinux else f"(no vmlinux for this kernel: addresses without names)\n{said}"
