// SPDX-License-Identifier: MIT
#include "unprivileged.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <fstream>
#include <regex>

#include "support.h"

namespace target {
namespace {

constexpr const char* kRules = "/root/60-evl.rules";

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

}  // namespace

void run_unprivileged(const Unprivileged& how, const std::function<void()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    const rlimit memory{how.locks ? RLIM_INFINITY : 65536, how.locks ? RLIM_INFINITY : 65536};
    CHECK_OR_EXIT(setrlimit(RLIMIT_MEMLOCK, &memory) == 0);
    const gid_t group = kGroup;
    CHECK_OR_EXIT(setgroups(how.member ? 1 : 0, &group) == 0);
    CHECK_OR_EXIT(setresgid(kNobody, kNobody, kNobody) == 0);
    CHECK_OR_EXIT(setresuid(how.user, how.user, how.user) == 0);
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

Rules::Rules() {
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

Rules::~Rules() {
  for (const auto& [path, status] : before_) {
    EXPECT_EQ(chown(path.c_str(), status.st_uid, status.st_gid), 0);
    EXPECT_EQ(chmod(path.c_str(), status.st_mode & 07777), 0);
  }
}

}  // namespace target
