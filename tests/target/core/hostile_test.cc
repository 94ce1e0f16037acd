// SPDX-License-Identifier: MIT
// What members of the group can do to others, and what who is no member can do at all, when they
// mean harm: nothing that the machine, or somebody else's application, would feel.
#include <errno.h>
#include <evl/sys.h>
#include <evl/syscall-abi.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "support.h"
#include "unprivileged.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

constexpr uid_t kOther = 65533;
constexpr long kOobSyscall = 0x4f4f4243;

void expect_success(pid_t pid) {
  int status = -1;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

// Until the other end of the pipe is closed, or says something.
void await(int end) {
  char byte = 0;
  CHECK_OR_EXIT(read(end, &byte, 1) >= 0);
}

}  // namespace

// Whatever the words are: there is no thread, so nothing is looked at.
TEST(Nobody, CannotMakeRequests) {
  const int control = open("/dev/evl/control", O_RDWR);
  ASSERT_GE(control, 0);
  run_unprivileged({}, [&] {
    for (const long nr : {-1L, 0L, 1L, 2L, 3L, 0x10000000L, 0x7fffffffffffffffL})
      for (const long fd : {long{control}, -1L, 1L << 40})
        for (const long word : {0L, long{EVL_CTLIOC_GET_COREINFO}, -1L})
          CHECK_OR_EXIT(syscall(SYS_prctl, kOobSyscall, nr, fd, word, word) == -1 &&
                        errno == EPERM);
  });
  EXPECT_EQ(close(control), 0);
}

// Who is handed all descriptors of a process, and may lock memory, is not a client of the core for
// that: he has not opened it.
TEST(Nobody, CannotUseDescriptorsOfOthers) {
  evl_mutex mutex{};
  ASSERT_GE(evl_new_mutex(&mutex, nullptr), 0);
  std::atomic<bool> end{false};
  Thread thread{{}, [&] { oob_await(end); }};
  const int xbuf = evl_new_xbuf(64, nullptr);
  ASSERT_GE(xbuf, 0);
  run_unprivileged({.locks = true}, [&] {
    char byte = 0;
    const auto oob = [](long nr, int fd, unsigned long a, unsigned long b) {
      return syscall(SYS_prctl, kOobSyscall, nr, fd, a, b) == -1 && errno == EPERM;
    };
    CHECK_OR_EXIT(oob(sys_evl_ioctl, mutex.u.active.efd, EVL_MONIOC_TRYENTER, 0));
    CHECK_OR_EXIT(oob(sys_evl_write, xbuf, reinterpret_cast<unsigned long>(&byte), 1));
    CHECK_OR_EXIT(oob(sys_evl_ioctl, thread.efd(), EVL_THRIOC_SWITCH_OOB, 0));
    CHECK_OR_EXIT(ioctl(thread.efd(), EVL_THRIOC_DETACH_SELF) == -1 && errno == EPERM);
  });
  end = true;
  thread.join();
  EXPECT_EQ(close(xbuf), 0);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}

TEST(Member, OwnsThePublicElementsItMakes) {
  const Rules rules;
  const std::string name = unique_name("mine");
  run_unprivileged({.member = true, .locks = true}, [&] {
    CHECK_OR_EXIT(evl_init() == 0);
    evl_mutex mutex{};
    evl_mutex again{};
    CHECK_OR_EXIT(evl_new_mutex(&mutex, "/%s", name.c_str()) >= 0);
    struct stat node {};
    CHECK_OR_EXIT(stat(("/dev/evl/monitor/" + name).c_str(), &node) == 0);
    CHECK_OR_EXIT(node.st_uid == kNobody && node.st_gid == kGroup && (node.st_mode & 077) == 0);
    CHECK_OR_EXIT(evl_open_mutex(&again, "/%s", name.c_str()) == 0);
    CHECK_OR_EXIT(evl_attach_thread(EVL_CLONE_PUBLIC, "%s", name.c_str()) >= 0);
    CHECK_OR_EXIT(evl_lock_mutex(&again) == 0 && evl_unlock_mutex(&mutex) == 0);
    CHECK_OR_EXIT(evl_detach_self() == 0);
  });
}

