#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the demonstration and the suite `latmus` make of latmus' reports, and what the suite `tools` makes of its cases' output."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4] / "scripts" / "lib"))
sys.dont_write_bytecode = True

import common  # noqa: E402
import latmus  # noqa: E402
from check import suite_latmus, suite_tools  # noqa: E402


def run(context: str, max_ns: int, **more) -> dict:
    return {"context": context, "samples": 3000, "min_ns": 400, "avg_ns": 500.5, "p99_ns": 600, "p999_ns": 700, "max_ns": max_ns, "overruns": 0,
            "inband_switches": 0, "ending": "timeout", **more}


def report(load: str, *runs: dict) -> dict:
    return {"load": load, "environment": {"gravity": "0i 0k 0u"}, "runs": list(runs)}


class Judge:
    """Takes the place of a suite's context."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def expect(self, true: bool, otherwise: str) -> bool:
        if not true:
            self.failures.append(otherwise)
        return true

    def say(self, _text: str) -> None:
        pass

    fact = say


class Figures(unittest.TestCase):
    def judged(self, idle: int, user: int, fifo: int = 9000, kernel: int = 1600, irq: int = 600, **more) -> list[str]:
        judge = Judge()
        loaded = report("plain", run("user", user, **more), run("fifo", fifo), run("kernel", kernel), run("irq", irq))
        suite_latmus.judge(judge, [report("idle", run("user", idle), run("fifo", 4000)), loaded])
        return judge.failures

    def test_a_report_is_found_among_other_lines(self):
        found = latmus.reports('RTS|  1|\n@json {"runs": []}\nmore\n')
        self.assertEqual(found, [{"runs": []}])

    def test_no_sample_is_no_figure(self):
        with self.assertRaises(common.Failure):
            latmus.figures(report("idle", run("user", 1, samples=0)))

    def test_the_table_has_each_run(self):
        text = latmus.table(latmus.figures(report("heavy", run("user", 1234567), run("fifo", 2))))
        self.assertEqual(len(text.splitlines()), 3)
        self.assertIn("1,234,567", text)

    def test_good_figures_pass(self):
        self.assertEqual(self.judged(1800, 2100), [])

    def test_each_rule_can_fail(self):
        for failures, part in ((self.judged(1800, 2501, fifo=9000), "more than 2500"), (self.judged(1000, 1501), "1.5 times"),
                               (self.judged(1800, 2100, fifo=2100), "SCHED_FIFO 2100"), (self.judged(1800, 2100, kernel=2001), "more than 2000"),
                               (self.judged(1800, 2100, irq=801), "more than 800"), (self.judged(1800, 2100, inband_switches=1), "switched in-band"),
                               (self.judged(1800, 2100, overruns=1), "periods missed"), (self.judged(1800, 2100, samples=2999), "2999 samples"),
                               (self.judged(1800, 2100, min_ns=-5), "early")):
            self.assertTrue(any(part in one for one in failures), (part, failures))


class Cases(unittest.TestCase):
    def test_the_output_of_cases_is_told_apart(self):
        found = suite_tools.results("noise\n@case a 0\n@out\none\ntwo\n@err\n@case b 2\n@out\n@err\nwrong\n@end\n")
        self.assertEqual(found, {"a": suite_tools.Result(0, "one\ntwo\n", ""), "b": suite_tools.Result(2, "", "wrong\n")})


if __name__ == "__main__":
    unittest.main()
