// SPDX-License-Identifier: MIT
// Boot parameters. The kernel was started with those that the suite names; this says whether they
// are in force.
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "support.h"

using namespace target;

namespace {

const std::string kState = "/sys/devices/virtual/evl/control/state";

}  // namespace

// evl.state=stopped: there is everything, and nothing can be made before it is started.
TEST(State, StoppedUntilItIsStarted) {
  ASSERT_EQ(contents(kState), "stopped");
  ASSERT_EQ(evl_init(), 0);
  EXPECT_EQ(evl_attach_self("too-early"), -ENXIO);
  ASSERT_EQ(store(kState, "start"), 0);
  EXPECT_EQ(contents(kState), "running");
  attached({.cpu = -1}, [] { EXPECT_EQ(evl_usleep(100), 0); });
}

// evl.oobcpus=1, of two.
TEST(Cpus, OnlyTheNamedOnesAreForThreads) {
  EXPECT_EQ(contents("/sys/devices/virtual/evl/control/cpus"), "1");
  int state = 0;
  EXPECT_EQ(evl_get_cpustate(0, &state), 0);
  EXPECT_EQ(state & EVL_CPU_OOB, 0);
  EXPECT_EQ(evl_get_cpustate(1, &state), 0);
  EXPECT_EQ(state & EVL_CPU_OOB, EVL_CPU_OOB);
  // A thread that may run anywhere is put there.
  attached({.cpu = -1}, [] {
    EXPECT_EQ(state_of(evl_get_self()).cpu, 1U);
    EXPECT_EQ(sched_getcpu(), 1);
    EXPECT_EQ(evl_usleep(100), 0);
  });
  // One that may run elsewhere only cannot become one.
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  ASSERT_EQ(sched_setaffinity(0, sizeof(first), &first), 0);
  EXPECT_EQ(evl_attach_self("elsewhere"), -EINVAL);
}

// evl.sysheap_size=1048576
TEST(Heap, HasTheSizeThatWasAskedFor) {
  EXPECT_EQ(contents("/sys/module/evl/parameters/sysheap_size"), "1048576");
}
