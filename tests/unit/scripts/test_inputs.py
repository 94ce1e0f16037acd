"""Bad input to scripts/kernel and scripts/setup: a clear message, and a status that is not zero."""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from toy import REPO, Toy, write


class InputsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.toy = Toy()
        self.addCleanup(self.toy.close)

    def fails(self, done, status: int, *parts: str) -> None:
        self.assertEqual(done.returncode, status, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_an_unknown_configuration_lists_the_known_ones(self) -> None:
        for command in (["build"], ["clean"], ["info"]):
            self.fails(self.toy.kernel(*command, "--config", "nope"), 2, "unknown configuration: nope", "lean", "vanilla")

    def test_no_disk_space_says_what_is_needed_and_what_is_free(self) -> None:
        # No bzImage yet, so there is work to do; the check comes before it.
        done = self.toy.kernel("build", "--config", "lean", DOVETAIL_FREE_MB="100")
        self.fails(done, 1, "not enough disk space to build lean", "1200 MB needed, 100 MB free", "clean")

    def test_a_missing_package_is_named_and_installing_it_is_tried(self) -> None:
        # An apt-get that fails stands in for a machine without network.
        write(self.toy.root / "bin" / "apt-get", "#!/bin/sh\necho 'E: Could not resolve deb.debian.org'\nexit 100\n")
        (self.toy.root / "bin" / "apt-get").chmod(0o755)
        done = self.toy.kernel("build", "--config", "lean", DOVETAIL_MISSING_PACKAGE="flex",
                               PATH=f"{self.toy.root}/bin:{os.environ['PATH']}")
        self.fails(done, 1, "apt-get update failed", "E: Could not resolve deb.debian.org", "archive reachable")

    def test_setup_check_reports_and_installs_nothing(self) -> None:
        done = subprocess.run([REPO / "scripts" / "setup", "--check", "kernel"], capture_output=True, text=True,
                              env={**os.environ, "DOVETAIL_MISSING_PACKAGE": "flex"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing: flex", done.stdout)

    def test_an_unknown_package_group_lists_the_known_ones(self) -> None:
        done = subprocess.run([REPO / "scripts" / "setup", "nope"], capture_output=True, text=True)
        self.fails(done, 2, "unknown package group: nope", "kernel")

    def test_a_wrong_number_of_jobs_is_wrong_use(self) -> None:
        self.fails(self.toy.kernel("build", "-j", "0"), 2, "not a positive number: 0")

    def test_an_unknown_patch_for_series_is_wrong_use(self) -> None:
        self.fails(self.toy.kernel("series", "0042"), 2, "no patch of the series is called 0042")

    def test_a_fragment_with_a_broken_line_is_named_with_its_line(self) -> None:
        write(self.toy.root / "kernel" / "configs" / "bad.config", "# uses: base\nCONFIG_A = y\n")
        self.fails(self.toy.kernel("build", "--config", "bad"), 1, "bad.config:2", "not a Kconfig line")

    def test_refresh_without_a_tree_says_what_makes_one(self) -> None:
        done = self.toy.kernel("refresh", DOVETAIL_BUILD=str(self.toy.root / "elsewhere"))
        self.fails(done, 1, "there is no build/linux", "prepare")

    def test_clean_keeps_a_tree_with_own_work_and_says_what_it_frees(self) -> None:
        write(self.toy.linux / "kernel" / "main.c", "int mine;\n")
        write(self.toy.root / "build" / "kernel" / "lean" / "vmlinux", "x" * 3_000_000)
        done = self.toy.kernel("clean")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("build/linux is kept", done.stderr)
        self.assertRegex(done.stderr, r"freed [34] MB in all")
        self.assertEqual((self.toy.linux / "kernel" / "main.c").read_text(), "int mine;\n")
        self.assertFalse((self.toy.root / "build" / "kernel").exists())

    def test_an_ignore_without_a_reason_is_refused(self) -> None:
        write(self.toy.patches / "0001-x.checkpatch", "LONG_LINE:\n")
        done = self.toy.python("import checkpatch; checkpatch.ignores(common.PATCHES / '0001-x.patch')")
        self.fails(done, 1, "0001-x.checkpatch:1", "TYPE: reason")
        write(self.toy.overlay.parent / "overlay.checkpatch", "# ours\nkernel/a.h NEW_TYPEDEFS: the interface's name\nkernel/b.h LONG_LINE:\n")
        done = self.toy.python("import checkpatch; checkpatch.overlay_ignores(checkpatch._OVERLAY_SIDE)")
        self.fails(done, 1, "overlay.checkpatch:3", "PATH TYPE: reason")

    def test_every_command_has_a_help(self) -> None:
        for command in ("prepare", "build", "refresh", "series", "clean", "checkpatch", "applies", "info", "configs"):
            self.assertEqual(self.toy.kernel(command, "--help").returncode, 0)


if __name__ == "__main__":
    unittest.main()
