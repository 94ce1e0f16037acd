// SPDX-License-Identifier: MIT
// An uncontended mutex makes no system call. Counted twice, by two who do not know of each other:
//   the core, which counts the requests of a thread and its moves in-band (evl_get_state());
//   a debugger, which sees each system call of Linux, but not those that the core serves.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

constexpr int kRounds = 10'000;

// What a body of an out-of-band thread cost in requests and moves in-band, beyond the look itself.
struct Cost {
  unsigned requests;
  unsigned moves;
};

Cost cost_of(const std::function<void()>& body, int priority = 10) {
  Cost cost{};
  attached({.priority = priority}, [&] {
    const int self = evl_get_self();
    const evl_thread_state before = state_of(self);
    body();
    const evl_thread_state after = state_of(self);
    cost = {after.sc - before.sc - 1, after.isw - before.isw};
    EXPECT_FALSE(evl_is_inband());
  });
  return cost;
}

struct Mutex {
  evl_mutex mutex{};
  explicit Mutex(unsigned ceiling = 0, int flags = EVL_MUTEX_NORMAL) {
    EXPECT_GE(evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, ceiling, flags, nullptr), 0);
  }
  ~Mutex() { EXPECT_EQ(evl_close_mutex(&mutex), 0); }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
};

// What a debugger sees of a traced child between two calls of getppid(): the numbers of its system
// calls.
std::vector<long> traced_calls(pid_t child) {
  std::vector<long> calls;
  int marks = 0;
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSTOPPED(status)) << status;
  EXPECT_EQ(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
  int deliver = 0;
  while (ptrace(PTRACE_SYSCALL, child, 0, deliver) == 0 && waitpid(child, &status, 0) == child) {
    if (!WIFSTOPPED(status)) break;
    deliver = 0;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
      deliver = WSTOPSIG(status);
      continue;
    }
    __ptrace_syscall_info info{};
    EXPECT_GT(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info), 0);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) continue;
    const auto nr = static_cast<long>(info.entry.nr);
    if (nr == SYS_getppid)
      ++marks;
    else if (marks == 1)
      calls.push_back(nr);
  }
  EXPECT_EQ(marks, 2);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return calls;
}

// A child that is traced while a body runs out-of-band between the marks.
std::vector<long> calls_of(const std::function<void(evl_mutex&)>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    evl_mutex mutex{};
    const sched_param parameters{.sched_priority = 10};
    if (evl_init() != 0 || evl_new_mutex(&mutex, nullptr) < 0) _exit(1);
    if (sched_setscheduler(0, SCHED_FIFO, &parameters) != 0) _exit(2);
    if (evl_attach_self("%s", unique_name("traced").c_str()) < 0) _exit(3);
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0 || raise(SIGSTOP) != 0) _exit(4);
    (void)getppid();
    if (evl_switch_oob() != 0) _exit(5);
    body(mutex);
    if (evl_is_inband()) _exit(6);
    (void)getppid();
    _exit(0);
  }
  return traced_calls(pid);
}

}  // namespace

TEST(Count, SeesARequest) {
  const Cost cost = cost_of([] {
    for (int n = 0; n < 10; ++n) EXPECT_EQ(evl_yield(), 0);
  });
  EXPECT_EQ(cost.requests, 10U);
  EXPECT_EQ(cost.moves, 0U);
}

TEST(Count, SeesASystemCall) {
  attached([] {
    const unsigned before = state_of(evl_get_self()).isw;
    for (int n = 0; n < 10; ++n) {
      (void)getppid();
      EXPECT_EQ(evl_switch_oob(), 0);
    }
    EXPECT_EQ(state_of(evl_get_self()).isw - before, 10U);
  });
}

TEST(Uncontended, LockAndUnlock) {
  Mutex one;
  const Cost cost = cost_of([&] {
    for (int n = 0; n < kRounds; ++n) {
      ASSERT_EQ(evl_lock_mutex(&one.mutex), 0);
      ASSERT_EQ(evl_unlock_mutex(&one.mutex), 0);
    }
  });
  EXPECT_EQ(cost.requests, 0U);
  EXPECT_EQ(cost.moves, 0U);
}

TEST(Uncontended, TryLockAndTimedLock) {
  Mutex one;
  const timespec date = far_away();
  const Cost cost = cost_of([&] {
    for (int n = 0; n < kRounds; ++n) {
      ASSERT_EQ(evl_trylock_mutex(&one.mutex), 0);
      ASSERT_EQ(evl_unlock_mutex(&one.mutex), 0);
      ASSERT_EQ(evl_timedlock_mutex(&one.mutex, &date), 0);
      ASSERT_EQ(evl_unlock_mutex(&one.mutex), 0);
    }
  });
  EXPECT_EQ(cost.requests, 0U);
  EXPECT_EQ(cost.moves, 0U);
}

