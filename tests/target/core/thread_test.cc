// SPDX-License-Identifier: MIT
// Threads: attaching, detaching, names, states, being unblocked and demoted, modes, CPUs.
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <thread>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

void pin(pid_t tid, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ASSERT_EQ(sched_setaffinity(tid, sizeof(set), &set), 0);
}

// Attaches the caller with a policy of Linux; what it became.
evl_sched_attrs attributes_after(int policy, int priority) {
  evl_sched_attrs attributes{};
  attached({.policy = policy, .priority = priority},
           [&] { EXPECT_EQ(evl_get_schedattr(evl_get_self(), &attributes), 0); });
  return attributes;
}

}  // namespace

TEST(Attach, FifoThreadComesBackOutOfBand) {
  bool inband = true;
  int self = -1;
  unsigned state = 0;
  Thread thread{{.priority = 20}, [&] {
                  inband = evl_is_inband();
                  self = evl_get_self();
                  state = state_of(self).state;
                }};
  thread.join();
  EXPECT_FALSE(inband);
  EXPECT_EQ(self, thread.efd());
  EXPECT_EQ(state & EVL_T_USER, unsigned{EVL_T_USER});
  EXPECT_EQ(state & (EVL_T_INBAND | EVL_T_DORMANT | EVL_T_WEAK | EVL_T_ZOMBIE), 0U);
}

TEST(Attach, OrdinaryThreadComesBackWeakAndInband) {
  bool inband = false;
  evl_thread_state state{};
  attached({.policy = SCHED_OTHER, .priority = 0}, [&] {
    inband = evl_is_inband();
    state = state_of(evl_get_self());
  });
  EXPECT_TRUE(inband);
  EXPECT_EQ(state.eattrs.sched_policy, SCHED_WEAK);
  EXPECT_EQ(state.state & (EVL_T_INBAND | EVL_T_WEAK), unsigned{EVL_T_INBAND | EVL_T_WEAK});
}

TEST(Attach, PolicyOfLinuxDecides) {
  for (const int policy : {SCHED_OTHER, SCHED_BATCH, SCHED_IDLE}) {
    const evl_sched_attrs found = attributes_after(policy, 0);
    EXPECT_EQ(found.sched_policy, SCHED_WEAK) << policy;
    EXPECT_EQ(found.sched_priority, 0) << policy;
  }
  for (const int policy : {SCHED_FIFO, SCHED_RR}) {
    const evl_sched_attrs found = attributes_after(policy, 42);
    EXPECT_EQ(found.sched_policy, SCHED_FIFO) << policy;
    EXPECT_EQ(found.sched_priority, 42) << policy;
  }
}

TEST(Attach, SecondTimeIsBusy) {
  attached([] { EXPECT_EQ(evl_attach_self("%s", unique_name("again").c_str()), -EBUSY); });
}

TEST(Attach, AgainAndAgainUnderTheSameName) {
  const std::string name = unique_name("same");
  attached({.name = name}, [&] {
    for (int n = 0; n < 20; ++n) {
      ASSERT_EQ(evl_detach_self(), 0) << n;
      ASSERT_TRUE(evl_is_inband());
      ASSERT_EQ(evl_get_self(), -EPERM);
      ASSERT_GE(evl_attach_self("%s", name.c_str()), 0) << n;
      ASSERT_FALSE(evl_is_inband());
    }
  });
}

TEST(Attach, LinuxShowsTheFirst15CharactersOfTheName) {
  const std::string name = unique_name("a-rather-long-name");
  char comm[16]{};
  attached({.name = name}, [&] { EXPECT_EQ(prctl(PR_GET_NAME, comm), 0); });
  EXPECT_EQ(std::string{comm}, name.substr(0, 15));
}

TEST(Attach, NameIsTakenOnceInItsClass) {
  const std::string name = unique_name("taken");
  std::atomic<bool> end{false};
  Thread first{{.name = name}, [&] { oob_await(end); }};
  std::thread second{[&] { EXPECT_EQ(evl_attach_self("%s", name.c_str()), -EEXIST); }};
  second.join();
  evl_mutex mutex{};  // Another class.
  EXPECT_GE(evl_new_mutex(&mutex, "%s", name.c_str()), 0);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
  end = true;
}

