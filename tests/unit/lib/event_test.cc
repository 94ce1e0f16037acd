// SPDX-License-Identifier: MIT
#include "evl/event.h"

#include <vector>

#include "fixture.h"

namespace {

class EventTest : public LibTest {
 protected:
  void SetUp() override {
    self_ = attach("one");
    gate_ = evl_create_mutex(&mutex_, EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_RECURSIVE, "m");
    event_fd_ = evl_new_event(&event_, "e");
    ASSERT_GE(gate_, 0);
    ASSERT_GE(event_fd_, 0);
    ASSERT_EQ(evl_switch_oob(), 0);
    core().reset_counts();
  }

  [[nodiscard]] bool owned() {
    const __u32 owner = core().monitor(gate_).u.gate.owner;
    return evl_get_index(owner) == core().file(self_).ids.fundle;
  }

  // What a wait returns when the core answers so, and whether the mutex is held then.
  struct Outcome {
    int status;
    bool held;
    bool operator==(const Outcome&) const = default;
  };
  Outcome wait_answered(int result, int status, int reentered = 0) {
    EXPECT_EQ(evl_lock_mutex(&mutex_), 0);
    core().answer(EVL_MONIOC_WAIT, {.result = result, .wait_status = status});
    // The fake core has not given up the gate for a scripted wait: do as it would have done.
    const bool gone = result == -EINTR || result == -EIDRM;
    if (gone) core().monitor(gate_).u.gate.owner = EVL_NO_HANDLE;
    if (reentered < 0) core().answer(EVL_MONIOC_UNWAIT, {.result = reentered});
    const Outcome outcome{evl_wait_event(&event_, &mutex_), owned()};
    if (outcome.held) {
      EXPECT_EQ(evl_unlock_mutex(&mutex_), 0);
    }
    return outcome;
  }

