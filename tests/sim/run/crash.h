// SPDX-License-Identifier: MIT
//
// A crash of the core, or of the simulator, names the schedule that it happened in, as a failure
// does: a signal has no way back into the program.

#pragma once

#include <cstdint>

namespace sim {

/// Once, before the first run.
void watch_for_crashes();
/// What is run next. `name` lives on.
void about_to_run(const char* name, std::uint64_t seed, std::uint64_t schedule) noexcept;

}  // namespace sim
