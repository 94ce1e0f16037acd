"""The runner, the store and the comparisons of scripts/check, with suites made up for the test."""

import contextlib
import io
import json
import os
import pathlib
import sys
import tempfile
import threading
import time
import types
import unittest
import unittest.mock

REPO = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPO / "scripts" / "lib"))
sys.dont_write_bytecode = True

import common  # noqa: E402
import inband  # noqa: E402
from check import context, runner, selftests, store, table  # noqa: E402


def quiet(function, *arguments):
    with contextlib.redirect_stderr(io.StringIO()):
        return function(*arguments)


class RunnerTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="check.")
        self.addCleanup(folder.cleanup)
        self.logs = pathlib.Path(folder.name)
        for module in (context, runner):
            self.addCleanup(setattr, module, "LOGS", module.LOGS)
            module.LOGS = self.logs

    def suite(self, name: str, function, limit_s: float = 30) -> table.Suite:
        made = table.Suite(name, "made up", table.Form(limit_s=limit_s), table.Form(limit_s=limit_s))
        module = types.ModuleType(made.module)
        module.run = function
        sys.modules[made.module] = module
        self.addCleanup(sys.modules.pop, made.module)
        return made

    def run_all(self, *suites: table.Suite, **plan) -> list[runner.Result]:
        return quiet(runner.run, runner.Plan(suites, plan.pop("long", False), build=False, **plan))

    def test_boards_are_emulated_unless_a_suite_says_how(self) -> None:
        suite = self.suite("boots", None)
        with context.opened(context.Context(suite, suite.short, long=False, configs=(), smp=())) as made, \
                unittest.mock.patch.object(made, "command") as command:
            for more, wanted in ((), ["tcg"]), (("--accel", "tcg-single"), ["tcg", "tcg-single"]):  # The last one counts.
                made.board(["true"], config="lean", more=more)
                words = command.call_args.args[0]
                self.assertEqual([words[at + 1] for at, word in enumerate(words) if word == "--accel"], wanted)

    def test_each_ending_of_a_suite_is_told_apart(self) -> None:
        def two_failures(given):
            given.expect(False, "the first")
            given.expect(True, "not this one")
            given.expect(False, "the second")

        def raises(given):
            raise ValueError("a mistake in the suite")

        def left_out(given):
            raise context.Skipped("--smp 3 leaves nothing")

        results = self.run_all(self.suite("good", lambda given: given.fact("3 cases")), self.suite("bad", two_failures),
                               self.suite("broken", raises), self.suite("elsewhere", left_out))
        self.assertEqual([one.verdict for one in results], ["passed", "failed", "failed", "skipped"])
        self.assertEqual(results[1].why, "the first\nthe second")
        self.assertIn("ValueError: a mistake in the suite", results[2].why)
        text = runner.summary(results, long=False)
        self.assertIn("3 cases", text)
        self.assertIn("bad.log", text)

    def test_the_summary_ends_with_the_counts_alone(self) -> None:
        results = [runner.Result("a", "passed", 1.0), runner.Result("b", "failed", 2.0, why="x"),
                   runner.Result("c", "skipped", 0.0, why="y")]
        self.assertEqual(runner.summary(results, long=False).splitlines()[-1], "1 passed, 1 failed, 1 skipped")

    def test_the_summary_names_what_the_form_leaves_out_and_does_not_count_it(self) -> None:
        lines = runner.summary([runner.Result("a", "passed", 1.0)], False, ["b", "c"]).splitlines()
        self.assertEqual(lines[-2:], ["not in this form (--full, or by name): b, c", "1 passed, 0 failed, 0 skipped"])

    def test_the_long_summary_names_commit_and_date(self) -> None:
        result = runner.Result("a", "passed", 1.0, "0123456789ab", "2026-01-02 03:04")
        self.assertIn("0123456789ab 2026-01-02 03:04", runner.summary([result], long=True))

    def test_resume_keeps_what_passed_and_runs_the_rest(self) -> None:
        ran = []

        def stops(given):
            ran.append("second")
            if len(ran) < 3:
                raise KeyboardInterrupt

        suites = (self.suite("first", lambda given: ran.append("first")), self.suite("second", stops))
        with self.assertRaises(KeyboardInterrupt):
            self.run_all(*suites, long=True)
        self.assertEqual(ran, ["first", "second"])
        results = self.run_all(*suites, long=True, resume=True)
        self.assertEqual(ran, ["first", "second", "second"])
        self.assertEqual([one.verdict for one in results], ["passed", "passed"])

    def test_a_run_keeps_what_another_beside_it_found(self) -> None:
        ran = []
        other = self.suite("other", lambda given: ran.append("other"))
        self.run_all(self.suite("one", lambda given: self.run_all(other)))
        self.run_all(other, resume=True)
        self.assertEqual(ran, ["other"])

    def test_a_whole_run_forgets_the_last_one_once_its_kernels_are_built_and_no_sooner(self) -> None:
        seen = []

        def look(*_arguments):
            seen.append(runner.Results(self.logs / "long.json").passed("second") is not None)
            return {}

        suites = (self.suite("first", look), self.suite("second", lambda given: None))
        with unittest.mock.patch.object(table, "usual", return_value=suites):
            self.run_all(*suites, long=True)
            with unittest.mock.patch.object(runner, "build_kernels", side_effect=KeyboardInterrupt), \
                    self.assertRaises(KeyboardInterrupt):
                quiet(runner.run, runner.Plan(suites, long=True))
            look()
            with unittest.mock.patch.object(runner, "build_kernels", side_effect=look):
                quiet(runner.run, runner.Plan(suites, long=True))
        self.assertEqual(seen, [False, True, True, False])

    def test_a_failed_suite_is_run_again_by_resume(self) -> None:
        verdicts = iter([False, True])
        suite = self.suite("flaky", lambda given: given.expect(next(verdicts), "no"))
        self.assertEqual(self.run_all(suite)[0].verdict, "failed")
        self.assertEqual(self.run_all(suite, resume=True)[0].verdict, "passed")

    def test_a_command_ends_at_its_limit_with_its_children(self) -> None:
        marker = f"77.{os.getpid()}"
        seen = []

        def hangs(given):
            seen.append(given.command(["sh", "-c", f"sleep {marker} & sleep {marker}"], timeout_s=0.3))

        started = time.monotonic()
        self.run_all(self.suite("hangs", hangs))
        self.assertIsNone(seen[0].status)
        self.assertLess(time.monotonic() - started, 10)
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                self.assertNotEqual(path.read_bytes().split(b"\0")[:2], [b"sleep", marker.encode()], "a child lives on")

    def test_the_limit_of_a_suite_bounds_its_commands(self) -> None:
        def two(given):
            given.command(["sleep", "60"], timeout_s=60)
            given.command(["sleep", "60"], timeout_s=60)

        started = time.monotonic()
        result = self.run_all(self.suite("slow", two, limit_s=0.5))[0]
        self.assertEqual(result.verdict, "failed")
        self.assertIn("limit", result.why)
        self.assertLess(time.monotonic() - started, 10)

    def test_the_limit_of_all_suites_bounds_the_last_of_them_too(self) -> None:
        suites = [self.suite(name, lambda given: given.command(["sleep", "60"], timeout_s=60)) for name in ("one", "two")]
        for module, name, value in ((runner.table, "usual", lambda long: tuple(suites)), (runner.table, "WHOLE_S", {False: 1.0})):
            self.addCleanup(setattr, module, name, getattr(module, name))
            setattr(module, name, value)
        started = time.monotonic()
        results = self.run_all(*suites)
        self.assertLess(time.monotonic() - started, 20)
        self.assertIn("of all suites together", results[1].why)
        # Whoever names suites has all the time that they may take.
        suites.append(self.suite("three", lambda given: given.command(["true"])))
        runner.table.WHOLE_S = {False: 0.0}
        self.assertEqual(self.run_all(suites[2])[0].verdict, "passed")

    def test_what_the_command_line_leaves_nothing_of_is_skipped(self) -> None:
        def two(given):
            for config in ("lean", "debug"):
                given.wants(config, 2)

        suite = self.suite("two", two)
        self.assertEqual(self.run_all(suite, configs=("debug",))[0].verdict, "passed")
        self.assertEqual(self.run_all(suite, configs=("debug",), smp=(4,))[0].verdict, "skipped")

    def test_a_log_holds_command_output_and_status(self) -> None:
        self.run_all(self.suite("logged", lambda given: given.command(["sh", "-c", "echo out; echo err >&2; exit 3"])))
        log = (self.logs / "logged.log").read_text()
        for part in ("out", "err", "status 3"):
            self.assertIn(part, log)

    def test_parallel_jobs_give_their_results_in_order(self) -> None:
        seen = []
        self.run_all(self.suite("both", lambda given: seen.extend(given.parallel([
            lambda: given.command(["sh", "-c", "sleep 0.2; echo 1"]).out, lambda: given.command(["echo", "2"]).out]))))
        self.assertEqual(seen, ["1\n", "2\n"])


    def test_jobs_side_by_side_use_the_room_there_is_and_no_more(self) -> None:
        self.addCleanup(setattr, context, "ROOM", context.ROOM)
        context.ROOM = 4
        lock, sums, seen = threading.Lock(), [0], []

        def job(cpus: int, name: str):
            def work() -> str:
                with lock:
                    sums.append(sums[-1] + cpus)
                time.sleep(0.05)
                with lock:
                    sums.append(sums[-1] - cpus)
                return name
            return cpus, work

        jobs = [job(1, "a"), job(2, "b"), job(4, "c"), job(2, "d"), job(1, "e"), job(1, "f")]
        self.run_all(self.suite("many", lambda given: seen.extend(given.side_by_side(jobs))))
        self.assertEqual(seen, list("abcdef"))
        self.assertEqual(max(sums), 4)
        self.assertEqual(sums[1], 4, "the largest does not begin")
        self.assertEqual(sums[-1], 0)

    def test_a_job_larger_than_the_room_runs_alone(self) -> None:
        self.addCleanup(setattr, context, "ROOM", context.ROOM)
        context.ROOM = 2
        seen = []
        self.run_all(self.suite("large", lambda given: seen.extend(given.side_by_side([(8, lambda: 8), (1, lambda: 1)]))))
        self.assertEqual(seen, [8, 1])

    def test_the_first_job_that_raises_ends_the_others(self) -> None:
        def raises() -> None:
            raise context.Failed("no")

        started = time.monotonic()
        result = self.run_all(self.suite("one", lambda given: given.side_by_side([
            (1, lambda: given.command(["sleep", "60"], timeout_s=60)), (1, raises)])))[0]
        self.assertEqual((result.verdict, result.why), ("failed", "no"))
        self.assertLess(time.monotonic() - started, 20)


