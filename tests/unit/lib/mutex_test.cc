// SPDX-License-Identifier: MIT
#include "evl/mutex.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <vector>

#include "fixture.h"
#include "monitor.h"

namespace {

using MutexTest = LibTest;

TEST_F(MutexTest, UncontendedLockingMakesNoRequest) {
  attach("one");
  evl_mutex mutex;
  ASSERT_GE(evl_new_mutex(&mutex, "m"), 0);
  ASSERT_EQ(evl_switch_oob(), 0);
  core().reset_counts();
  for (int n = 0; n < 1000; ++n) {
    ASSERT_EQ(evl_lock_mutex(&mutex), 0);
    ASSERT_EQ(evl_unlock_mutex(&mutex), 0);
    ASSERT_EQ(evl_trylock_mutex(&mutex), 0);
    ASSERT_EQ(evl_unlock_mutex(&mutex), 0);
  }
  EXPECT_EQ(core().in_band_calls() + core().out_of_band_requests(), 0);
}

TEST_F(MutexTest, TheWordNamesTheOwner) {
  const int efd = attach("one");
  evl_mutex mutex;
  const int gate = evl_new_mutex(&mutex, "m");
  ASSERT_GE(gate, 0);
  ASSERT_EQ(evl_switch_oob(), 0);
  ASSERT_EQ(evl_lock_mutex(&mutex), 0);
  EXPECT_EQ(core().monitor(gate).u.gate.owner, core().file(efd).ids.fundle);
  ASSERT_EQ(evl_unlock_mutex(&mutex), 0);
  EXPECT_EQ(core().monitor(gate).u.gate.owner, EVL_NO_HANDLE);
}

TEST_F(MutexTest, AnInbandCallerIsMovedByTheRequest) {
  attach("one");
  evl_mutex mutex;
  ASSERT_GE(evl_new_mutex(&mutex, "m"), 0);
  ASSERT_TRUE(evl_is_inband()) << "the creation was an in-band call";
  ASSERT_EQ(evl_lock_mutex(&mutex), 0);
  EXPECT_FALSE(evl_is_inband());
  EXPECT_EQ(core().requests(EVL_MONIOC_ENTER), 1);
  EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
  EXPECT_EQ(core().requests(EVL_MONIOC_EXIT), 1) << "the core granted it: FLCLAIM is set";
}

TEST_F(MutexTest, LockingIsTheCoresBusinessForWhoIsWatched) {
  const int efd = attach("one");
  evl_mutex mutex;
  ASSERT_GE(evl_new_mutex(&mutex, "m"), 0);
  ASSERT_EQ(evl_switch_oob(), 0);
  for (const __u32 bit : {EVL_T_WEAK, EVL_T_WOLI}) {
    core().reset_counts();
    core().window(efd).state |= bit;
    ASSERT_EQ(evl_lock_mutex(&mutex), 0);
    ASSERT_EQ(evl_unlock_mutex(&mutex), 0);
    EXPECT_EQ(core().requests(EVL_MONIOC_ENTER), 1) << std::hex << bit;
    EXPECT_EQ(core().requests(EVL_MONIOC_EXIT), 1) << std::hex << bit;
    core().window(efd).state &= ~(bit | EVL_T_INBAND);
  }
}

TEST_F(MutexTest, ANormalMutexDetectsItsOwnerWithoutARequest) {
  attach("one");
  evl_mutex mutex;
  ASSERT_GE(evl_new_mutex(&mutex, "m"), 0);
  ASSERT_EQ(evl_switch_oob(), 0);
  ASSERT_EQ(evl_lock_mutex(&mutex), 0);
  core().reset_counts();
  EXPECT_EQ(evl_lock_mutex(&mutex), -EDEADLK);
  EXPECT_EQ(evl_trylock_mutex(&mutex), -EDEADLK);
  EXPECT_EQ(core().out_of_band_requests(), 0);
  EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
  EXPECT_EQ(evl_unlock_mutex(&mutex), -EPERM);
}

TEST_F(MutexTest, ARecursiveMutexCounts) {
  attach("one");
  evl_mutex mutex;
  const int gate = evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_RECURSIVE, "m");
  ASSERT_GE(gate, 0);
  ASSERT_EQ(evl_switch_oob(), 0);
  core().reset_counts();
  for (int n = 0; n < 3; ++n) ASSERT_EQ(evl_lock_mutex(&mutex), 0);
  ASSERT_EQ(evl_trylock_mutex(&mutex), 0);
  for (int n = 0; n < 3; ++n) ASSERT_EQ(evl_unlock_mutex(&mutex), 0);
  EXPECT_NE(core().monitor(gate).u.gate.owner, EVL_NO_HANDLE);
  ASSERT_EQ(evl_unlock_mutex(&mutex), 0);
  EXPECT_EQ(core().monitor(gate).u.gate.owner, EVL_NO_HANDLE);
  EXPECT_EQ(evl_unlock_mutex(&mutex), -EPERM);
  EXPECT_EQ(core().out_of_band_requests(), 0);
  ASSERT_EQ(evl_lock_mutex(&mutex), 0);
  core().monitor(gate).u.gate.nesting = 0x7fffffff;
  EXPECT_EQ(evl_lock_mutex(&mutex), -EAGAIN);
}

