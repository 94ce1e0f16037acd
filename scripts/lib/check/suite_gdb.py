"""A debugger on an application with out-of-band threads: gdbserver in the guest, gdb on the host.

Breakpoints, backtrace, lines, single steps, watchpoints by steps and by the CPU, and then on to a good end: tests/target/altsched/debuggee.gdb.
"""

from __future__ import annotations

import pathlib
import shlex
import shutil
import socket
import tempfile

import common
from board import machine

from check import programs
from check.context import Context, Failed

SCRIPT = common.ROOT / "tests" / "target" / "altsched" / "debuggee.gdb"
STEPS = 28  # Lines that the script prints when all is well.
_BOOT_S = 150
_PORT = 1234


def run(context: Context, core: str = "evl") -> None:
    """`core`: which of the two programs, tests/target/altsched/debuggee-evl or debuggee-toy."""
    program = programs.program(context, f"tests/target/altsched/debuggee-{core}")
    for config, smp in context.values["runs"]:
        if context.wants(config, smp):
            _debug(context, program, config, smp)
    context.fact("breakpoints, single steps, backtrace, watchpoint")


def _debug(context: Context, program: pathlib.Path, config: str, smp: int) -> None:
    what = f"gdb on {config}, {smp} CPUs"
    server = shutil.which("gdbserver")
    if not server:
        raise Failed("gdbserver is missing (./scripts/setup installs it)")
    with tempfile.TemporaryDirectory(prefix="gdb-") as folder:
        port = free_port()
        # The board has no network, on purpose. This QEMU has: one port of the host leads to gdbserver.
        network = f"-netdev user,id=debug,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:{_PORT} -device e1000e,netdev=debug"
        qemu = with_arguments(pathlib.Path(folder), network)
        guest = f"ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up && gdbserver --once 0.0.0.0:{_PORT} /root/debuggee"
        boot, gdb = context.parallel([
            lambda: context.board(["sh", "-c", guest], config=config, smp=smp, timeout_s=_BOOT_S, env={"BOARD_QEMU": str(qemu)},
                                  add=[(program, "/root/debuggee"), (pathlib.Path(server), "/usr/bin/gdbserver")], title=what),
            lambda: context.command(["gdb", "-nx", "-batch", "-x", SCRIPT, program], timeout_s=_BOOT_S,
                                    env={"DEBUGGEE_PORT": str(port)}, title=what)])
    for line in gdb.out.splitlines():
        if "FAILED" in line:
            context.expect(False, f"{what}: {line.strip()}")
    steps = sum(line.startswith("step ") for line in gdb.out.splitlines())
    context.expect(gdb.status == 0 and "gdb: ok" in gdb.out and steps == STEPS,
                   f"{what}: gdb took {steps} of {STEPS} steps: {(gdb.out.strip().splitlines() or ['nothing'])[-1]}")
    if context.ran_well(boot, what):
        context.expect("debuggee: ok" in boot.out, f"{what}: the program did not say that it passed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def with_arguments(folder: pathlib.Path, arguments: str) -> pathlib.Path:
    """A QEMU for the board (BOARD_QEMU) that has more devices than the board gives it."""
    wrapper = folder / "qemu"
    wrapper.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec {shlex.quote(machine.QEMU)} --version\n'
                       f'exec {shlex.quote(machine.QEMU)} "$@" {arguments}\n')
    wrapper.chmod(0o755)
    return wrapper
