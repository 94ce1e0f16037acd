"""prepare and refresh on a toy tree: round trip, incremental moves, own work, broken patches."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from toy import BASE, Toy, write


class TreeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.toy = Toy()
        self.addCleanup(self.toy.close)
        self.assertEqual(self.toy.done.returncode, 0, self.toy.done.stderr)

    def ok(self, done) -> None:
        self.assertEqual(done.returncode, 0, done.stderr)

    def engineer_commits(self) -> None:
        """Two edits, a commit of new files only, and one that does both."""
        main = BASE["kernel/main.c"]
        self.toy.commit("main: count from two\n\nOne was too few.\n\nSigned-off-by: A <a@b.c>",
                        {"kernel/main.c": main.replace("line_1;", "line_1 = 2;")})
        self.toy.commit("new: a file", {"kernel/new.c": "int new;\n"})
        self.toy.commit("other: use the new file", {"kernel/other.c": "int other = 1;\n", "kernel/deep/more.h": "/* more */\n"})

    def test_refresh_splits_commits_between_overlay_and_series(self) -> None:
        self.engineer_commits()
        self.ok(self.toy.kernel("refresh"))
        found = self.toy.snapshot()
        self.assertEqual(sorted(found), ["overlay/kernel/deep/more.h", "overlay/kernel/new.c",
                                         "patches/6.12/0001-main-count-from-two.patch",
                                         "patches/6.12/0002-other-use-the-new-file.patch", "patches/6.12/series"])
        self.assertNotIn("more.h", found["patches/6.12/0002-other-use-the-new-file.patch"])
        self.assertIn("One was too few.", found["patches/6.12/0001-main-count-from-two.patch"])
        self.assertIn("From: An Engineer", found["patches/6.12/0001-main-count-from-two.patch"])

    def test_prepare_then_refresh_changes_nothing(self) -> None:
        self.engineer_commits()
        self.ok(self.toy.kernel("refresh"))
        before, head = self.toy.snapshot(), self.toy.git("rev-parse", "HEAD")
        self.ok(self.toy.kernel("prepare"))
        done = self.toy.kernel("refresh")
        self.ok(done)
        self.assertIn("nothing changed", done.stderr)
        self.assertEqual(self.toy.snapshot(), before)
        self.assertEqual(self.toy.git("rev-parse", "HEAD"), head)

    def test_refresh_moves_the_branch_but_no_file(self) -> None:
        self.engineer_commits()
        before = {path: path.stat().st_mtime_ns for path in self.toy.linux.glob("kernel/**/*.[ch]")}
        self.ok(self.toy.kernel("refresh"))
        self.assertEqual({path: path.stat().st_mtime_ns for path in self.toy.linux.glob("kernel/**/*.[ch]")}, before)
        self.assertEqual(self.toy.git("log", "--format=%s", "--reverse").splitlines(),
                         ["base", "dovetail: overlay", "main: count from two", "other: use the new file"])

    def test_a_changed_overlay_file_touches_that_file_only(self) -> None:
        self.engineer_commits()
        self.ok(self.toy.kernel("refresh"))
        before = {path: path.stat().st_mtime_ns for path in self.toy.linux.glob("kernel/**/*.[ch]")}
        write(self.toy.overlay / "kernel" / "new.c", "int newer;\n")
        self.ok(self.toy.kernel("prepare"))
        self.assertEqual((self.toy.linux / "kernel" / "new.c").read_text(), "int newer;\n")
        changed = [path.name for path, time in before.items() if path.stat().st_mtime_ns != time]
        self.assertEqual(changed, ["new.c"])

    def test_a_removed_patch_is_undone_and_its_side_file_is_pointed_out(self) -> None:
        self.engineer_commits()
        self.ok(self.toy.kernel("refresh"))
        write(self.toy.patches / "0002-other-use-the-new-file.checkpatch", "LONG_LINE: it is a table\n")
        self.toy.git("reset", "-q", "--hard", "HEAD~1")
        done = self.toy.kernel("refresh")
        self.ok(done)
        self.assertIn("stands beside no patch", done.stderr)
        self.assertEqual((self.toy.patches / "series").read_text(), "0001-main-count-from-two.patch\n")
        self.assertEqual((self.toy.linux / "kernel/other.c").read_text(), BASE["kernel/other.c"])

    def test_a_side_file_follows_its_patch(self) -> None:
        self.engineer_commits()
        self.ok(self.toy.kernel("refresh"))
        write(self.toy.patches / "0002-other-use-the-new-file.checkpatch", "LONG_LINE: it is a table\n")
        head = self.toy.git("rev-parse", "HEAD")
        self.toy.git("reset", "-q", "--hard", "HEAD~2")
        self.toy.git("cherry-pick", head)
        self.ok(self.toy.kernel("refresh"))
        self.assertTrue((self.toy.patches / "0001-other-use-the-new-file.checkpatch").exists())

    def test_prepare_refuses_commits_and_changes_that_are_not_written_back(self) -> None:
        self.toy.commit("main: mine", {"kernel/main.c": "int mine;\n"})
        write(self.toy.linux / "kernel" / "loose.c", "int loose;\n")
        write(self.toy.overlay / "kernel" / "new.c", "int new;\n")
        done = self.toy.kernel("prepare")
        self.assertEqual(done.returncode, 1)
        for part in ("main: mine", "kernel/loose.c", "kernel refresh"):
            self.assertIn(part, done.stderr)
        self.assertEqual((self.toy.linux / "kernel" / "main.c").read_text(), "int mine;\n")

    def test_refresh_refuses_to_undo_a_change_of_the_series(self) -> None:
        write(self.toy.overlay / "kernel" / "new.c", "int new;\n")
        self.toy.commit("main: mine", {"kernel/main.c": "int mine;\n"})
        done = self.toy.kernel("refresh")
        self.assertEqual(done.returncode, 1)
        self.assertIn("changed since the last prepare", done.stderr)
        self.assertTrue((self.toy.overlay / "kernel" / "new.c").exists())

    def test_refresh_refuses_uncommitted_changes(self) -> None:
        write(self.toy.linux / "kernel" / "main.c", "int mine;\n")
        done = self.toy.kernel("refresh")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not committed", done.stderr)

    def test_a_broken_patch_is_named_with_its_file_and_the_reject(self) -> None:
        self.engineer_commits()
        self.ok(self.toy.kernel("refresh"))
        patch = self.toy.patches / "0001-main-count-from-two.patch"
        patch.write_text(patch.read_text().replace(" int line_2;", " int line_two;"))
        head = self.toy.git("rev-parse", "HEAD")
        done = self.toy.kernel("prepare")
        self.assertEqual(done.returncode, 1)
        for part in (patch.name, "kernel/main.c", "+int line_1 = 2;", "main.c.rej"):
            self.assertIn(part, done.stderr)
        self.assertEqual(self.toy.git("rev-parse", "HEAD"), head)
        self.assertEqual(self.toy.git("status", "--porcelain"), "")

    def test_a_patch_missing_from_the_folder_is_named_with_its_line(self) -> None:
        write(self.toy.patches / "series", "# ours\n0001-gone.patch\n")
        done = self.toy.kernel("prepare")
        self.assertEqual(done.returncode, 1)
        self.assertIn("series:2", done.stderr)

    def test_an_overlay_file_that_linux_has_is_refused(self) -> None:
        write(self.toy.overlay / "kernel" / "main.c", "int mine;\n")
        done = self.toy.kernel("prepare")
        self.assertEqual(done.returncode, 1)
        self.assertIn("belongs in a patch", done.stderr)

    def test_a_stopped_move_is_taken_up_again(self) -> None:
        self.engineer_commits()
        self.ok(self.toy.kernel("refresh"))
        self.ok(self.toy.python("now = __import__('tree').state(); now['moving_to'] = now['head']; "
                                "__import__('tree')._save_state(common.LINUX, **now)"))
        write(self.toy.linux / "kernel" / "main.c", "half written")
        write(self.toy.linux / ".git" / "index.lock", "")
        self.ok(self.toy.kernel("prepare"))
        self.assertIn("line_1 = 2", (self.toy.linux / "kernel" / "main.c").read_text())
        self.assertEqual(self.toy.git("show", "refs/dovetail/rescued:kernel/main.c"), "half written")

    def test_the_core_is_laid_over_and_written_back(self) -> None:
        write(self.toy.root / "kernel" / "evl" / "core.c", "int core;\n")
        self.ok(self.toy.kernel("prepare"))
        self.assertEqual((self.toy.linux / "kernel/evl/core.c").read_text(), "int core;\n")
        self.toy.commit("core: more", {"kernel/evl/core.c": "int core, more;\n", "kernel/evl/more.c": "int more;\n"})
        self.ok(self.toy.kernel("refresh"))
        self.assertEqual((self.toy.root / "kernel/evl/more.c").read_text(), "int more;\n")
        self.assertFalse(self.toy.overlay.exists())

    def test_a_core_that_moved_on_elsewhere_does_not_stop_a_refresh(self) -> None:
        core = self.toy.root / "kernel" / "toycore" / "core.c"
        write(core, "int core;\n")
        self.ok(self.toy.kernel("prepare"))
        self.engineer_commits()
        write(core, "int core, newer;\n")
        self.ok(self.toy.kernel("refresh"))
        self.assertEqual(core.read_text(), "int core, newer;\n")
        self.assertEqual((self.toy.linux / "kernel/toycore/core.c").read_text(), "int core, newer;\n")
        self.assertTrue((self.toy.patches / "series").exists())
        self.assertEqual(self.toy.git("status", "--porcelain"), "")

    def test_a_core_that_changed_on_both_sides_stops_it(self) -> None:
        core = self.toy.root / "kernel" / "toycore" / "core.c"
        write(core, "int core;\n")
        self.ok(self.toy.kernel("prepare"))
        self.toy.commit("core: here", {"kernel/toycore/core.c": "int here;\n"})
        write(core, "int there;\n")
        done = self.toy.kernel("refresh")
        self.assertEqual(done.returncode, 1)
        self.assertIn("would undo that", done.stderr)
        self.assertEqual(core.read_text(), "int there;\n")


if __name__ == "__main__":
    unittest.main()
