// SPDX-License-Identifier: MIT
// What sysfs says about one thread of the core: its attributes, parsed.
#ifndef UTILS_EVL_PS_THREAD_ROW_H
#define UTILS_EVL_PS_THREAD_ROW_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace utils {

struct ThreadRow {
  std::string name;
  int64_t pid{};
  // sched: "cpu base-prio current-prio class [details]".
  int cpu{};
  int base_priority{};
  int priority{};  // In force: inheritance and ceilings included.
  std::string policy;
  // stats: "isw csw sys rwa cputime-ns cpu-permille", over the time since the last reader.
  int64_t inband_switches{};
  int64_t context_switches{};
  int64_t requests{};
  int64_t remote_wakeups{};
  int64_t cpu_time_ns{};
  int cpu_permille{};
  uint32_t state{};      // EVL_T_*.
  int64_t timeout_ns{};  // Until the running timer fires; 0: none runs.
  std::string wchan;

  [[nodiscard]] bool in_user_space() const;
};

/// Which attributes to read: reading stats starts a new interval for every reader.
struct Wanted {
  bool stats{false};
  bool timeout{false};
  bool wchan{false};
};

[[nodiscard]] bool parse_sched(std::string_view text, ThreadRow* row);
/// Five values will do: a core of an older level has no remote wake-ups, which are 0 then.
[[nodiscard]] bool parse_stats(std::string_view text, ThreadRow* row);

/// Reads the thread in `folder`; nothing if it went away meanwhile, or cannot be understood.
[[nodiscard]] std::optional<ThreadRow> read_thread(const std::string& folder,
                                                   const std::string& name, Wanted wanted);

/// All threads under `folder`, in the order of their names.
[[nodiscard]] std::vector<ThreadRow> read_threads(const std::string& folder, Wanted wanted);

/// The labels of the state, in the order of the bits: "Wt".
[[nodiscard]] std::string state_labels(uint32_t state);

}  // namespace utils

#endif  // UTILS_EVL_PS_THREAD_ROW_H
