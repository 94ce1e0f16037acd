// SPDX-License-Identifier: MIT
// Mutexes between threads: inheritance, ceilings, deadlocks, who gets it next, owners that end,
// closing.
#include <errno.h>
#include <signal.h>

#include <memory>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

// A mutex of its own name, and threads that hold it until they are told.
class Mutex final {
 public:
  explicit Mutex(unsigned ceiling = 0, int flags = EVL_MUTEX_NORMAL) {
    EXPECT_GE(evl_create_mutex(&mutex_, EVL_CLOCK_MONOTONIC, ceiling, flags, nullptr), 0);
  }
  ~Mutex() {
    if (!open_) return;
    EXPECT_EQ(evl_close_mutex(&mutex_), 0);
  }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  int lock() { return evl_lock_mutex(&mutex_); }
  int try_lock() { return evl_trylock_mutex(&mutex_); }
  int lock_until(const timespec& date) { return evl_timedlock_mutex(&mutex_, &date); }
  int unlock() { return evl_unlock_mutex(&mutex_); }
  int close() {
    open_ = false;
    return evl_close_mutex(&mutex_);
  }
  evl_mutex* get() { return &mutex_; }

 private:
  evl_mutex mutex_{};
  bool open_{true};
};

// Holds mutexes, in this order, from its construction until release().
class Holder final {
 public:
  Holder(const How& how, std::vector<Mutex*> mutexes)
      : thread_{how, [this, mutexes] {
                  for (Mutex* mutex : mutexes) EXPECT_EQ(mutex->lock(), 0);
                  holds_ = true;
                  oob_await(release_);
                  for (Mutex* mutex : mutexes) EXPECT_EQ(mutex->unlock(), 0);
                  (void)evl_usleep(100);  // A ceiling is in force or over when the scheduler ran.
                  after_ = state_of(evl_get_self());
                  let_go_ = true;
                  oob_await(end_);
                }} {
    EXPECT_TRUE(until([this] { return holds_.load(); }));
  }
  ~Holder() {
    release();
    end_ = true;
  }
  void release() { release_ = true; }
  evl_thread_state after() {
    EXPECT_TRUE(until([this] { return let_go_.load(); }));
    return after_;
  }
  Thread& thread() { return thread_; }

 private:
  std::atomic<bool> holds_{false};
  std::atomic<bool> release_{false};
  std::atomic<bool> let_go_{false};
  std::atomic<bool> end_{false};
  evl_thread_state after_{};
  Thread thread_;
};

// A thread that takes a mutex, logs and gives it back.
std::unique_ptr<Thread> taker(Mutex& mutex, int priority, Log* log = nullptr, char letter = '?') {
  auto made = std::make_unique<Thread>(How{.priority = priority}, [&mutex, log, letter] {
    EXPECT_EQ(mutex.lock(), 0);
    if (log != nullptr) log->add(letter);
    EXPECT_EQ(mutex.unlock(), 0);
  });
  EXPECT_TRUE(made->waits());
  return made;
}

void expect_class(const evl_thread_state& state, int policy, int priority, bool boosted) {
  EXPECT_EQ(state.eattrs.sched_policy, policy);
  EXPECT_EQ(state.eattrs.sched_priority, priority);
  EXPECT_EQ((state.state & EVL_T_BOOST) != 0, boosted);
}

}  // namespace

TEST(Inheritance, OwnerRunsAtThePriorityOfItsMostUrgentWaiter) {
  Mutex mutex;
  Holder owner{{.priority = 10}, {&mutex}};
  expect_class(owner.thread().state(), SCHED_FIFO, 10, false);
  const auto first = taker(mutex, 20);
  expect_class(owner.thread().state(), SCHED_FIFO, 20, true);
  const auto second = taker(mutex, 30);
  expect_class(owner.thread().state(), SCHED_FIFO, 30, true);
  const auto third = taker(mutex, 5);
  expect_class(owner.thread().state(), SCHED_FIFO, 30, true);
  evl_sched_attrs base{};
  EXPECT_EQ(evl_get_schedattr(owner.thread().efd(), &base), 0);
  EXPECT_EQ(base.sched_priority, 10);
  owner.release();
  expect_class(owner.after(), SCHED_FIFO, 10, false);
}

