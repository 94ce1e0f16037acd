"""Whether KVM really works here.

Two questions, as the first answer is cheap and the second one is what a board is for:
- a firmware of three instructions ends with the status it was written to give;
- the board boots its kernel under KVM, runs a program and powers off, within BOOT_LIMIT_S.

A KVM was met that opens and refuses the CPU model of boards, and one that runs any firmware and gives up ("KVM internal error")
before a kernel has said a word, after two minutes: it keeps page tables of its own for the guest. The answer to the second
question is kept for as long as the host is up.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import common

# A kernel that comes up later than this would come up sooner in the emulator.
BOOT_LIMIT_S = 20.0
GAVE_UP = "KVM internal error"  # What QEMU says when it stops the guest for good; it does not end then.
_ANSWER = common.BUILD / "board" / "kvm.json"
_LOG = common.BUILD / "board" / "kvm.log"
_BOOT_ID = pathlib.Path("/proc/sys/kernel/random/boot_id")

# The whole firmware: at the reset vector, mov al,42; out 0xf4,al; hlt. QEMU then exits with 42 * 2 + 1.
_FIRMWARE = bytes.fromhex("b02ae6f4f4")
_FIRMWARE_STATUS = 42 * 2 + 1


def trouble(qemu: str, version: str, kernel: list[str]) -> str:
    """Why KVM cannot be used here; empty when it can. `kernel`: the board's options that name one to try it with."""
    return firmware_trouble(qemu) or _kept_boot_trouble(version, kernel)


def firmware_trouble(qemu: str) -> str:
    if not os.path.exists("/dev/kvm"):
        return "no /dev/kvm"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "no access to /dev/kvm"
    with tempfile.TemporaryDirectory(prefix="board-kvm-") as folder:
        bios = pathlib.Path(folder, "bios")
        bios.write_bytes((b"\0" * 0xfff0 + _FIRMWARE).ljust(0x10000, b"\0"))
        try:
            done = subprocess.run(
                [qemu, "-accel", "kvm", "-cpu", "host", "-smp", "2", "-machine", "q35", "-nodefaults", "-display", "none", "-m", "16",
                 "-bios", str(bios), "-device", "isa-debug-exit,iobase=0xf4,iosize=1"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False)
        except subprocess.TimeoutExpired:
            return "a guest of three instructions did not end within 10 s"
    if done.returncode == _FIRMWARE_STATUS:
        return ""
    said = [line.removeprefix(f"{qemu}: ") for line in done.stderr.strip().splitlines() if "warning:" not in line]
    return said[0] if said else f"the probe's QEMU ended with {done.returncode}"


def _kept_boot_trouble(version: str, kernel: list[str]) -> str:
    """One board asks, those beside it wait for the answer."""
    here = {"boot": _BOOT_ID.read_text().strip(), "QEMU": version}
    with common.locked(_ANSWER.with_suffix(".lock"), "board: is KVM of use"):
        kept = common.read_json(_ANSWER)
        if {name: kept.get(name) for name in here} == here and isinstance(kept.get("trouble"), str):
            return kept["trouble"]
        found = boot_trouble(kernel)
        common.write_atomically(_ANSWER, json.dumps({**here, "trouble": found}, indent=1) + "\n")
        return found


def boot_trouble(kernel: list[str]) -> str:
    """Boots `kernel` under KVM to run `true`; empty if that went well. What the board said is in _LOG."""
    words = [sys.executable, str(common.SCRIPTS / "board"), "run", *kernel, "--accel", "kvm", "--no-modules",
             "--timeout", f"{BOOT_LIMIT_S:.0f}", "--", "true"]
    with common.Progress("board: see whether KVM boots a kernel (once for each start of this computer)") as progress:
        status = common.run_logged(words, _LOG, progress)
    if status == 0:
        return ""
    lines = _LOG.read_text(errors="replace").splitlines()
    told = [line for line in lines if GAVE_UP in line or " within " in line] or lines[-1:] or [f"status {status}"]
    said = told[0].removeprefix("board: ").partition(";")[0]
    return f"in a boot, {said} (see {_LOG}; {_ANSWER.name} beside it keeps this answer)"
