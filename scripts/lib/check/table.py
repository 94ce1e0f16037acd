"""The suites in the order of their run, and the parameters of both forms. The only place that holds them.

`configs` are the kernels a form needs; they are built before the first suite starts, and are not in the suite's time.
`limit_s` bounds a suite: what runs longer than that is a failure, whatever it was about to say. It is about twice what the suite
takes on two cores with nothing else to do. WHOLE_S bounds all suites of a form together, which is less than their limits add up to.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Form:
    """What one form of a suite runs with."""
    configs: tuple[str, ...] = ()
    limit_s: float = 300
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    name: str
    summary: str
    short: Form
    long: Form
    renews: tuple[str, ...] = ()  # The kernels that `--renew` needs; empty when it stores nothing.
    long_only: bool = False  # Runs when it is named, and in the long form.

    @property
    def module(self) -> str:
        return "check.suite_" + self.name.replace("-", "_")

    def form(self, long: bool) -> Form:
        return self.long if long else self.short


# All suites of the form, kernels built: what is not done by then is for --resume.
WHOLE_S = {False: 3600.0, True: 9000.0}

# The toy core excludes the real one, and has kernels of its own: two more than the short form has time to build.
TOYS = ("toy", "toydebug")

# Storms, and how many events the long form makes of each.
STORM_EVENTS = {"signal": 100_000, "stage": 100_000, "mm": 50_000, "fork": 5_000, "exec": 5_000, "exit": 5_000, "ptrace": 5_000,
                "affinity": 5_000, "freeze": 300, "hotplug": 300}
# Which of them share a boot: one after the other, so that a boot is worth its start, and boots can be side by side.
STORM_BOOTS = (("signal", "stage", "mm"), ("fork", "exec", "exit"), ("ptrace", "affinity", "freeze", "hotplug"))

CPUS = (1, 2, 4)

SUITES: tuple[Suite, ...] = (
    Suite("unit", "host tests: meson test",
          Form(limit_s=750), Form(limit_s=750)),
    Suite("style", "the kernel's checkpatch.pl over series and overlay",
          Form(limit_s=300), Form(limit_s=300, values={"applies": True})),
    Suite("sim", "the core on simulated CPUs: every rule holds in schedules that were not run before",
          Form(limit_s=600, values={"seconds": 60}), Form(limit_s=600, values={"seconds": 180})),
    Suite("mutants", "planted bugs of the core are found by the simulator",
          Form(limit_s=600, values={"every": 5}), Form(limit_s=600, values={"every": 1})),
    Suite("coverage", "nine lines of ten of the core are reached by unit tests and simulator",
          Form(limit_s=900, values={"runs": 40}), Form(limit_s=900, values={"runs": 40}), long_only=True),
    Suite("setup", "nothing is missing, the builds are current, and building again rebuilds nothing",
          Form(configs=("lean", "debug"), limit_s=300, values={"again_s": 20}),
          Form(configs=("lean", "pipeline", "debug", "idle", "kasan", "off", "vanilla"), limit_s=600, values={"again_s": 20})),
    Suite("inputs", "bad input to the scripts: a clear message and a status that is not zero",
          Form(configs=("lean",), limit_s=300), Form(configs=("lean",), limit_s=300)),
    Suite("preempt", "an oob handler is on time while in-band interrupts are stalled for 50 ms",
          Form(configs=("lean",), limit_s=300, values={"rounds": 20, "vanilla": "stored"}),
          Form(configs=("lean", "vanilla"), limit_s=900, values={"rounds": 40, "vanilla": "run"}),
          renews=("vanilla",)),
    Suite("planted", "planted mistakes give one clear report each",
          Form(configs=("debug",), limit_s=600), Form(configs=("debug",), limit_s=600)),
    Suite("torture", "the pipeline's torture module, and interrupt flows of real devices",
          Form(configs=("lean", "debug"), limit_s=600,
               # (configuration, virtual CPUs, seconds, with hotplug)
               values={"runs": (("lean", 1, 8, False), ("lean", 2, 8, True), ("lean", 4, 8, True),
                                ("debug", 2, 10, True), ("debug", 4, 10, True)),
                       "flows": (("lean", 2),)}),
          Form(configs=("lean", "debug", "idle"), limit_s=1200,
               values={"runs": tuple((config, smp, 60, smp > 1) for config in ("lean", "debug", "idle") for smp in CPUS),
                       "flows": (("lean", 1), ("lean", 2), ("lean", 4), ("debug", 2)),
                       "idle": tuple((smp, arat) for smp in CPUS for arat in ("on", "off"))})),
    Suite("altsched", "a user task keeps its period on the oob stage while in-band interrupts are stalled for 50 ms",
          Form(configs=("lean",), limit_s=300, values={"rounds": 20, "vanilla": "stored"}),
          Form(configs=("lean", "vanilla"), limit_s=900, values={"rounds": 40, "vanilla": "run"}),
          renews=("vanilla",)),
    Suite("core", "what the core promises, seen from user space: a program per subject",
          # (configuration, virtual CPUs); the boots with parameters are others.
          Form(configs=("lean", "debug"), limit_s=600,
               values={"runs": (("lean", 1), ("lean", 2), ("lean", 4), ("debug", 2)), "parameters": (("lean", 2),), "boot_s": 300}),
          Form(configs=("lean", "debug"), limit_s=900,
               values={"runs": tuple((config, smp) for config in ("lean", "debug") for smp in CPUS),
                       "parameters": (("lean", 2), ("debug", 2)), "boot_s": 900})),
    Suite("library", "what the library promises, on a real core, and the tutorial's program",
          Form(configs=("lean", "debug"), limit_s=600,
               values={"runs": (("lean", 1), ("lean", 2), ("lean", 4), ("debug", 2)), "boot_s": 300}),
          Form(configs=("lean", "debug"), limit_s=600,
               values={"runs": tuple((config, smp) for config in ("lean", "debug") for smp in CPUS), "boot_s": 600})),
    Suite("storm", "storms of events on threads of the core: none is lost, none runs twice, nothing is left",
          Form(configs=("lean", "debug"), limit_s=600,
               # (configuration, virtual CPUs, share of the events)
               values={"runs": (("lean", 2, 0.01), ("debug", 2, 0.01)), "events": STORM_EVENTS, "boot_s": 240,
                       "boots": (tuple(STORM_EVENTS),)}),
          # A tenth: `storm-toy` makes all of them, as alternate scheduling is what they are for; the long form has no time for both.
          Form(configs=("lean", "debug", "kasan"), limit_s=1200,
               values={"runs": (*((config, smp, 0.1) for config in ("debug", "lean") for smp in CPUS), ("kasan", 2, 0.1)),
                       "events": STORM_EVENTS, "boot_s": 900, "boots": (tuple(STORM_EVENTS),)})),
    Suite("fpu", "registers and memory of threads that switch stages, and hectic",
          # (configuration, virtual CPUs, seconds)
          Form(configs=("lean", "debug"), limit_s=600,
               values={"runs": (("lean", 2, 20), ("debug", 2, 20)),
                       "hectic": (("lean", 1, 20), ("lean", 2, 20), ("lean", 4, 20), ("debug", 2, 20))}),
          Form(configs=("lean", "debug"), limit_s=2400,
               values={"runs": tuple((config, smp, 60) for config in ("lean", "debug") for smp in CPUS),
                       "hectic": (*(("lean", smp, 300) for smp in CPUS), ("debug", 1, 300), ("debug", 2, 300))})),
    Suite("faults", "faults of threads of the core",
          Form(configs=("lean", "debug"), limit_s=300, values={"runs": (("lean", 1), ("lean", 2), ("debug", 2))}),
          Form(configs=("lean", "debug"), limit_s=900,
               values={"runs": tuple((config, smp) for config in ("lean", "debug") for smp in CPUS)})),
    Suite("gdb", "a debugger on an application with oob threads",
          Form(configs=("lean",), limit_s=300, values={"runs": (("lean", 2),)}),
          Form(configs=("lean", "debug"), limit_s=900,
               values={"runs": tuple((config, smp) for config in ("lean", "debug") for smp in CPUS)})),
    Suite("latmus", "how late the core answers a timer, in instructions, idle and loaded, against SCHED_FIFO",
          Form(configs=("lean",), limit_s=300, values={"more_s": 0}), Form(configs=("lean",), limit_s=900, values={"more_s": 10})),
    Suite("tools", "evl, evl check, evl ps, latmus and hectic, with good and bad input, and the udev rule",
          Form(configs=("lean",), limit_s=300), Form(configs=("lean",), limit_s=300)),
    Suite("planted-toy", "planted mistakes of a companion core give one clear report each",
          Form(configs=("toydebug",), limit_s=600), Form(configs=("toydebug",), limit_s=600), long_only=True),
    Suite("storm-toy", "storms of events on threads of the toy core: none is lost, none runs twice",
          Form(configs=TOYS, limit_s=600,
               # (configuration, virtual CPUs, share of the events)
               values={"runs": (("toy", 2, 0.01), ("toydebug", 2, 0.01)), "events": STORM_EVENTS, "boot_s": 240,
                       "boots": (tuple(STORM_EVENTS),)}),
          Form(configs=(*TOYS, "toykasan"), limit_s=5400,
               values={"runs": (*((config, smp, 1.0) for config in reversed(TOYS) for smp in CPUS), ("toykasan", 2, 0.1)),
                       "events": STORM_EVENTS, "boot_s": 3600, "boots": STORM_BOOTS}),
          long_only=True),
    Suite("fpu-toy", "registers and memory of threads that switch stages",
          # (configuration, virtual CPUs, seconds)
          Form(configs=TOYS, limit_s=300, values={"runs": (("toy", 2, 20), ("toydebug", 2, 20))}),
          Form(configs=TOYS, limit_s=600,
               values={"runs": tuple((config, smp, 20) for config in TOYS for smp in CPUS)}),
          long_only=True),
    Suite("faults-toy", "faults of threads of the toy core",
          Form(configs=TOYS, limit_s=300, values={"runs": (("toy", 1), ("toy", 2), ("toydebug", 2))}),
          Form(configs=TOYS, limit_s=900, values={"runs": tuple((config, smp) for config in TOYS for smp in CPUS)}),
          long_only=True),
    Suite("gdb-toy", "a debugger on an application with threads of the toy core",
          Form(configs=("toy",), limit_s=300, values={"runs": (("toy", 2),)}),
          Form(configs=TOYS, limit_s=900, values={"runs": tuple((config, smp) for config in TOYS for smp in CPUS)}),
          long_only=True),
    Suite("paths", "the function tracer in both stages, an oops out-of-band, kexec, a crash kernel, the kernel debugger, suspend",
          Form(configs=("lean",), limit_s=600, values={"seconds": 5}),
          Form(configs=("lean", "debug", "crash", "suspend"), limit_s=1200, values={"seconds": 10})),
    Suite("selftests", "the kernel's own selftests give the verdicts of vanilla",
          Form(configs=("lean",), limit_s=600, values={"vanilla_runs": 0, "rate_runs": 0}),
          Form(configs=("lean", "vanilla"), limit_s=2700, values={"vanilla_runs": 3, "rate_runs": 5}),
          renews=("vanilla",)),
    Suite("stress", "rcutorture, locktorture and a mixed load: no kernel report",
          Form(configs=("debug",), limit_s=600, values={"seconds": 120, "at_once": False}),
          Form(configs=("debug",), limit_s=1800, values={"seconds": 1200, "at_once": True})),
    Suite("off-parity", "with the pipeline compiled out, the kernel behaves as vanilla",
          Form(limit_s=120, values={"measure": False}),
          Form(configs=("off", "vanilla"), limit_s=600, values={"measure": True}),
          renews=("off", "vanilla")),
)

NAMES = tuple(suite.name for suite in SUITES)


def usual(long: bool) -> tuple[Suite, ...]:
    """What runs when no suite is named."""
    return tuple(suite for suite in SUITES if long or not suite.long_only)


def find(name: str) -> Suite:
    return next(suite for suite in SUITES if suite.name == name)