TEST(Inheritance, GoesAlongTheChain) {
  constexpr int kLength = 6;
  std::vector<std::unique_ptr<Mutex>> mutexes;
  std::vector<std::unique_ptr<Thread>> threads;
  for (int n = 0; n < kLength; ++n) mutexes.push_back(std::make_unique<Mutex>());
  Holder last{{.priority = 10}, {mutexes[0].get()}};
  // Thread n holds mutex n and waits for mutex n - 1.
  for (int n = 1; n < kLength; ++n) {
    Mutex* const mine = mutexes[static_cast<size_t>(n)].get();
    Mutex* const next = mutexes[static_cast<size_t>(n) - 1].get();
    threads.push_back(
        std::make_unique<Thread>(How{.priority = 10 + n, .cpu = n % cpus()}, [mine, next] {
          EXPECT_EQ(mine->lock(), 0);
          EXPECT_EQ(next->lock(), 0);
          EXPECT_EQ(next->unlock(), 0);
          EXPECT_EQ(mine->unlock(), 0);
        }));
    ASSERT_TRUE(threads.back()->waits());
    expect_class(last.thread().state(), SCHED_FIFO, 10 + n, true);
  }
  const auto urgent = taker(*mutexes.back(), 80);
  expect_class(last.thread().state(), SCHED_FIFO, 80, true);
  for (const auto& thread : threads) expect_class(thread->state(), SCHED_FIFO, 80, true);
  // The end of the chain leaves: everybody falls back to what is behind it.
  evl_sched_attrs lower{.sched_policy = SCHED_FIFO, .sched_priority = 40, .sched_u = {}};
  EXPECT_EQ(evl_set_schedattr(urgent->efd(), &lower), 0);
  expect_class(last.thread().state(), SCHED_FIFO, 40, true);
  last.release();
  expect_class(last.after(), SCHED_FIFO, 10, false);
}

TEST(Inheritance, EndsWhenTheWaiterGivesUp) {
  Mutex mutex;
  Holder owner{{.priority = 10}, {&mutex}};
  const auto stays = taker(mutex, 20);
  attached({.priority = 30}, [&] { EXPECT_EQ(mutex.lock_until(after_ms(20)), -ETIMEDOUT); });
  expect_class(owner.thread().state(), SCHED_FIFO, 20, true);
  owner.release();
  expect_class(owner.after(), SCHED_FIFO, 10, false);
}

TEST(Inheritance, FollowsAChangeOfTheWaiter) {
  Mutex mutex;
  Holder owner{{.priority = 10}, {&mutex}};
  const auto waiter = taker(mutex, 20);
  for (const int priority : {50, 30, 5}) {
    const evl_sched_attrs wanted{
        .sched_policy = SCHED_FIFO, .sched_priority = priority, .sched_u = {}};
    EXPECT_EQ(evl_set_schedattr(waiter->efd(), &wanted), 0);
    EXPECT_EQ(owner.thread().priority(), std::max(priority, 10));
  }
  owner.release();
}

TEST(Inheritance, OwnerOfSeveralHasTheHighestOfAll) {
  Mutex one;
  Mutex other;
  Holder owner{{.priority = 10}, {&one, &other}};
  const auto high = taker(one, 40);
  const auto low = taker(other, 20);
  expect_class(owner.thread().state(), SCHED_FIFO, 40, true);
  owner.release();
  expect_class(owner.after(), SCHED_FIFO, 10, false);
}

TEST(Inheritance, RaisesAWeakOwnerIntoFifo) {
  Mutex mutex;
  Holder owner{{.policy = SCHED_OTHER, .priority = 0}, {&mutex}};
  expect_class(owner.thread().state(), SCHED_WEAK, 0, false);
  const auto waiter = taker(mutex, 25);
  expect_class(owner.thread().state(), SCHED_FIFO, 25, true);
  owner.release();
  expect_class(owner.after(), SCHED_WEAK, 0, false);
  EXPECT_TRUE(owner.thread().reaches(EVL_T_WEAK));
}

