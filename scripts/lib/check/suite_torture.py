"""The pipeline's own torture module, whose counters must match exactly, and the interrupt flows of devices.

What the emulator has not (x2APIC, TSC-deadline) is not run here: see Documentation/testing.md.
"""

from __future__ import annotations

import pathlib
import random
import re

import common

from check import programs
from check.context import WITHOUT_CORE, Context, Failed

FLOWS = common.ROOT / "tests" / "target" / "kmod" / "flows"
IDLE = common.ROOT / "tests" / "boot" / "paths" / "idle.sh"
_BOOT_S = 90
_DISK_MB = 16


def run(context: Context) -> None:
    values = context.values
    flows = [(config, smp) for config, smp in values["flows"] if context.wants(config, smp)]
    jobs = [(smp, lambda set_up=(config, smp, seconds, hotplug): _torture(context, *set_up))
            for config, smp, seconds, hotplug in set_ups(context)]
    jobs += [(smp, lambda config=config, smp=smp: _flows(context, config, smp)) for config, smp in flows]
    jobs += [(1, lambda config=config: _legacy(context, config)) for config in dict.fromkeys(config for config, _ in flows)]
    jobs += [(smp, lambda smp=smp, arat=arat: _idle(context, smp, arat))
             for smp, arat in values.get("idle", ()) if context.wants("idle", smp)]
    context.side_by_side(jobs)
    context.fact(f"{len(jobs)} set-ups")


def set_ups(context: Context) -> list[tuple[str, int, int, bool]]:
    """Those of the table that --config and --smp leave in; if they name others, those, as long as the longest."""
    runs = list(context.values["runs"])
    chosen = [run for run in runs if context.wants(run[0], run[1])]
    configs = context.configs or list(dict.fromkeys(run[0] for run in runs))
    counts = context.smp or sorted({run[1] for run in runs})
    return chosen or [(config, smp, max(run[2] for run in runs), smp > 1) for config in configs for smp in counts]


def torture_module(config: str) -> pathlib.Path:
    found = sorted(common.kernel_modules(config).rglob("irqptorture.ko"))
    if not found:
        raise Failed(f"there is no irqptorture.ko in the modules of {config}")
    return found[0]


def _torture(context: Context, config: str, smp: int, seconds: int, hotplug: bool) -> None:
    what = f"torture on {config}, {smp} CPUs"
    done = context.board(["insmod", "/root/irqptorture.ko", f"seconds={seconds}", f"hotplug={int(hotplug)}"],
                         config=config, smp=smp, timeout_s=_BOOT_S + 12 * seconds, append=WITHOUT_CORE,
                         add=[(torture_module(config), "/root/irqptorture.ko")], more=["--verbose"], title=what)
    lines = [line.split("irq_pipeline-torture: ", 1)[1] for line in done.err.splitlines()
             if "irq_pipeline-torture: " in line]
    if context.said_so(done, what, r"irq_pipeline-torture: IRQ pipeline tests OK\."):
        # A test that was built without something to do would pass as well.
        fires = [int(number) for number in re.findall(r"timer (\d+) fires", "\n".join(lines))]
        context.expect(len(fires) >= smp and all(fires), f"{what}: the oob timer did not fire on each CPU: {fires}")


def _flows(context: Context, config: str, smp: int) -> None:
    folder = programs.module(context, config, FLOWS)
    for mode in ("intx", "msi"):
        done = context.board(["insmod", "/root/flows.ko", f"mode={mode}"], config=config, smp=smp, timeout_s=_BOOT_S + 60,
                             append=WITHOUT_CORE, add=[(folder / "flows.ko", "/root/flows.ko")], device=["edu"], more=["--verbose"],
                             title=f"flows {mode}")
        context.said_so(done, f"flows by {mode} on {config}, {smp} CPUs", rf"flows: {mode} irq \d+: ok")
    # MSI-X by the drivers of a disk, a network card and a random number generator, while the pipeline is tortured.
    done = context.board(["sh", "/root/traffic.sh", "15"], config=config, smp=smp, timeout_s=_BOOT_S + 120,
                         append=WITHOUT_CORE, add=[(FLOWS / "traffic.sh", "/root/traffic.sh"), (torture_module(config), "/irqptorture.ko")],
                         device=["nvme,serial=1,drive=d0", "e1000e", "virtio-rng-pci"],
                         more=["--drive", f"d0={_disk(context, f'{config}-{smp}')}"], title="MSI-X traffic")
    context.said_so(done, f"MSI-X on {config}, {smp} CPUs", r"traffic: ok")
    for name in ("nvme0", "eth0", "hwrng"):
        # A device that the guest did not find is skipped by the script.
        context.expect(re.search(rf"traffic: {name}: ", done.out) is not None, f"MSI-X on {config}, {smp} CPUs: no {name}")


def _legacy(context: Context, config: str) -> None:
    """The i8259, which one CPU without an IO-APIC uses; then with the PIT instead of the local APIC's timer."""
    for append in ("noapic", "noapic nolapic_timer"):
        done = context.board(["sh", "/root/legacy.sh"], config=config, smp=1, timeout_s=_BOOT_S + 60, append=f"{append} {WITHOUT_CORE}",
                             add=[(FLOWS / "legacy.sh", "/root/legacy.sh")], more=["--machine", "pc"], title=append)
        context.said_so(done, f"i8259 on {config} ({append})", r"legacy: ok")


def _idle(context: Context, smp: int, arat: str) -> None:
    """C1 and C2 are entered on each CPU; without `arat` the broadcast timer wakes it from C2."""
    done = context.board(["sh", "/root/idle.sh", arat, "8"], config="idle", smp=smp, timeout_s=_BOOT_S + 180, append=WITHOUT_CORE,
                         add=[(IDLE, "/root/idle.sh"), (torture_module("idle"), "/irqptorture.ko")],
                         more=["--arat", arat], title=f"idle states, {smp} CPUs, arat {arat}")
    context.said_so(done, f"idle states on {smp} CPUs, arat {arat}", r"idle: ok")


def _disk(context: Context, name: str) -> pathlib.Path:
    """An image with no two blocks alike, so that data which comes from the wrong place is seen. One per guest: QEMU locks it."""
    path = context.log_path.parent / f"nvme-{name}.img"
    if not path.exists() or path.stat().st_size != _DISK_MB << 20:
        path.write_bytes(random.Random(1).randbytes(_DISK_MB << 20))
    return path