class TableTest(unittest.TestCase):
    def test_each_suite_has_its_file_with_what_it_promises(self) -> None:
        import importlib
        for suite in table.SUITES:
            module = importlib.import_module(suite.module)
            self.assertTrue(callable(module.run), suite.name)
            if suite.renews:
                self.assertTrue(callable(module.renew), suite.name)

    def test_the_short_form_builds_lean_and_debug_only(self) -> None:
        self.assertLessEqual(set(runner.needed(runner.Plan(table.usual(False), False))), {"lean", "debug"})

    def test_suites_that_are_long_only_run_in_the_long_form(self) -> None:
        left_out = [suite for suite in table.SUITES if suite not in table.usual(False)]
        self.assertEqual(left_out, [suite for suite in table.SUITES if suite.long_only])
        self.assertEqual(table.usual(True), table.SUITES)
        for suite in left_out:
            # All that keeps a suite out of the short form is that its kernels are not built there.
            self.assertFalse(set(suite.short.configs) & {"lean", "debug"}, suite.name)

    def test_no_suite_has_more_time_than_all_of_them(self) -> None:
        for suite in table.SUITES:
            self.assertLess(suite.short.limit_s, table.WHOLE_S[False], suite.name)
            self.assertLess(suite.long.limit_s, table.WHOLE_S[True], suite.name)

    def test_the_configurations_exist(self) -> None:
        for suite in table.SUITES:
            for form in (suite.short, suite.long):
                self.assertLessEqual(set(form.configs), set(common.config_names()), suite.name)


class StoreTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="store.")
        self.addCleanup(folder.cleanup)
        # Below ROOT: messages name the file relative to it.
        self.addCleanup(setattr, store, "FOLDER", store.FOLDER)
        self.addCleanup(setattr, common, "ROOT", common.ROOT)
        common.ROOT = pathlib.Path(folder.name)
        store.FOLDER = common.ROOT / "stored"

    def test_what_was_saved_is_loaded_under_the_same_conditions_only(self) -> None:
        now = {"QEMU": "7.2", "kernel source": "6.12.1"}
        store.save("thing", now, {"a": 1})
        self.assertEqual(store.load("thing", dict(now)), {"a": 1})
        for change in ({"QEMU": "8.0"}, {"more": "x"}):
            with self.assertRaisesRegex(context.Failed, "--renew thing"):
                store.load("thing", {**now, **change})
        with self.assertRaisesRegex(context.Failed, "QEMU is absent, stored for 7.2"):
            store.load("thing", {"kernel source": "6.12.1"})

    def test_a_missing_or_damaged_file_names_what_makes_it(self) -> None:
        with self.assertRaisesRegex(context.Failed, "--renew thing"):
            store.load("thing", {})
        store.save("thing", {}, {"a": 1}).write_text("{")
        with self.assertRaisesRegex(context.Failed, "damaged.*--renew thing"):
            store.load("thing", {})


