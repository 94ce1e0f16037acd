"""What is asked of a running machine from outside: QMP commands, and backtraces through gdb's stub."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
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


def backtraces(folder: pathlib.Path, vmlinux: pathlib.Path | None, limit_s: float = GDB_LIMIT_S) -> str:
    """Registers and backtrace of every virtual CPU. Stops the machine; never raises."""
    words = ["gdb", "-batch", "-nx", "-iex", "set auto-load off", "-iex", "set pagination off",
             "-iex", "set debuginfod enabled off", "-iex", "set confirm off", "-iex", "set print frame-arguments scalars"]
    if vmlinux:
        words.append(str(vmlinux))
    else:
        words += ["-ex", "set architecture i386:x86-64"]
    words += ["-ex", "set remotetimeout 20", "-ex", f"target remote ./{machine.GDB_SOCKET}",
              "-ex", "thread apply all -c info registers rip rsp rbp rax rbx rcx rdx rsi rdi eflags cs cr3 gs_base k_gs_base",
              "-ex", "thread apply all -c bt 25",
              "-ex", "echo \\nWords on each stack (return addresses, for frames that gdb could not unwind):\\n",
              "-ex", "thread apply all -c x/48ga $rsp", "-ex", "disconnect"]
    try:
        process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    except OSError:
        return "no backtraces: gdb is missing; ./scripts/setup installs it\n"
    try:
        said, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        said += f"\ngdb was stopped after {limit_s:.0f} s\n"
    without_noise = re.sub(r"^warning: .*(?:not find|executable|solib|target XML).*\n", "", said, flags=re.MULTILINE)
    head = "" if vmlinux else "(no vmlinux for this kernel: addresses without names)\n"
    return head + _only_return_addresses(without_noise)


def _only_return_addresses(text: str) -> str:
    """Keeps, of the stack words, those that are code addresses; with no symbol at all, keeps everything."""
    head, mark, stacks = text.partition("Words on each stack")
    if not mark or "<" not in stacks:
        return text
    kept = []
    for line in stacks.splitlines():
        if not line.startswith("0x"):
            kept.append(line)
            continue
        for word in re.findall(r"0x[0-9a-f]+ <[^>]+\+\d+>", line.partition(":")[2]):
            kept.append(f"    {word}")
    return head + mark + "\n".join(kept) + "\n"
