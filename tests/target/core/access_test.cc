// SPDX-License-Identifier: MIT
// Who may do what: nobody without rights, the group of the udev rule, and what a thread may do that
// it might not before.
#include <errno.h>
#include <evl/sys.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "unprivileged.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

}  // namespace

TEST(Nobody, CannotOpenAnyDevice) {
  run_unprivileged({}, [] {
    for (const char* node : {"control", "trace", "clock/monotonic", "clock/realtime",
                             "thread/clone", "monitor/clone", "xbuf/clone", "proxy/clone"}) {
      const std::string path = std::string{"/dev/evl/"} + node;
      CHECK_OR_EXIT(exists(path));
      for (const int mode : {O_RDONLY, O_WRONLY, O_RDWR})
        CHECK_OR_EXIT(open(path.c_str(), mode) == -1 && errno == EACCES);
    }
  });
}

TEST(Nobody, CannotInitialize) {
  run_unprivileged({.locks = true}, [] {
    CHECK_OR_EXIT(evl_init() == -EACCES);
    CHECK_OR_EXIT(evl_attach_self("nobody") == -EACCES);
    evl_mutex mutex{};
    CHECK_OR_EXIT(evl_new_mutex(&mutex, "nobody") == -ENXIO);
  });
}

TEST(Nobody, CannotLockMemory) {
  run_unprivileged({.locks = false}, [] {
    const int status = evl_init();
    CHECK_OR_EXIT(status == -EPERM || status == -ENOMEM);
  });
}

TEST(Nobody, CannotOpenElementsOfOthers) {
  evl_mutex mutex{};
  ASSERT_GE(evl_new_mutex(&mutex, "/%s", unique_name("of-root").c_str()), 0);
  std::atomic<bool> end{false};
  const std::string name = unique_name("of-root");
  Thread thread{{.name = "/" + name}, [&] { oob_await(end); }};
  run_unprivileged({.member = true, .locks = true}, [] {
    int seen = 0;
    for (const char* folder : {"/dev/evl/monitor", "/dev/evl/thread"})
      for (const std::string& entry : entries(folder)) {
        if (entry == "clone") continue;
        ++seen;
        CHECK_OR_EXIT(open((std::string{folder} + "/" + entry).c_str(), O_RDWR) == -1 &&
                      errno == EACCES);
      }
    CHECK_OR_EXIT(seen == 2);
  });
  end = true;
  thread.join();
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}

TEST(Nobody, CannotChangeAttributes) {
  run_unprivileged({}, [] {
    for (const char* path :
         {"/sys/devices/virtual/evl/control/state", "/sys/devices/virtual/clock/monotonic/gravity"})
      CHECK_OR_EXIT(store(path, "stop") == -EACCES);
  });
}

TEST(Nobody, SeesNoWaitChannel) {
  std::atomic<bool> end{false};
  Thread thread{{}, [&] { oob_await(end); }};
  const std::string path = "/sys/devices/virtual/thread/" + thread.name() + "/wchan";
  EXPECT_FALSE(contents(path).empty());
  run_unprivileged({}, [&] { CHECK_OR_EXIT(contents(path).empty()); });
  end = true;
}

// A process that was handed descriptors, and never announced itself.
TEST(Nobody, CannotAttachWithoutTheControlDevice) {
  const int clone = open("/dev/evl/thread/clone", O_RDWR);
  ASSERT_GE(clone, 0);
  const pid_t pid = fork();
  if (pid == 0) {
    CHECK_OR_EXIT(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
    const std::string name = unique_name("handed");
    evl_clone_req request{};
    request.name_ptr = reinterpret_cast<__u64>(name.c_str());
    CHECK_OR_EXIT(inband_request(clone, EVL_IOC_CLONE, &request) == -EPERM);
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(close(clone), 0);
}

// The core serves its requests before a filter of system calls would see them: who has one stays
// out.
TEST(Nobody, CannotAttachWithASeccompFilter) {
  const pid_t pid = fork();
  if (pid == 0) {
    sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const sock_fprog filter{.len = 1, .filter = &allow};
    CHECK_OR_EXIT(evl_init() == 0);
    CHECK_OR_EXIT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    CHECK_OR_EXIT(evl_attach_self("%s", unique_name("filtered").c_str()) == -EPERM);
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

TEST(Group, CanDoAllThatAnApplicationNeeds) {
  const Rules rules;
  run_unprivileged({.member = true, .locks = true}, [] {
    CHECK_OR_EXIT(evl_init() == 0);
    evl_mutex mutex{};
    CHECK_OR_EXIT(evl_new_mutex(&mutex, nullptr) >= 0);
    CHECK_OR_EXIT(effective_capabilities() == 0);
    const int self = evl_attach_self("member:%d", getpid());
    CHECK_OR_EXIT(self >= 0);
    CHECK_OR_EXIT((effective_capabilities() & (1U << CAP_SYS_NICE)) != 0);
    CHECK_OR_EXIT((effective_capabilities() & (1U << CAP_SYS_ADMIN)) == 0);
    const evl_sched_attrs attributes{
        .sched_policy = SCHED_FIFO, .sched_priority = 50, .sched_u = {}};
    CHECK_OR_EXIT(evl_set_schedattr(self, &attributes) == 0);
    CHECK_OR_EXIT(evl_switch_oob() == 0 && !evl_is_inband());
    CHECK_OR_EXIT(evl_usleep(100) == 0);
    CHECK_OR_EXIT(evl_lock_mutex(&mutex) == 0 && evl_unlock_mutex(&mutex) == 0);
    CHECK_OR_EXIT(evl_detach_self() == 0);
    // What it could do as a thread of the core, it cannot do any more.
    CHECK_OR_EXIT(effective_capabilities() == 0);
    CHECK_OR_EXIT(evl_close_mutex(&mutex) == 0);
  });
}

TEST(Group, OthersStillCannot) {
  const Rules rules;
  run_unprivileged({.member = false, .locks = true}, [] { CHECK_OR_EXIT(evl_init() == -EACCES); });
}

TEST(Group, CannotStopTheCore) {
  const Rules rules;
  run_unprivileged({.member = true, .locks = true}, [] {
    CHECK_OR_EXIT(evl_init() == 0);
    CHECK_OR_EXIT(store("/sys/devices/virtual/evl/control/state", "stop") == -EACCES);
    const timespec date{.tv_sec = 1, .tv_nsec = 0};
    CHECK_OR_EXIT(evl_set_clock(EVL_CLOCK_REALTIME, &date) == -EPERM);
  });
}
