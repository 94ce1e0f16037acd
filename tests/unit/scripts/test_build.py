"""When a build runs and when it does not, with a make that only notes that it was called."""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from toy import BASE, Toy, write

_MAKE = r"""#!/bin/sh
# Stands in for the kernel's make: notes its goals, makes the files that the real one would.
for word; do
    case $word in
    O=*) out=${word#O=} ;;
    INSTALL_MOD_PATH=*) modules=${word#INSTALL_MOD_PATH=} ;;
    -*|*=*|/*) ;;
    *) goals="$goals $word" ;;
    esac
done
echo "$goals" >>"$TOY_CALLS"
case $goals in
*allnoconfig) cp "$KCONFIG_ALLCONFIG" "$KCONFIG_CONFIG" ;;
*modules_install) mkdir -p "$modules/lib/modules/toy" ;;
*bzImage*)
    echo "  CC      kernel/main.o"
    [ -n "$TOY_KILLED" ] && kill -TERM $$
    [ -n "$TOY_BROKEN" ] && { echo "kernel/main.c:3:1: error: expected ';'"; exit 2; }
    case $out in
    */series/out) grep -q BREAK "$out/../linux/kernel/main.c" && { echo "kernel/main.c:9:1: error: BREAK"; exit 2; } ;;
    *) echo "kernel/main.c:5:1: warning: unused variable" ;;
    esac
    mkdir -p "$out/arch/x86/boot" "$out/include/config"
    echo 6.12.1-toy >"$out/include/config/kernel.release"
    touch "$out/arch/x86/boot/bzImage" "$out/vmlinux" ;;
esac
"""


class BuildTest(unittest.TestCase):
    def setUp(self) -> None:
        self.toy = Toy()
        self.addCleanup(self.toy.close)
        write(self.toy.root / "bin" / "make", _MAKE)
        (self.toy.root / "bin" / "make").chmod(0o755)
        self.calls = self.toy.root / "calls"
        for name, text in (("lean", "CONFIG_A=y\n"), ("other", "CONFIG_B=y\n")):
            write(self.toy.root / "kernel" / "configs" / f"{name}.config", text)

    def build(self, *arguments: str, **env: str):
        """Builds, and returns the run and the goals that make was called for."""
        self.calls.write_text("")
        done = self.toy.kernel("build", *arguments, PATH=f"{self.toy.root}/bin:{os.environ['PATH']}",
                               TOY_CALLS=str(self.calls), **env)
        return done, self.calls.read_text().split()

    def test_the_first_build_makes_everything_and_the_second_nothing(self) -> None:
        done, goals = self.build()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(goals, ["allnoconfig", "bzImage", "modules", "modules_install"])
        self.assertIn("1 warnings", done.stderr)
        done, goals = self.build()
        self.assertEqual(goals, [])
        self.assertIn("up to date", done.stderr)

    def test_what_a_build_depends_on_starts_it_again(self) -> None:
        self.build()
        write(self.toy.overlay / "kernel" / "new.c", "int new;\n")
        self.assertIn("bzImage", self.build()[1], "a changed overlay")
        write(self.toy.root / "kernel" / "configs" / "lean.config", "CONFIG_A=m\n")
        self.assertIn("bzImage", self.build()[1], "a changed fragment")
        (self.toy.root / "build" / "kernel" / "lean" / "vmlinux").unlink()
        self.assertIn("bzImage", self.build()[1], "a missing output")
        self.assertEqual(self.build()[1], [])

    def test_a_message_or_another_configuration_does_not(self) -> None:
        self.toy.commit("main: mine", {"kernel/main.c": BASE["kernel/main.c"] + "int mine;\n"})
        self.assertEqual(self.toy.kernel("refresh").returncode, 0)
        self.build()
        self.toy.git("commit", "-q", "--amend", "-m", "main: a better subject")
        self.assertEqual(self.toy.kernel("refresh").returncode, 0)
        write(self.toy.root / "kernel" / "configs" / "other.config", "CONFIG_C=y\n")
        self.assertEqual(self.build()[1], [])

    def test_an_engineer_builds_what_is_not_committed_yet(self) -> None:
        self.build()
        write(self.toy.linux / "kernel" / "main.c", "int mine;\n")
        done, goals = self.build()
        self.assertIn("building it as it is", done.stderr)
        self.assertIn("bzImage", goals)
        self.assertEqual(self.build()[1], [], "the same work is not built twice")
        write(self.toy.linux / "kernel" / "main.c", "int mine, too;\n")
        self.assertIn("bzImage", self.build()[1])

    def test_a_build_that_failed_says_where_and_is_taken_up_again(self) -> None:
        done, _ = self.build(TOY_BROKEN="1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("kernel/main.c:3:1: error", done.stderr)
        self.assertIn("make.log", done.stderr)
        self.assertIn("bzImage", self.build()[1])

    def test_a_make_that_was_killed_is_not_called_a_mistake_in_the_tree(self) -> None:
        done, _ = self.build(TOY_KILLED="1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("ended by signal 15", done.stderr)
        self.assertIn("bzImage", self.build()[1])

    def series(self, *arguments: str):
        self.calls.write_text("")
        done = self.toy.kernel("series", *arguments, PATH=f"{self.toy.root}/bin:{os.environ['PATH']}",
                               TOY_CALLS=str(self.calls))
        return done, self.calls.read_text().split().count("bzImage")

    def test_the_series_is_built_patch_by_patch_and_what_passed_is_remembered(self) -> None:
        main = BASE["kernel/main.c"]
        self.toy.commit("main: one", {"kernel/main.c": main + "int one;\n"})
        self.toy.commit("main: two", {"kernel/main.c": main + "int one;\nint BREAK;\n"})
        self.toy.commit("main: three", {"kernel/other.c": "int three;\n", "kernel/main.c": main + "int one;\n"})
        self.assertEqual(self.toy.kernel("refresh").returncode, 0)
        done, built = self.series()
        self.assertEqual((done.returncode, built), (1, 2), done.stderr)
        self.assertIn("does not build after 0002-main-two.patch", done.stderr)
        self.assertIn("error: BREAK", done.stderr)
        self.assertIn("series 0002", done.stderr)
        done, built = self.series()
        self.assertEqual((done.returncode, built), (1, 1), "the first one passed before")
        done, built = self.series("3")
        self.assertEqual((done.returncode, built), (0, 1), done.stderr)
        self.assertEqual(self.toy.git("status", "--porcelain"), "", "the engineer's tree is left alone")

    def test_a_config_that_comes_out_the_same_keeps_its_time(self) -> None:
        self.build()
        config = self.toy.root / "build" / "kernel" / "lean" / ".config"
        before = config.stat().st_mtime_ns
        write(self.toy.overlay / "kernel" / "new.c", "int new;\n")
        self.build()
        self.assertEqual(config.stat().st_mtime_ns, before)


if __name__ == "__main__":
    unittest.main()
