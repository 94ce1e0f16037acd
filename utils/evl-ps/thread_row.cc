// SPDX-License-Identifier: MIT

#include "evl-ps/thread_row.h"

#include <evl/thread-abi.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "common/files.h"
#include "common/text.h"

namespace utils {
namespace {

// Five values of a core without remote wake-ups, or six.
constexpr size_t kFewestStats = 5;
constexpr size_t kMostStats = 6;

bool parse_state(std::string_view text, uint32_t* state) {
  text = trim(text);
  if (!text.starts_with("0x")) return false;
  text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *state, 16);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse_number(const std::string& path, int64_t* number) {
  const auto text = read_file(path);
  const auto value = text ? to_integer(trim(*text)) : std::nullopt;
  if (value) *number = *value;
  return value.has_value();
}

}  // namespace

bool ThreadRow::in_user_space() const {
  return (state & EVL_T_USER) != 0;
}

bool parse_sched(std::string_view text, ThreadRow* row) {
  const auto parts = words(text);
  if (parts.size() < 4) return false;
  const auto cpu = to_integer(parts[0], -1, INT16_MAX);
  const auto base = to_integer(parts[1], INT16_MIN, INT16_MAX);
  const auto current = to_integer(parts[2], INT16_MIN, INT16_MAX);
  if (!cpu || !base || !current) return false;
  row->cpu = static_cast<int>(*cpu);
  row->base_priority = static_cast<int>(*base);
  row->priority = static_cast<int>(*current);
  row->policy = parts[3];
  return true;
}

bool parse_stats(std::string_view text, ThreadRow* row) {
  const auto parts = words(text);
  if (parts.size() < kFewestStats || parts.size() > kMostStats) return false;
  std::array<int64_t, kMostStats> values{};
  const size_t missing = kMostStats - parts.size();
  for (size_t at = 0; at < parts.size(); ++at) {
    const auto value = to_integer(parts[at], 0);
    if (!value) return false;
    // The one that may be missing is the fourth.
    values[at < 3 ? at : at + missing] = *value;
  }
  row->inband_switches = values[0];
  row->context_switches = values[1];
  row->requests = values[2];
  row->remote_wakeups = values[3];
  row->cpu_time_ns = values[4];
  row->cpu_permille = static_cast<int>(values[5]);
  return true;
}

std::optional<ThreadRow> read_thread(const std::string& folder, const std::string& name,
                                     Wanted wanted) {
  const std::string base = folder + "/" + name + "/";
  ThreadRow row;
  row.name = name;
  const auto state = read_file(base + "state");
  const auto sched = read_file(base + "sched");
  if (!state || !parse_state(*state, &row.state)) return std::nullopt;
  if (!sched || !parse_sched(*sched, &row)) return std::nullopt;
  if (!parse_number(base + "pid", &row.pid)) return std::nullopt;
  if (wanted.stats) {
    const auto stats = read_file(base + "stats");
    if (!stats || !parse_stats(*stats, &row)) return std::nullopt;
  }
  if (wanted.timeout && !parse_number(base + "timeout", &row.timeout_ns)) return std::nullopt;
  if (wanted.wchan) {
    errno = 0;
    const auto wchan = read_file(base + "wchan");
    // Not ours to see: the thread is there all the same.
    if (!wchan && errno != EPERM && errno != EACCES) return std::nullopt;
    row.wchan = wchan ? std::string{trim(*wchan)} : "?";
  }
  return row;
}

std::vector<ThreadRow> read_threads(const std::string& folder, Wanted wanted) {
  std::vector<ThreadRow> rows;
  for (const std::string& name : list_folder(folder)) {
    if (name == "clone") continue;
    if (auto row = read_thread(folder, name, wanted)) rows.push_back(std::move(*row));
  }
  return rows;
}

std::string state_labels(uint32_t state) {
  constexpr std::string_view kLabels = EVL_THREAD_STATE_LABELS;
  const bool timed = (state & EVL_T_DELAY) != 0;
  // A timed wait is one thing, not two: its W is lower case, and there is no D.
  if ((state & EVL_T_PEND) != 0) state &= ~static_cast<uint32_t>(EVL_T_DELAY);
  std::string text;
  for (size_t bit = 0; bit < kLabels.size(); ++bit) {
    const uint32_t mask = 1U << bit;
    if ((state & mask) == 0 || kLabels[bit] == '.') continue;
    text += mask == EVL_T_PEND && timed ? 'w' : kLabels[bit];
  }
  return text;
}

}  // namespace utils