TEST(Uncontended, Recursive) {
  Mutex one{0, EVL_MUTEX_RECURSIVE};
  const Cost cost = cost_of([&] {
    for (int n = 0; n < kRounds; ++n) {
      for (int depth = 0; depth < 3; ++depth) ASSERT_EQ(evl_lock_mutex(&one.mutex), 0);
      for (int depth = 0; depth < 3; ++depth) ASSERT_EQ(evl_unlock_mutex(&one.mutex), 0);
    }
  });
  EXPECT_EQ(cost.requests, 0U);
}

TEST(Uncontended, SeveralAtOnce) {
  Mutex one;
  Mutex other;
  const Cost cost = cost_of([&] {
    for (int n = 0; n < kRounds; ++n) {
      ASSERT_EQ(evl_lock_mutex(&one.mutex), 0);
      ASSERT_EQ(evl_lock_mutex(&other.mutex), 0);
      ASSERT_EQ(evl_unlock_mutex(&one.mutex), 0);
      ASSERT_EQ(evl_unlock_mutex(&other.mutex), 0);
    }
  });
  EXPECT_EQ(cost.requests, 0U);
}

// The ceiling goes to the core only if it reschedules while the mutex is held, which any interrupt
// may bring about; not every time.
TEST(Uncontended, WithACeilingHardlyEver) {
  Mutex one{50};
  const Cost cost = cost_of([&] {
    for (int n = 0; n < kRounds; ++n) {
      ASSERT_EQ(evl_lock_mutex(&one.mutex), 0);
      ASSERT_EQ(evl_unlock_mutex(&one.mutex), 0);
    }
  });
  EXPECT_LT(cost.requests, unsigned{kRounds / 10});
  EXPECT_EQ(cost.moves, 0U);
}

TEST(Uncontended, SignalForNobody) {
  Mutex one;
  evl_event event{};
  ASSERT_GE(evl_new_event(&event, nullptr), 0);
  const Cost cost = cost_of([&] {
    for (int n = 0; n < kRounds; ++n) {
      ASSERT_EQ(evl_lock_mutex(&one.mutex), 0);
      ASSERT_EQ(evl_signal_event(&event), 0);
      ASSERT_EQ(evl_broadcast_event(&event), 0);
      ASSERT_EQ(evl_unlock_mutex(&one.mutex), 0);
    }
  });
  EXPECT_EQ(cost.requests, 0U);
  EXPECT_EQ(evl_close_event(&event), 0);
}

TEST(Uncontended, ClockAndState) {
  const Cost cost = cost_of([] {
    for (int n = 0; n < kRounds; ++n) {
      timespec date{};
      ASSERT_EQ(evl_read_clock(EVL_CLOCK_MONOTONIC, &date), 0);
      ASSERT_EQ(evl_read_clock(EVL_CLOCK_REALTIME, &date), 0);
      ASSERT_FALSE(evl_is_inband());
      ASSERT_EQ(evl_switch_oob(), 0);
      ASSERT_GE(evl_get_self(), 0);
    }
  });
  EXPECT_EQ(cost.moves, 0U);
  EXPECT_EQ(cost.requests, 0U);
}

TEST(Slow, WhoMustAskTheCoreDoes) {
  Mutex one;
  const Cost cost = cost_of([&] {
    ASSERT_EQ(evl_set_thread_mode(evl_get_self(), EVL_T_WOLI, nullptr), 0);
    for (int n = 0; n < 10; ++n) {
      ASSERT_EQ(evl_lock_mutex(&one.mutex), 0);
      ASSERT_EQ(evl_unlock_mutex(&one.mutex), 0);
    }
    ASSERT_EQ(evl_clear_thread_mode(evl_get_self(), EVL_T_WOLI, nullptr), 0);
  });
  EXPECT_EQ(cost.requests, 22U);
}

// The other count. It misses what the core serves, and sees prctl() when it carries the caller
// out-of-band.
TEST(Traced, LockAndUnlockAreNoSystemCall) {
  const std::vector<long> calls = calls_of([](evl_mutex& mutex) {
    for (int n = 0; n < kRounds; ++n)
      if (evl_lock_mutex(&mutex) != 0 || evl_unlock_mutex(&mutex) != 0) _exit(7);
  });
  EXPECT_LE(calls.size(), 1U);
  for (const long nr : calls) EXPECT_EQ(nr, SYS_prctl);
}

TEST(Traced, OneIsSeen) {
  const std::vector<long> calls = calls_of([](evl_mutex& mutex) {
    (void)getuid();
    if (evl_lock_mutex(&mutex) != 0 || evl_unlock_mutex(&mutex) != 0) _exit(7);
  });
  EXPECT_EQ(std::count(calls.begin(), calls.end(), SYS_getuid), 1);
}
