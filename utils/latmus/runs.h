// SPDX-License-Identifier: MIT
// The measurements themselves: what needs the kernel. Each runs from start to end on the main
// thread.
#ifndef UTILS_LATMUS_RUNS_H
#define UTILS_LATMUS_RUNS_H

#include "latmus/options.h"
#include "latmus/recorder.h"
#include "latmus/report.h"

namespace utils::latmus {

// Seconds of samples which are not counted, at the start of each run.
inline constexpr int64_t kWarmUpSeconds = 1;

// What a measurement works with. The run carries context, CPU, priority and period.
struct Task {
  const Options& options;
  Run& run;
  Recorder& recorder;
  TraceFreezer& freezer;
  const char* driver{"/dev/latmus"};
};

// All return an exit status: kDone also if the run was stopped, and run.ending says by what.
[[nodiscard]] int measure_with_core(const Task& task);
[[nodiscard]] int measure_fifo(const Task& task);
[[nodiscard]] int measure_gpio(const Task& task);

/// Calibrates the gravity of the run's context; prints it to `lines`.
[[nodiscard]] int tune_with_core(const Task& task, FILE* lines);

/// How long to wait for a run that is to last `timeout_s` seconds; 0 waits for ever. The records
/// end it normally; the time does when periods were lost.
[[nodiscard]] inline double longest_wait_s(int64_t timeout_s) {
  return timeout_s == 0 ? 0 : static_cast<double>(timeout_s + kWarmUpSeconds) + 0.25;
}

}  // namespace utils::latmus

#endif  // UTILS_LATMUS_RUNS_H
