// SPDX-License-Identifier: MIT
// Events: who is woken, what the caller holds afterwards, and how a wait ends otherwise.
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <memory>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

class Event : public ::testing::Test {
 protected:
  Event() {
    EXPECT_GE(evl_new_mutex(&mutex_, nullptr), 0);
    EXPECT_GE(evl_new_event(&event_, nullptr), 0);
  }
  ~Event() override {
    (void)evl_close_event(&event_);
    EXPECT_EQ(evl_close_mutex(&mutex_), 0);
  }
  // A thread that waits once, logs its letter with the mutex held, and remembers what it was told.
  struct Waiter {
    int status{1};
    std::unique_ptr<Thread> thread;
  };
  std::unique_ptr<Waiter> waiter(int priority, char letter = '?') {
    auto made = std::make_unique<Waiter>();
    Waiter* const self = made.get();
    made->thread = std::make_unique<Thread>(How{.priority = priority}, [this, self, letter] {
      EXPECT_EQ(evl_lock_mutex(&mutex_), 0);
      self->status = evl_wait_event(&event_, &mutex_);
      log_.add(letter);
      if (self->status != -EIDRM) {
        EXPECT_EQ(evl_unlock_mutex(&mutex_), 0);
      }
    });
    EXPECT_TRUE(made->thread->waits());
    return made;
  }

  // Does something with the mutex held, as a thread more urgent than all waiters.
  void locked(const std::function<void()>& action) {
    attached({.priority = 60}, [&] {
      EXPECT_EQ(evl_lock_mutex(&mutex_), 0);
      action();
      EXPECT_EQ(evl_unlock_mutex(&mutex_), 0);
    });
  }

  evl_mutex mutex_{};
  evl_event event_{};
  Log log_;
};

}  // namespace

TEST_F(Event, SignalWakesTheMostUrgentWaiter) {
  const auto b = waiter(20, 'b');
  const auto a = waiter(30, 'a');
  const auto c = waiter(20, 'c');
  for (const char* expected : {"a", "ab", "abc"}) {
    locked([&] { EXPECT_EQ(evl_signal_event(&event_), 0); });
    EXPECT_TRUE(until([&] { return log_.text() == expected; })) << log_.text();
  }
  for (const auto* one : {a.get(), b.get(), c.get()}) {
    one->thread->join();
    EXPECT_EQ(one->status, 0);
  }
}

TEST_F(Event, BroadcastWakesAllInOrder) {
  const auto b = waiter(20, 'b');
  const auto a = waiter(30, 'a');
  const auto c = waiter(10, 'c');
  locked([&] { EXPECT_EQ(evl_broadcast_event(&event_), 0); });
  for (const auto* one : {a.get(), b.get(), c.get()}) one->thread->join();
  EXPECT_EQ(log_.text(), "abc");
}

TEST_F(Event, TargetedSignalWakesThatThreadOnly) {
  const auto a = waiter(30, 'a');
  const auto b = waiter(20, 'b');
  locked([&] { EXPECT_EQ(evl_signal_thread(&event_, b->thread->efd()), 0); });
  b->thread->join();
  EXPECT_EQ(log_.text(), "b");
  EXPECT_TRUE(a->thread->waits());
  locked([&] {
    EXPECT_EQ(evl_signal_thread(&event_, evl_get_self()), 0);  // It does not wait: nobody is woken.
    EXPECT_EQ(evl_signal_thread(&event_, STDOUT_FILENO), -EBADF);
    EXPECT_EQ(evl_signal_thread(&event_, event_.u.active.efd), -ENOTTY);
  });
  EXPECT_TRUE(a->thread->waits());
  locked([&] { EXPECT_EQ(evl_signal_event(&event_), 0); });
}

TEST_F(Event, NothingHappensBeforeTheMutexIsReleased) {
  const auto a = waiter(30, 'a');
  attached({.priority = 10}, [&] {
    EXPECT_EQ(evl_lock_mutex(&mutex_), 0);
    EXPECT_EQ(evl_signal_event(&event_), 0);
    EXPECT_EQ(evl_usleep(1000), 0);
    log_.add('|');
    EXPECT_EQ(evl_unlock_mutex(&mutex_), 0);
  });
  a->thread->join();
  EXPECT_EQ(log_.text(), "|a");
}