TEST(Attach, AnonymousThreadIsNamedByTheCore) {
  std::thread thread{[] {
    ASSERT_GE(evl_attach_self(nullptr), 0);
    char comm[16]{};
    EXPECT_EQ(prctl(PR_GET_NAME, comm), 0);
    EXPECT_EQ(std::string{comm}.rfind("thread%", 0), 0U) << comm;
    EXPECT_EQ(contents("/sys/devices/virtual/thread/" + std::string{comm} + "/pid"),
              std::to_string(gettid()));
    EXPECT_EQ(evl_detach_self(), 0);
  }};
  thread.join();
}

TEST(Attach, PublicThreadHasANode) {
  const std::string name = unique_name("public");
  const std::string node = "/dev/evl/thread/" + name;
  std::atomic<bool> end{false};
  Thread thread{{.name = "/" + name}, [&] { oob_await(end); }};
  const int fd = open(node.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0) << strerror(errno);
  EXPECT_EQ(state_of(fd).eattrs.sched_priority, 10);
  end = true;
  thread.join();
  evl_thread_state state{};
  EXPECT_EQ(evl_get_state(fd, &state), -ESTALE);
  EXPECT_EQ(close(fd), 0);
  EXPECT_TRUE(until([&] { return !exists(node); }));
}

TEST(Attach, PrivateThreadHasNoNode) {
  attached({.name = unique_name("private")}, [] {
    const std::string name = contents("/proc/thread-self/comm");
    EXPECT_FALSE(exists("/dev/evl/thread/" + name));
  });
}

TEST(Attach, BadFlagsAndNames) {
  EXPECT_EQ(evl_attach_thread(EVL_CLONE_UNICAST, "x"), -EINVAL);
  EXPECT_EQ(evl_attach_thread(EVL_CLONE_INPUT, "x"), -EINVAL);
  EXPECT_EQ(evl_attach_thread(EVL_CLONE_PUBLIC, nullptr), -EINVAL);
  EXPECT_EQ(evl_attach_self("/a/b"), -EINVAL);
  EXPECT_EQ(evl_attach_self("%s", ""), -EINVAL);
}

