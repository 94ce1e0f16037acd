// SPDX-License-Identifier: MIT
// Stands in for the library and the latmus driver: the calls that a run of latmus makes, answered
// by ordinary threads. Shots come as fast as they are answered; only their number counts.
#ifndef TESTS_UNIT_UTILS_LATMUS_FAKE_DRIVER_H
#define TESTS_UNIT_UTILS_LATMUS_FAKE_DRIVER_H

#include <evl/devices/latmus.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace utils::latmus {

struct FakeDriver {
  // What the test asks for.
  int run_error{0};        // RUN fails at once.
  int end_error{0};        // A run that a signal ended returns this; the results are stored anyway.
  int pulse_error_at{-1};  // That answer fails, and the run goes on without it.
  int inband_switch_at{-1};  // Before that answer the health monitor reports a switch.
  int health_code{0};        // The code of that report.
  int32_t latency_ns{1500};
  int32_t tuned_ns{0};
  int tune_error{0};
  int interrupt_after{-1};  // Records; then somebody presses Ctrl-C.

  // What the tool did.
  latmus_setup setup{};
  bool reset{false};
  int attached{0};
  int detached{0};

  // The run.
  std::mutex lock;
  std::condition_variable changed;
  int pipe_write{-1};
  bool running{false};
  bool over{false};
  uint64_t shots{0};
  uint64_t answers{0};

  int do_run(const latmus_result& result);
  int do_pulse();
};

extern FakeDriver* fake_driver;

}  // namespace utils::latmus

#endif  // TESTS_UNIT_UTILS_LATMUS_FAKE_DRIVER_H
