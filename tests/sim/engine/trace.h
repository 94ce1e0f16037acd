// SPDX-License-Identifier: MIT
//
// Trace: what happened, one column per CPU. Recording keeps pointers to literals and costs a few
// stores, since every schedule is recorded; only the trace of a failure is ever turned into text.

#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/operation.h"

namespace sim {

class Trace final {
 public:
  struct Entry {
    std::uint64_t now_ns;
    std::uint32_t step;
    std::uint8_t cpu;  // kMaxCpus: the machine itself (the clock).
    bool oob;          // The CPU runs on the out-of-band stage.
    bool irqs_off;
    bool in_irq;
    const char* task;  // Who runs there; lives as long as the run.
    const char* what;
    const void* object;
    std::uint64_t value;
    const char* label;
  };

  void clear() noexcept {
    entries_.clear();
    names_.clear();
  }
  void add(const Entry& entry) { entries_.push_back(entry); }
  /// How `object` is called. `name` is copied. Others are called by the order in which they appear,
  /// since addresses would differ from one run to the next.
  void name(const void* object, std::string name) { names_[object] = std::move(name); }
  std::size_t size() const noexcept { return entries_.size(); }

  /// The last `lines` entries: step, time, then a column per CPU with the task and what it does.
  /// `=` in front of a task means out-of-band, `!` that hard interrupts are off, `^` that an
  /// interrupt is being handled.
  std::string tail(std::size_t lines, unsigned cpus) const;

 private:
  std::vector<Entry> entries_;
  std::unordered_map<const void*, std::string> names_;
};

}  // namespace sim