TEST_F(MutexTest, ACeilingIsAnnouncedWhileTheMutexIsHeld) {
  const int efd = attach("one");
  evl_mutex outer;
  evl_mutex inner;
  const int first = evl_create_mutex(&outer, EVL_CLOCK_MONOTONIC, 20, EVL_MUTEX_NORMAL, "outer");
  ASSERT_GE(first, 0);
  ASSERT_GE(evl_create_mutex(&inner, EVL_CLOCK_MONOTONIC, 30, EVL_MUTEX_NORMAL, "inner"), 0);
  EXPECT_EQ(core().file(first).monitor.protocol, static_cast<__u32>(EVL_GATE_PP));
  EXPECT_EQ(core().file(first).monitor.initval, 20u);
  ASSERT_EQ(evl_switch_oob(), 0);
  core().reset_counts();
  const __u32& pending = core().window(efd).pp_pending;
  ASSERT_EQ(evl_lock_mutex(&outer), 0);
  EXPECT_EQ(pending, core().file(first).ids.fundle);
  EXPECT_EQ(evl_lock_mutex(&outer), -EDEADLK);
  EXPECT_EQ(pending, core().file(first).ids.fundle) << "still held, still announced";
  EXPECT_EQ(core().out_of_band_requests(), 0);
  ASSERT_EQ(evl_lock_mutex(&inner), 0);
  EXPECT_EQ(core().requests(EVL_MONIOC_ENTER), 1) << "one announcement at a time";
  ASSERT_EQ(evl_unlock_mutex(&inner), 0);
  EXPECT_EQ(pending, core().file(first).ids.fundle);
  ASSERT_EQ(evl_unlock_mutex(&outer), 0);
  EXPECT_EQ(pending, EVL_NO_HANDLE);
}

TEST_F(MutexTest, AnAnnouncementIsWithdrawnIfSomebodyElseHoldsTheMutex) {
  const int efd = attach("one");
  evl_mutex mutex;
  const int gate = evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 20, EVL_MUTEX_NORMAL, "m");
  ASSERT_GE(gate, 0);
  ASSERT_EQ(evl_switch_oob(), 0);
  core().monitor(gate).u.gate.owner = 1000;
  EXPECT_EQ(evl_trylock_mutex(&mutex), -EBUSY);
  EXPECT_EQ(core().window(efd).pp_pending, EVL_NO_HANDLE);
}

