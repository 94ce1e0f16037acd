// SPDX-License-Identifier: MIT
//
// A core in two hundred lines, for the tests of the simulated Linux: threads that run first come
// first served on the oob stage, one semaphore, and mistakes that can be switched on. It answers
// every upcall of kapi.

#pragma once

#include "linux/linux.h"

namespace sim::tiny {

enum class Mistake {
  none,
  no_ipi,              // A wake-up for another CPU does not kick it.
  wake_before_state,   // A waiter that is about to sleep is not seen by a post.
  state_after_unlock,  // A waiter leaves the run queue after others can wake it.
};

constexpr long kGoOob = 1;
constexpr long kWait = 2;
constexpr long kPost = 3;
constexpr long kGoInband = 4;

/// Forgets everything and plants `mistake`.
void reset(Mistake mistake);
void boot();
/// For the current task. Then requests work.
void attach();
void detach();
unsigned switches();

}  // namespace sim::tiny
