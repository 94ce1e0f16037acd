// SPDX-License-Identifier: MIT

#include "common/cpu_list.h"

#include "common/text.h"

namespace utils {

std::optional<std::set<int>> parse_cpu_list(std::string_view text, int last) {
  std::set<int> cpus;
  text = trim(text);
  if (text.empty()) return cpus;
  for (const std::string_view piece : split(text, ',')) {
    const size_t dash = piece.find('-');
    const std::string_view from = piece.substr(0, dash);
    const std::string_view to = dash == std::string_view::npos ? from : piece.substr(dash + 1);
    if (from.empty() && to.empty()) return std::nullopt;
    const auto first = from.empty() ? 0 : to_integer(from, 0, last);
    const auto final = to.empty() ? last : to_integer(to, 0, last);
    if (!first || !final || *first > *final) return std::nullopt;
    for (int64_t cpu = *first; cpu <= *final; ++cpu) cpus.insert(static_cast<int>(cpu));
  }
  return cpus;
}

std::string format_cpu_list(const std::set<int>& cpus) {
  std::string text;
  for (auto at = cpus.begin(); at != cpus.end();) {
    const int first = *at;
    int final = first;
    while (++at != cpus.end() && *at == final + 1) final = *at;
    text += format(text.empty() ? "%d" : ",%d", first);
    if (final > first) text += format("-%d", final);
  }
  return text;
}

}  // namespace utils
