// SPDX-License-Identifier: MIT
// Who may do what: nobody without rights, the group of the udev rule, and what a thread may do that
// it might not before.
#include <errno.h>
#include <evl/sys.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <regex>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

constexpr uid_t kNobody = 65534;
constexpr gid_t kGroup = 4321;  // Stands for `evl`: the guest has no such group, and no udev.
constexpr const char* kRules = "/root/60-evl.rules";

// Runs a body without privileges, in a process of its own; true is success. What fails is told by
// the line of check().
struct Unprivileged {
  bool member{};  // Of the group.
  bool locks{};   // May lock all the memory it wants.
};

#define CHECK_OR_EXIT(condition)                                              \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                               \
    }                                                                         \
  } while (false)

void run_unprivileged(const Unprivileged& how, const std::function<void()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    const rlimit memory{how.locks ? RLIM_INFINITY : 65536, how.locks ? RLIM_INFINITY : 65536};
    CHECK_OR_EXIT(setrlimit(RLIMIT_MEMLOCK, &memory) == 0);
    const gid_t group = kGroup;
    CHECK_OR_EXIT(setgroups(how.member ? 1 : 0, &group) == 0);
    CHECK_OR_EXIT(setresgid(kNobody, kNobody, kNobody) == 0);
    CHECK_OR_EXIT(setresuid(kNobody, kNobody, kNobody) == 0);
    body();
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

unsigned effective_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> data{};
  CHECK_OR_EXIT(syscall(SYS_capget, &header, data.data()) == 0);
  return data[0].effective;
}

// Does what udev would do with the rules that are shipped; how many devices it changed.
int apply_rules() {
  std::ifstream rules{kRules};
  EXPECT_TRUE(rules.is_open()) << kRules;
  const std::regex line_form{
      R"re(SUBSYSTEM=="([^"]*)", KERNEL=="([^"]*)", GROUP="evl", MODE="([0-7]*)")re"};
  int changed = 0;
  for (std::string line; std::getline(rules, line);) {
    std::smatch found;
    if (line.empty() || line[0] == '#') continue;
    EXPECT_TRUE(std::regex_match(line, found, line_form)) << line;
    for (const std::string subsystem : {"evl", "clock", "thread", "monitor", "xbuf", "proxy"}) {
      if (!std::regex_match(subsystem, std::regex{found[1].str()})) continue;
      const std::string folder = "/sys/class/" + subsystem;
      for (const std::string& device : entries(folder)) {
        if (!std::regex_match(device, std::regex{found[2].str()})) continue;
        std::smatch node;
        const std::string uevent = contents(folder + "/" + device + "/uevent");
        EXPECT_TRUE(std::regex_search(uevent, node, std::regex{"DEVNAME=(\\S+)"})) << device;
        const std::string path = "/dev/" + node[1].str();
        EXPECT_EQ(chown(path.c_str(), 0, kGroup), 0) << path;
        EXPECT_EQ(chmod(path.c_str(), static_cast<mode_t>(std::stoul(found[3].str(), nullptr, 8))),
                  0)
            << path;
        ++changed;
      }
    }
  }
  return changed;
}

// Every node there was, as it was: the other tests of this program see what the kernel made.
class Rules {
 public:
  Rules() {
    for (const char* folder : {"/dev/evl", "/dev/evl/clock", "/dev/evl/thread", "/dev/evl/monitor",
                               "/dev/evl/xbuf", "/dev/evl/proxy"})
      for (const std::string& entry : entries(folder)) {
        const std::string path = std::string{folder} + "/" + entry;
        struct stat status {};
        if (stat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode))
          before_.emplace_back(path, status);
      }
    EXPECT_GE(apply_rules(), 8);
  }
  ~Rules() {
    for (const auto& [path, status] : before_) {
      EXPECT_EQ(chown(path.c_str(), status.st_uid, status.st_gid), 0);
      EXPECT_EQ(chmod(path.c_str(), status.st_mode & 07777), 0);
    }
  }

 private:
  std::vector<std::pair<std::string, struct stat>> before_;
};

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
