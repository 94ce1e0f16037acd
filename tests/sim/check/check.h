// SPDX-License-Identifier: MIT
//
// The invariants of the core's objects, compared between two moves of the machine. Two depths:
//
//   no lock is held     what each object says of itself (its invariants_hold()), as the core's
//   debug builds do the core is at rest what only holds between requests: on each CPU the most
//   urgent ready thread runs; every thread
//                       has exactly the priority that a naive recursion over owners and waiters
//                       gives; a timer that is queued has a tick device programmed for it
//
// A violation ends the run.

#pragma once

#include "program/world.h"

namespace sim {

void check_core(World& world);

/// The core switches from one task to another: who is preempted within the core.
void look_at_switch(Task& from, Task& to);

// Who is first among equals.
class QueueOrder final {
 public:
  explicit QueueOrder(const Program& program) : applies_{keeps_order(program)} {}
  /// After each move: who has become ready.
  void look(const World& world);
  /// The core switches from one task to another.
  void switched(const World& world, const Task& from, const Task& to);

 private:
  struct Place {
    std::uint64_t since{0};
    int priority{0};
    unsigned cpu{0};
    bool waits{false};
    bool known{false};
  };
  static bool keeps_order(const Program& program);

  std::array<Place, kMaxThreads> places_{};
  std::uint64_t now_{0};
  const bool applies_;
};

}  // namespace sim