TEST(Ceiling, IsInForceWhenTheSchedulerRuns) {
  Mutex mutex{50};
  Holder owner{{.priority = 10}, {&mutex}};  // It sleeps and wakes.
  EXPECT_TRUE(until([&] { return owner.thread().priority() == 50; }));
  expect_class(owner.thread().state(), SCHED_FIFO, 50, true);
  owner.release();
  expect_class(owner.after(), SCHED_FIFO, 10, false);
}

TEST(Ceiling, NestedOnesAddUpToTheHighest) {
  Mutex low{30};
  Mutex high{60};
  for (const bool high_first : {false, true}) {
    attached({.priority = 10}, [&] {
      Mutex& first = high_first ? high : low;
      Mutex& second = high_first ? low : high;
      const auto priority = [] { return state_of(evl_get_self()).eattrs.sched_priority; };
      ASSERT_EQ(first.lock(), 0);
      ASSERT_EQ(second.lock(), 0);
      ASSERT_EQ(evl_usleep(100), 0);
      EXPECT_EQ(priority(), 60);
      ASSERT_EQ(second.unlock(), 0);
      ASSERT_EQ(evl_usleep(100), 0);
      EXPECT_EQ(priority(), high_first ? 60 : 30);
      ASSERT_EQ(first.unlock(), 0);
      ASSERT_EQ(evl_usleep(100), 0);
      EXPECT_EQ(priority(), 10);
    });
  }
}

TEST(Ceiling, OnlyRaises) {
  Mutex mutex{5};
  Holder owner{{.priority = 10}, {&mutex}};
  EXPECT_EQ(owner.thread().priority(), 10);
}

TEST(Ceiling, NewOneCountsAtTheNextLock) {
  Mutex mutex{30};
  EXPECT_EQ(evl_get_mutex_ceiling(mutex.get()), 30);
  EXPECT_EQ(evl_set_mutex_ceiling(mutex.get(), 70), 0);
  EXPECT_EQ(evl_get_mutex_ceiling(mutex.get()), 70);
  Holder owner{{.priority = 10}, {&mutex}};
  EXPECT_TRUE(until([&] { return owner.thread().priority() == 70; }));
}

TEST(Ceiling, WaiterGetsItToo) {
  Mutex mutex{50};
  Holder owner{{.priority = 10}, {&mutex}};
  int seen = 0;
  Thread waiter{{.priority = 20}, [&] {
                  EXPECT_EQ(mutex.lock(), 0);
                  EXPECT_EQ(evl_usleep(100), 0);
                  seen = state_of(evl_get_self()).eattrs.sched_priority;
                  EXPECT_EQ(mutex.unlock(), 0);
                }};
  ASSERT_TRUE(waiter.waits());
  owner.release();
  waiter.join();
  EXPECT_EQ(seen, 50);
}

TEST(Deadlock, OfOne) {
  Mutex mutex;
  attached([&] {
    EXPECT_EQ(mutex.lock(), 0);
    EXPECT_EQ(mutex.lock(), -EDEADLK);
    EXPECT_EQ(mutex.try_lock(), -EDEADLK);
    EXPECT_EQ(mutex.lock_until(after_ms(1)), -EDEADLK);
    EXPECT_EQ(mutex.unlock(), 0);
    EXPECT_EQ(mutex.unlock(), -EPERM);
  });
}

