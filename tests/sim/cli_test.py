#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The logic of scripts/sim: durations, disjoint seeds, and what becomes of a failure. The simulator is a script here."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
sys.dont_write_bytecode = True

from sim import cli, coverage  # noqa: E402


class Durations(unittest.TestCase):
    def test_units(self) -> None:
        for text, seconds in (("90", 90), ("90s", 90), ("5min", 300), ("5m", 300), ("2h", 7200)):
            self.assertEqual(cli.duration_s(text), seconds, text)

    def test_nonsense_is_refused(self) -> None:
        for text in ("", "0", "0s", "-1s", "5d", "1.5h", "s"):
            with self.assertRaises(argparse.ArgumentTypeError, msg=text):
                cli.duration_s(text)


class Searches(unittest.TestCase):
    def search(self, body: str, jobs: int = 2, first: int = 100) -> tuple[int, str]:
        """What search() returns and prints, with `body` in the place of the simulator."""
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "sim"
            program.write_text("#!/bin/sh\n" + body)
            program.chmod(0o755)
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                status = cli.search(program, ["--for", "1"], jobs, first)
            return status, printed.getvalue()

    def test_each_process_has_its_own_seeds(self) -> None:
        status, printed = self.search('echo "$@"\n')
        self.assertEqual(status, 0)
        self.assertIn("--for 1 --from 100 --stride 2", printed)
        self.assertIn("--for 1 --from 101 --stride 2", printed)

    def test_one_failure_ends_all_and_is_printed_alone(self) -> None:
        started = time.monotonic()
        status, printed = self.search('[ "$4" = 101 ] && { echo found; exit 1; }\necho nothing; exec sleep 60\n')
        self.assertEqual((status, printed), (1, "found\n"))
        self.assertLess(time.monotonic() - started, 30)

    def test_wrong_use_is_told_apart_from_a_failure(self) -> None:
        self.assertEqual(self.search("exit 2\n")[0], 2)

    def test_a_crash_is_a_failure(self) -> None:
        self.assertEqual(self.search("kill -SEGV $$\n", jobs=1)[0], 1)


class Coverage(unittest.TestCase):
    @staticmethod
    def report(path: str, counts: dict[int, int], branches: list[int]) -> str:
        """What gcov says of one object file; the branches are those of the first line."""
        lines = [{"line_number": number, "count": count, "branches": []} for number, count in counts.items()]
        lines[0]["branches"] = [{"count": count, "throw": False} for count in branches] + [{"count": 0, "throw": True}]
        return json.dumps({"current_working_directory": "/b", "files": [{"file": path, "lines": lines}]})

    def test_counts_of_all_object_files_are_added(self) -> None:
        files = coverage.read([self.report("../core/sync/pi.cc", {1: 0, 2: 1, 3: 0, 5: 0}, [0, 1]),
                               self.report("../core/sync/pi.cc", {1: 2, 2: 0, 3: 0, 5: 0}, [0, 0])], pathlib.Path("/core"))
        self.assertEqual(coverage.percent(files["sync/pi.cc"].lines.values()), (2, 4, 50.0))
        self.assertEqual(coverage.percent(files["sync/pi.cc"].branches.values()), (1, 2, 50.0))
        self.assertEqual(files["sync/pi.cc"].missed(), "3-5")
        self.assertIn("lines 50.0 % (2 of 4), branches 50.0 % (1 of 2)", coverage.table(files))

    def test_what_is_not_the_core_is_left_out(self) -> None:
        reports = [self.report(path, {1: 1}, []) for path in ("/core/kapi/irq.h", "/core/drivers/latmus.cc", "/usr/include/c++/12/new")]
        self.assertEqual(coverage.read(reports, pathlib.Path("/core")), {})


if __name__ == "__main__":
    unittest.main()
