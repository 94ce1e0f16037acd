// SPDX-License-Identifier: MIT
// Processes without privileges, and the group of the udev rule: for programs about who may do what.
#ifndef TESTS_TARGET_CORE_UNPRIVILEGED_H
#define TESTS_TARGET_CORE_UNPRIVILEGED_H

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace target {

inline constexpr uid_t kNobody = 65534;
inline constexpr gid_t kGroup = 4321;  // Stands for `evl`: the guest has no such group, no udev.

// Runs a body without privileges, in a process of its own; true is success. What fails is told by
// the line of check().
struct Unprivileged {
  bool member{};  // Of the group.
  bool locks{};   // May lock all the memory it wants.
  uid_t user{kNobody};
};

#define CHECK_OR_EXIT(condition)                                              \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                               \
    }                                                                         \
  } while (false)

void run_unprivileged(const Unprivileged& how, const std::function<void()>& body);

[[nodiscard]] unsigned effective_capabilities();

// Every node there was, as it was: the other tests of this program see what the kernel made.
class Rules {
 public:
  Rules();
  ~Rules();
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

 private:
  std::vector<std::pair<std::string, struct stat>> before_;
};

}  // namespace target

#endif  // TESTS_TARGET_CORE_UNPRIVILEGED_H
