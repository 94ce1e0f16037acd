// SPDX-License-Identifier: MIT
//
// Runner: one run of one scenario by one seed, and the searches made of many. A seed decides the
// program, the strategy and every choice; the same seed of the same scenario is the same run.

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/explorer.h"
#include "engine/trace.h"
#include "run/scenarios.h"
#include "run/snapshot.h"

namespace sim {

struct Report {
  bool failed{false};
  std::string failure;
  std::string strategy;
  std::string trace;
  std::uint32_t steps{0};
  std::uint32_t irqs_off_steps{0};  // The longest section with hard interrupts off.
};

/// A failure's text without what differs from one run to the next: failures of one kind have one.
std::string kind_of(const std::string& failure);

class Runner final {
 public:
  Runner() : snapshot_{"evl-core-sim"} {}

  Report run(const Scenario& scenario, std::uint64_t seed);
  Report run(const Program& program, std::uint64_t seed);
  /// A program of a failing seed, without what it does not need. A candidate counts as failing when
  /// one of a number of schedules fails; `seed` becomes the one that does.
  Program reduce(const Scenario& scenario, std::uint64_t& seed);

  struct Exploration {
    Report report;
    std::uint64_t runs{0};
    bool exhausted{false};
  };
  /// Every inequivalent schedule with at most `preemptions`, at most `limit` runs. `after_each`
  /// gets the number of runs so far.
  Exploration explore(const Scenario& scenario, unsigned preemptions, std::uint64_t limit,
                      const std::function<void(std::uint64_t)>& after_each);

  std::size_t trace_lines{120};

 private:
  Report run_with(const Program& program, Strategy& strategy, const char* name,
                  std::uint32_t step_ns);
  Snapshot snapshot_;
  Trace trace_;
};

}  // namespace sim
