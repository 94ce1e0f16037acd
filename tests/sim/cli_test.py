#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The logic of scripts/sim: durations, disjoint seeds, and what becomes of a failure. The simulator is a script here."""

from __future__ import annotations

import argparse
import contextlib
import io
import pathlib
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
sys.dont_write_bytecode = True

from sim import cli  # noqa: E402


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


if __name__ == "__main__":
    unittest.main()