// The one who would close the circle is told; the others get their mutexes once it lets go.
TEST(Deadlock, OfMany) {
  for (const size_t size : {2UL, 3UL, 7UL}) {
    std::vector<std::unique_ptr<Mutex>> mutexes;
    std::vector<std::unique_ptr<Thread>> threads;
    std::atomic<size_t> ready{0};
    std::atomic<int> told{0};
    for (size_t n = 0; n < size; ++n) mutexes.push_back(std::make_unique<Mutex>());
    for (size_t n = 0; n < size; ++n)
      threads.push_back(std::make_unique<Thread>(
          How{.priority = 10 + static_cast<int>(n), .cpu = static_cast<int>(n) % cpus()}, [&, n] {
            EXPECT_EQ(mutexes[n]->lock(), 0);
            ++ready;
            EXPECT_TRUE(oob_until([&] { return ready == size; }));
            const int status = mutexes[(n + 1) % size]->lock();
            if (status == 0) {
              EXPECT_EQ(mutexes[(n + 1) % size]->unlock(), 0);
            } else {
              EXPECT_EQ(status, -EDEADLK);
              ++told;
            }
            EXPECT_EQ(mutexes[n]->unlock(), 0);
            EXPECT_EQ(state_of(evl_get_self()).eattrs.sched_priority, 10 + static_cast<int>(n));
          }));
    for (const auto& thread : threads) thread->join();
    EXPECT_GE(told, 1) << size;
  }
}

TEST(Order, MostUrgentWaiterFirst) {
  Mutex mutex;
  Log log;
  Holder owner{{.priority = 50}, {&mutex}};
  const auto b = taker(mutex, 20, &log, 'b');
  const auto a = taker(mutex, 30, &log, 'a');
  const auto c = taker(mutex, 10, &log, 'c');
  owner.release();
  for (Thread* thread : {a.get(), b.get(), c.get()}) thread->join();
  EXPECT_EQ(log.text(), "abc");
}

TEST(Order, FirstComeFirstServedAmongEquals) {
  Mutex mutex;
  Log log;
  Holder owner{{.priority = 50}, {&mutex}};
  const auto c = taker(mutex, 20, &log, 'c');
  const auto a = taker(mutex, 20, &log, 'a');
  const auto b = taker(mutex, 20, &log, 'b');
  owner.release();
  for (Thread* thread : {a.get(), b.get(), c.get()}) thread->join();
  EXPECT_EQ(log.text(), "cab");
}

TEST(Order, RequeuedWithItsNewPriority) {
  Mutex mutex;
  Log log;
  Holder owner{{.priority = 50}, {&mutex}};
  const auto a = taker(mutex, 30, &log, 'a');
  const auto b = taker(mutex, 20, &log, 'b');
  const evl_sched_attrs higher{.sched_policy = SCHED_FIFO, .sched_priority = 40, .sched_u = {}};
  EXPECT_EQ(evl_set_schedattr(b->efd(), &higher), 0);
  owner.release();
  a->join();
  b->join();
  EXPECT_EQ(log.text(), "ba");
}

// Two threads of each CPU count under one mutex: none of the steps is lost.
TEST(Exclusion, HoldsOnAllCpus) {
  constexpr int kRounds = 300;
  for (const unsigned ceiling : {0U, 60U}) {
    Mutex mutex{ceiling};
    volatile long counter = 0;
    std::vector<std::unique_ptr<Thread>> threads;
    for (int n = 0; n < 2 * cpus(); ++n)
      threads.push_back(std::make_unique<Thread>(How{.priority = 10 + n, .cpu = n % cpus()}, [&] {
        for (int round = 0; round < kRounds; ++round) {
          ASSERT_EQ(mutex.lock(), 0);
          const long seen = counter;
          if (round % 16 == 0) {
            ASSERT_EQ(evl_usleep(20), 0);
          }
          counter = seen + 1;
          ASSERT_EQ(mutex.unlock(), 0);
        }
      }));
    for (const auto& thread : threads) thread->join();
    EXPECT_EQ(counter, 2L * cpus() * kRounds);
  }
}

TEST(Try, IsBusyWhileSomebodyElseOwnsIt) {
  Mutex mutex;
  Holder owner{{.priority = 10}, {&mutex}};
  attached({.priority = 20}, [&] {
    EXPECT_EQ(mutex.try_lock(), -EBUSY);
    EXPECT_EQ(mutex.lock_until(timespec{0, 1}), -ETIMEDOUT);
    EXPECT_EQ(mutex.unlock(), -EPERM);
  });
  owner.release();
  (void)owner.after();
  attached([&] {
    EXPECT_EQ(mutex.try_lock(), 0);
    EXPECT_EQ(mutex.unlock(), 0);
    EXPECT_EQ(mutex.lock_until(timespec{0, 1}), 0);  // It is free: nobody looks at the date.
    EXPECT_EQ(mutex.unlock(), 0);
  });
}

