"""Host tests of scripts/board: no QEMU is started. Run: python3 tests/unit/board/board_test.py"""

import contextlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
sys.dont_write_bytecode = True

import tsc  # noqa: E402
from board import elf, image, kvm, machine, options, report, run  # noqa: E402
from board.run import Kind, OutputParser, decide  # noqa: E402

WARN = """[    2.1] board_faults: loading out-of-tree module taints kernel.
[    2.341234] ------------[ cut here ]------------
[    2.341240] board_faults: as asked
[    2.341250] WARNING: CPU: 0 PID: 66 at board_faults.c:29 board_faults_init+0xf6/0x1000
[    2.341260] Call Trace:
[    2.341270]  <TASK>
[    2.341280]  </TASK>
[    2.341290] ---[ end trace 0000000000000000 ]---
[    2.5] something else"""

OOPS = """[    2.0] BUG: kernel NULL pointer dereference, address: 0000000000000008
[    2.0] #PF: supervisor write access in kernel mode
[    2.0] Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI
[    2.0] RIP: 0010:f+0xdb/0x1000
[    2.0] ---[ end trace 0000000000000000 ]---
[    2.0] RIP: 0010:f+0xdb/0x1000
[    2.0] Kernel panic - not syncing: Fatal exception
[    2.0] ---[ end Kernel panic - not syncing: Fatal exception ]---"""


class Reports(unittest.TestCase):
    def test_every_kind_of_report_is_recognised(self):
        lines = {
            "warning": "WARNING: CPU: 1 PID: 2 at kernel/x.c:3 f+0x1/0x2",
            "bug": "BUG: Bad page state in process sh  pfn:00001",
            "oops": "general protection fault, probably for non-canonical address 0xdead: 0000 [#1]",
            "panic": "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100",
            "lockdep": "WARNING: possible circular locking dependency detected",
            "rcu-stall": "rcu: INFO: rcu_preempt self-detected stall on CPU",
            "hung-task": "INFO: task kworker/0:1:12 blocked for more than 120 seconds.",
            "lockup": "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [sh:12]",
            "kasan": "BUG: KASAN: slab-out-of-bounds in f+0x1/0x2",
            "ubsan": "UBSAN: shift-out-of-bounds in x.c:3:4",
            "kmemleak": "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
            "pipeline": "IRQ pipeline: some code running in oob context called an in-band only routine",
            "atomic": "bad: scheduling from the idle thread!",
            "irq": "irq 16: nobody cared (try booting with the \"irqpoll\" option)",
        }
        for kind, line in lines.items():
            with self.subTest(kind):
                for prefix in ("", "[    1.234567] ", "[    1.234567][   T12] ", "[   12.345678][    C0] "):
                    found = report.recognise(prefix + line + "\r\n")
                    self.assertEqual([one.kind for one in found], [kind])

    def test_lines_of_sound_kernels_are_none(self):
        for line in (
                "Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on",
                "IRQ pipeline: high-priority torture stage added.", "irq_pipeline: enabled",
                "traps: prog[12] general protection fault ip:401000 sp:7ffe error:0 in prog",
                "prog[12]: segfault at 0 ip 0 sp 0 error 14", "DEBUG: all is well",
                "hrtimer: interrupt took 32117425 ns", "rcu: Hierarchical RCU implementation.",
                "Kernel command line: oops=panic expect=WARNING: BUG:", "kmemleak: Kernel memory leak detector initialized",
                "Lock dependency validator: Copyright (c) 2006 Red Hat", "workqueue: f hogged CPU for >10000us 4 times",
                "INFO: NMI handler took too long to run: 1.2 msecs", "NMI watchdog: Enabled."):
            with self.subTest(line):
                self.assertIsNone(report.trigger(line))

    def test_a_warning_holds_its_message_and_its_trace_only(self):
        found, = report.recognise(WARN)
        self.assertEqual(found.lines[0], "------------[ cut here ]------------")
        self.assertIn("board_faults: as asked", found.text)
        self.assertTrue(found.lines[-1].startswith("---[ end trace"))
        self.assertTrue(found.title.startswith("WARNING: CPU: 0"))

    def test_an_oops_and_its_panic_are_one_report(self):
        found, = report.recognise(OOPS)
        self.assertIn("Fatal exception", found.text)

    def test_a_breakpoint_that_memory_does_not_hold_is_the_emulators(self):
        oops = "[    1.5] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI\n[    1.5] RIP: 0010:f+0x9/0x190\n[    1.5] Code: 55 53 {} <90> e8 75\n" \
            "[    1.5] ---[ end trace 0000000000000000 ]---"
        self.assertEqual([report.recognise(oops.format(byte))[0].stale_breakpoint for byte in ("66", "cc")], [True, False])
        self.assertFalse(report.recognise(OOPS)[0].stale_breakpoint)

    def test_two_warnings_are_two_reports(self):
        self.assertEqual(len(report.recognise(WARN + "\n" + WARN)), 2)

    def test_expectations_work_in_both_directions(self):
        found = report.recognise(WARN + "\n" + OOPS)
        self.assertEqual(report.judge(found, ["as asked", "NULL pointer"]), ([], []))
        unexpected, missing = report.judge(found, ["as asked", "never"])
        self.assertEqual([one.kind for one in unexpected], ["bug"])
        self.assertEqual(missing, ["never"])


