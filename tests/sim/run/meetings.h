// SPDX-License-Identifier: MIT
//
// Scenarios whose threads are brought together by the clock: see meetings.cc.

#pragma once

#include "program/program.h"

namespace sim {

Program deep_chain(Rng& rng);
Program deep_cycle(Rng& rng);
Program deep_requeue(Rng& rng);
Program deep_exit(Rng& rng);
Program deep_close(Rng& rng);
Program preempted(Rng& rng);
Program preempted_weak(Rng& rng);
Program preempted_ceiling(Rng& rng);
Program neighbours(Rng& rng);
Program long_slices(Rng& rng);
Program new_head(Rng& rng);
Program killed_waiter(Rng& rng);
Program boosted_moves(Rng& rng);

}  // namespace sim
