// SPDX-License-Identifier: MIT
// The process: before, during and after its initialization, across forks, and what of it is in /dev
// and sysfs.
#include <dirent.h>
#include <errno.h>
#include <evl/sys.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

using namespace target;

namespace {

// Runs a body in a process that nothing was done in yet; its result is the exit status. This one
// never initializes, but for the last test.
int fresh(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  int status = -1;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

int open_files() {
  return static_cast<int>(entries("/proc/self/fd").size());
}

}  // namespace

TEST(Before, NothingCanBeCreatedOrOpened) {
  evl_mutex mutex{};
  evl_event event{};
  int state = 0;
  EXPECT_EQ(evl_new_mutex(&mutex, "early"), -ENXIO);
  EXPECT_EQ(evl_open_mutex(&mutex, "early"), -ENXIO);
  EXPECT_EQ(evl_new_event(&event, "early"), -ENXIO);
  EXPECT_EQ(evl_open_event(&event, "early"), -ENXIO);
  EXPECT_EQ(evl_new_timer(EVL_CLOCK_MONOTONIC), -ENXIO);
  EXPECT_EQ(evl_get_cpustate(0, &state), -ENXIO);
  EXPECT_EQ(evl_stdout(), -EBADF);
  EXPECT_EQ(evl_stderr(), -EBADF);
}

TEST(Before, WhatNeedsNoCoreWorks) {
  const evl_version version = evl_get_version();
  EXPECT_EQ(version.api_level, __EVL__);
  EXPECT_EQ(version.abi_level, EVL_ABI_PREREQ);
  EXPECT_EQ(std::string{version.version_string}.rfind("evl.", 0), 0U);
  EXPECT_TRUE(evl_is_inband());
  EXPECT_EQ(evl_get_self(), -EPERM);
  timespec date{};
  EXPECT_EQ(evl_read_clock(EVL_CLOCK_MONOTONIC, &date), 0);
  EXPECT_EQ(evl_get_clock_resolution(EVL_CLOCK_REALTIME, &date), 0);
}

TEST(Before, PrintingGoesToStandardError) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(fresh([&] {
              dup2(ends[1], STDERR_FILENO);
              return evl_printf("%s", "one") == 3 && evl_eprintf("%d", 22) == 2 ? 0 : 1;
            }),
            0);
  char text[8]{};
  EXPECT_EQ(read(ends[0], text, 5), 5);
  EXPECT_STREQ(text, "one22");
  close(ends[0]);
  close(ends[1]);
}

TEST(Init, WithoutRoomForDescriptorsIsUndone) {
  EXPECT_EQ(fresh([] {
              const int before = open_files();
              const rlimit few{static_cast<rlim_t>(before + 1), static_cast<rlim_t>(before + 1)};
              if (setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
              if (evl_init() != -EMFILE) return 2;
              if (open_files() != before) return 3;
              return evl_init() == -EMFILE ? 0 : 4;  // The first outcome is the outcome.
            }),
            0);
}

TEST(Init, WithClosedStreams) {
  EXPECT_EQ(fresh([] {
              for (const int fd : {0, 1, 2}) close(fd);
              if (evl_init() != 0) return 1;
              return evl_attach_self("closed-streams:%d", getpid()) >= 0 ? 0 : 2;
            }),
            0);
}

TEST(Init, FromSeveralThreadsAtOnceHappensOnce) {
  EXPECT_EQ(fresh([] {
              std::array<pthread_t, 8> threads{};
              for (pthread_t& thread : threads)
                pthread_create(
                    &thread, nullptr,
                    [](void*) -> void* {
                      return reinterpret_cast<void*>(static_cast<intptr_t>(evl_init()));
                    },
                    nullptr);
              for (const pthread_t thread : threads) {
                void* status = nullptr;
                pthread_join(thread, &status);
                if (status != nullptr) return 1;
              }
              return exists("/sys/devices/virtual/proxy/stdout:" + std::to_string(getpid())) ? 0
                                                                                             : 2;
            }),
            0);
}

TEST(Init, AttachingInitializes) {
  EXPECT_EQ(fresh([] {
              if (evl_attach_self("first:%d", getpid()) < 0) return 1;
              evl_mutex mutex{};
              return evl_new_mutex(&mutex, nullptr) >= 0 ? 0 : 2;
            }),
            0);
}

TEST(Init, DescriptorsAreClosedByExec) {
  EXPECT_EQ(fresh([] {
              const int before = open_files();
              if (evl_init() != 0) return 1;
              evl_mutex mutex{};
              if (evl_new_mutex(&mutex, nullptr) < 0 || evl_new_timer(EVL_CLOCK_REALTIME) < 0)
                return 2;
              if (evl_new_xbuf(16, nullptr) < 0 || evl_attach_self("exec:%d", getpid()) < 0)
                return 3;
              int own = 0;
              for (const std::string& name : entries("/proc/self/fd")) {
                const int flags = fcntl(std::stoi(name), F_GETFD);
                if (flags >= 0 && (flags & FD_CLOEXEC) == 0) ++own;
              }
              return own <= before ? 0 : 4;
            }),
            0);
}

TEST(Init, HeapIsMappedOnce) {
  EXPECT_EQ(fresh([] {
              for (int n = 0; n < 3; ++n)
                if (evl_init() != 0) return 1;
              const std::string maps = contents("/proc/self/maps");
              size_t count = 0;
              for (size_t at = 0; (at = maps.find("/dev/evl/control", at)) != std::string::npos;
                   ++at)
                ++count;
              return count == 1 ? 0 : 2;
            }),
            0);
}

// The generations do not share a core process: what the child makes is its own, and what it was
// left with is not.
TEST(Fork, ChildStartsFromNothing) {
  EXPECT_EQ(fresh([] {
              if (evl_init() != 0) return 1;
              evl_mutex mutex{};
              if (evl_new_mutex(&mutex, "fork:%d", getpid()) < 0) return 2;
              const pid_t child = fork();
              if (child == 0) {
                evl_mutex own{};
                if (evl_new_mutex(&own, "child:%d", getpid()) != -ENXIO) _exit(1);
                if (evl_stdout() != -EBADF) _exit(2);
                if (evl_init() != 0) _exit(3);
                if (evl_attach_self("child:%d", getpid()) < 0) _exit(4);
                if (evl_new_mutex(&own, "child:%d", getpid()) < 0) _exit(5);
                _exit(evl_lock_mutex(&own) == 0 && evl_unlock_mutex(&own) == 0 ? 0 : 6);
              }
              int status = -1;
              waitpid(child, &status, 0);
              if (!WIFEXITED(status)) return 3;
              if (WEXITSTATUS(status) != 0) return 10 + WEXITSTATUS(status);
              if (evl_attach_self("parent:%d", getpid()) < 0) return 4;
              return evl_lock_mutex(&mutex) == 0 && evl_unlock_mutex(&mutex) == 0 ? 0 : 5;
            }),
            0);
}

TEST(Init, Twice) {
  EXPECT_EQ(evl_init(), 0);
  EXPECT_EQ(evl_init(), 0);
  EXPECT_EQ(evl_detect_fpu(), evl_detect_fpu());
}
