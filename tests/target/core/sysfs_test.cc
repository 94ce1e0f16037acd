// SPDX-License-Identifier: MIT
// What sysfs shows and changes: attributes of the core, of threads, gates and clocks; stopping and
// starting the core.
#include <errno.h>
#include <evl/sys.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

constexpr int kThreadEnded = 9;
const std::string kControl = "/sys/devices/virtual/evl/control/";
const std::string kMonotonic = "/sys/devices/virtual/clock/monotonic/gravity";

std::string attribute(const Thread& thread, const char* name) {
  return contents("/sys/devices/virtual/thread/" + thread.name() + "/" + name);
}

// Name and number of one that the process makes: the sysfs folder of an anonymous element is not
// told to it.
struct NamedMutex {
  evl_mutex mutex{};
  std::string name{unique_name("mutex")};
  explicit NamedMutex(unsigned ceiling = 0) {
    EXPECT_GE(evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, ceiling, EVL_MUTEX_RECURSIVE, "%s",
                               name.c_str()),
              0);
  }
  ~NamedMutex() { EXPECT_EQ(evl_close_mutex(&mutex), 0); }
  NamedMutex(const NamedMutex&) = delete;
  NamedMutex& operator=(const NamedMutex&) = delete;
  [[nodiscard]] std::string state() const {
    return contents("/sys/devices/virtual/monitor/" + name + "/state");
  }
};

}  // namespace

TEST(Control, ShowsTheCore) {
  EXPECT_EQ(contents(kControl + "abi"), std::to_string(EVL_ABI_LEVEL));
  EXPECT_EQ(contents(kControl + "state"), "running");
  EXPECT_EQ(contents(kControl + "cpus"), cpus() == 1 ? "0" : "0-" + std::to_string(cpus() - 1));
}

TEST(ThreadAttributes, SayWhatTheRequestsSay) {
  std::atomic<bool> end{false};
  Thread thread{{.priority = 33}, [&] {
                  while (!end) {
                    const timespec date = far_away();
                    (void)evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
                  }
                }};
  ASSERT_TRUE(thread.sleeps());
  EXPECT_EQ(attribute(thread, "pid"), std::to_string(thread.tid()));
  EXPECT_EQ(attribute(thread, "sched"), "0 33 33 fifo");
  const evl_thread_state state = thread.state();
  EXPECT_EQ(std::stoul(attribute(thread, "state"), nullptr, 16), state.state);
  const auto stats = words(attribute(thread, "stats"));
  ASSERT_EQ(stats.size(), 6U);
  EXPECT_EQ(stats[0], std::to_string(state.isw));
  EXPECT_EQ(stats[1], std::to_string(state.csw));
  EXPECT_EQ(stats[2], std::to_string(state.sc));
  EXPECT_EQ(stats[3], std::to_string(state.rwa));
  EXPECT_EQ(stats[4], std::to_string(state.xtime));
  const long long left = std::stoll(attribute(thread, "timeout"));
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 3'600'000'000'000);
  EXPECT_EQ(attribute(thread, "observable"), "0");

  evl_sched_attrs round_robin{.sched_policy = SCHED_RR, .sched_priority = 12, .sched_u = {}};
  round_robin.sched_rr_quantum = {.tv_sec = 0, .tv_nsec = 5'000'000};
  EXPECT_EQ(evl_set_schedattr(thread.efd(), &round_robin), 0);
  EXPECT_EQ(attribute(thread, "sched"), "0 12 12 rr 5000000");
  const evl_sched_attrs weak{.sched_policy = SCHED_WEAK, .sched_priority = 3, .sched_u = {}};
  EXPECT_EQ(evl_set_schedattr(thread.efd(), &weak), 0);
  EXPECT_EQ(attribute(thread, "sched"), "0 3 3 weak");
  end = true;
  EXPECT_EQ(evl_unblock_thread(thread.efd()), 0);
  thread.join();
  EXPECT_FALSE(exists("/sys/devices/virtual/thread/" + thread.name()));
}

