# SPDX-License-Identifier: MIT
"""Each forbidden arrow is seen, and each arrow the project needs is allowed."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts" / "lib"))
sys.dont_write_bytecode = True

from check import arrows  # noqa: E402

FORBIDDEN = (
    ("kernel/evl/thread/thread.cc", "#include <linux/sched.h>"),
    ("kernel/evl/thread/thread.cc", "#include <vector>"),
    ("kernel/evl/thread/thread.cc", '#include "../base/list.h"'),
    ("kernel/evl/thread/thread.cc", "#ifdef EVL_SIM"),
    ("kernel/evl/thread/thread.cc", "#if defined(TEST_HOST)"),
    ("kernel/evl/base/list.h", '#include "thread/thread.h"'),
    ("kernel/evl/kapi/task.h", "#include <linux/sched.h>"),
    ("kernel/evl/kapi/task.c", '#include "thread/thread.h"'),
    ("include/uapi/evl/types.h", "#include <stdint.h>"),
    ("kernel/dovetail/overlay/kernel/dovetail.c", "#include <evl/thread-abi.h>"),
    ("lib/thread.cc", '#include "kapi/task.h"'),
    ("lib/thread.cc", '#include "../kernel/evl/base/list.h"'),
    ("utils/ps.cc", "#  include <kapi/task.h>"),
)
ALLOWED = (
    ("kernel/evl/thread/thread.cc", '#include "base/list.h"'),
    ("kernel/evl/thread/thread.cc", '#include "kapi/task.h"'),
    ("kernel/evl/thread/thread.cc", "#include <evl/thread-abi.h>"),
    ("kernel/evl/thread/thread.cc", "#ifdef CONFIG_EVL_RUNSTATS"),
    ("kernel/evl/kapi/task.c", "#include <linux/sched.h>"),
    ("include/uapi/evl/types.h", "#include <linux/types.h>"),
    ("lib/thread.cc", "#include <evl/thread-abi.h>"),
    ("tests/sim/machine.cc", '#include "kapi/task.h"'),
)


class Arrows(unittest.TestCase):
    def test_forbidden_ones_are_seen(self):
        for path, line in FORBIDDEN:
            with self.subTest(path=path, line=line):
                self.assertEqual(len(list(arrows.broken(path, "// text\n" + line + "\n"))), 1)

    def test_needed_ones_are_allowed(self):
        for path, line in ALLOWED:
            with self.subTest(path=path, line=line):
                self.assertEqual(list(arrows.broken(path, line)), [])


if __name__ == "__main__":
    unittest.main()