TEST_F(Event, SeveralSignalsInOneSectionAreOne) {
  const auto a = waiter(30, 'a');
  const auto b = waiter(20, 'b');
  locked([&] {
    for (int n = 0; n < 5; ++n) EXPECT_EQ(evl_signal_event(&event_), 0);
  });
  a->thread->join();
  EXPECT_TRUE(b->thread->waits());
  EXPECT_EQ(log_.text(), "a");
  locked([&] { EXPECT_EQ(evl_broadcast_event(&event_), 0); });
}

TEST_F(Event, SignalForNobodyIsNotRemembered) {
  locked([&] {
    EXPECT_EQ(evl_signal_event(&event_), 0);
    EXPECT_EQ(evl_broadcast_event(&event_), 0);
    const timespec date = after_ms(1);
    EXPECT_EQ(evl_timedwait_event(&event_, &mutex_, &date), -ETIMEDOUT);
  });
}

TEST_F(Event, TimedWaitComesBackWithTheMutex) {
  locked([&] {
    for (int n = 0; n < 10; ++n) {
      const timespec date = after_ms(n % 3);
      EXPECT_EQ(evl_timedwait_event(&event_, &mutex_, &date), -ETIMEDOUT);
      EXPECT_FALSE(too_early(date));
    }
    const timespec bad{.tv_sec = 1, .tv_nsec = 1'000'000'000};
    EXPECT_EQ(evl_timedwait_event(&event_, &mutex_, &bad), -EINVAL);
  });
}

TEST_F(Event, UnblockedWaiterComesBackWithTheMutex) {
  const auto a = waiter(20);
  EXPECT_EQ(evl_unblock_thread(a->thread->efd()), 0);
  a->thread->join();
  EXPECT_EQ(a->status, -EINTR);
}

TEST_F(Event, WaitNeedsTheMutexAndAnEvent) {
  evl_mutex other{};
  ASSERT_GE(evl_new_mutex(&other, nullptr), 0);
  const auto a = waiter(20);
  attached({.priority = 30}, [&] {
    EXPECT_EQ(evl_wait_event(&event_, &mutex_), -EPERM);
    EXPECT_EQ(evl_lock_mutex(&other), 0);
    EXPECT_EQ(evl_wait_event(&event_, &other), -EBADFD);  // Somebody waits with another one.
    EXPECT_EQ(evl_unlock_mutex(&other), 0);               // It still holds it.
    evl_mutex never =
        EVL_MUTEX_INITIALIZER("never-locked", EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_NORMAL);
    EXPECT_EQ(evl_wait_event(&event_, &never), -EINVAL);
  });
  EXPECT_EQ(evl_wait_event(&event_, &mutex_), -EPERM);
  EXPECT_EQ(evl_unblock_thread(a->thread->efd()), 0);
  a->thread->join();
  // Nobody waits any more: another mutex will do.
  attached([&] {
    EXPECT_EQ(evl_lock_mutex(&other), 0);
    const timespec date = after_ms(1);
    EXPECT_EQ(evl_timedwait_event(&event_, &other, &date), -ETIMEDOUT);
    EXPECT_EQ(evl_unlock_mutex(&other), 0);
  });
  EXPECT_EQ(evl_close_mutex(&other), 0);
}

TEST_F(Event, CloseEndsTheWaitsWithoutTheMutex) {
  const auto a = waiter(20);
  const auto b = waiter(30);
  EXPECT_EQ(evl_close_event(&event_), 0);
  for (const auto* one : {a.get(), b.get()}) {
    one->thread->join();
    EXPECT_EQ(one->status, -EIDRM);
  }
  attached([&] {
    EXPECT_EQ(evl_lock_mutex(&mutex_), 0);
    EXPECT_EQ(evl_wait_event(&event_, &mutex_), -EINVAL);
    EXPECT_EQ(evl_unlock_mutex(&mutex_), 0);
  });
}

TEST_F(Event, SignalHandlerRunsWithoutTheMutexAndTheWaiterLooksAgain) {
  static std::atomic<int> handled{0};
  for (const int flags : {0, SA_RESTART}) {
    struct sigaction action {};
    action.sa_handler = [](int) { ++handled; };
    action.sa_flags = flags;
    ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
    const int before = handled;
    const auto a = waiter(20, 'a');
    ASSERT_EQ(tgkill(getpid(), a->thread->tid(), SIGUSR1), 0);
    a->thread->join();
    EXPECT_EQ(a->status, 0);
    EXPECT_EQ(handled, before + 1);
  }
}

TEST_F(Event, WaitGivesUpARecursiveMutexAsAWholeAndRestoresItsDepth) {
  evl_mutex recursive{};
  ASSERT_GE(evl_create_mutex(&recursive, EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_RECURSIVE, nullptr), 0);
  Thread deep{{.priority = 20}, [&] {
                for (int n = 0; n < 3; ++n) EXPECT_EQ(evl_lock_mutex(&recursive), 0);
                EXPECT_EQ(evl_wait_event(&event_, &recursive), 0);
                for (int n = 0; n < 3; ++n) EXPECT_EQ(evl_unlock_mutex(&recursive), 0);
                EXPECT_EQ(evl_unlock_mutex(&recursive), -EPERM);
              }};
  ASSERT_TRUE(deep.waits());
  attached([&] {
    EXPECT_EQ(evl_lock_mutex(&recursive), 0);
    EXPECT_EQ(evl_signal_event(&event_), 0);
    EXPECT_EQ(evl_unlock_mutex(&recursive), 0);
  });
  deep.join();
  EXPECT_EQ(evl_close_mutex(&recursive), 0);
}

TEST_F(Event, MoreUrgentWaiterHasTheMutexFirst) {
  const auto a = waiter(40, 'a');
  std::atomic<bool> signalled{false};
  std::atomic<bool> release{false};
  Thread owner{{.priority = 10}, [&] {
                 EXPECT_EQ(evl_lock_mutex(&mutex_), 0);
                 EXPECT_EQ(evl_signal_event(&event_), 0);
                 EXPECT_EQ(evl_unlock_mutex(&mutex_), 0);
                 // The waiter is more urgent: it had the mutex, and is gone.
                 log_.add('|');
                 signalled = true;
                 oob_await(release);
               }};
  ASSERT_TRUE(until([&] { return signalled.load(); }));
  release = true;
  EXPECT_EQ(log_.text(), "a|");
}

// A queue between producers and consumers of all CPUs: everything arrives, once.
TEST_F(Event, NoWakeUpIsLost) {
  constexpr int kItems = 200;
  int queued = 0;
  int taken = 0;
  evl_event room{};
  ASSERT_GE(evl_new_event(&room, nullptr), 0);
  std::vector<std::unique_ptr<Thread>> threads;
  for (int n = 0; n < cpus(); ++n) {
    threads.push_back(std::make_unique<Thread>(How{.priority = 10 + n, .cpu = n}, [&] {
      for (int item = 0; item < kItems; ++item) {
        ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
        while (queued == 3) ASSERT_EQ(evl_wait_event(&room, &mutex_), 0);
        ++queued;
        ASSERT_EQ(evl_signal_event(&event_), 0);
        ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
      }
    }));
    threads.push_back(
        std::make_unique<Thread>(How{.priority = 20 - n, .cpu = (n + 1) % cpus()}, [&] {
          for (int item = 0; item < kItems; ++item) {
            ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
            while (queued == 0) ASSERT_EQ(evl_wait_event(&event_, &mutex_), 0);
            --queued;
            ++taken;
            ASSERT_EQ(evl_signal_event(&room), 0);
            ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
          }
        }));
  }
  for (const auto& thread : threads) thread->join();
  EXPECT_EQ(taken, kItems * cpus());
  EXPECT_EQ(queued, 0);
  EXPECT_EQ(evl_close_event(&room), 0);
}
