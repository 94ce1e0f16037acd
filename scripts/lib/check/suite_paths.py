"""The paths that a sound system seldom takes: the function tracer in both stages, an oops out-of-band, kexec.

On lean, and in the long form on debug as well. A crash kernel is not started: the configurations have no /proc/kcore, by which
kexec(8) loads one.
"""

from __future__ import annotations

import pathlib
import shutil

import common

from check import programs
from check.context import WITHOUT_CORE, Context, Failed
from check.suite_planted import FOLDER as PLANTED
from check.suite_torture import torture_module

SCRIPTS = common.ROOT / "tests" / "boot" / "paths"
_BOOT_S = 180
_OOPS = r"BUG: kernel NULL pointer dereference(.*\n)+?.*RIP: \S+:planted_oops(.*\n)+?.*(call_oob_actions|handle_oob_irq)"


def run(context: Context) -> None:
    for config in context.configs or context.suite.form(context.long).configs:
        context.parallel([lambda config=config: _ftrace(context, config), lambda config=config: _ends(context, config)])
    context.fact("ftrace, oops, kexec")


def _ftrace(context: Context, config: str) -> None:
    # Counting instructions: how far it comes does not depend on the host, and all virtual CPUs are in one thread, without
    # which QEMU 7.2 executes stale breakpoints (Documentation/board.md, "Oops: int3").
    done = context.board(["sh", "/root/ftrace.sh", str(context.values["seconds"])], config=config, smp=2,
                         timeout_s=_BOOT_S + 20 * int(context.values["seconds"]),
                         add=[(SCRIPTS / "ftrace.sh", "/root/ftrace.sh"), (torture_module(config), "/irqptorture.ko")],
                         append=WITHOUT_CORE, icount=True, title=f"ftrace on {config}")
    _judge(context, done, f"ftrace on {config}", "ftrace: ok")


def _ends(context: Context, config: str) -> None:
    """What ends a kernel."""
    planted = programs.module(context, config, PLANTED) / "planted.ko"
    # The whole report has to be on the console: registers, the handler, who called it.
    done = context.board(["insmod", "/root/planted.ko", "mistake=oops"], config=config, smp=2, timeout_s=_BOOT_S,
                         append=WITHOUT_CORE, add=[(planted, "/root/planted.ko")], expect=_OOPS, title=f"oops on {config}")
    context.expect(done.status == 0 and "expected report, guest ended" in done.last, f"oops on {config}: {done.last}")
    _kexec(context, config)


def _kexec(context: Context, config: str) -> None:
    program = shutil.which("kexec") or shutil.which("kexec", path="/usr/sbin:/sbin")
    if not program:
        raise Failed("kexec is missing (./scripts/setup installs it)")
    done = context.board(["sh", "/root/kexec.sh"], config=config, smp=2, timeout_s=2 * _BOOT_S, append=WITHOUT_CORE,
                         add=[(pathlib.Path(program), "/usr/sbin/kexec"), (common.kernel_image(config), "/bzImage"),
                              (SCRIPTS / "kexec.sh", "/root/kexec.sh"), (torture_module(config), "/irqptorture.ko")],
                         title=f"kexec on {config}")
    _judge(context, done, f"kexec on {config}", "kexec: ok")


def _judge(context: Context, done, what: str, good: str) -> None:
    for line in done.out.splitlines():
        if "FAILED" in line:
            context.expect(False, f"{what}: {line.strip()}")
    if context.ran_well(done, what):
        context.expect(good in done.out, f"{what}: it did not say that it passed")
