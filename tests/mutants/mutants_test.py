# SPDX-License-Identifier: MIT
"""What is compiled again for a mutant, how it is shared out, and what the end of a search means."""

import pathlib
import re
import sys
import tempfile
import unittest
from unittest import mock

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "scripts" / "lib"))
sys.dont_write_bytecode = True

import common  # noqa: E402
from sim import mutants  # noqa: E402

HOST = pathlib.Path("/host")
COMMANDS = """\
c++ -I/core -MD -MQ lib.p/pi.o -MF lib.p/pi.o.d -o lib.p/pi.o -c /core/sync/pi.cc
c++ -I/core -MD -MQ lib.p/rq.o -MF lib.p/rq.o.d -o lib.p/rq.o -c /core/sched/rq.cc
c++ -shared -o libcore.so lib.p/pi.o lib.p/rq.o
c++ -o linux.p/task.o -c ../tests/task.cc
rm -f liblinux.a && gcc-ar csrDT liblinux.a linux.p/task.o
c++ -I/core -o sim.p/check.o -c ../tests/check.cc
c++ -o sim sim.p/check.o libcore.so liblinux.a '-Wl,-rpath,$ORIGIN/'
"""
DEPS = """\
lib.p/pi.o: #deps 2, deps mtime 1 (VALID)
    /core/sync/pi.cc
    /core/sync/reached.h

sim.p/check.o: #deps 2, deps mtime 1 (VALID)
    ../tests/check.cc
    /core/sched/rq.h
"""
HEAD = "# A CPU gets no IPI.\n# Kind: run queue. Breaks: RQ5.\n# SPDX-License-Identifier: GPL-2.0\n"


def mutant() -> mutants.Mutant:
    return mutants.Mutant(pathlib.Path("made-up.patch"), "Made up.", "kind", "rule")


class PlanterTest(unittest.TestCase):
    """Which steps a touched file makes stale."""

    def setUp(self) -> None:
        self.planter = mutants.Planter.__new__(mutants.Planter)
        self.planter.core = pathlib.Path("/core")
        self.planter.steps = mutants.parse_commands(COMMANDS, mutants.parse_deps(DEPS, HOST), HOST)
        patched = mock.patch.object(common, "ROOT", pathlib.Path("/"))
        patched.start()
        self.addCleanup(patched.stop)

    def stale(self, *names: str) -> list[str]:
        return [step.output for step in self.planter.stale(frozenset(names))]

    def test_a_source_and_what_links_it(self) -> None:
        self.assertEqual(self.stale("core/sched/rq.cc"), ["lib.p/rq.o", "libcore.so", "sim"])

    def test_a_header_by_what_includes_it(self) -> None:
        self.assertEqual(self.stale("core/sync/reached.h"), ["lib.p/pi.o", "libcore.so", "sim"])
        self.assertEqual(self.stale("core/sched/rq.h"), ["sim.p/check.o", "sim"])

    def test_what_is_not_built_makes_nothing_stale(self) -> None:
        self.assertEqual(self.stale("core/drivers/latmus.cc"), [])

    def test_commands_are_moved_to_the_copy(self) -> None:
        compiles, _, links = self.planter.steps[:3]
        made = {"lib.p/pi.o": "/copy/pi.o"}
        words = self.planter._moved(compiles, pathlib.Path("/copy"), made)
        self.assertEqual(words[3:], ["c++", "-I/copy/kernel/evl", "-o", "/copy/pi.o", "-c", "/copy/kernel/evl/sync/pi.cc"])
        self.assertEqual(self.planter._moved(links, pathlib.Path("/copy"), made)[-2:], ["/copy/pi.o", "lib.p/rq.o"])


class JudgeTest(unittest.TestCase):
    """Only what the simulator says about a schedule is a finding."""

    def test_a_failure_with_its_schedule_is_a_finding(self) -> None:
        verdict = mutants.judge(mutant(), 1, "FAILED pi-chain, seed 7, step 3 (PCT): T1 is late\nx\nfound by schedule 123, after 1 s\n")
        self.assertEqual((verdict.found, verdict.schedules, verdict.seed), (True, 123, 7))
        self.assertIn("T1 is late", verdict.text)

    def test_all_else_is_none(self) -> None:
        for status, out in ((0, "11200 schedules: nothing found\n"), (1, "cannot open\n"), (None, ""), (-9, ""), (2, "usage\n"),
                            (0, "found by schedule 1\n")):
            with self.subTest(status=status, out=out):
                self.assertFalse(mutants.judge(mutant(), status, out).found)


class CatalogueTest(unittest.TestCase):
    def test_shares_are_disjoint_and_complete(self) -> None:
        names = list(range(23))
        shares = [mutants.share(names, 5, number) for number in range(100, 105)]
        self.assertEqual(sorted(name for one in shares for name in one), names)
        self.assertLessEqual(max(map(len, shares)) - min(map(len, shares)), 1)

    def test_a_head_says_what_is_planted(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            patch = pathlib.Path(folder) / "rq-kick-lost.patch"
            patch.write_text(HEAD + "--- a/kernel/evl/sched/rq.cc\n+++ b/kernel/evl/sched/rq.cc\n")
            read = mutants.read(patch)
            self.assertEqual((read.name, read.title, read.kind, read.rule), ("rq-kick-lost", "A CPU gets no IPI.", "run queue", "RQ5"))
            self.assertEqual(read.touched, {"kernel/evl/sched/rq.cc"})
            patch.write_text("--- a/x\n+++ b/x\n")
            with self.assertRaises(common.Failure):
                mutants.read(patch)

    def test_every_mutant_has_its_head_and_stays_in_the_core(self) -> None:
        catalogue = mutants.catalogue()
        self.assertGreaterEqual(len(catalogue), 25)
        self.assertEqual(len({one.title for one in catalogue}), len(catalogue))
        for one in catalogue:
            with self.subTest(one.name):
                self.assertRegex(one.name, re.compile(r"^[a-z]+(-[a-z]+)+$"))
                self.assertTrue(one.touched)
                self.assertTrue(all(name.startswith("kernel/evl/") and "/kapi/" not in name for name in one.touched))


if __name__ == "__main__":
    unittest.main()
