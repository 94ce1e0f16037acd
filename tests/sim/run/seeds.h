// SPDX-License-Identifier: MIT
//
// For tests in C++ that run a small core once per seed, under a random walk.
#pragma once

#include <functional>

#include "linux/linux.h"

namespace sim {

/// A core of few elements on the first `oob_cpus` of `cpus`, without a watchdog: the walk may stop
/// a CPU for longer.
LinuxConfig small_core(unsigned cpus, unsigned oob_cpus);

struct CoreRun {
  LinuxConfig config;
  std::uint32_t leave_percent;  // How often the walk leaves a CPU.
  std::uint32_t max_steps;
  void (*checker)(){nullptr};  // After each step.
  std::function<void()> init;  // What the first task does once the core is up.
};

/// Boots, runs, and prints what is wrong with the end of the trace (lines: TAIL of the environment,
/// or 80). Once per process. Returns an exit status.
int run_core(unsigned seed, const CoreRun& run);

/// main() of such a test, `[seeds [first]]`: a process per seed, since the core is built once per
/// life. A single seed is run in this very process, for a debugger and for coverage.
int run_seeds(int argc, char** argv, int (*run_seed)(unsigned seed));

}  // namespace sim