TEST(Attach, NeedsLockedMemory) {
  ASSERT_EQ(munlockall(), 0);
  EXPECT_EQ(evl_attach_self("%s", unique_name("unlocked").c_str()), -EINVAL);
  ASSERT_EQ(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
  attached([] {});
}

TEST(Detach, Errors) {
  EXPECT_EQ(evl_detach_self(), -EPERM);
  attached([] { EXPECT_EQ(evl_detach_thread(1), -EINVAL); });
}

TEST(Detach, WhatIsLeftIsStale) {
  int kept = -1;
  attached([&] { kept = fcntl(evl_get_self(), F_DUPFD_CLOEXEC, 0); });
  ASSERT_GE(kept, 0);
  evl_thread_state state{};
  evl_sched_attrs attributes{.sched_policy = SCHED_FIFO, .sched_priority = 3, .sched_u = {}};
  EXPECT_EQ(evl_get_state(kept, &state), -ESTALE);
  EXPECT_EQ(evl_get_schedattr(kept, &attributes), -ESTALE);
  EXPECT_EQ(evl_set_schedattr(kept, &attributes), -ESTALE);
  EXPECT_EQ(evl_set_thread_mode(kept, EVL_T_WOSS, nullptr), -ESTALE);
  EXPECT_EQ(evl_clear_thread_mode(kept, EVL_T_WOSS, nullptr), -ESTALE);
  EXPECT_EQ(evl_unblock_thread(kept), -ESTALE);
  EXPECT_EQ(evl_demote_thread(kept), -ESTALE);
  attached([&] { EXPECT_EQ(evl_get_state(kept, &state), -ESTALE); });
  EXPECT_EQ(close(kept), 0);
}

TEST(Stage, SwitchesAsAskedAndCountsOnlyForcedOnes) {
  attached([] {
    const int self = evl_get_self();
    const unsigned before = state_of(self).isw;
    for (int n = 0; n < 10; ++n) {
      ASSERT_EQ(evl_switch_inband(), 0);
      ASSERT_TRUE(evl_is_inband());
      ASSERT_EQ(evl_switch_inband(), 0);
      ASSERT_EQ(evl_switch_oob(), 0);
      ASSERT_FALSE(evl_is_inband());
      ASSERT_EQ(evl_switch_oob(), 0);
    }
    getppid();
    ASSERT_TRUE(evl_is_inband());
    ASSERT_EQ(evl_switch_oob(), 0);
    // Its carrier is a system call of Linux: 10 of those, and getppid().
    EXPECT_EQ(state_of(self).isw - before, 11U);
  });
  EXPECT_EQ(evl_switch_oob(), -EPERM);
  EXPECT_EQ(evl_switch_inband(), -EPERM);
  EXPECT_TRUE(evl_is_inband());
}

TEST(State, CountersGrow) {
  attached([] {
    const int self = evl_get_self();
    const evl_thread_state before = state_of(self);
    for (int n = 0; n < 10; ++n) ASSERT_EQ(evl_usleep(100), 0);
    const evl_thread_state after = state_of(self);
    EXPECT_EQ(after.sc - before.sc, 11U);  // And the first look at the state.
    EXPECT_GE(after.csw - before.csw,
              1U);  // A busy machine passes most of the dates before it sleeps.
    EXPECT_GT(after.xtime, before.xtime);
    EXPECT_EQ(after.isw, before.isw);
    EXPECT_EQ(after.cpu, 0U);
  });
}

TEST(Unblock, EndsASleep) {
  int status = 0;
  Thread thread{{}, [&] {
                  const timespec date = far_away();
                  status = evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
                }};
  ASSERT_TRUE(thread.sleeps());
  EXPECT_EQ(evl_unblock_thread(thread.efd()), 0);
  thread.join();
  EXPECT_EQ(status, -EINTR);
}

TEST(Unblock, IsNotRememberedByAThreadThatDoesNotWait) {
  attached([] {
    EXPECT_EQ(evl_unblock_thread(evl_get_self()), 0);
    EXPECT_EQ(evl_usleep(1000), 0);
  });
}

TEST(Unblock, ThreadThatWaitsForAMutexGoesOnWaiting) {
  evl_mutex mutex{};
  ASSERT_GE(evl_new_mutex(&mutex, nullptr), 0);
  std::atomic<bool> release{false};
  int status = 1;
  Thread owner{{}, [&] {
                 EXPECT_EQ(evl_lock_mutex(&mutex), 0);
                 oob_await(release);
                 EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
               }};
  ASSERT_TRUE(until([&] { return (owner.state().state & EVL_T_DELAY) != 0; }));
  Thread waiter{{}, [&] {
                  status = evl_lock_mutex(&mutex);
                  EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
                }};
  ASSERT_TRUE(waiter.waits());
  for (int n = 0; n < 10; ++n) EXPECT_EQ(evl_unblock_thread(waiter.efd()), 0);
  EXPECT_TRUE(waiter.waits());
  EXPECT_EQ(status, 1);
  release = true;
  waiter.join();
  owner.join();
  EXPECT_EQ(status, 0);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}

TEST(Demote, MovesInbandForGood) {
  int status = 0;
  bool inband = false;
  evl_sched_attrs attributes{};
  Thread thread{{.priority = 30}, [&] {
                  const timespec date = far_away();
                  status = evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
                  inband = evl_is_inband();
                  EXPECT_EQ(evl_get_schedattr(evl_get_self(), &attributes), 0);
                  EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
                  EXPECT_EQ(evl_usleep(100), 0);
                  EXPECT_TRUE(evl_is_inband());
                }};
  ASSERT_TRUE(thread.sleeps());
  EXPECT_EQ(evl_demote_thread(thread.efd()), 0);
  thread.join();
  EXPECT_EQ(status, -EINTR);
  EXPECT_TRUE(inband);
  EXPECT_EQ(attributes.sched_policy, SCHED_WEAK);
  EXPECT_EQ(attributes.sched_priority, 0);
}

TEST(Demote, StopsAThreadThatNeverCallsAnything) {
  std::atomic<bool> start{false};
  std::atomic<bool> spins{false};
  std::atomic<bool> end{false};
  Thread spinner{{.priority = 10, .cpu = cpus() - 1}, [&] {
                   oob_await(start);
                   spins = true;
                   while (!end) {
                   }
                 }};
  // On one CPU, nobody in-band runs meanwhile.
  attached({.priority = 50}, [&] {
    start = true;
    oob_await(spins);
    EXPECT_EQ(evl_demote_thread(spinner.efd()), 0);
  });
  EXPECT_TRUE(spinner.reaches(EVL_T_INBAND | EVL_T_WEAK));
  end = true;
}

TEST(Modes, AWarningAndItsWayComeAndGoTogether) {
  attached([] {
    const int self = evl_get_self();
    int before = 0;
    ASSERT_EQ(evl_clear_thread_mode(self, EVL_T_WOLI | EVL_T_HMSIG, nullptr), 0);
    EXPECT_EQ(evl_set_thread_mode(self, EVL_T_WOSS, &before), 0);
    EXPECT_EQ(before, 0);
    EXPECT_EQ(evl_set_thread_mode(self, EVL_T_WOSX, &before), 0);
    EXPECT_EQ(before, EVL_T_WOSS | EVL_T_HMSIG);
    EXPECT_EQ(evl_clear_thread_mode(self, EVL_T_WOSX, &before), 0);
    EXPECT_EQ(before, EVL_T_WOSS | EVL_T_WOSX | EVL_T_HMSIG);
    EXPECT_EQ(evl_clear_thread_mode(self, EVL_T_HMSIG, nullptr), 0);
    EXPECT_EQ(evl_clear_thread_mode(self, 0, &before), 0);
    EXPECT_EQ(before, 0);
    EXPECT_EQ(evl_set_thread_mode(self, EVL_T_WEAK, nullptr), -EINVAL);
    EXPECT_EQ(evl_clear_thread_mode(self, EVL_T_USER, nullptr), -EINVAL);
    EXPECT_EQ(evl_set_thread_mode(self, EVL_T_HMOBS, nullptr), -EINVAL);  // It has no observable.
    EXPECT_FALSE(evl_is_inband());
  });
}

TEST(Modes, OfAnotherThread) {
  std::atomic<bool> end{false};
  Thread thread{{}, [&] { oob_await(end); }};
  int before = -1;
  EXPECT_EQ(evl_set_thread_mode(thread.efd(), EVL_T_WOSX, nullptr), 0);
  EXPECT_EQ(evl_clear_thread_mode(thread.efd(), EVL_T_WOSX, &before), 0);
  EXPECT_EQ(before & EVL_T_WOSX, EVL_T_WOSX);
  end = true;
}

TEST(Cpu, ThreadFollowsItsAffinity) {
  attached([] {
    for (int round = 0; round < 5; ++round) {
      for (int cpu = 0; cpu < cpus(); ++cpu) {
        pin(0, cpu);
        ASSERT_EQ(evl_switch_oob(), 0);
        ASSERT_EQ(state_of(evl_get_self()).cpu, static_cast<unsigned>(cpu));
        ASSERT_EQ(evl_usleep(10), 0);
        ASSERT_FALSE(evl_is_inband());
      }
    }
  });
}

TEST(Cpu, SleepingThreadIsMovedFromOutside) {
  std::atomic<bool> end{false};
  Thread thread{{}, [&] {
                  while (!end) {
                    const timespec date = after_ms(2);
                    (void)evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);  // EINTR: it was moved.
                  }
                }};
  for (int round = 0; round < 5; ++round) {
    for (int cpu = 0; cpu < cpus(); ++cpu) {
      pin(thread.tid(), cpu);
      ASSERT_TRUE(until([&] {
        const evl_thread_state state = thread.state();
        return state.cpu == static_cast<unsigned>(cpu) && (state.state & EVL_T_INBAND) == 0;
      }));
    }
  }
  end = true;
}

TEST(Cpu, MutexGoesWithItsOwner) {
  evl_mutex mutex{};
  ASSERT_GE(evl_new_mutex(&mutex, nullptr), 0);
  attached([&] {
    for (int cpu = cpus() - 1; cpu >= 0; --cpu) {
      ASSERT_EQ(evl_lock_mutex(&mutex), 0);
      pin(0, cpu);
      ASSERT_EQ(evl_switch_oob(), 0);
      ASSERT_EQ(evl_unlock_mutex(&mutex), 0);
    }
  });
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}