TEST_F(MutexTest, ACeilingWhichTheCoreAppliedIsReleasedByTheCore) {
  const int efd = attach("one");
  evl_mutex mutex;
  const int gate = evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 20, EVL_MUTEX_NORMAL, "m");
  ASSERT_GE(gate, 0);
  ASSERT_EQ(evl_switch_oob(), 0);
  ASSERT_EQ(evl_lock_mutex(&mutex), 0);
  core().monitor(gate).u.gate.owner |= EVL_MUTEX_FLCEIL;
  ASSERT_EQ(evl_unlock_mutex(&mutex), 0);
  EXPECT_EQ(core().requests(EVL_MONIOC_EXIT), 1);
  EXPECT_EQ(core().window(efd).pp_pending, EVL_NO_HANDLE);
}

TEST_F(MutexTest, CeilingsCanBeReadAndChanged) {
  evl_mutex mutex;
  EXPECT_EQ(evl_new_mutex(&mutex, "m"), -ENXIO) << "not initialized";
  ASSERT_EQ(evl_init(), 0);
  EXPECT_EQ(evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 100, 0, "m"), -EINVAL);
  EXPECT_EQ(evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 0, 1 << 5, "m"), -EINVAL);
  ASSERT_GE(evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 20, 0, "m"), 0);
  EXPECT_EQ(evl_get_mutex_ceiling(&mutex), 20);
  EXPECT_EQ(evl_set_mutex_ceiling(&mutex, 30), 0);
  EXPECT_EQ(evl_get_mutex_ceiling(&mutex), 30);
  EXPECT_EQ(evl_set_mutex_ceiling(&mutex, 0), -EINVAL);
  EXPECT_EQ(evl_set_mutex_ceiling(&mutex, 100), -EINVAL);
  evl_mutex plain;
  ASSERT_GE(evl_new_mutex(&plain, "p"), 0);
  EXPECT_EQ(evl_get_mutex_ceiling(&plain), 0);
  EXPECT_EQ(evl_set_mutex_ceiling(&plain, 30), -EINVAL);
  evl_mutex later = EVL_MUTEX_INITIALIZER("later", EVL_CLOCK_MONOTONIC, 7, EVL_MUTEX_NORMAL);
  EXPECT_EQ(evl_set_mutex_ceiling(&later, 8), 0);
  EXPECT_EQ(evl_get_mutex_ceiling(&later), 8);
}

TEST_F(MutexTest, SignalsDoNotEndAWaitAndErrorsDo) {
  attach("one");
  evl_mutex mutex;
  const int gate = evl_new_mutex(&mutex, "m");
  ASSERT_GE(gate, 0);
  core().monitor(gate).u.gate.owner = 1000;
  core().answer(EVL_MONIOC_ENTER, {.result = -EINTR});
  core().answer(EVL_MONIOC_ENTER, {.result = -EINTR});
  core().answer(EVL_MONIOC_ENTER, {.result = -EIDRM});
  EXPECT_EQ(evl_lock_mutex(&mutex), -EIDRM);
  EXPECT_EQ(core().requests(EVL_MONIOC_ENTER), 3);
  const timespec date{5, 7};
  EXPECT_EQ(evl_timedlock_mutex(&mutex, &date), -ETIMEDOUT);
  EXPECT_EQ(core().last_date.tv_sec, 5);
  EXPECT_EQ(core().last_date.tv_nsec, 7);
  EXPECT_EQ(evl_trylock_mutex(&mutex), -EBUSY);
}

TEST_F(MutexTest, AStaticMutexIsMadeByItsFirstLock) {
  DEFINE_EVL_MUTEX(mutex);
  EXPECT_EQ(evl_lock_mutex(&mutex), -EPERM);
  EXPECT_EQ(evl_close_mutex(&mutex), 0) << "never used: nothing to close, and usable afterwards";
  attach("one");
  EXPECT_EQ(evl_unlock_mutex(&mutex), -EINVAL);
  EXPECT_EQ(evl_lock_mutex(&mutex), 0);
  EXPECT_EQ(core().file(mutex.u.active.efd).name, "mutex");
  EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
  EXPECT_EQ(evl_close_mutex(&mutex), -EINVAL);
  EXPECT_EQ(evl_lock_mutex(&mutex), -EINVAL);
}