OUTPUT = """@@@ begin a/b
TAP version 13
ok 1 first  thing
not ok 2 second
ok 3 # SKIP not here
Diff too high: 17..not ok 4 fourth

@@@ end a/b 1.5 exit 1
@@@ begin c
@@@ end c 40.0 timeout
"""


class SelftestsTest(unittest.TestCase):
    def test_output_becomes_verdicts(self) -> None:
        found = selftests.parse(OUTPUT)
        self.assertEqual(found["a/b"], {"ended": "exit 1", "tap": {"1 first thing": "ok", "2 second": "not ok",
                                                                 "3 # SKIP not here": "skip", "4 fourth": "not ok"}})
        self.assertEqual(found["c"], {"ended": "timeout", "tap": {}})

    def test_a_test_that_was_cut_off_has_no_verdict(self) -> None:
        self.assertEqual(selftests.parse("@@@ begin a\nok 1 x\n"), {})

    def test_each_difference_is_named(self) -> None:
        theirs = selftests.parse(OUTPUT)
        self.assertEqual(selftests.compare(theirs, theirs, ["a/b", "c"]), [])
        ours = selftests.parse(OUTPUT.replace("ok 1 first", "not ok 1 first"))
        self.assertIn("`1 first thing` is not ok, on vanilla ok", selftests.compare(ours, theirs, ["a/b"])[0])
        ours = selftests.parse(OUTPUT.replace("40.0 timeout", "1.0 exit 0"))
        self.assertEqual(selftests.compare(ours, theirs, ["c"]), ["c: exit 0, on vanilla timeout"])
        self.assertEqual(selftests.compare({}, theirs, ["c"]), ["c: did not run"])
        self.assertEqual(selftests.compare(theirs, {}, ["c"]), ["c: no stored verdict"])
        # A check that is gone counts, too.
        ours = selftests.parse(OUTPUT.replace("not ok 2 second\n", ""))
        self.assertIn("absent", selftests.compare(ours, theirs, ["a/b"])[0])

    def test_variation_between_runs_is_found(self) -> None:
        one, two = selftests.parse(OUTPUT), selftests.parse(OUTPUT.replace("timeout", "exit 0"))
        self.assertEqual(selftests.varying([one, one, one]), [])
        self.assertEqual(selftests.varying([one, one, two]), ["c"])
        self.assertEqual(selftests.varying([one, {"a/b": one["a/b"]}]), ["c"])

    def test_rates_differ_only_beyond_chance(self) -> None:
        self.assertEqual(selftests.rates_differ(["exit 0"] * 5, ["exit 0"] * 5), "")
        self.assertEqual(selftests.rates_differ(["exit 0"] * 4 + ["exit 1"], ["exit 0"] * 5), "")
        self.assertIn("0 of 5 times, on vanilla 5 of 5", selftests.rates_differ(["exit 1"] * 5, ["exit 0"] * 5))

    def test_fisher_is_the_exact_test(self) -> None:
        self.assertAlmostEqual(selftests.fisher(5, 0, 0, 5), 2 / 252)
        self.assertAlmostEqual(selftests.fisher(3, 1, 1, 3), 0.4857, places=4)
        self.assertAlmostEqual(selftests.fisher(2, 3, 2, 3), 1.0)

    def test_the_lists_are_well_formed_and_do_not_overlap(self) -> None:
        stable, unstable = selftests.stable(long=True), selftests.unstable()
        self.assertGreater(len(selftests.stable(long=False)), 40)
        self.assertFalse({test.name for test in stable} & {test.name for test in unstable})
        for test in unstable:
            self.assertGreater(len(test.reason), 10, test.name)
        for test in (*stable, *unstable):
            self.assertNotIn("|", test.command)


