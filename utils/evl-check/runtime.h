// SPDX-License-Identifier: MIT
// What about the running system decides latency, and is not in the kernel's configuration.
#ifndef UTILS_EVL_CHECK_RUNTIME_H
#define UTILS_EVL_CHECK_RUNTIME_H

#include <string>
#include <vector>

#include "common/system.h"

namespace utils {

struct Finding {
  std::string name;    // A short name, as stable as an option's.
  std::string found;   // What the system says.
  std::string advice;  // What it costs, and what to do.
};

struct RuntimeReport {
  int checked{0};
  std::vector<Finding> failed;
};

/// Looks at the system. A setting that this machine does not have is not counted as checked.
[[nodiscard]] RuntimeReport check_runtime(const System& system, int abi_level);

}  // namespace utils

#endif  // UTILS_EVL_CHECK_RUNTIME_H
