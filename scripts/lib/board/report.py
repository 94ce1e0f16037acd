"""Recognises kernel reports on the console. Called while a board runs and once when it ended.

A report begins at a line that matches a trigger (or at the frame line just before it) and goes on
until the end of its trace. What a report drags behind it, such as the panic that ends an oops, is
part of it and not a report of its own: a test that expects the oops need not expect the panic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# "[    1.234567] " or "[    1.234567][   T12] ", possibly after a "<4>" level.
_PREFIX = re.compile(r"^(?:<\d+>)?(?:\[\s*\d+\.\d+\](?:\[\s*[TC]\d+\])?\s?)")

# Each trigger with its own name, which --json gives to scripts.
_TRIGGERS: tuple[tuple[str, re.Pattern[str]], ...] = tuple((name, re.compile(text)) for name, text in (
    ("kasan", r"\bKASAN:"),
    ("kfence", r"BUG: KFENCE:"),
    ("kcsan", r"BUG: KCSAN:"),
    ("ubsan", r"\bUBSAN:"),
    ("kmemleak", r"\bkmemleak: \d+ new suspected memory leaks"),
    ("kmemleak", r"\bkmemleak: (?:Cannot|Kernel memory leak detector disabled|.*(?:overlaps|unknown object))"),
    ("lockup", r"\bBUG: soft lockup\b|\bhard LOCKUP\b|\bWatchdog detected hard|BUG: workqueue lockup"),
    ("rcu-stall", r"\brcu: INFO: |\brcu\w*: INFO: rcu|self-detected stall|\bdetected (?:expedited )?stalls? on CPUs|"
                  r"rcu_preempt detected"),
    ("hung-task", r"\bINFO: task \S.* blocked (?:in I/O wait |on a \w+ )?for more than \d+ seconds"),
    ("lockdep", r"possible (?:circular|recursive|irq|unsafe|bad|deadlock|nested|IRQ|HARDIRQ|SOFTIRQ|reclaim)\b.*detected|"
                r"\binconsistent lock state\b|possible irq lock inversion|\bbad unlock balance detected|"
                r"\bsuspicious RCU usage\b|\bInvalid wait context\b|\bheld lock freed\b|lock held when returning to user|"
                r"\block held at task exit|INFO: trying to register non-static key|INFO: lockdep is turned off|"
                r"turning off the locking correctness validator|BUG: MAX_LOCKDEP|DEBUG_LOCKS_WARN_ON\("),
    ("pipeline", r"(?i:\birq[_ ]pipeline: )"),
    ("pipeline", r"called an? in-?band(?:-only| only)"),
    ("atomic", r"\bscheduling while atomic\b|sleeping function called from invalid context|"
               r"bad: scheduling from the idle thread"),
    ("irq", r"\bnobody cared\b|[Uu]nexpected (?:irq|IRQ) trap\b|\bUnbalanced (?:enable|IRQ|wake)|"
            r"No irq handler for vector|\bunexpected IRQ trap"),
    ("panic", r"\bKernel panic\b"),
    ("oops", r"\bOops\b(?::|\s)|\bunable to handle\b|\bdouble fault\b|\bgeneral protection fault\b|"
             r"\bstack guard page was hit|\bkernel stack overflow\b|\binvalid opcode: \d{4}|\bdivide error: \d{4}|"
             r"\bkernel BUG at\b|\bTHIS IS A BUG\b"),
    ("refcount", r"\brefcount_t: \S"),
    ("list", r"\blist_(?:add|del) corruption"),
    ("torture", r"--- End of test: (?:FAILURE|RCU_HOTPLUG|LOCK_HOTPLUG)"),
    ("bug", r"\bBUG: |^BUG\b"),
    ("warning", r"\bWARNING:"),
))

# Lines that match a trigger and say nothing is wrong. Each was seen in a log of a sound kernel.
_BENIGN = tuple(re.compile(text) for text in (
    # The processor's own flaws, told at boot: "Spectre V2 : WARNING: Unprivileged eBPF is enabled".
    r"^(?:Spectre V[12]|RETBleed|MDS|TAA|MMIO Stale Data|L1TF|SRBDS|GDS|SRSO|ITS|TSA)\b.*WARNING:",
    # The pipeline's good news.
    r"(?i)irq[_ ]pipeline: (?:enabled|initiali[sz]ed|ready|high-priority|.*\bstage (?:added|removed|enabled|disabled)|"
    r"torture test)",
    r"^(?:Kernel )?[Cc]ommand line:",
    r"\bUnknown kernel command line parameters\b",
    # A user program's fault, not the kernel's: "traps: prog[12] general protection fault ip:... sp:...".
    r"\btraps: \S+\[\d+\] ",
    # Only printed while a report's own trace is shown, and when the test itself asked for "no lockdep".
    r"^---\[ end ",
))

# A trigger that belongs to the report before it.
_CONTINUES = re.compile(
    r"\bOops: |\bKernel panic - not syncing: (?:Fatal exception|.*panic_on_(?:warn|oops)|Fatal hardware error)|"
    r"INFO: lockdep is turned off|\bkernel BUG at\b|\binvalid opcode: |\bstack guard page was hit|"
    r"rcu_\w+ kthread (?:starved|timer wakeup)|turning off the locking correctness validator")
# For these, what follows within a few lines is the same event told again by another layer.
_SAME_EVENT = {
    ("lockdep", "lockdep"), ("warning", "lockdep"), ("lockdep", "warning"), ("refcount", "warning"),
    ("warning", "refcount"), ("list", "bug"), ("list", "oops"), ("list", "warning"), ("warning", "list"),
    ("bug", "bug"), ("bug", "oops"), ("oops", "oops"), ("bug", "atomic"), ("atomic", "atomic"),
    ("rcu-stall", "rcu-stall"), ("kasan", "kasan"), ("kasan", "bug"), ("ubsan", "ubsan"), ("atomic", "bug"),
    ("pipeline", "pipeline"), ("pipeline", "warning"), ("warning", "pipeline"), ("oops", "bug"),
}
_SAME_EVENT_LINES = 4

_FRAME = re.compile(r"^(?:-+\[ cut here \]-+|={10,})$")
_END = re.compile(r"^---\[ end ")
_OPENING_LINES = 6
_MAX_LINES = 160
_QUIET_LINES = 60  # A report without an end marker is over when this many lines brought no part of a trace.
_TRACE = re.compile(
    r"^\s|^(?:CPU|RIP|RSP|RAX|RDX|RBP|R\d\d|FS|CS|CR2|DR\d|PKRU|Code|EFLAGS|Call Trace|Modules linked in|Hardware name|"
    r"irq event stamp|hardirqs last|softirqs last|Workqueue|Tainted|stack backtrace|other info|Possible|"
    r"Preemption disabled|\d+ locks? held|the existing|but task|which lock|the dependencies|Chain exists|Memory state|"
    r"The buggy|Allocated by|Freed by|page|unreferenced|comm |hex dump|backtrace|NMI backtrace|Sending NMI|"
    r"rcu:|handlers:|Disabling IRQ)|^[-=]{8,}|^#\d:|^-> #|^ *<|^\*\*\*|^>")


# The byte before the one in brackets is where a breakpoint that was just run stands in memory.
_BREAKPOINT_AT = re.compile(r"^Code: .*?([0-9a-f]{2}) <[0-9a-f]{2}>", re.MULTILINE)


@dataclass
class Report:
    """One report: `kind` names the trigger, `lines` is the text without time stamps."""

    kind: str
    lines: list[str] = field(default_factory=list)
    closed: bool = False

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def stale_breakpoint(self) -> bool:
        """An oops by a breakpoint that memory does not hold: the emulator's doing.

        Seen with QEMU 7.2 and a thread per virtual CPU, on vanilla too, while the kernel patches itself: a translation of the
        breakpoint outlives it. Where in QEMU that happens was not looked up.
        """
        at = _BREAKPOINT_AT.search(self.text)
        return "Oops: int3" in self.text and at is not None and at[1] != "cc"

    @property
    def title(self) -> str:
        """The line that says what happened, rather than the frame around it."""
        for line in self.lines:
            if trigger(line):
                return line
        return self.lines[0]


def strip(line: str) -> str:
    """The message without carriage return, level and time stamp."""
    return _PREFIX.sub("", line.rstrip("\r\n"))


def trigger(message: str) -> str | None:
    """The kind of report that `message` begins, if it begins one."""
    for name, pattern in _TRIGGERS:
        if pattern.search(message):
            return None if any(benign.search(message) for benign in _BENIGN) else name
    return None


class Recogniser:
    """Fed with console lines, in order; collects reports."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        # A frame line and what follows it: WARN()'s own message stands between the frame and "WARNING:".
        self._opening: list[str] = []
        self._since_trace = 0
        self._since_trigger = 0

    def feed(self, raw: str) -> Report | None:
        """Takes one line; the report that it begins, if it does."""
        line = strip(raw)
        kind = trigger(line)
        begun = None
        current = self.reports[-1] if self.reports and not self.reports[-1].closed else None
        if kind and not (current and self._belongs(current, kind, line)):
            if not self._trailing_panic(line):
                if current and self._opening and current.lines[-len(self._opening):] == self._opening:
                    del current.lines[-len(self._opening):]
                begun = Report(kind, self._opening)
                self.reports.append(begun)
                self._since_trigger = self._since_trace = 0
            current = self.reports[-1]
            self._opening = []
        if current and not current.closed:
            self._extend(current, line)
        if _FRAME.match(line):
            self._opening = [line]
        elif self._opening:
            self._opening = [*self._opening, line] if len(self._opening) < _OPENING_LINES else []
        return begun

    def _belongs(self, current: Report, kind: str, line: str) -> bool:
        if _CONTINUES.search(line):
            return True
        return (current.kind, kind) in _SAME_EVENT and self._since_trigger <= _SAME_EVENT_LINES

    def _trailing_panic(self, line: str) -> bool:
        """True when `line` is the panic that ends the last report, although its trace has ended."""
        if self.reports and _CONTINUES.search(line):
            self.reports[-1].closed = False
            return True
        return False

    def _extend(self, current: Report, line: str) -> None:
        self._since_trigger += 1
        self._since_trace = 0 if _TRACE.match(line) or trigger(line) else self._since_trace + 1
        if self._since_trace > _QUIET_LINES or len(current.lines) >= _MAX_LINES:
            current.closed = True
        else:
            current.lines.append(line)
        if _END.match(line):
            current.closed = True

    def finish(self) -> list[Report]:
        """Drops what trails a report without being a part of it."""
        for report in self.reports:
            while len(report.lines) > 1 and not (_TRACE.match(report.lines[-1]) or _END.match(report.lines[-1])
                                                 or trigger(report.lines[-1])):
                report.lines.pop()
        return self.reports


def recognise(text: str) -> list[Report]:
    recogniser = Recogniser()
    for line in text.splitlines():
        recogniser.feed(line)
    return recogniser.finish()


def judge(reports: list[Report], expected: list[str]) -> tuple[list[Report], list[str]]:
    """Reports that no regex of `expected` matches, and regexes that no report matches."""
    patterns = [re.compile(regex, re.MULTILINE) for regex in expected]
    unexpected = [report for report in reports if not any(pattern.search(report.text) for pattern in patterns)]
    missing = [pattern.pattern for pattern in patterns if not any(pattern.search(report.text) for report in reports)]
    return unexpected, missing
