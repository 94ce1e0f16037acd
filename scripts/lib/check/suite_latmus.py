"""How late the core answers a timer, on the deterministic machine: interrupt handler, kernel thread, user thread, and SCHED_FIFO beside them.

One boot measures all of them, first idle, then under the load that the reference figures were measured with. It is done twice,
at once: what latmus prints must be the same to the last character. Gravity is 0, so a figure is the raw time from the date of
the timer to the answer, and a nanosecond is an instruction.
"""

from __future__ import annotations

import latmus

from check import programs
from check.context import Context, Failed

# The most instructions under load, over 3,000 periods.
LIMITS = {"irq": 800, "kernel": 2000, "user": 2500}
LONGER_AIM = 3000  # The user thread's, over 10,000 periods.
IDLE_FACTOR = 1.5  # Loaded, the user thread's worst is at most that much of its own idle worst.
_ALL = "-u -f -k -i -T 3 -w 50 -H 1000"
_RATE = 1000  # Periods per second.
_BOOT_S = 240
_MORE_S = 40  # Of this computer's time, for a second of the loaded guest's on a busy host.


def plan(more_s: int) -> latmus.Plan:
    """`more_s`: measure the user thread once more under load, for so many seconds; 0: do not."""
    steps = [("idle", _ALL), ("plain", _ALL)]
    return [*steps, ("plain", f"-u -T {more_s} -w 50 -H 1000")] if more_s else steps


def run(context: Context) -> None:
    context.only_on("lean")
    program = programs.program(context, latmus.PROGRAM)
    more_s = int(context.values["more_s"])
    steps = plan(more_s)

    def once() -> str:
        done = context.board(latmus.guest_words(steps), config="lean", smp=1, icount=True, timeout_s=_BOOT_S + _MORE_S * more_s,
                             add=latmus.adds(program, ["hackbench"]), title="latmus")
        if done.status != 0:
            context.ran_well(done, "latmus")
            raise Failed(f"latmus did not run: {done.last}")
        return done.out

    first, second = context.parallel([once, once])
    differing = next((f"`{one}` and `{other}`" for one, other in zip(first.splitlines(), second.splitlines()) if one != other), "length")
    context.expect(first == second, f"two runs of one image differ: {differing[:300]}")
    reports = latmus.reports(first)
    if context.expect(len(reports) == len(steps), f"{len(reports)} reports came out of the guest, not {len(steps)}"):
        judge(context, reports)
        for report in reports[2:]:
            judge_longer(context, report, more_s)


def judge(context: Context, reports: list[dict]) -> None:
    """The first report is the idle one, the second the loaded one; limits are for these two."""
    rows = [row for report in reports for row in latmus.figures(report)]
    context.say("figures in instructions\n" + latmus.table(rows))
    for report in reports:
        gravity = report["environment"]["gravity"].split()
        context.expect(gravity == ["0i", "0k", "0u"], f"the gravity is {' '.join(gravity)}, not 0")
    for row in rows:
        who = f"{row.context} under load {row.load}"
        context.expect(row.ending == "timeout" and row.samples >= 3 * _RATE, f"{who}: {row.samples} samples, ended by {row.ending}")
        context.expect(row.inband_switches == 0, f"{who}: switched in-band {row.inband_switches} times")
        context.expect(row.context == "fifo" or row.overruns == 0, f"{who}: {row.overruns} periods missed")
        context.expect(row.context == "fifo" or row.min_ns > 0, f"{who}: answered {-row.min_ns} early")
    idle = {row.context: row for row in latmus.figures(reports[0])}
    loaded = {row.context: row for row in latmus.figures(reports[1])}
    for name, limit in LIMITS.items():
        context.expect(loaded[name].max_ns <= limit, f"{name} under load: {loaded[name].max_ns} at worst, more than {limit}")
    user, fifo = loaded["user"].max_ns, loaded["fifo"].max_ns
    context.expect(user <= IDLE_FACTOR * idle["user"].max_ns,
                   f"user under load: {user} at worst, more than {IDLE_FACTOR} times the idle {idle['user'].max_ns}")
    context.expect(user < fifo, f"user under load: {user} at worst, SCHED_FIFO {fifo}")
    context.fact(f"user {user} instructions at worst under load, {idle['user'].max_ns} idle; SCHED_FIFO {fifo}; "
                 f"kernel {loaded['kernel'].max_ns}, irq {loaded['irq'].max_ns}; {sum(row.inband_switches for row in rows)} in-band switches")


def judge_longer(context: Context, report: dict, seconds: int) -> None:
    """The user thread alone, for longer. Its worst case is shown beside the aim, and no limit."""
    row = latmus.figures(report)[0]
    context.expect(row.samples >= seconds * _RATE, f"the longer run took {row.samples} samples, not {seconds * _RATE}")
    context.fact(f"of {row.samples} loaded periods of the user thread the worst {row.max_ns} (aim {LONGER_AIM}), {row.inband_switches} in-band switches")