TEST(Owner, ThatEndsGivesItToItsWaiters) {
  Mutex mutex;
  std::atomic<bool> holds{false};
  std::atomic<bool> end{false};
  Thread owner{{}, [&] {
                 EXPECT_EQ(mutex.lock(), 0);
                 holds = true;
                 oob_await(end);
               }};
  ASSERT_TRUE(until([&] { return holds.load(); }));
  const auto waiter = taker(mutex, 20);
  end = true;
  owner.join();
  waiter->join();
}

// Taken by a compare-and-swap only, the core cannot know who had it: the next one hears that it is
// lost.
TEST(Owner, ThatTookItAloneAndEndedIsDead) {
  Mutex mutex;
  attached([&] { EXPECT_EQ(mutex.lock(), 0); });
  attached([&] {
    EXPECT_EQ(mutex.lock(), -EOWNERDEAD);
    EXPECT_EQ(mutex.unlock(), -EPERM);
  });
}

TEST(Close, EndsTheWaits) {
  Mutex mutex;
  std::atomic<bool> holds{false};
  std::atomic<bool> end{false};
  Thread owner{{.priority = 10}, [&] {
                 EXPECT_EQ(mutex.lock(), 0);
                 holds = true;
                 oob_await(end);
                 EXPECT_EQ(mutex.unlock(), -EINVAL);
               }};
  ASSERT_TRUE(until([&] { return holds.load(); }));
  const auto body = [&] { EXPECT_EQ(mutex.lock(), -EIDRM); };
  Thread first{{.priority = 20}, body};
  Thread second{{.priority = 30}, body};
  ASSERT_TRUE(first.waits());
  ASSERT_TRUE(second.waits());
  EXPECT_EQ(mutex.close(), 0);
  first.join();
  second.join();
  EXPECT_TRUE(until([&] { return owner.priority() == 10; }));
  end = true;
}

TEST(Signal, IsHandledAndTheWaitGoesOn) {
  static std::atomic<int> handled{0};
  handled = 0;
  for (const int flags : {0, SA_RESTART}) {
    struct sigaction action {};
    action.sa_handler = [](int) { ++handled; };
    action.sa_flags = flags;
    ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
    Mutex mutex;
    Holder owner{{.priority = 10}, {&mutex}};
    const auto waiter = taker(mutex, 20);
    const int before = handled;
    for (int n = 1; n <= 3; ++n) {
      ASSERT_EQ(tgkill(getpid(), waiter->tid(), SIGUSR1), 0);
      ASSERT_TRUE(until([=] { return handled == before + n; }));
      ASSERT_TRUE(waiter->waits());
    }
    EXPECT_EQ(owner.thread().priority(), 20);
    owner.release();
  }
}

TEST(Recursive, IsFreeAfterAsManyUnlocks) {
  constexpr int kDepth = 10;
  Mutex mutex{0, EVL_MUTEX_RECURSIVE};
  std::atomic<int> deep{0};
  std::atomic<int> goal{kDepth};
  Thread owner{{.priority = 10}, [&] {
                 for (int n = 0; n < kDepth; ++n)
                   ASSERT_EQ(n % 2 == 0 ? mutex.lock() : mutex.try_lock(), 0);
                 deep = kDepth;
                 while (deep > 0) {
                   ASSERT_TRUE(oob_until([&] { return deep > goal; }));
                   ASSERT_EQ(mutex.unlock(), 0);
                   --deep;
                 }
                 EXPECT_EQ(mutex.unlock(), -EPERM);
               }};
  ASSERT_TRUE(until([&] { return deep == kDepth; }));
  const auto waiter = taker(mutex, 20);
  while (goal > 1) {
    --goal;
    ASSERT_TRUE(until([&] { return deep == goal; }));
    ASSERT_TRUE(waiter->waits());
  }
  --goal;
  waiter->join();
}