TEST(Member, CannotOpenElementsOfAnotherMember) {
  const Rules rules;
  const std::string name = unique_name("theirs");
  int made[2];
  int tried[2];
  ASSERT_EQ(pipe(made), 0);
  ASSERT_EQ(pipe(tried), 0);
  const pid_t owner = fork();
  if (owner == 0) {
    close(tried[1]);
    run_unprivileged({.member = true, .locks = true, .user = kOther}, [&] {
      CHECK_OR_EXIT(evl_init() == 0);
      evl_mutex mutex{};
      CHECK_OR_EXIT(evl_new_mutex(&mutex, "/%s", name.c_str()) >= 0);
      CHECK_OR_EXIT(evl_attach_thread(EVL_CLONE_PUBLIC, "%s", name.c_str()) >= 0);
      CHECK_OR_EXIT(write(made[1], "", 1) == 1);
      await(tried[0]);
      CHECK_OR_EXIT(evl_lock_mutex(&mutex) == 0 && evl_unlock_mutex(&mutex) == 0);
    });
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  close(made[1]);
  close(tried[0]);
  await(made[0]);
  run_unprivileged({.member = true, .locks = true}, [&] {
    for (const char* folder : {"monitor", "thread"}) {
      const std::string path = std::string{"/dev/evl/"} + folder + "/" + name;
      for (const int mode : {O_RDONLY, O_WRONLY, O_RDWR})
        CHECK_OR_EXIT(open(path.c_str(), mode) == -1 && errno == EACCES);
      CHECK_OR_EXIT(chmod(path.c_str(), 0666) == -1 && unlink(path.c_str()) == -1);
    }
    // The name is taken, for as long as its owner wants.
    CHECK_OR_EXIT(evl_init() == 0);
    evl_mutex mutex{};
    CHECK_OR_EXIT(evl_new_mutex(&mutex, "/%s", name.c_str()) == -EEXIST);
  });
  close(tried[1]);
  expect_success(owner);
  close(made[0]);
}

// More descriptors than the heap of the core has room for entries.
TEST(Member, CannotUseUpTheDescriptorsOfOthers) {
  constexpr int kMany = 40'000;
  const Rules rules;
  const rlimit many{kMany + 100, kMany + 100};
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &many), 0) << "inherited by the process below";
  int full[2];
  ASSERT_EQ(pipe(full), 0);
  int done[2];
  ASSERT_EQ(pipe(done), 0);
  const pid_t hoarder = fork();
  if (hoarder == 0) {
    close(done[1]);
    run_unprivileged({.member = true, .locks = true}, [&] {
      CHECK_OR_EXIT(evl_init() == 0);
      const int xbuf = evl_new_xbuf(64, nullptr);
      CHECK_OR_EXIT(xbuf >= 0);
      for (int i = 0; i < kMany; ++i) CHECK_OR_EXIT(dup(xbuf) >= 0);
      CHECK_OR_EXIT(write(full[1], "", 1) == 1);
      await(done[0]);
    });
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  close(full[1]);
  close(done[0]);
  await(full[0]);
  const int xbuf = evl_new_xbuf(64, nullptr);
  EXPECT_GE(xbuf, 0);
  attached([&] { EXPECT_EQ(oob_write(xbuf, "served", 6), 6); });
  EXPECT_EQ(close(xbuf), 0);
  close(done[1]);
  expect_success(hoarder);
  close(full[0]);
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

// Workers that read from pipes nobody writes to do so for as long as the pipes are there.
TEST(Member, CannotHoldUpProxiesOfOthers) {
  constexpr int kSilent = 12;
  const Rules rules;
  int asked[2];
  int done[2];
  ASSERT_EQ(pipe(asked), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t silent = fork();
  if (silent == 0) {
    close(done[1]);
    run_unprivileged({.member = true, .locks = true}, [&] {
      CHECK_OR_EXIT(evl_init() == 0);
      for (int i = 0; i < kSilent; ++i) {
        int ends[2];
        char byte = 0;
        CHECK_OR_EXIT(pipe(ends) == 0);
        const int proxy = evl_create_proxy(ends[0], 64, 0, EVL_CLONE_INPUT, nullptr);
        CHECK_OR_EXIT(proxy >= 0 && fcntl(proxy, F_SETFL, O_NONBLOCK) == 0);
        CHECK_OR_EXIT(read(proxy, &byte, 1) == 0);
      }
      CHECK_OR_EXIT(write(asked[1], "", 1) == 1);
      await(done[0]);
    });
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  close(asked[1]);
  close(done[0]);
  await(asked[0]);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
  const int proxy = evl_new_proxy(ends[1], 64, nullptr);
  ASSERT_GE(proxy, 0);
  attached([&] { EXPECT_EQ(evl_write_proxy(proxy, "relayed", 7), 7); });
  char text[8]{};
  EXPECT_TRUE(until([&] { return read(ends[0], text, 7) == 7; }));
  EXPECT_STREQ(text, "relayed");
  close(done[1]);
  expect_success(silent);
  for (const int fd : {proxy, ends[0], ends[1], asked[0]}) EXPECT_EQ(close(fd), 0);
}

// The drivers that load or measure the machine are root's alone.
TEST(Member, CannotUseTheTestDrivers) {
  const Rules rules;
  run_unprivileged({.member = true, .locks = true}, [] {
    for (const char* path : {"/dev/latmus", "/dev/hectic"})
      CHECK_OR_EXIT(open(path, O_RDWR) == -1 && (errno == EACCES || errno == ENOENT));
  });
}

// A thread that takes the CPU for ever is what the watchdog is for; one that asks for nonsense gets
// an error. The core serves others afterwards.
TEST(Member, CannotConfuseTheCoreByRequests) {
  const Rules rules;
  run_unprivileged({.member = true, .locks = true}, [] {
    CHECK_OR_EXIT(evl_init() == 0);
    evl_mutex mutex{};
    CHECK_OR_EXIT(evl_new_mutex(&mutex, nullptr) >= 0);
    const int self = evl_attach_self("hostile:%d", getpid());
    CHECK_OR_EXIT(self >= 0);
    // Codes of all classes, and none, with addresses of nobody, on descriptors of other classes.
    unsigned answered = 0;
    for (const char type : {'C', 'T', 'c', 't', 'm', 'O', 'f', '\0'})
      for (unsigned nr = 0; nr < 16; ++nr)
        for (const unsigned size : {0U, 4U, 16U, 24U})
          for (const unsigned direction : {0U, 1U, 2U, 3U}) {
            const unsigned code =
                direction << 30 | size << 16 | static_cast<unsigned>(type) << 8 | nr;
            const bool leaves = code == EVL_THRIOC_DETACH_SELF;
            for (const int fd : {self, mutex.u.active.efd}) {
              if (leaves && fd == self) continue;
              for (const unsigned long address : {0UL, ~0UL - 4, 1UL << 63}) {
                (void)ioctl(fd, code, address);
                (void)syscall(SYS_prctl, kOobSyscall, sys_evl_ioctl, fd, code, address);
                ++answered;
              }
            }
          }
    CHECK_OR_EXIT(answered > 10'000);
    evl_sched_attrs weak{.sched_policy = SCHED_WEAK, .sched_priority = 0, .sched_u = {}};
    CHECK_OR_EXIT(evl_set_schedattr(self, &weak) == 0);
  });
  attached([] { EXPECT_EQ(evl_usleep(100), 0); });
}

// Whoever is attached is past the filters: a filter for all threads of the process and an
// attachment exclude each other, whichever comes first.
TEST(Filter, ForAllThreadsAndAnAttachmentExcludeEachOther) {
  constexpr int kRounds = 40;
  for (int round = 0; round < kRounds; ++round) {
    const pid_t pid = fork();
    if (pid == 0) {
      CHECK_OR_EXIT(evl_init() == 0);
      CHECK_OR_EXIT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
      std::atomic<bool> go{false};
      std::atomic<int> attached{1};
      std::atomic<bool> end{false};
      pthread_t thread{};
      struct Shared {
        std::atomic<bool>& go;
        std::atomic<int>& attached;
        std::atomic<bool>& end;
      } shared{go, attached, end};
      const auto body = [](void* arg) -> void* {
        auto& all = *static_cast<Shared*>(arg);
        while (!all.go) {
        }
        all.attached = evl_attach_self("filtered:%d", getpid());
        while (!all.end) usleep(100);
        return nullptr;
      };
      CHECK_OR_EXIT(pthread_create(&thread, nullptr, body, &shared) == 0);
      usleep(1000);
      go = true;
      for (int i = 0; i < round * 3000; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
      sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
      const sock_fprog program{.len = 1, .filter = &allow};
      const long filtered =
          syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
      while (attached == 1) usleep(100);
      if (filtered == 0)
        CHECK_OR_EXIT(attached == -EPERM);
      else
        CHECK_OR_EXIT(filtered > 0 && attached >= 0);
      end = true;
      pthread_join(thread, nullptr);
      _exit(0);
    }
    expect_success(pid);
  }
}
