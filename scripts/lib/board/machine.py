"""Composes the QEMU command line."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import subprocess

import common
import tsc

from board import kvm
from board.options import Options

QEMU = os.environ.get("BOARD_QEMU", "qemu-system-x86_64")
ACPI = common.ROOT / "tests" / "boot" / "acpi"
EXIT_UNAVAILABLE = 69

# Names inside the run folder. QEMU runs there: a socket's path is limited to 107 bytes.
CONSOLE_LOG = "console.log"
OUTPUT = "output.raw"
INITRD = "initrd.cpio"
GDB_SOCKET = "gdb.sock"
QMP_SOCKET = "qmp.sock"


def qemu_version() -> str:
    try:
        done = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        raise common.Failure(f"QEMU is missing: {QEMU} cannot be run",
                             "./scripts/setup installs it (package qemu-system-x86)", EXIT_UNAVAILABLE) from None
    found = re.search(r"version (\S+)", done.stdout)
    return found.group(1) if found else "unknown"


ACCEL_NAMES = {"tcg": "software emulation", "kvm": "KVM"}


def choose_accel(options: Options) -> tuple[str, str]:
    """`tcg` or `kvm`, and why."""
    if options.icount:
        return "tcg", "instruction counting"
    if options.accel in ("tcg", "tcg-single"):
        return "tcg", "as asked"
    if options.accel == "kvm":
        # Asked for: it may be tried where a boot fails, to see why. The probe's own boot comes here, too.
        trouble = kvm.firmware_trouble(QEMU)
        if trouble:
            raise common.Failure(f"--accel kvm: KVM does not work here: {trouble}", "leave --accel out",
                                 common.EXIT_UNSUPPORTED)
        return "kvm", "as asked"
    kernel = ["--kernel", options.kernel] if options.kernel else ["--config", options.config]
    trouble = kvm.trouble(QEMU, qemu_version(), kernel)
    return ("tcg", f"KVM does not work here: {trouble}") if trouble else ("kvm", "it has booted a kernel")


def kernel_command_line(options: Options, accel: str) -> str:
    words = ["console=ttyS0,115200", "nokaslr", "tsc=reliable", "panic=-1", "oops=panic"]
    if options.icount:
        # `quiet` alone would hide the WARNING lines that the run is judged by; 5 lets these through.
        words += ["quiet", "loglevel=5", "norandmaps", "mitigations=off", "idle=halt"]
    elif accel == "tcg":
        # Waits for ten ticks in as many milliseconds and panics: a busy host does not give them to an emulator.
        words += ["no_timer_check"]
        # Nor the time to measure the counter.
        words += [f"tsc_early_khz={tsc.host_khz()}"] if tsc.host_khz() else []
    if options.mode == "shell":
        words.remove("oops=panic")
    return " ".join([*words, *options.append])


def compile_acpi(options: Options, folder: pathlib.Path) -> list[str]:
    """The QEMU arguments for the chosen ACPI table; compiles it into `folder`."""
    if options.acpi == "none":
        return []
    source = ACPI / f"{options.acpi}.asl"
    if not source.exists():
        known = ", ".join(sorted(path.stem for path in ACPI.glob("*.asl")))
        raise common.Failure(f"no ACPI table named {options.acpi}", f"known tables: none, {known}", common.EXIT_USAGE)
    if options.smp > 8:
        raise common.Failure(f"--acpi {options.acpi} knows 8 processors, --smp asks for {options.smp}",
                             "use fewer, or --acpi none", common.EXIT_USAGE)
    prefix = folder / options.acpi
    try:
        done = subprocess.run(["iasl", *(f"-DCPU{n}" for n in range(1, options.smp)), "-p", str(prefix), str(source)], capture_output=True,
                              text=True, check=False)
    except OSError:
        raise common.Failure("iasl is missing", "./scripts/setup installs it (package acpica-tools)",
                             EXIT_UNAVAILABLE) from None
    if done.returncode:
        raise common.Failure(f"iasl rejected {source}:\n{done.stdout}{done.stderr}")
    return ["-acpitable", f"file={options.acpi}.aml"]


def qemu_arguments(options: Options, accel: str, kernel: pathlib.Path, acpi: list[str]) -> list[str]:
    cpu = options.cpu or ("host" if accel == "kvm" else "max")
    if options.arat:
        cpu += f",arat={options.arat}"
    words = [QEMU, "-machine", options.machine, "-cpu", cpu, "-smp", str(options.smp), "-m", str(options.memory),
             "-display", "none", "-no-reboot", "-nic", "none", "-monitor", "none"]
    if accel == "tcg":
        # With a thread per CPU, QEMU before 8.1 may keep a translation of what another CPU has just patched: a guest that
        # turns the function tracer on and off then dies of a stale breakpoint ("Oops: int3"), a stock kernel as well.
        words += ["-accel", "tcg,thread=single" if options.icount or options.accel == "tcg-single" else "tcg,thread=multi"]
    else:
        words += ["-accel", "kvm"]
    if options.icount:
        words += ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1"]
    else:
        words += ["-nodefaults"]
    if options.mode == "shell":
        words += ["-chardev", "stdio,id=console,mux=on,signal=off", "-serial", "chardev:console",
                  "-mon", "chardev=console,mode=readline"]
    else:
        # Files: a write to them never waits, so the host's load cannot reach into the guest's timing,
        # and nothing is lost when the reader is slow.
        words += ["-chardev", f"file,id=console,path={CONSOLE_LOG}", "-serial", "chardev:console",
                  "-chardev", f"file,id=output,path={OUTPUT}", "-serial", "chardev:output"]
    words += ["-chardev", f"socket,id=gdb,path={GDB_SOCKET},server=on,wait=off", "-gdb", "chardev:gdb",
              "-qmp", f"unix:{QMP_SOCKET},server=on,wait=off"]
    words += ["-kernel", str(kernel), "-initrd", INITRD, "-append", kernel_command_line(options, accel)]
    words += acpi
    for name, image in options.drive:
        # Read-only for the host: the guest's writes go to a file that QEMU has unlinked. QEMU takes two commas for one.
        path = os.path.abspath(image).replace(",", ",,")
        words += ["-drive", f"if=none,id={name},format=raw,snapshot=on,file={path}"]
    if options.net:
        # restrict: nothing of the host can be reached but what QEMU itself answers.
        folder = os.path.abspath(options.net).replace(",", ",,")
        words += ["-netdev", f"user,id=net,restrict=on,tftp={folder}", "-device", "virtio-net-pci,netdev=net,romfile="]
    for device in options.device:
        words += ["-device", device]
    if options.gdb:
        words += ["-S"]
    return words


def as_shell(words: list[str]) -> str:
    """The command for a bundle: one that can be pasted into a shell."""
    return " ".join(shlex.quote(word) for word in words) + "\n"