class InbandTest(unittest.TestCase):
    OUTPUT = "".join(f"inband: {name} instructions {1000 * at} operations 10 entries {10 if aim.per_entry else 0}\n"
                     for at, (name, aim) in enumerate(inband.AIMS.items(), 1))

    def test_counts_are_read_and_kept(self) -> None:
        counts = inband.parse("noise\n" + self.OUTPUT)
        self.assertEqual(counts["pipe-ping-pong"], inband.Count(2000, 10, 10))
        self.assertEqual(inband.from_data(json.loads(json.dumps(inband.as_data(counts)))), counts)

    def test_a_missing_workload_is_a_failure(self) -> None:
        with self.assertRaisesRegex(common.Failure, "null-syscall"):
            inband.parse(self.OUTPUT.split("\n", 1)[1])

    def test_aims_are_ratios_or_instructions_per_entry(self) -> None:
        base = inband.parse(self.OUTPUT)
        new = {name: inband.Count(one.instructions + 400, one.operations, one.entries) for name, one in base.items()}
        found = {one.workload: one for one in inband.compare(base, new)}
        self.assertEqual(found["null-syscall"].per_entry, 40)
        self.assertTrue(found["null-syscall"].meets(inband.AIMS["null-syscall"]))
        self.assertIsNone(found["hackbench"].per_entry)
        self.assertFalse(found["hackbench"].meets(inband.AIMS["hackbench"]))
        self.assertFalse(inband.Comparison("x", base["null-syscall"], inband.Count(1401, 10, 10)).meets(inband.Aim(per_entry=40)))

    def test_different_amounts_of_work_are_not_compared(self) -> None:
        base = inband.parse(self.OUTPUT)
        with self.assertRaises(common.Failure):
            inband.compare(base, {**base, "hackbench": inband.Count(1, 11, 0)})


if __name__ == "__main__":
    unittest.main()
