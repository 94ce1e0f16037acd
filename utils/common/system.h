// SPDX-License-Identifier: MIT
// Where things are on the running system, and the exit statuses of all tools.
#ifndef UTILS_COMMON_SYSTEM_H
#define UTILS_COMMON_SYSTEM_H

#include <optional>
#include <set>
#include <string>

namespace utils {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUse = 2;
inline constexpr int kNoSupport = 77;

// Folders of the system. `root` is empty on a real one; the tests build theirs somewhere else.
struct System {
  std::string root;
  std::string virtual_devices;  // EVL_SYSDIR: the core's attributes.
  std::string tracing;          // EVL_TRACEDIR; empty if nothing is mounted.

  /// The real one; the environment variables of the front end win.
  [[nodiscard]] static System from_environment();
  /// One below a folder, laid out like the real one.
  [[nodiscard]] static System below(const std::string& root);

  [[nodiscard]] std::string path(const std::string& absolute) const { return root + absolute; }
  [[nodiscard]] std::string control_attribute(const std::string& name) const {
    return virtual_devices + "/evl/control/" + name;
  }
  [[nodiscard]] std::string clock_attribute(const std::string& name) const {
    return virtual_devices + "/clock/monotonic/" + name;
  }

  /// Is there a core that runs?
  [[nodiscard]] bool has_core() const;
  [[nodiscard]] int last_cpu() const;
  /// CPUs of the core; isolated CPUs; online CPUs. Empty if the kernel says nothing about it.
  [[nodiscard]] std::set<int> oob_cpus() const;
  [[nodiscard]] std::set<int> isolated_cpus() const;
  [[nodiscard]] std::set<int> online_cpus() const;

 private:
  [[nodiscard]] std::set<int> cpus_in(const std::string& path) const;
};

/// Says on stderr that the kernel has no core, and what to do. Returns kNoSupport.
int report_no_core(const char* tool);

}  // namespace utils

#endif  // UTILS_COMMON_SYSTEM_H