class Verdicts(unittest.TestCase):
    def verdict(self, cmd=0, timed_out=False, qemu=0, console="", expect=(), gave_up=False):
        return decide(cmd_status=cmd, timed_out=timed_out, qemu_status=qemu, flooded=False, gave_up=gave_up,
                      reports=report.recognise(console), expected=list(expect))

    def test_the_commands_status_is_passed_on(self):
        for status in (0, 1, 70, 124, 255):
            verdict = self.verdict(cmd=status)
            self.assertEqual((verdict.status, verdict.line), (status, f"cmd {status}"))

    def test_a_report_wins_over_everything(self):
        for case in ({"cmd": 0}, {"cmd": 3}, {"cmd": None}, {"cmd": None, "timed_out": True, "qemu": None}):
            verdict = self.verdict(console=WARN, **case)
            self.assertEqual((verdict.status, verdict.line), (70, "kernel report"))

    def test_the_other_ends(self):
        self.assertEqual(self.verdict(cmd=None, timed_out=True, qemu=None).status, 124)
        self.assertEqual(self.verdict(cmd=None).kind, Kind.died)
        self.assertEqual(self.verdict(cmd=None, qemu=1).kind, Kind.qemu)
        self.assertEqual(self.verdict(cmd=None, qemu=None, gave_up=True).kind, Kind.qemu)
        self.assertEqual(self.verdict(cmd=3, qemu=None, gave_up=True).status, 3)

    def test_expected_reports(self):
        self.assertEqual(self.verdict(cmd=5, console=WARN, expect=["as asked"]).status, 5)
        self.assertEqual(self.verdict(cmd=0, expect=["as asked"]).kind, Kind.missing)
        self.assertEqual(self.verdict(cmd=0, console=WARN, expect=["other"]).kind, Kind.report)
        ended = self.verdict(cmd=None, console=OOPS, expect=["NULL pointer"])
        self.assertEqual((ended.kind, ended.status), (Kind.expected_end, 0))


class Output(unittest.TestCase):
    def test_any_split_of_the_stream_gives_the_same(self):
        payload = b"\0\1\1board\1board-x stat\r\n" + bytes(range(256))
        stream = b"noise\1board-x start\n" + payload + b"\1board-x status 42\n"
        for size in (1, 2, 3, 7, 50, 1000):
            parser, out = OutputParser("board-x"), b""
            for start in range(0, len(stream), size):
                out += parser.feed(stream[start:start + size])
            self.assertEqual((out + parser.rest(), parser.status), (payload, 42))

    def test_what_is_held_back_is_given_when_the_guest_dies(self):
        parser = OutputParser("m")
        self.assertEqual(parser.feed(b"\1m start\nabc\1m sta") + parser.rest(), b"abc\1m sta")
        self.assertIsNone(parser.status)


