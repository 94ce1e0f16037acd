// SPDX-License-Identifier: MIT
//
// The simulated Linux and kapi, under a core small enough to be right by looking at it: stage
// switches, wake-ups across CPUs, signals, in-band sleeping and waiting. Then the same core with
// mistakes, each of which must be found.

#include <gtest/gtest.h>

#include "engine/explorer.h"
#include "engine/random_walk.h"
#include "linux_test/tiny_core.h"

namespace sim {
namespace {

using tiny::Mistake;

struct Ended {
  Machine::Outcome outcome;
  std::string failure;
  std::string trace;
};

Ended run(Strategy& strategy, Mistake mistake, const std::function<void()>& init,
          unsigned cpus = 2) {
  static Trace trace;
  tiny::reset(mistake);
  Linux linux_model{{.cpus = cpus}};
  Machine machine{{.cpus = cpus, .max_steps = 20'000}, strategy, linux_model, trace};
  linux_model.attach(machine);
  linux_model.start_init([&] {
    tiny::boot();
    init();
    const std::string leaks = lx().leaks();
    if (!leaks.empty()) machine.fail("left behind:%s", leaks.c_str());
  });
  const auto outcome = machine.run();
  return {outcome, machine.failure(),
          outcome == Machine::Outcome::failed ? trace.tail(60, cpus) : ""};
}

long request(long nr) {
  kapi_request call{};
  call.is_oob_call = true;
  call.nr = nr;
  return lx().request(call);
}

// Two processes on two CPUs; the first posts what the second waits for, both from the oob stage.
void ping_pong() {
  Task& waiter = lx().spawn_process("waiter", 1, [] {
    tiny::attach();
    for (int i = 0; i < 2; ++i) request(tiny::kWait);
    request(tiny::kGoInband);
  });
  Task& poster = lx().spawn_process("poster", 0, [] {
    tiny::attach();
    request(tiny::kGoOob);
    request(tiny::kPost);
    lx().user_point("computes");
    request(tiny::kPost);
  });
  lx().join(waiter);
  lx().join(poster);
}

TEST(Linux, OobThreadsWakeEachOtherInEverySchedule) {
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    RandomWalk walk{seed, seed % 70};
    const Ended done = run(walk, Mistake::none, ping_pong);
    ASSERT_EQ(done.outcome, Machine::Outcome::passed)
        << "seed " << seed << ": " << done.failure << '\n'
        << done.trace;
  }
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    Pct pct{seed, 3, 400};
    const Ended done = run(pct, Mistake::none, ping_pong);
    ASSERT_EQ(done.outcome, Machine::Outcome::passed)
        << "seed " << seed << ": " << done.failure << '\n'
        << done.trace;
  }
}

TEST(Linux, ASignalEndsAWaitAndTakesTheThreadInband) {
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    long result = -1;
    bool attached = false;
    RandomWalk walk{seed, seed % 70};
    const Ended done = run(walk, Mistake::none, [&] {
      Task& waiter = lx().spawn_process("waiter", 1, [&] {
        tiny::attach();
        attached = true;
        result = request(tiny::kWait);
      });
      while (!attached) lx().sleep_inband(1'000);
      lx().send_signal(waiter, 10, 0);
      lx().join(waiter);
      EXPECT_EQ(waiter.received[10], 1U);
    });
    ASSERT_EQ(done.outcome, Machine::Outcome::passed)
        << "seed " << seed << ": " << done.failure << '\n'
        << done.trace;
    EXPECT_TRUE(result == -EINTR || result == 0) << result;
  }
}

TEST(Linux, InbandTasksShareACpuSleepAndWait) {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    RandomWalk walk{seed, 30};
    int done_count = 0;
    const Ended done = run(walk, Mistake::none, [&] {
      kapi_completion completion;
      kapi_completion_init(&completion);
      Task& one = lx().spawn_kthread("one", 0, [&] {
        lx().sleep_inband(10'000);
        ++done_count;
        kapi_complete(&completion);
      });
      Task& two = lx().spawn_kthread("two", 0, [&] {
        kapi_wait_completion(&completion);
        EXPECT_EQ(done_count, 1);
        ++done_count;
      });
      lx().join(two);
      lx().join(one);
    });
    ASSERT_EQ(done.outcome, Machine::Outcome::passed)
        << "seed " << seed << ": " << done.failure << '\n'
        << done.trace;
    EXPECT_EQ(done_count, 2);
  }
}

class Planted : public testing::TestWithParam<Mistake> {};

TEST_P(Planted, IsFound) {
  unsigned seed = 1;
  Ended done{};
  do {
    if (seed % 2 == 0) {
      RandomWalk walk{seed, seed % 70};
      done = run(walk, GetParam(), ping_pong);
    } else {
      Pct pct{seed, 3, 400};
      done = run(pct, GetParam(), ping_pong);
    }
  } while (done.outcome != Machine::Outcome::failed && ++seed <= 2000);
  EXPECT_EQ(done.outcome, Machine::Outcome::failed) << "not found in 2000 schedules";
  std::printf("found by schedule %u: %s\n", seed, done.failure.c_str());
}

INSTANTIATE_TEST_SUITE_P(Mistakes, Planted,
                         testing::Values(Mistake::no_ipi, Mistake::wake_before_state,
                                         Mistake::state_after_unlock));

// The failure of a seed is the same in a second run, to the last step.
TEST(Linux, AFailureReplays) {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    RandomWalk first{seed, 40};
    const Ended once = run(first, Mistake::wake_before_state, ping_pong);
    if (once.outcome != Machine::Outcome::failed) continue;
    RandomWalk second{seed, 40};
    const Ended twice = run(second, Mistake::wake_before_state, ping_pong);
    EXPECT_EQ(once.failure, twice.failure);
    EXPECT_EQ(once.trace, twice.trace);
    return;
  }
  FAIL() << "no seed failed";
}

}  // namespace
}  // namespace sim

// Runs that fail abandon their flows, with what these hold of the host's heap.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}
