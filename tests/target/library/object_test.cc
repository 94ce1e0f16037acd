// SPDX-License-Identifier: MIT
// Mutexes and events as objects: names, visibility, static initializers, opening in other
// processes, errors of the calls.
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

DEFINE_EVL_MUTEX(first_use_mutex);
DEFINE_EVL_EVENT(first_use_event);
evl_mutex recursive_mutex =
    EVL_MUTEX_INITIALIZER("recursive%d", EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_RECURSIVE);
evl_mutex ceiling_mutex =
    EVL_MUTEX_INITIALIZER("ceiling", EVL_CLOCK_REALTIME, 20, EVL_MUTEX_NORMAL);

bool is_monitor(const std::string& name) {
  return exists("/sys/devices/virtual/monitor/" + name);
}

}  // namespace

TEST(Static, MutexIsMadeByItsFirstLock) {
  EXPECT_FALSE(is_monitor("first_use_mutex"));
  attached([] {
    EXPECT_EQ(evl_unlock_mutex(&first_use_mutex), -EINVAL);
    EXPECT_EQ(evl_lock_mutex(&first_use_mutex), 0);
    EXPECT_EQ(evl_unlock_mutex(&first_use_mutex), 0);
  });
  EXPECT_TRUE(is_monitor("first_use_mutex"));
  EXPECT_EQ(evl_close_mutex(&first_use_mutex), 0);
  EXPECT_FALSE(is_monitor("first_use_mutex"));
  attached([] { EXPECT_EQ(evl_lock_mutex(&first_use_mutex), -EINVAL); });
}

TEST(Static, NameIsTakenLiterally) {
  attached([] {
    for (int n = 0; n < 3; ++n) EXPECT_EQ(evl_lock_mutex(&recursive_mutex), 0);
    for (int n = 0; n < 3; ++n) EXPECT_EQ(evl_unlock_mutex(&recursive_mutex), 0);
  });
  EXPECT_TRUE(is_monitor("recursive%d"));
  EXPECT_EQ(evl_close_mutex(&recursive_mutex), 0);
}

TEST(Static, CeilingCanBeChangedBeforeAndAfter) {
  EXPECT_EQ(evl_get_mutex_ceiling(&ceiling_mutex), 20);
  EXPECT_EQ(evl_set_mutex_ceiling(&ceiling_mutex, 30), 0);
  EXPECT_EQ(evl_get_mutex_ceiling(&ceiling_mutex), 30);
  attached([] {
    EXPECT_EQ(evl_lock_mutex(&ceiling_mutex), 0);
    EXPECT_EQ(evl_get_mutex_ceiling(&ceiling_mutex), 30);
    EXPECT_EQ(evl_unlock_mutex(&ceiling_mutex), 0);
  });
  EXPECT_EQ(evl_close_mutex(&ceiling_mutex), 0);
}

TEST(Static, FirstUsesRaceForOneElement) {
  static evl_mutex mutex =
      EVL_MUTEX_INITIALIZER("raced-for", EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_NORMAL);
  std::atomic<bool> start{false};
  std::atomic<int> owners{0};
  std::vector<std::unique_ptr<Thread>> threads;
  for (int n = 0; n < 4; ++n)
    threads.push_back(std::make_unique<Thread>(How{.cpu = n % cpus()}, [&] {
      oob_await(start);
      EXPECT_EQ(evl_lock_mutex(&mutex), 0);
      EXPECT_EQ(++owners, 1);
      --owners;
      EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
    }));
  start = true;
  for (const auto& thread : threads) thread->join();
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}

TEST(Static, EventIsMadeByItsFirstUse) {
  evl_mutex mutex{};
  ASSERT_GE(evl_new_mutex(&mutex, nullptr), 0);
  attached([&] {
    EXPECT_EQ(evl_lock_mutex(&mutex), 0);
    EXPECT_EQ(evl_signal_event(&first_use_event), 0);
    const timespec date = after_ms(1);
    EXPECT_EQ(evl_timedwait_event(&first_use_event, &mutex, &date), -ETIMEDOUT);
    EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
  });
  EXPECT_TRUE(is_monitor("first_use_event"));
  EXPECT_EQ(evl_close_event(&first_use_event), 0);
  EXPECT_EQ(evl_close_event(&first_use_event), -EINVAL);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}

TEST(Static, NeverUsedCanBeClosedAndUsed) {
  evl_mutex mutex = EVL_MUTEX_INITIALIZER("never-used", EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_NORMAL);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
  attached([&] {
    EXPECT_EQ(evl_lock_mutex(&mutex), 0);
    EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
  });
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}

TEST(Create, Errors) {
  evl_mutex mutex{};
  evl_event event{};
  EXPECT_EQ(evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 100, EVL_MUTEX_NORMAL, "m"), -EINVAL);
  EXPECT_EQ(evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_INPUT, "m"), -EINVAL);
  // As a clock, POSIX's number is descriptor 1, which is no file of the core.
  EXPECT_EQ(evl_create_mutex(&mutex, CLOCK_MONOTONIC, 0, EVL_MUTEX_NORMAL, "m"), -EBADF);
  EXPECT_EQ(evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_PUBLIC, nullptr), -EINVAL);
  EXPECT_EQ(evl_create_event(&event, EVL_CLOCK_MONOTONIC, EVL_CLONE_OBSERVABLE, "e"), -EINVAL);
  EXPECT_EQ(evl_new_mutex(&mutex, "/with/slash"), -EINVAL);
  const std::string longest(5000, 'n');
  EXPECT_EQ(evl_new_mutex(&mutex, "%s", longest.c_str()), -ENAMETOOLONG);
  EXPECT_EQ(evl_lock_mutex(&mutex), -EPERM);
}

