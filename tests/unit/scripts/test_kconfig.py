"""Fragments: order, overrides, and a request that did not take."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts" / "lib"))
import common
import kconfig


class KconfigTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def fragment(self, name: str, text: str) -> pathlib.Path:
        path = self.folder / f"{name}.config"
        path.write_text(text)
        return path

    def requests(self, text: str) -> dict:
        return kconfig.requests([self.fragment("one", text)])

    def test_used_fragments_come_first_and_once(self) -> None:
        self.fragment("base", "CONFIG_A=y\n")
        self.fragment("lean", "# uses: base\nCONFIG_B=y\n")
        self.fragment("debug", "# uses: base lean\nCONFIG_C=y\n")
        self.assertEqual([path.stem for path in kconfig.fragments("debug", self.folder)], ["base", "lean", "debug"])

    def test_a_fragment_that_uses_itself_is_refused(self) -> None:
        self.fragment("a", "# uses: b\n")
        self.fragment("b", "# uses: a\n")
        with self.assertRaisesRegex(common.Failure, "uses itself"):
            kconfig.fragments("a", self.folder)

    def test_a_used_fragment_that_is_not_there_is_named(self) -> None:
        self.fragment("a", "# uses: gone\n")
        with self.assertRaisesRegex(common.Failure, "uses gone"):
            kconfig.fragments("a", self.folder)

    def test_the_later_fragment_wins(self) -> None:
        merged = kconfig.requests([self.fragment("a", "CONFIG_A=y\nCONFIG_B=y\n"),
                                   self.fragment("b", "# CONFIG_A is not set\n")])
        self.assertEqual(kconfig.merged_text(merged), "# CONFIG_A is not set\nCONFIG_B=y\n")

    def test_a_symbol_set_twice_in_one_fragment_is_refused(self) -> None:
        with self.assertRaisesRegex(common.Failure, "one.config:2: CONFIG_A was already set in one.config:1"):
            self.requests("CONFIG_A=y\nCONFIG_A=m\n")

    def test_a_line_that_kconfig_would_skip_is_refused(self) -> None:
        with self.assertRaisesRegex(common.Failure, "one.config:1: not a Kconfig line: CONFIG_A = y"):
            self.requests("CONFIG_A = y\n")

    def test_every_request_that_took_is_accepted(self) -> None:
        merged = self.requests('CONFIG_A=y\nCONFIG_B=m\nCONFIG_N=8\nCONFIG_S="text"\n# CONFIG_X is not set\nCONFIG_Y=n\n')
        got = {"CONFIG_A": "y", "CONFIG_B": "m", "CONFIG_N": "8", "CONFIG_S": '"text"', "CONFIG_X": None, "CONFIG_Y": None}
        kconfig.verify(merged, got)

    def test_each_request_that_did_not_take_is_named_with_wanted_and_got(self) -> None:
        merged = self.requests("CONFIG_GONE=y\nCONFIG_WEAK=y\nCONFIG_MOD=m\n# CONFIG_ON is not set\n")
        got = {"CONFIG_WEAK": None, "CONFIG_MOD": "y", "CONFIG_ON": "y"}
        with self.assertRaises(common.Failure) as caught:
            kconfig.verify(merged, got)
        for line in ("one.config:1: wanted `CONFIG_GONE=y`, got nothing",
                     "one.config:2: wanted `CONFIG_WEAK=y`, got `# CONFIG_WEAK is not set`",
                     "one.config:3: wanted `CONFIG_MOD=m`, got `CONFIG_MOD=y`",
                     "one.config:4: wanted `# CONFIG_ON is not set`, got `CONFIG_ON=y`"):
            self.assertIn(line, caught.exception.what)

    def test_a_misspelt_symbol_that_shall_be_off_is_found_out(self) -> None:
        (self.folder / "Kconfig").write_text("config HIDDEN\n\tbool\n")
        kconfig.verify(self.requests("# CONFIG_HIDDEN is not set\n"), {}, self.folder)
        with self.assertRaisesRegex(common.Failure, "CONFIG_HIDEN"):
            kconfig.verify(self.requests("# CONFIG_HIDEN is not set\n"), {}, self.folder)

    def test_the_configurations_of_the_project_are_whole(self) -> None:
        for name in common.config_names():
            with self.subTest(name):
                self.assertTrue(kconfig.requests(kconfig.fragments(name)))
        for name in ("lean", "debug", "idle", "kasan", "off", "vanilla"):
            self.assertIn(name, common.config_names())

    def test_vanilla_asks_for_nothing_of_the_pipeline(self) -> None:
        lean = kconfig.requests(kconfig.fragments("lean"))
        vanilla = kconfig.requests(kconfig.fragments("vanilla"))
        self.assertEqual({symbol for symbol in lean if symbol not in vanilla},
                         {"CONFIG_IRQ_PIPELINE", "CONFIG_IRQ_PIPELINE_TORTURE_TEST", "CONFIG_DOVETAIL", "CONFIG_EVL",
                          "CONFIG_EVL_RUNSTATS", "CONFIG_EVL_LATMUS", "CONFIG_EVL_HECTIC", "CONFIG_TRACER_SNAPSHOT"})
        self.assertFalse([symbol for symbol in vanilla if "PIPELINE" in symbol or "DOVETAIL" in symbol or "_EVL" in symbol])


if __name__ == "__main__":
    unittest.main()
