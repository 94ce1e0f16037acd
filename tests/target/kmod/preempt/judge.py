#!/usr/bin/env python3
"""Judges what preempt.ko printed: judge.py LOG [LOG]; two logs of one image have to agree to the last digit.

On a pipelined kernel the handler is on time whatever in-band does, on `vanilla` it is late by a stall.
Either way Linux loses no tick. Exit status: 0 as it should be, 1 not, 2 wrong use.
"""

import re
import sys

LATE_NS_LIMIT = 2000  # Under icount, where one instruction is one nanosecond.


def parse(path: str) -> dict[str, str]:
    values: dict[str, str] = {}
    with open(path, errors="replace") as log:
        for line in log:
            found = re.search(r"\bpreempt: (.*=.*)", line)
            if found:
                values.update(pair.split("=", 1) for pair in found.group(1).split() if "=" in pair)
    return values


def complaints(values: dict[str, str]) -> list[str]:
    needed = ("kernel", "rounds", "stall_ms", "fires", "missed", "late_ns_max", "cpus", "jiffies", "jiffies_expected",
              "deferred", "played_back")
    missing = [key for key in needed if key not in values]
    if missing:
        return [f"no result: {' '.join(missing)} not printed"]
    number = {key: int(values[key]) for key in needed if key != "kernel"}
    wrong = []
    stall_ns = number["stall_ms"] * 1_000_000
    if values["kernel"] == "pipelined":
        if number["late_ns_max"] > LATE_NS_LIMIT:
            wrong.append(f"late by {number['late_ns_max']} ns, more than {LATE_NS_LIMIT}")
        if number["missed"]:
            wrong.append(f"{number['missed']} periods missed")
    else:
        if not 0.9 * stall_ns < number["late_ns_max"] < 1.5 * stall_ns:
            wrong.append(f"late by {number['late_ns_max']} ns, expected about {stall_ns}: is this a plain kernel?")
        if number["missed"] < number["rounds"] * (number["stall_ms"] - 2):
            wrong.append(f"only {number['missed']} periods missed")
    if abs(number["jiffies"] - number["jiffies_expected"]) > 1:
        wrong.append(f"{number['jiffies']} jiffies went by, {number['jiffies_expected']} expected")
    if number["cpus"] == 1 and number["deferred"] != number["rounds"]:
        wrong.append(f"the tick was deferred in {number['deferred']} of {number['rounds']} rounds")
    if number["played_back"] != number["rounds"]:
        wrong.append(f"the tick was played back in {number['played_back']} of {number['rounds']} rounds")
    return wrong


def main(paths: list[str]) -> int:
    if len(paths) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    results = [parse(path) for path in paths]
    wrong = [f"{path}: {text}" for path, values in zip(paths, results) for text in complaints(values)]
    if len(results) == 2 and results[0] != results[1]:
        keys = sorted(key for key in {**results[0], **results[1]} if results[0].get(key) != results[1].get(key))
        wrong.append("the runs differ: " + ", ".join(f"{key} {results[0].get(key)}/{results[1].get(key)}" for key in keys))
    for text in wrong:
        print(f"preempt: FAILED {text}")
    if not wrong:
        values = results[0]
        print(f"preempt: ok {values['kernel']}: late by {values['late_ns_max']} ns at most in {values['fires']} shots, "
              f"{values['missed']} missed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
