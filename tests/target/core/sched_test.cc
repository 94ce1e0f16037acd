// SPDX-License-Identifier: MIT
// Policies: who runs before whom on one CPU, and what may be asked for.
//
// A conductor, more urgent than all others on their CPU, readies sleeping threads; when it sleeps
// or ends, their order shows.
#include <errno.h>

#include <memory>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

constexpr int kConductor = 90;

// Threads of CPU 0 that sleep until they are unblocked, and then log a letter each.
class Orchestra final {
 public:
  void add(char letter, int priority, std::function<void()> also = {}) {
    threads_.push_back(std::make_unique<Thread>(How{.priority = priority}, [this, letter, also] {
      const timespec date = far_away();
      EXPECT_EQ(evl_sleep_until(EVL_CLOCK_MONOTONIC, &date), -EINTR);
      log_.add(letter);
      if (also) also();
    }));
    EXPECT_TRUE(threads_.back()->sleeps());
  }

  // Readies all, in the order in which they were added, and does something else then.
  std::string play(const std::function<void()>& then = {}) {
    attached({.priority = kConductor}, [&] {
      for (const auto& thread : threads_) EXPECT_EQ(evl_unblock_thread(thread->efd()), 0);
      log_.add('|');
      if (then) then();
    });
    for (const auto& thread : threads_) thread->join();
    return log_.text();
  }

  [[nodiscard]] int efd(size_t n) const { return threads_[n]->efd(); }
  [[nodiscard]] Log& log() { return log_; }

 private:
  Log log_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

evl_sched_attrs fifo(int priority) {
  return {.sched_policy = SCHED_FIFO, .sched_priority = priority, .sched_u = {}};
}

int set(int efd, int policy, int priority) {
  const evl_sched_attrs attributes{
      .sched_policy = policy, .sched_priority = priority, .sched_u = {}};
  return evl_set_schedattr(efd, &attributes);
}

int set_quantum(int efd, int priority, long ns) {
  evl_sched_attrs attributes{.sched_policy = SCHED_RR, .sched_priority = priority, .sched_u = {}};
  attributes.sched_rr_quantum = {.tv_sec = 0, .tv_nsec = ns};
  return evl_set_schedattr(efd, &attributes);
}

}  // namespace

TEST(Fifo, MostUrgentFirst) {
  Orchestra orchestra;
  orchestra.add('b', 20);
  orchestra.add('a', 30);
  orchestra.add('c', 10);
  EXPECT_EQ(orchestra.play(), "|abc");
}

TEST(Fifo, FirstComeFirstServedAmongEquals) {
  Orchestra orchestra;
  for (const char letter : {'d', 'a', 'c', 'b'}) orchestra.add(letter, 20);
  EXPECT_EQ(orchestra.play(), "|dacb");
}

TEST(Fifo, MoreUrgentThreadPreemptsAtOnce) {
  Orchestra orchestra;
  orchestra.add('h', kConductor + 1);
  orchestra.add('l', kConductor - 1);
  EXPECT_EQ(orchestra.play(), "h|l");
}

TEST(Fifo, EqualThreadDoesNotPreempt) {
  Orchestra orchestra;
  orchestra.add('e', kConductor);
  EXPECT_EQ(orchestra.play(), "|e");
}

TEST(Fifo, YieldLetsEqualsRun) {
  Orchestra orchestra;
  for (const char letter : {'a', 'b', 'c'}) {
    orchestra.add(letter, 20, [&orchestra, letter] {
      EXPECT_EQ(evl_yield(), 0);
      orchestra.log().add(letter);
    });
  }
  EXPECT_EQ(orchestra.play(), "|abcabc");
  EXPECT_EQ(evl_yield(), -EPERM);
}

TEST(Fifo, YieldDoesNotLetLessUrgentOnesRun) {
  Orchestra orchestra;
  orchestra.add('a', 20, [&orchestra] {
    EXPECT_EQ(evl_yield(), 0);
    orchestra.log().add('a');
  });
  orchestra.add('b', 10);
  EXPECT_EQ(orchestra.play(), "|aab");
}

TEST(Fifo, RaisedReadyThreadPreempts) {
  Orchestra orchestra;
  orchestra.add('a', 10);
  orchestra.add('b', 20);
  EXPECT_EQ(orchestra.play([&] {
    EXPECT_EQ(set(orchestra.efd(0), SCHED_FIFO, kConductor + 1), 0);
    orchestra.log().add('c');
  }),
            "|acb");
}