TEST(Name, IsUniqueAmongMonitors) {
  evl_mutex mutex{};
  evl_event event{};
  const std::string name = unique_name("unique");
  ASSERT_GE(evl_new_mutex(&mutex, "%s", name.c_str()), 0);
  EXPECT_EQ(evl_new_event(&event, "%s", name.c_str()), -EEXIST);
  EXPECT_EQ(evl_new_event(&event, "/%s", name.c_str()), -EEXIST);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
  for (int n = 0; n < 10; ++n) {  // Free again as soon as close returns.
    ASSERT_GE(evl_new_event(&event, "%s", name.c_str()), 0) << n;
    ASSERT_EQ(evl_close_event(&event), 0);
  }
}

TEST(Public, NodeAppearsAndGoes) {
  evl_mutex mutex{};
  const std::string name = unique_name("public");
  const std::string node = "/dev/evl/monitor/" + name;
  ASSERT_GE(evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_PUBLIC, "%s", name.c_str()),
            0);
  struct stat status {};
  EXPECT_EQ(stat(node.c_str(), &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
  EXPECT_TRUE(until([&] { return !exists(node); }));
}

TEST(Public, OpeningErrors) {
  evl_mutex mutex{};
  evl_event event{};
  evl_mutex opened{};
  const std::string name = unique_name("public");
  EXPECT_EQ(evl_open_mutex(&opened, "%s", name.c_str()), -ENOENT);
  ASSERT_GE(evl_new_event(&event, "/%s", name.c_str()), 0);
  EXPECT_EQ(evl_open_mutex(&opened, "%s", name.c_str()), -EINVAL);
  EXPECT_EQ(evl_open_event(&event, "%s-not", name.c_str()), -ENOENT);
  ASSERT_GE(evl_new_mutex(&mutex, "/%s-mutex", name.c_str()), 0);
  EXPECT_EQ(evl_open_event(&event, "%s-mutex", name.c_str()), -EINVAL);
  EXPECT_EQ(evl_open_mutex(&opened, "/%s-mutex", name.c_str()), 0);  // A slash is harmless.
  EXPECT_EQ(evl_close_mutex(&opened), 0);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
  EXPECT_EQ(evl_close_event(&event), 0);
}

// A mutex, an event and a counter in memory that both have: two processes hand each other a turn.
TEST(Public, TwoProcessesTakeTurns) {
  constexpr int kTurns = 200;
  const std::string name = unique_name("turn");
  struct Board {
    std::atomic<int> turn{0};
  };
  auto* const board =
      new (mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Board;
  evl_mutex mutex{};
  evl_event event{};
  ASSERT_GE(
      evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_PUBLIC, "%s-mutex", name.c_str()),
      0);
  ASSERT_GE(
      evl_create_event(&event, EVL_CLOCK_MONOTONIC, EVL_CLONE_PUBLIC, "%s-event", name.c_str()), 0);
  const auto play = [&](evl_mutex* gate, evl_event* changed, int parity) {
    for (int n = 0; n < kTurns; ++n) {
      if (evl_lock_mutex(gate) != 0) return false;
      while (board->turn % 2 != parity)
        if (evl_wait_event(changed, gate) != 0) return false;
      ++board->turn;
      if (evl_broadcast_event(changed) != 0 || evl_unlock_mutex(gate) != 0) return false;
    }
    return true;
  };
  const pid_t pid = fork();
  if (pid == 0) {
    evl_mutex gate{};
    evl_event changed{};
    if (evl_init() != 0 || evl_open_mutex(&gate, "%s-mutex", name.c_str()) != 0) _exit(1);
    if (evl_open_event(&changed, "%s-event", name.c_str()) != 0) _exit(2);
    bool well = false;
    attached({.cpu = cpus() - 1}, [&] { well = play(&gate, &changed, 1); });
    _exit(well ? 0 : 3);
  }
  attached([&] { EXPECT_TRUE(play(&mutex, &event, 0)); });
  int status = -1;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(board->turn, 2 * kTurns);
  EXPECT_EQ(evl_close_event(&event), 0);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
  EXPECT_EQ(munmap(board, 4096), 0);
}

TEST(Ceiling, Errors) {
  evl_mutex plain{};
  evl_mutex protects{};
  ASSERT_GE(evl_new_mutex(&plain, nullptr), 0);
  ASSERT_GE(evl_create_mutex(&protects, EVL_CLOCK_MONOTONIC, 10, EVL_MUTEX_NORMAL, nullptr), 0);
  EXPECT_EQ(evl_get_mutex_ceiling(&plain), 0);
  EXPECT_EQ(evl_set_mutex_ceiling(&plain, 10), -EINVAL);
  EXPECT_EQ(evl_set_mutex_ceiling(&protects, 0), -EINVAL);
  EXPECT_EQ(evl_set_mutex_ceiling(&protects, 100), -EINVAL);
  EXPECT_EQ(evl_set_mutex_ceiling(&protects, 99), 0);
  EXPECT_EQ(evl_close_mutex(&plain), 0);
  EXPECT_EQ(evl_get_mutex_ceiling(&plain), -EINVAL);
  EXPECT_EQ(evl_close_mutex(&protects), 0);
}
