// SPDX-License-Identifier: MIT
// Lists of CPUs as the kernel prints them and as users type them: "0,2-3", and open ranges.
#ifndef UTILS_COMMON_CPU_LIST_H
#define UTILS_COMMON_CPU_LIST_H

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace utils {

/// Parses "1", "0,2-3", "3-" (to the last CPU) and "-2" (from CPU 0); CPUs are 0 to `last`. An
/// empty text is an empty set. Nothing if it is no list, or names a CPU above `last`.
[[nodiscard]] std::optional<std::set<int>> parse_cpu_list(std::string_view text, int last);

/// The reverse, in the kernel's form: "0,2-3".
[[nodiscard]] std::string format_cpu_list(const std::set<int>& cpus);

}  // namespace utils

#endif  // UTILS_COMMON_CPU_LIST_H
