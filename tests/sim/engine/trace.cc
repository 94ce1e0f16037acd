// SPDX-License-Identifier: MIT

#include "engine/trace.h"

#include <algorithm>
#include <cstdio>

namespace sim {
namespace {

constexpr std::size_t kColumn = 44;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace

std::string Trace::tail(std::size_t lines, unsigned cpus) const {
  std::string out = padded("step", 7) + padded("ns", 10);
  for (unsigned cpu = 0; cpu < cpus; ++cpu) out += padded("CPU " + std::to_string(cpu), kColumn);
  while (out.back() == ' ') out.pop_back();
  out += '\n';
  std::unordered_map<const void*, std::size_t> unnamed;
  auto name_of = [&](const void* object) {
    const auto found = names_.find(object);
    if (found != names_.end()) return found->second;
    return "#" + std::to_string(unnamed.try_emplace(object, unnamed.size() + 1).first->second);
  };
  const std::size_t first = entries_.size() - std::min(lines, entries_.size());
  if (first > 0) out += "... " + std::to_string(first) + " before\n";
  for (std::size_t i = first; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    std::string line =
        padded(std::to_string(entry.step), 7) + padded(std::to_string(entry.now_ns), 10);
    if (entry.cpu < kMaxCpus) line.append(kColumn * entry.cpu, ' ');
    if (entry.in_irq) line += '^';
    if (entry.irqs_off) line += '!';
    if (entry.oob) line += '=';
    line += entry.task;
    line += ": ";
    line += entry.what;
    if (entry.label != nullptr) line += std::string{" "} + entry.label;
    if (entry.object != nullptr) line += ' ' + name_of(entry.object);
    if (entry.value != 0) {
      char text[24];
      std::snprintf(text, sizeof text, " %#llx", static_cast<unsigned long long>(entry.value));
      line += text;
    }
    out += line + '\n';
  }
  return out;
}

}  // namespace sim