TEST_F(MutexTest, AStaticNameIsTakenLiterally) {
  evl_mutex mutex = EVL_MUTEX_INITIALIZER("100%n", EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_NORMAL);
  attach("one");
  ASSERT_EQ(evl_lock_mutex(&mutex), 0);
  EXPECT_EQ(core().file(mutex.u.active.efd).name, "100%n");
}

TEST_F(MutexTest, MutexesAreOpenedByName) {
  attach("one");
  evl_mutex made;
  evl_mutex opened;
  ASSERT_GE(evl_create_mutex(&made, EVL_CLOCK_MONOTONIC, 20, EVL_MUTEX_NORMAL, "/m"), 0);
  EXPECT_EQ(evl_open_mutex(&opened, "m"), 0);
  ASSERT_EQ(evl_lock_mutex(&made), 0);
  EXPECT_EQ(evl_lock_mutex(&opened), -EDEADLK) << "one gate";
  EXPECT_EQ(evl_get_mutex_ceiling(&opened), 20);
  EXPECT_EQ(evl_unlock_mutex(&opened), 0);
  EXPECT_EQ(evl_open_mutex(&opened, "other"), -ENOENT);
  evl_event event;
  ASSERT_GE(evl_new_event(&event, "/e"), 0);
  EXPECT_EQ(evl_open_mutex(&opened, "e"), -EINVAL) << "not a mutex";
}

TEST_F(MutexTest, FirstUsersOfAStaticMutexMakeOneElement) {
  ASSERT_EQ(evl_init(), 0);
  static evl_mutex mutex;
  mutex = EVL_MUTEX_INITIALIZER("shared", EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_NORMAL);
  std::vector<std::jthread> threads;
  for (const char* name : {"a", "b", "c", "d"}) {
    threads.push_back(attached(name, [](int) {
      EXPECT_EQ(evl_lock_mutex(&mutex), 0);
      EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
    }));
  }
}

TEST_F(MutexTest, AChildOfForkIsNotStoppedByACompletionInItsParent) {
  DEFINE_EVL_MUTEX(mutex);
  ASSERT_EQ(evl_init(), 0);
  pid_t child = -1;
  {
    evl::CompletionLock held;  // As if another thread were making an element at this moment.
    child = fork();
    if (child == 0) {
      alarm(20);
      core().policy = SCHED_FIFO;
      core().priority = 10;
      _exit(evl_attach_self("child") >= 0 && evl_lock_mutex(&mutex) == 0 ? 0 : 1);
    }
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// Goal: the fast paths and the core's slow paths exclude each other. Real threads, real memory
// order.
TEST_F(MutexTest, ThreadsExcludeEachOther) {
  ASSERT_EQ(evl_init(), 0);
  for (const unsigned int ceiling : {0u, 20u}) {
    static evl_mutex mutex;
    static long counter;
    counter = 0;
    ASSERT_GE(
        evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, ceiling, EVL_MUTEX_RECURSIVE, "x%u", ceiling),
        0);
    {
      std::vector<std::jthread> threads;
      for (const char* name : {"a", "b", "c"}) {
        threads.push_back(attached(name, [](int) {
          for (int n = 0; n < 3000; ++n) {
            ASSERT_EQ(evl_lock_mutex(&mutex), 0);
            if (n % 3 == 0) {
              ASSERT_EQ(evl_lock_mutex(&mutex), 0);
            }
            ++counter;
            if (n % 3 == 0) {
              ASSERT_EQ(evl_unlock_mutex(&mutex), 0);
            }
            ASSERT_EQ(evl_unlock_mutex(&mutex), 0);
          }
        }));
      }
    }
    EXPECT_EQ(counter, 9000);
    EXPECT_EQ(evl_close_mutex(&mutex), 0);
  }
}

}  // namespace