TEST(Fifo, WhoLowersItselfIsPreempted) {
  Orchestra orchestra;
  orchestra.add('a', 20);
  EXPECT_EQ(orchestra.play([&] {
    EXPECT_EQ(set(evl_get_self(), SCHED_FIFO, 10), 0);
    orchestra.log().add('c');
  }),
            "|ac");
}

TEST(Fifo, NewParametersOfASleeperCountWhenItWakes) {
  Orchestra orchestra;
  orchestra.add('a', 20);
  orchestra.add('b', 10);
  EXPECT_EQ(set(orchestra.efd(1), SCHED_FIFO, 30), 0);
  EXPECT_EQ(orchestra.play(), "|ba");
}

TEST(Fifo, EveryCpuRunsItsOwn) {
  std::vector<std::unique_ptr<Thread>> threads;
  std::atomic<bool> start{false};
  std::atomic<int> met{0};
  for (int cpu = 0; cpu < cpus(); ++cpu)
    threads.push_back(std::make_unique<Thread>(How{.cpu = cpu}, [&] {
      oob_await(start);
      ++met;
      // Spins on purpose: all are on a CPU at the same time. A bound, since a mistake would take
      // all CPUs away.
      const timespec end = after_ms(20'000);
      while (met < cpus() && earlier(now(), end)) {
      }
    }));
  start = true;
  for (const auto& thread : threads) thread->join();
  EXPECT_EQ(met, cpus());
}

TEST(Fifo, WakeUpFromAnotherCpuIsCounted) {
  if (cpus() < 2) GTEST_SKIP() << "needs two CPUs";
  unsigned remote = 0;
  Thread sleeper{{.cpu = 1}, [&] {
                   const unsigned before = state_of(evl_get_self()).rwa;
                   const timespec date = far_away();
                   EXPECT_EQ(evl_sleep_until(EVL_CLOCK_MONOTONIC, &date), -EINTR);
                   remote = state_of(evl_get_self()).rwa - before;
                 }};
  ASSERT_TRUE(sleeper.sleeps());
  attached({.cpu = 0}, [&] { EXPECT_EQ(evl_unblock_thread(sleeper.efd()), 0); });
  sleeper.join();
  EXPECT_EQ(remote, 1U);
}

TEST(RoundRobin, ASpinnerLetsItsEqualsRun) {
  Orchestra orchestra;
  std::atomic<bool> other{false};
  orchestra.add('a', 20, [&] {
    const timespec end = after_ms(20'000);
    while (!other && earlier(now(), end)) {
    }
    EXPECT_TRUE(other) << "no slice ended";
  });
  orchestra.add('b', 20, [&] { other = true; });
  for (const size_t n : {0UL, 1UL}) EXPECT_EQ(set_quantum(orchestra.efd(n), 20, 5'000'000), 0);
  // On a busy machine, a slice may be over before it has been used.
  const std::string order = orchestra.play();
  EXPECT_TRUE(order == "|ab" || order == "|ba") << order;
}

TEST(RoundRobin, AttributesAreThoseThatWereGiven) {
  attached([] {
    const int self = evl_get_self();
    evl_sched_attrs found{};
    ASSERT_EQ(set_quantum(self, 20, 7'000'000), 0);
    ASSERT_EQ(evl_get_schedattr(self, &found), 0);
    EXPECT_EQ(found.sched_policy, SCHED_RR);
    EXPECT_EQ(found.sched_priority, 20);
    EXPECT_EQ(found.sched_rr_quantum.tv_nsec, 7'000'000);
    EXPECT_NE(state_of(self).state & EVL_T_RRB, 0U);
    ASSERT_EQ(set_quantum(self, 21, 0), 0);  // Keeps the slice.
    ASSERT_EQ(evl_get_schedattr(self, &found), 0);
    EXPECT_EQ(found.sched_rr_quantum.tv_nsec, 7'000'000);
    const evl_sched_attrs plain = fifo(20);
    ASSERT_EQ(evl_set_schedattr(self, &plain), 0);
    ASSERT_EQ(evl_get_schedattr(self, &found), 0);
    EXPECT_EQ(found.sched_policy, SCHED_FIFO);
    EXPECT_EQ(state_of(self).state & EVL_T_RRB, 0U);
    EXPECT_EQ(set_quantum(self, 20, 1), -EINVAL);  // Shorter than the gravity.
    EXPECT_EQ(set_quantum(self, 20, 1'000'000'000), -EINVAL);
    EXPECT_FALSE(evl_is_inband());
  });
}

TEST(Weak, GoesBackInbandAfterEachRequest) {
  attached({.policy = SCHED_OTHER, .priority = 0}, [] {
    for (int n = 0; n < 10; ++n) {
      ASSERT_EQ(evl_usleep(100), 0);
      ASSERT_TRUE(evl_is_inband());
    }
    ASSERT_EQ(evl_switch_oob(), 0);
    ASSERT_TRUE(evl_is_inband());
    EXPECT_EQ(state_of(evl_get_self()).isw, 0U);  // None of these was forced.
  });
}

TEST(Weak, StaysOutOfBandWhileItHoldsAMutex) {
  evl_mutex one{};
  evl_mutex other{};
  ASSERT_GE(evl_new_mutex(&one, nullptr), 0);
  ASSERT_GE(evl_new_mutex(&other, nullptr), 0);
  attached({.policy = SCHED_OTHER, .priority = 0}, [&] {
    for (int n = 0; n < 5; ++n) {
      ASSERT_EQ(evl_lock_mutex(&one), 0);
      ASSERT_FALSE(evl_is_inband());
      ASSERT_EQ(evl_usleep(100), 0);
      ASSERT_EQ(evl_lock_mutex(&other), 0);
      ASSERT_EQ(evl_unlock_mutex(&one), 0);
      ASSERT_FALSE(evl_is_inband());
      ASSERT_EQ(evl_unlock_mutex(&other), 0);
      ASSERT_TRUE(evl_is_inband());
    }
  });
  EXPECT_EQ(evl_close_mutex(&one), 0);
  EXPECT_EQ(evl_close_mutex(&other), 0);
}

TEST(Weak, RunsBelowFifo) {
  Orchestra orchestra;
  orchestra.add('w', 30);
  orchestra.add('f', 1);
  ASSERT_EQ(set(orchestra.efd(0), SCHED_WEAK, 99), 0);
  EXPECT_EQ(orchestra.play(), "|fw");
}

TEST(Attributes, LinuxFollows) {
  attached({.priority = 30}, [] {
    const int self = evl_get_self();
    sched_param parameters{};
    ASSERT_EQ(set(self, SCHED_FIFO, 44), 0);
    EXPECT_FALSE(evl_is_inband());
    EXPECT_EQ(sched_getscheduler(0), SCHED_FIFO);
    EXPECT_EQ(sched_getparam(0, &parameters), 0);
    EXPECT_EQ(parameters.sched_priority, 44);
    ASSERT_EQ(set(self, SCHED_WEAK, 7), 0);
    EXPECT_EQ(sched_getscheduler(0), SCHED_FIFO);
    EXPECT_EQ(sched_getparam(0, &parameters), 0);
    EXPECT_EQ(parameters.sched_priority, 7);
    ASSERT_EQ(set(self, SCHED_OTHER, 0), 0);
    EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
  });
}

TEST(Attributes, WhatIsRefused) {
  attached([] {
    const int self = evl_get_self();
    EXPECT_EQ(set(self, SCHED_FIFO, 0), -EINVAL);
    EXPECT_EQ(set(self, SCHED_FIFO, 100), -EINVAL);
    EXPECT_EQ(set(self, SCHED_FIFO, -1), -EINVAL);
    EXPECT_EQ(set(self, SCHED_RR, 0), -EINVAL);
    EXPECT_EQ(set(self, SCHED_WEAK, -1), -EINVAL);
    EXPECT_EQ(set(self, SCHED_WEAK, 100), -EINVAL);
    EXPECT_EQ(set(self, SCHED_OTHER, 1), -EINVAL);
    EXPECT_EQ(set(self, SCHED_IDLE, 0), -EINVAL);
    EXPECT_EQ(set(self, 1234, 1), -EINVAL);
    EXPECT_EQ(set(self, 44, 10), -EOPNOTSUPP);  // SCHED_QUOTA
    EXPECT_EQ(set(self, 45, 10), -EOPNOTSUPP);  // SCHED_TP
    evl_sched_attrs found{};
    EXPECT_EQ(evl_get_schedattr(self, &found), 0);
    EXPECT_EQ(found.sched_policy, SCHED_FIFO);
    EXPECT_EQ(found.sched_priority, 10);
    EXPECT_FALSE(evl_is_inband());
  });
}

TEST(Cpus, StateOfEach) {
  const auto look = [] {
    int state = 0;
    for (int cpu = 0; cpu < cpus(); ++cpu) {
      EXPECT_EQ(evl_get_cpustate(cpu, &state), 0);
      EXPECT_EQ(state & (EVL_CPU_OOB | EVL_CPU_OFFLINE), EVL_CPU_OOB) << cpu;
    }
    EXPECT_EQ(evl_get_cpustate(4096, &state), -EINVAL);
    EXPECT_EQ(evl_get_cpustate(-1, &state), -EINVAL);
  };
  look();
  attached(look);
}
