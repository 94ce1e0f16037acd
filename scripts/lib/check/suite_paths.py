"""The paths that a sound system seldom takes: the function tracer in both stages, probes of kernel and program that oob tasks hit, an
oops out-of-band, kexec.

On lean, and in the long form on debug as well; there also the kernel debugger and a crash kernel, on `crash`, and what the pipeline says
to suspend, on `suspend`.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import tempfile

import common

from check import programs
from check.context import WITHOUT_CORE, Context, Failed
from check.suite_gdb import free_port, with_arguments
from check.suite_planted import FOLDER as PLANTED
from check.suite_torture import torture_module

SCRIPTS = common.ROOT / "tests" / "boot" / "paths"
_BOOT_S = 180
_OOPS = r"BUG: kernel NULL pointer dereference(.*\n)+?.*RIP: \S+:planted_oops(.*\n)+?.*(call_oob_actions|handle_oob_irq)"
# Lines that kgdb.gdb prints when all is well.
_KGDB_STEPS = 12


def run(context: Context) -> None:
    for config in context.configs or context.suite.form(context.long).configs:
        if config == "crash":
            _kgdb(context, config)
            _crash_kernel(context, config)
            context.fact("KGDB, crash kernel")
        elif config == "suspend":
            _suspend(context, config)
            context.fact("suspend refused")
        else:
            context.parallel([lambda config=config: _traced(context, config), lambda config=config: _ends(context, config)])
            context.fact(f"{config}: ftrace, probes, oops, kexec")


def _traced(context: Context, config: str) -> None:
    _ftrace(context, config)
    _probes(context, config)


def _ftrace(context: Context, config: str) -> None:
    # Counting instructions: how far it comes does not depend on the host, and all virtual CPUs are in one thread, without
    # which QEMU 7.2 executes stale breakpoints (Documentation/board.md, "Oops: int3").
    done = context.board(["sh", "/root/ftrace.sh", str(context.values["seconds"])], config=config, smp=2,
                         timeout_s=_BOOT_S + 20 * int(context.values["seconds"]),
                         add=[(SCRIPTS / "ftrace.sh", "/root/ftrace.sh"), (torture_module(config), "/irqptorture.ko")],
                         append=WITHOUT_CORE, icount=True, title=f"ftrace on {config}")
    context.said_so(done, f"ftrace on {config}", "ftrace: ok")


def _probes(context: Context, config: str) -> None:
    program = _debuggee(context)
    done = context.board(["sh", "/root/probes.sh", hex(_file_offset(program, "tick"))], config=config, smp=2, timeout_s=2 * _BOOT_S,
                         add=[(SCRIPTS / "probes.sh", "/root/probes.sh"), (program, "/root/debuggee")], icount=True,
                         title=f"probes on {config}")
    context.said_so(done, f"probes on {config}", "probes: ok")


def _debuggee(context: Context) -> pathlib.Path:
    return programs.program(context, "tests/target/altsched/debuggee-evl")


def _file_offset(program: pathlib.Path, function: str) -> int:
    """Where a function is in its file: what a probe of a program wants to know."""
    def readelf(what: str) -> str:
        return subprocess.run(["readelf", "-W", what, program], check=True, capture_output=True, text=True).stdout

    symbol = re.search(rf"^\s*\d+:\s+([0-9a-f]+)\s.*\bFUNC\b.*\s{function}$", readelf("--symbols"), re.MULTILINE)
    if not symbol:
        raise Failed(f"{program.name} has no function {function}")
    address = int(symbol[1], 16)
    for load in re.finditer(r"^\s*LOAD\s+(0x\w+)\s+(0x\w+)\s+0x\w+\s+(0x\w+)", readelf("--segments"), re.MULTILINE):
        offset, start, size = (int(word, 16) for word in load.groups())
        if start <= address < start + size:
            return address - start + offset
    raise Failed(f"{program.name}: {function} is in no segment")


def _ends(context: Context, config: str) -> None:
    """What ends a kernel."""
    planted = programs.module(context, config, PLANTED) / "planted.ko"
    # The whole report has to be on the console: registers, the handler, who called it.
    done = context.board(["insmod", "/root/planted.ko", "mistake=oops"], config=config, smp=2, timeout_s=_BOOT_S,
                         append=WITHOUT_CORE, add=[(planted, "/root/planted.ko")], expect=_OOPS, title=f"oops on {config}")
    context.expect(done.status == 0 and "expected report, guest ended" in done.last, f"oops on {config}: {done.last}")
    _kexec(context, config)


def _of_kexec_tools(name: str) -> tuple[pathlib.Path, str]:
    program = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not program:
        raise Failed(f"{name} is missing (./scripts/setup installs it)")
    return pathlib.Path(program), f"/usr/sbin/{name}"


def _kexec(context: Context, config: str) -> None:
    done = context.board(["sh", "/root/kexec.sh"], config=config, smp=2, timeout_s=2 * _BOOT_S, append=WITHOUT_CORE,
                         add=[_of_kexec_tools("kexec"), (common.kernel_image(config), "/bzImage"),
                              (SCRIPTS / "kexec.sh", "/root/kexec.sh"), (torture_module(config), "/irqptorture.ko")],
                         title=f"kexec on {config}")
    context.said_so(done, f"kexec on {config}", "kexec: ok")


def _crash_kernel(context: Context, config: str) -> None:
    planted = programs.module(context, config, PLANTED) / "planted.ko"
    done = context.board(["sh", "/root/crash.sh"], config=config, smp=2, timeout_s=2 * _BOOT_S,
                         append=f"{WITHOUT_CORE} crashkernel=256M",
                         add=[_of_kexec_tools("kexec"), _of_kexec_tools("vmcore-dmesg"), (common.kernel_image(config), "/bzImage"),
                              (SCRIPTS / "crash.sh", "/root/crash.sh"), (planted, "/planted.ko")], title=f"crash kernel on {config}")
    context.said_so(done, f"crash kernel on {config}", "crash: ok")


def _kgdb(context: Context, config: str) -> None:
    what, port = f"kgdb on {config}", free_port()
    line = f"-chardev socket,id=kgdb,host=127.0.0.1,port={port},server=on,wait=off -device isa-serial,chardev=kgdb,index=2"
    with tempfile.TemporaryDirectory(prefix="kgdb-") as folder:
        qemu = with_arguments(pathlib.Path(folder), line)
        boot, gdb = context.parallel([
            lambda: context.board(["sh", "/root/kgdb.sh"], config=config, smp=2, timeout_s=2 * _BOOT_S, env={"BOARD_QEMU": str(qemu)},
                                  add=[(SCRIPTS / "kgdb.sh", "/root/kgdb.sh"), (_debuggee(context), "/root/debuggee")], title=what),
            lambda: context.command(["gdb", "-nx", "-batch", "-x", SCRIPTS / "kgdb.gdb", common.kernel_out(config) / "vmlinux"],
                                    timeout_s=2 * _BOOT_S, env={"KGDB_PORT": str(port)}, title=f"{what}: gdb")])
    steps = sum(text.startswith("step ") for text in gdb.out.splitlines())
    context.expect(gdb.status == 0 and "gdb: ok" in gdb.out and steps == _KGDB_STEPS,
                   f"{what}: gdb took {steps} of {_KGDB_STEPS} steps: {(gdb.out.strip().splitlines() or ['nothing'])[-1]}")
    context.said_so(boot, what, "kgdb: ok")


def _suspend(context: Context, config: str) -> None:
    done = context.board(["sh", "/root/suspend.sh"], config=config, smp=2, timeout_s=_BOOT_S, title=f"suspend on {config}",
                         expect="irq_pipeline: suspend is refused",
                         add=[(SCRIPTS / "suspend.sh", "/root/suspend.sh"), (torture_module(config), "/irqptorture.ko")])
    context.said_so(done, f"suspend on {config}", "suspend: ok")