class Arguments(unittest.TestCase):
    def refused(self, *argv):
        with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as ended:
            options.parse(argv)
        self.assertEqual(ended.exception.code, 2)
        return said.getvalue()

    def test_defaults(self):
        given = options.parse(["run", "--", "a", "--", "-x"])
        self.assertEqual((given.config, given.smp, given.timeout_s, given.command), ("lean", 2, 120, ["a", "--", "-x"]))
        counted = options.parse(["run", "--icount", "--", "a"])
        self.assertEqual((counted.smp, counted.machine), (1, "pc"))
        self.assertEqual(options.parse(["run", "--gdb", "--", "a"]).timeout_s, 0)
        self.assertEqual(options.parse(["run", "--config", "idle", "--", "a"]).acpi, "cst")

    def test_add(self):
        self.assertEqual(options.split_add("a/b"), ("a/b", "/root/b"))
        self.assertEqual(options.split_add("a/b/:/x/"), ("a/b/", "/x/b"))
        self.assertEqual(options.split_add("a:b:/x"), ("a:b", "/x"))
        self.assertEqual(options.split_add("a:b"), ("a:b", "/root/a:b"))

    def test_drive(self):
        given = options.parse(["run", "--drive", "d0=/a/b=c,d", "--device", "nvme,serial=1,drive=d0", "--", "a"])
        self.assertEqual(given.drive, [("d0", "/a/b=c,d")])
        words = machine.qemu_arguments(given, "tcg", pathlib.Path("/k"), [])
        at = words.index("-drive")
        self.assertEqual(words[at + 1], "if=none,id=d0,format=raw,snapshot=on,file=/a/b=c,,d")
        self.assertEqual(words[at + 2:at + 4], ["-device", "nvme,serial=1,drive=d0"])
        for wrong in ("d0", "=x", "d0=", "0=x"):
            self.assertIn("ID=IMAGE", self.refused("run", "--drive", wrong, "--", "a"))

    def test_net(self):
        given = options.parse(["run", "--net", "/a,b", "--", "a"])
        words = machine.qemu_arguments(given, "tcg", pathlib.Path("/k"), [])
        self.assertEqual(words[words.index("-netdev") + 1], "user,id=net,restrict=on,tftp=/a,,b")
        self.assertIn("virtio-net-pci,netdev=net,romfile=", words)
        self.assertNotIn("-netdev", machine.qemu_arguments(options.parse(["run", "--", "a"]), "tcg", pathlib.Path("/k"), []))
        self.assertIn("--icount would not repeat", self.refused("run", "--icount", "--net", "/a", "--", "a"))

    def test_mistakes(self):
        self.assertIn("known: lean", self.refused("run", "--config", "nope", "--", "a"))
        self.assertIn("no command", self.refused("run"))
        self.assertIn("regular expression", self.refused("run", "--expect", "(", "--", "a"))
        self.assertIn("repeatability", self.refused("run", "--icount", "--device", "virtio-rng-pci", "--", "a"))
        self.refused("run", "--smp", "0", "--", "a")
        self.refused("run", "--timeout", "-1", "--", "a")
        self.refused("shell", "--", "a")

    def test_the_deterministic_machine(self):
        given = options.parse(["run", "--icount", "--append", "more=1", "--", "a"])
        given.memory = 512
        words = " ".join(machine.qemu_arguments(given, "tcg", pathlib.Path("/k"), []))
        for part in ("-icount shift=0,sleep=off", "-rtc base=2026-01-01,clock=vm", "-seed 1", "-nic none", "-cpu max",
                     "norandmaps", "mitigations=off", "idle=halt", "tsc=reliable", "more=1"):
            self.assertIn(part, words)
        self.assertNotIn("virtio", words)


class Counter(unittest.TestCase):
    @unittest.skipUnless(tsc.host_khz(), "no time stamp counter, or no memory to run a reading in")
    def test_two_measurements_agree(self):
        once, again = tsc.host_khz(), tsc.host_khz.__wrapped__()
        self.assertGreater(once, 100_000)
        self.assertLess(abs(once - again), once / 1000)

    @unittest.skipUnless(tsc.host_khz(), "no time stamp counter")
    def test_an_emulated_guest_is_told(self):
        told = f"tsc_early_khz={tsc.host_khz()}"
        self.assertIn(told, machine.kernel_command_line(options.parse(["run", "--", "a"]), "tcg"))
        self.assertNotIn(told, machine.kernel_command_line(options.parse(["run", "--icount", "--", "a"]), "tcg"))
        self.assertNotIn(told, machine.kernel_command_line(options.parse(["run", "--", "a"]), "kvm"))


