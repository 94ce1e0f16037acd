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

}  // namespace sim
