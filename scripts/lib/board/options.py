"""The command line of scripts/board. Pure: looks at no file, so that tests need none."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

CONFIGS = ("lean", "debug", "idle", "kasan", "toy", "toydebug", "toykasan", "pipeline", "crash", "suspend", "off", "vanilla")
DEFAULT_TIMEOUT_S = 120.0


@dataclass
class Options:
    mode: str = "run"
    config: str = "lean"
    kernel: str = ""
    vmlinux: str = ""
    smp: int = 2
    icount: bool = False
    timeout_s: float = DEFAULT_TIMEOUT_S  # 0: no limit.
    add: list[tuple[str, str]] = field(default_factory=list)
    append: list[str] = field(default_factory=list)
    expect: list[str] = field(default_factory=list)
    device: list[str] = field(default_factory=list)
    drive: list[tuple[str, str]] = field(default_factory=list)
    net: str = ""  # A folder on the host that the guest can fetch files from; empty: no network card.
    acpi: str = "none"
    arat: str = ""
    machine: str = "q35"
    cpu: str = ""
    accel: str = "auto"
    memory: int = 0  # MB; 0: chosen by the size of the image.
    modules: bool = True
    gdb: bool = False
    json: bool = False
    keep: bool = False
    verbose: bool = False
    kmemleak: bool = False
    nmi_every_s: float = 0.0
    command: list[str] = field(default_factory=list)


def split_add(text: str) -> tuple[str, str]:
    """HOSTPATH[:GUESTPATH]; a colon belongs to the host path unless an absolute path follows the last one."""
    host, colon, guest = text.rpartition(":")
    if not colon or not guest.startswith("/"):
        host, guest = text, ""
    name = os.path.basename(os.path.normpath(host))
    if not guest:
        guest = f"/root/{name}"
    elif guest.endswith("/"):
        guest += name
    return host, guest


def split_drive(text: str) -> tuple[str, str]:
    """ID=IMAGE: the name that a --device refers to, and a raw image on the host."""
    name, equals, image = text.partition("=")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) or not equals or not image:
        raise argparse.ArgumentTypeError(f"not ID=IMAGE: {text!r}")
    return name, image


def _span(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e7:
        raise ValueError(text)
    return value


def _number(low: int, high: int):
    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not within {low} to {high}")
        return value
    return parse


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"not a regular expression: {text!r}: {error}") from None
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="board", description="Boots a kernel of this project in QEMU.",
                                     epilog="Exit status of run: CMD's own; 124 timed out; 70 the console showed a kernel "
                                            "report; 71 the guest died; 69 nothing to boot; 2 wrong use; 130 interrupted. "
                                            "The last line says which. See Documentation/board.md.")
    modes = parser.add_subparsers(dest="mode", required=True, metavar="run|shell")
    run = modes.add_parser("run", help="run one command in the guest and exit with its status",
                           usage="board run [OPTIONS] -- CMD [ARGS...]")
    shell = modes.add_parser("shell", help="an interactive shell in the guest (Ctrl-A X ends it)",
                             usage="board shell [OPTIONS]")
    for mode in (run, shell):
        mode.add_argument("--config", default="lean", metavar="NAME", help="which kernel: " + ", ".join(CONFIGS))
        mode.add_argument("--kernel", default="", metavar="PATH", help="boot this bzImage instead")
        mode.add_argument("--vmlinux", default="", metavar="PATH", help="symbols for --kernel")
        mode.add_argument("--smp", type=_number(1, 64), metavar="N", help="virtual CPUs (2; 1 under --icount)")
        mode.add_argument("--memory", type=_number(64, 65536), default=0, metavar="MB", help="guest memory")
        mode.add_argument("--add", action="append", default=[], metavar="HOST[:GUEST]",
                          help="put a file or folder, with the libraries it needs, into the guest (default: /root/NAME)")
        mode.add_argument("--append", action="append", default=[], metavar="ARGS", help="more kernel arguments")
        mode.add_argument("--icount", action="store_true", help="the deterministic machine")
        mode.add_argument("--machine", choices=("q35", "pc"), help="q35; pc under --icount")
        mode.add_argument("--cpu", default="", metavar="MODEL", help="QEMU's CPU model (max)")
        mode.add_argument("--arat", choices=("on", "off"), default="", help="whether the APIC timer runs in deep idle")
        mode.add_argument("--accel", choices=("auto", "tcg", "tcg-single", "kvm"), default="auto",
                          help="tcg-single: emulation with all virtual CPUs in one thread of the host")
        mode.add_argument("--acpi", metavar="TABLE", help="add this ACPI table: cst, none (cst for --config idle)")
        mode.add_argument("--device", action="append", default=[], metavar="ARGS", help="QEMU's -device")
        mode.add_argument("--drive", action="append", default=[], type=split_drive, metavar="ID=IMAGE",
                          help="a raw image for a --device with drive=ID; what the guest writes is thrown away")
        mode.add_argument("--net", default="", metavar="FOLDER",
                          help="a network card (virtio) on a network of its own; 10.0.2.2 answers pings, and gives out FOLDER by TFTP")
        mode.add_argument("--no-modules", dest="modules", action="store_false", help="leave the kernel's modules out")
        mode.add_argument("--gdb", action="store_true", help="wait for a debugger before the first instruction")
        mode.add_argument("--keep", action="store_true", help="keep the run folder, the image too")
    run.add_argument("--timeout", type=_span, metavar="SECONDS", help=f"{DEFAULT_TIMEOUT_S:.0f}; 0: none")
    run.add_argument("--expect", action="append", default=[], type=_regex, metavar="REGEX",
                     help="a kernel report that matches is wanted; the run fails without it")
    run.add_argument("--json", action="store_true", help="one object on stdout; CMD's output goes to stderr")
    run.add_argument("--verbose", action="store_true", help="show the console on stderr")
    run.add_argument("--kmemleak", action="store_true", help="scan for leaks after CMD")
    run.add_argument("--nmi-every", type=_span, default=0.0, metavar="SECONDS", help="inject NMIs from outside")
    return parser


def parse(argv: Sequence[str]) -> Options:
    """The options; a mistake ends the program with a message and status 2, as argparse does."""
    own = list(argv)
    command: list[str] = []
    if "--" in own:
        at = own.index("--")
        own, command = own[:at], own[at + 1:]
    parser = _parser()
    given = parser.parse_args(own)
    shell = given.mode == "shell"
    options = Options(mode=given.mode, command=command)
    for name in ("config", "kernel", "vmlinux", "append", "icount", "cpu", "arat", "accel", "device", "drive", "modules",
                 "gdb", "keep", "memory", "net"):
        setattr(options, name, getattr(given, name))
    options.add = [split_add(text) for text in given.add]
    options.smp = given.smp or (1 if options.icount else 2)
    options.machine = given.machine or ("pc" if options.icount else "q35")
    options.acpi = given.acpi or ("cst" if options.config == "idle" else "none")
    if shell:
        if command:
            parser.error("shell takes no command; use run")
        options.timeout_s = 0
    else:
        options.timeout_s = given.timeout if given.timeout is not None else 0 if options.gdb else DEFAULT_TIMEOUT_S
        options.expect, options.json, options.verbose = given.expect, given.json, given.verbose
        options.kmemleak, options.nmi_every_s = given.kmemleak, given.nmi_every
        if not command:
            parser.error("no command: board run [OPTIONS] -- CMD [ARGS...]")
        if any("\0" in word for word in command):
            parser.error("an argument holds a NUL byte")
    if options.config not in CONFIGS and not options.kernel:
        parser.error(f"unknown configuration {options.config!r}; known: {', '.join(CONFIGS)}")
    if options.icount:
        if options.accel == "kvm":
            parser.error("--icount needs software emulation")
        if options.nmi_every_s:
            parser.error("--nmi-every follows the host's clock, so that --icount would not repeat")
        if options.net:
            parser.error("--net: a network card follows the host's clock, so that --icount would not repeat")
        for device in options.device:
            if "virtio" in device:
                parser.error(f"--device {device}: a virtio device breaks the repeatability of --icount")
    return options