class Kvm(unittest.TestCase):
    """What is asked of KVM, and how long the answer holds."""

    def setUp(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="board-test-"))
        self.addCleanup(shutil.rmtree, folder)
        self.boot_id = folder / "boot_id"
        self.boot_id.write_text("first\n")
        self.firmware = mock.Mock(return_value="")
        self.boot = mock.Mock(return_value="")
        self.real_boot = kvm.boot_trouble
        for name, value in (("_ANSWER", folder / "kvm.json"), ("_BOOT_ID", self.boot_id), ("firmware_trouble", self.firmware),
                            ("boot_trouble", self.boot)):
            patch = mock.patch.object(kvm, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def ask(self, version="7"):
        return kvm.trouble("qemu", version, ["--config", "lean"])

    def test_a_firmware_that_fails_is_enough(self):
        self.firmware.return_value = "no /dev/kvm"
        self.assertEqual(self.ask(), "no /dev/kvm")
        self.boot.assert_not_called()

    def test_a_boot_is_tried_once_for_each_start_of_the_host_and_version_of_qemu(self):
        for trouble in ("it gave up", ""):
            with self.subTest(trouble):
                self.boot.reset_mock()
                self.boot.return_value = trouble
                self.boot_id.write_text(f"second {trouble}\n")
                self.assertEqual([self.ask(), self.ask()], [trouble, trouble])
                self.boot.assert_called_once_with(["--config", "lean"])
                self.ask(version="8")
                self.assertEqual(self.boot.call_count, 2)

    def test_a_damaged_answer_is_asked_for_again(self):
        kvm._ANSWER.write_text('{"boot": "first", "QEMU": "7"}')
        self.ask()
        self.boot.assert_called_once()


    def test_what_a_failed_boot_said_is_the_trouble_wherever_the_build_folder_is(self):
        said = ["board: lean, KVM (as asked)", "board: CMD was not even started within 20 s; asking for backtraces", "board: timeout"]
        gave_up = ["board: QEMU said: KVM internal error. Suberror: 1", "RAX=0", "board: QEMU failed"]
        for lines, trouble in ((said, "in a boot, CMD was not even started within 20 s (see "),
                               (gave_up, "in a boot, QEMU said: KVM internal error. Suberror: 1 (see "), ([], "in a boot, status 69 (see ")):
            def board(_words, log, _progress, lines=lines):
                log.write_text("".join(f"{line}\n" for line in lines))
                return 69

            with self.subTest(trouble), mock.patch.object(kvm, "_LOG", self.boot_id.with_name("kvm.log")), \
                    mock.patch.object(kvm.common, "run_logged", board), contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(self.real_boot(["--config", "lean"])[:len(trouble)], trouble)

    def test_a_guest_that_kvm_gave_up_on_ends_the_run(self):
        folder = self.boot_id.parent
        qemu = folder / "qemu"
        qemu.write_text(f"#!/bin/sh\n[ \"$1\" = --version ] && echo 'QEMU version 7' && exit\necho '{kvm.GAVE_UP}. Suberror: 1' >&2\nexec sleep 60\n")
        qemu.chmod(0o755)
        (folder / "kernel").touch()
        with mock.patch.object(machine, "QEMU", str(qemu)), mock.patch.object(run, "BOARDS", folder / "board"), \
                contextlib.redirect_stderr(io.StringIO()):
            board = run.Board(options.parse(["run", "--accel", "kvm", "--kernel", str(folder / "kernel"), "--timeout", "20", "--", "true"]))
            verdict = board.run(io.BytesIO())
            board.folder.end(keep=False, whole=False)
        self.assertEqual((verdict.kind, verdict.status), (Kind.qemu, machine.EXIT_UNAVAILABLE))


class Images(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="board-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def build(self, *adds, argv=("true",)):
        path = self.folder / "image"
        image.build(path, argv=list(argv), adds=[(pathlib.Path(host), guest) for host, guest in adds], modules=None,
                    settings={"MARK": "m"})
        return path.read_bytes()

    def names(self, archive):
        done = subprocess.run(["cpio", "-it", "--quiet"], input=archive, capture_output=True, check=True)
        return done.stdout.decode().split("\n")

    def test_the_same_input_gives_the_same_bytes(self):
        tool = self.folder / "tool"
        tool.write_text("#!/bin/sh\n")
        first = self.build((tool, "/root/tool"))
        os.utime(tool, (1, 1))
        tool.chmod(0o664)
        tool.chmod(0o644)
        self.assertEqual(first, self.build((tool, "/root/tool")))

    @unittest.skipUnless(shutil.which("cpio"), "cpio reads the archive back")
    def test_libraries_come_with_a_program(self):
        names = self.names(self.build(("/bin/ls", "/opt/ls")))
        self.assertIn("opt/ls", names)
        self.assertIn("usr/lib64/ld-linux-x86-64.so.2", names)
        self.assertIn("usr/lib/x86_64-linux-gnu/libc.so.6", names)
        self.assertFalse([name for name in names if name.startswith(("bin/", "lib/", "lib64/", "sbin/"))])

    def test_libraries_are_those_the_loader_uses(self):
        said = subprocess.run(["ldd", "/bin/ls"], capture_output=True, text=True, check=True).stdout
        wanted = {line.split()[0] for line in said.splitlines() if "=>" in line}
        self.assertEqual({name for name in elf.libraries(pathlib.Path("/bin/ls")) if "/" not in name}, wanted)

    def test_a_missing_library_is_named(self):
        broken = self.folder / "ls"
        broken.write_bytes(pathlib.Path("/bin/ls").read_bytes().replace(b"libc.so.6\0", b"libq.so.6\0"))
        with self.assertRaisesRegex(image.ImageError, "libq.so.6"):
            self.build((broken, "/root/ls"))

    def test_the_boards_own_paths_are_refused(self):
        with self.assertRaisesRegex(image.ImageError, "the board's own"):
            self.build(("/bin/ls", "/init"))

    def test_arguments_survive_the_shell(self):
        argv = ["printf", "%s\\0", "a b", "'q'", '"', "new\nline", "", "$x `y` \\", "*", "ü", os.fsdecode(b"\xff")]
        script = self.folder / "script"
        script.write_bytes(image.command_script(argv))
        said = subprocess.run(["sh", script], capture_output=True, check=True).stdout
        self.assertEqual(said, b"".join(os.fsencode(word) + b"\0" for word in argv[2:]))


if __name__ == "__main__":
    unittest.main()
