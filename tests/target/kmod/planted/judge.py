#!/usr/bin/env python3
"""Judges the console of a boot that made a planted mistake: judge.py MISTAKE CONSOLE_LOG

The log has to show one report, the one that mistakes.txt has for the mistake, which names planted_MISTAKE in its
text or its backtrace, and the module has to have survived. `none` has to show no report. Exit status: 0 as it
should be, 1 not, 2 wrong use.
"""

import pathlib
import re
import sys

# What starts a report. One report may have several of these lines in a row, hence the distance below.
_REPORT = re.compile(r"-{4}\[ cut here \]|WARNING: |BUG: |Oops: |general protection fault|Kernel panic|INFO: .*(stall|hung|deadlock)|"
                     r"irq_pipeline: (in-band service used|oob handler|hard lock|oob_irq_restore)")
_END = re.compile(r"planted: survived mistake|---\[ end trace|</TASK>")
_SPAN = 90  # Lines that a backtrace may take.


def expected() -> dict[str, str]:
    table = pathlib.Path(__file__).resolve().with_name("mistakes.txt").read_text()
    rows = (line.split(None, 1) for line in table.splitlines() if line and not line.startswith("#"))
    return {name: pattern.strip() for name, pattern in rows}


def reports(lines: list[str]) -> list[list[str]]:
    found = []
    at = 0
    while at < len(lines):
        if not _REPORT.search(lines[at]):
            at += 1
            continue
        end = at + 1
        while end < min(len(lines), at + _SPAN) and not _END.search(lines[end]):
            end += 1
        found.append(lines[at:end + 1])
        at = end + 1
    return found


def complaints(mistake: str, text: str) -> list[str]:
    lines = text.splitlines()
    start = [at for at, line in enumerate(lines) if f"planted: about to make mistake {mistake}" in line]
    if not start:
        return ["the mistake was not made"]
    found = reports(lines[start[0]:])
    wrong = [] if any(f"planted: survived mistake {mistake}" in line for line in lines) else ["not survived"]
    if mistake == "none":
        return wrong + [f"report without a mistake: {one[0]}" for one in found]
    if len(found) != 1:
        wrong.append(f"{len(found)} reports: " + " | ".join(one[0].strip() for one in found))
    for one in found[:1]:
        if not re.search(expected()[mistake], "\n".join(one)):
            wrong.append(f"not the report that was expected: {one[0].strip()}")
        # What a handler leaves behind shows when it has returned: the handler is named.
        name = "handler" if mistake == "hard_irqs" else mistake
        if not any(re.search(rf"\bplanted_{name}\b", line) for line in one):
            wrong.append("the report does not name the caller")
    return wrong


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in {**expected(), "none": ""}:
        print(__doc__, file=sys.stderr)
        return 2
    mistake, path = arguments
    wrong = complaints(mistake, pathlib.Path(path).read_text(errors="replace"))
    for text in wrong:
        print(f"planted {mistake}: FAILED {text}")
    if not wrong:
        print(f"planted {mistake}: ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