TEST(ThreadAttributes, BaseBeforeCurrentPriority) {
  NamedMutex mutex;
  std::atomic<bool> holds{false};
  std::atomic<bool> release{false};
  Thread owner{{.priority = 10}, [&] {
                 EXPECT_EQ(evl_lock_mutex(&mutex.mutex), 0);
                 EXPECT_EQ(evl_lock_mutex(&mutex.mutex), 0);
                 holds = true;
                 oob_await(release);
                 EXPECT_EQ(evl_unlock_mutex(&mutex.mutex), 0);
                 EXPECT_EQ(evl_unlock_mutex(&mutex.mutex), 0);
               }};
  ASSERT_TRUE(until([&] { return holds.load(); }));
  EXPECT_EQ(mutex.state(), std::to_string(owner.tid()) + " 0 2");
  Thread waiter{{.priority = 20}, [&] {
                  EXPECT_EQ(evl_lock_mutex(&mutex.mutex), 0);
                  EXPECT_EQ(evl_unlock_mutex(&mutex.mutex), 0);
                }};
  ASSERT_TRUE(waiter.waits());
  EXPECT_EQ(attribute(owner, "sched"), "0 10 20 fifo");
  EXPECT_EQ(attribute(waiter, "wchan"), "gate");
  release = true;
  waiter.join();
  EXPECT_EQ(mutex.state(), "-1 0 0");
}

TEST(MonitorAttributes, ShowTheCeiling) {
  const NamedMutex mutex{55};
  EXPECT_EQ(mutex.state(), "-1 55 0");
}

TEST(Gravity, CanBeSetAndRefusesNonsense) {
  const std::string before = contents(kMonotonic);
  ASSERT_EQ(words(before).size(), 3U) << before;
  EXPECT_EQ(contents("/sys/devices/virtual/clock/realtime/gravity"), before);
  EXPECT_EQ(store(kMonotonic, "100i 200k 300u"), 0);
  EXPECT_EQ(contents(kMonotonic), "100i 200k 300u");
  EXPECT_EQ(store(kMonotonic, "400"), 0);
  EXPECT_EQ(contents(kMonotonic), "100i 200k 400u");
  EXPECT_EQ(store(kMonotonic, "7i"), 0);
  EXPECT_EQ(contents(kMonotonic), "7i 200k 400u");
  for (const char* wrong : {"x", "1x", "-1", "2000000000", "1i x"})
    EXPECT_EQ(store(kMonotonic, wrong), -EINVAL) << wrong;
  EXPECT_EQ(contents(kMonotonic), "7i 200k 400u");
  attached([] { EXPECT_EQ(evl_usleep(500), 0); });
  EXPECT_EQ(store(kMonotonic, before), 0);
  EXPECT_EQ(contents(kMonotonic), before);
}

TEST(State, RefusesOtherWords) {
  for (const char* wrong : {"halt", "stopp", "", "running"})
    EXPECT_LE(store(kControl + "state", wrong), 0) << wrong;
  EXPECT_EQ(contents(kControl + "state"), "running");
}

TEST(State, ThreadCannotStopTheCore) {
  attached([] { EXPECT_EQ(store(kControl + "state", "stop"), -EPERM); });
  EXPECT_EQ(contents(kControl + "state"), "running");
}

// All threads end, also those that sleep; nothing is created meanwhile; afterwards everything works
// again.
TEST(State, StopsAndStarts) {
  for (int round = 0; round < 3; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      Thread sleeper{{}, [] {
                       const timespec date = far_away();
                       (void)evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
                     }};
      if (!sleeper.sleeps() || write(ends[1], "r", 1) != 1) _exit(1);
      sleeper.join();
      _exit(kThreadEnded);
    }
    char byte = 0;
    ASSERT_EQ(read(ends[0], &byte, 1), 1);
    ASSERT_EQ(store(kControl + "state", "stop"), 0);
    EXPECT_EQ(contents(kControl + "state"), "stopped");
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
    EXPECT_EQ(evl_attach_self("%s", unique_name("stopped").c_str()), -ENXIO);
    evl_mutex mutex{};
    EXPECT_EQ(evl_new_mutex(&mutex, nullptr), -ENXIO);
    timespec date{};
    EXPECT_EQ(evl_read_clock(EVL_CLOCK_MONOTONIC, &date), 0);
    usleep(2000);  // Linux has its ticks back.
    ASSERT_EQ(store(kControl + "state", "start"), 0);
    EXPECT_EQ(contents(kControl + "state"), "running");
    attached([] { EXPECT_EQ(evl_usleep(500), 0); });
    close(ends[0]);
    close(ends[1]);
  }
  EXPECT_EQ(store(kControl + "state", "start"), -EINVAL) << "it runs";
}