  int self_{};
  int gate_{};
  int event_fd_{};
  evl_mutex mutex_;
  evl_event event_;
};

TEST_F(EventTest, SignallingForNobodyIsNoRequest) {
  ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
  EXPECT_EQ(evl_signal_event(&event_), 0);
  EXPECT_EQ(evl_broadcast_event(&event_), 0);
  EXPECT_EQ(evl_signal_thread(&event_, self_), 0);
  EXPECT_EQ(evl_unlock_mutex(&mutex_), 0);
  EXPECT_EQ(core().out_of_band_requests(), 0);
  EXPECT_EQ(core().monitor(event_fd_).flags, 0u);
}

TEST_F(EventTest, WhatTheCoreReportsIsWhatTheCallerGets) {
  EXPECT_EQ(wait_answered(0, 0), (Outcome{0, true}));
  EXPECT_EQ(wait_answered(0, -ETIMEDOUT), (Outcome{-ETIMEDOUT, true}));
  EXPECT_EQ(wait_answered(0, -EINTR), (Outcome{-EINTR, true})) << "forcibly unblocked";
  EXPECT_EQ(wait_answered(-EBADFD, -EINVAL), (Outcome{-EBADFD, true})) << "another mutex";
  EXPECT_EQ(wait_answered(-EPERM, -EINVAL), (Outcome{-EPERM, true}));
  EXPECT_EQ(wait_answered(-EIDRM, -EIDRM), (Outcome{-EIDRM, false})) << "the event is gone";
}

TEST_F(EventTest, ASignalHandlerRunsWithoutTheMutexWhichIsTakenAgain) {
  EXPECT_EQ(wait_answered(-EINTR, -EAGAIN), (Outcome{0, true})) << "woken, then interrupted";
  EXPECT_EQ(wait_answered(-EINTR, -ETIMEDOUT), (Outcome{-ETIMEDOUT, true}));
  EXPECT_EQ(wait_answered(-EINTR, -EAGAIN, -EINTR), (Outcome{0, true})) << "again on the way back";
  EXPECT_EQ(wait_answered(-EINTR, 0, -EIDRM), (Outcome{-EIDRM, false})) << "the mutex is gone";
  // Interrupted before anything came: what came while nobody waited is for the caller to see.
  core().reset_counts();
  EXPECT_EQ(wait_answered(-EINTR, 0), (Outcome{0, true}));
  EXPECT_EQ(core().requests(EVL_MONIOC_WAIT), 1);
}

TEST_F(EventTest, ASignalBeforeTheWaitBeginsLeavesTheMutexAlone) {
  core().reset_counts();
  ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
  core().answer(EVL_MONIOC_WAIT, {.result = -EINTR, .wait_status = -EINVAL});
  const timespec date{1, 0};
  EXPECT_EQ(evl_timedwait_event(&event_, &mutex_, &date), -ETIMEDOUT);
  EXPECT_EQ(core().requests(EVL_MONIOC_WAIT), 2);
  EXPECT_EQ(core().requests(EVL_MONIOC_UNWAIT), 0);
  EXPECT_TRUE(owned());
}

TEST_F(EventTest, AWaitNeedsAnActiveMutexThatTheCallerOwns) {
  EXPECT_EQ(evl_wait_event(&event_, &mutex_), -EPERM);
  DEFINE_EVL_MUTEX(never_locked);
  EXPECT_EQ(evl_wait_event(&event_, &never_locked), -EINVAL);
  evl_event dead{};
  EXPECT_EQ(evl_wait_event(&dead, &mutex_), -EINVAL);
  EXPECT_EQ(evl_signal_event(&dead), -EINVAL);
  EXPECT_EQ(evl_close_event(&dead), -EINVAL);
}

TEST_F(EventTest, AWaitGivesUpARecursiveMutexAndGetsItsDepthBack) {
  ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
  ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
  auto other = attached("two", [this](int) {
    ASSERT_EQ(evl_lock_mutex(&mutex_), 0);  // Counts in the same word meanwhile.
    ASSERT_EQ(evl_signal_event(&event_), 0);
    ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
  });
  ASSERT_EQ(evl_wait_event(&event_, &mutex_), 0);
  EXPECT_EQ(core().monitor(gate_).u.gate.nesting, 2u);
  EXPECT_EQ(evl_unlock_mutex(&mutex_), 0);
  EXPECT_TRUE(owned());
  EXPECT_EQ(evl_unlock_mutex(&mutex_), 0);
  EXPECT_FALSE(owned());
}

// Items pass from two producers to two consumers: a lost wake-up would hang, a false one miscount.
TEST_F(EventTest, NoWakeUpIsLostBetweenThreads) {
  static int available;
  static int consumed;
  available = consumed = 0;
  constexpr int kItems = 500;
  {
    std::vector<std::jthread> threads;
    for (const char* name : {"c1", "c2"}) {
      threads.push_back(attached(name, [this](int) {
        for (int n = 0; n < kItems; ++n) {
          ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
          while (available == 0) {
            ASSERT_EQ(evl_wait_event(&event_, &mutex_), 0);
          }
          --available;
          ++consumed;
          ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
        }
      }));
    }
    for (const char* name : {"p1", "p2"}) {
      threads.push_back(attached(name, [this](int) {
        for (int n = 0; n < kItems; ++n) {
          ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
          ++available;
          ASSERT_EQ(n % 2 == 0 ? evl_signal_event(&event_) : evl_broadcast_event(&event_), 0);
          ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
        }
      }));
    }
  }
  EXPECT_EQ(consumed, 2 * kItems);
  EXPECT_EQ(available, 0);
}

TEST_F(EventTest, OneThreadCanBeChosen) {
  static int chosen;
  static int waiting;
  chosen = waiting = 0;
  static int descriptors[2];
  std::vector<std::jthread> threads;
  for (int n = 0; n < 2; ++n) {
    threads.push_back(attached(n == 0 ? "w0" : "w1", [this, n](int efd) {
      ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
      descriptors[n] = efd;
      ++waiting;
      ASSERT_EQ(evl_wait_event(&event_, &mutex_), 0);
      chosen = chosen * 10 + n + 1;
      ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
    }));
  }
  for (bool both = false; !both;) {
    ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
    both = waiting == 2;
    if (both) {
      ASSERT_EQ(evl_signal_thread(&event_, descriptors[1]), 0);
    }
    ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
    std::this_thread::yield();
  }
  for (bool done = false; !done;) {
    ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
    done = chosen == 2;
    if (done) {
      ASSERT_EQ(evl_broadcast_event(&event_), 0);
    }
    ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
    std::this_thread::yield();
  }
  threads.clear();
  EXPECT_EQ(chosen, 21);
}

TEST_F(EventTest, AClosedEventWakesItsWaitersWithoutTheMutex) {
  auto closer = attached("two", [this](int) {
    for (;;) {
      ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
      const bool waiting = core().monitor(event_fd_).u.event.gate_offset != EVL_MONITOR_NOGATE;
      ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
      if (waiting) break;
      std::this_thread::yield();
    }
    EXPECT_EQ(evl_close_event(&event_), 0);
  });
  ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
  EXPECT_EQ(evl_wait_event(&event_, &mutex_), -EIDRM);
  EXPECT_FALSE(owned());
}

TEST_F(EventTest, AnOffsetThatSomebodyDamagedIsNotFollowed) {
  ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
  core().monitor(event_fd_).u.event.gate_offset = 0x7ffffff0;
  EXPECT_EQ(evl_signal_event(&event_), 0);
  EXPECT_EQ(evl_broadcast_event(&event_), 0);
}

TEST_F(EventTest, EventsAreOpenedByNameAndMadeByTheirFirstUse) {
  evl_event made;
  evl_event opened;
  ASSERT_GE(evl_new_event(&made, "/e2"), 0);
  EXPECT_EQ(evl_open_event(&opened, "e2"), 0);
  evl_mutex mutex;
  ASSERT_GE(evl_new_mutex(&mutex, "/m2"), 0);
  EXPECT_EQ(evl_open_event(&opened, "m2"), -EINVAL) << "not an event";
  DEFINE_EVL_EVENT(later);
  EXPECT_EQ(evl_close_event(&later), 0);
  EXPECT_EQ(evl_signal_event(&later), 0);
  EXPECT_EQ(core().file(later.u.active.efd).name, "later");
}

}  // namespace
