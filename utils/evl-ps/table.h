// SPDX-License-Identifier: MIT
// The table of evl ps: which columns, in which order, how wide; sorting and filtering.
#ifndef UTILS_EVL_PS_TABLE_H
#define UTILS_EVL_PS_TABLE_H

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "evl-ps/thread_row.h"

namespace utils {

// Groups of columns, as asked for by options.
struct Groups {
  bool policy{false};
  bool state{false};
  bool times{false};
  bool wait{false};
  bool numeric{false};  // The state in hexadecimal.

  [[nodiscard]] static Groups everything() {
    return {.policy = true, .state = true, .times = true, .wait = true};
  }
  [[nodiscard]] bool any() const { return policy || state || times || wait; }
};

enum class SortKey { pid, cpu_share, inband_switches, cpu_time, context_switches, remote_wakeups };

struct Order {
  SortKey key{SortKey::pid};
  bool reverse{false};

  /// "cr": the last key wins, r reverses. Nothing if a letter is unknown.
  [[nodiscard]] static std::optional<Order> parse(std::string_view letters);
  /// Is the key among the values of the attribute stats?
  [[nodiscard]] bool needs_stats() const { return key != SortKey::pid; }
};

/// The attributes which these columns and this order need.
[[nodiscard]] Wanted wanted_for(const Groups& groups, const Order& order);

/// Largest first by figures, smallest first by pid; equal ones by pid. Reverse turns it around.
void sort_rows(std::vector<ThreadRow>* rows, Order order);

/// Drops what runs elsewhere.
void keep_cpus(std::vector<ThreadRow>* rows, const std::set<int>& cpus);

/// Header and rows, each with a line end.
[[nodiscard]] std::string format_table(const std::vector<ThreadRow>& rows, const Groups& groups);

/// An array with an object per row; the members are those of the groups.
[[nodiscard]] std::string format_json(const std::vector<ThreadRow>& rows, const Groups& groups);

/// "1:002.003" is 1 s, 2 ms, 3 us; leading zero parts are left out, "-" is less than 1 us.
[[nodiscard]] std::string format_timeout(int64_t timeout_ns);

/// "    1:002.003": seconds, milliseconds, microseconds.
[[nodiscard]] std::string format_cpu_time(int64_t time_ns);

}  // namespace utils

#endif  // UTILS_EVL_PS_TABLE_H
