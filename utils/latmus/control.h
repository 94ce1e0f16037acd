// SPDX-License-Identifier: MIT
// Ending a run: signals, threads that ask for it, and the threads that have to be woken for it.
//
// INT, TERM, HUP, ALRM and USR1 are blocked everywhere and taken by the main thread alone; USR2
// interrupts a blocked call. One run at a time.
#ifndef UTILS_LATMUS_CONTROL_H
#define UTILS_LATMUS_CONTROL_H

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <functional>

#include "latmus/report.h"

namespace utils::latmus {

// Shared by all threads of a run and by the signal handlers.
struct Control {
  std::atomic<bool> stopping{false};
  std::atomic<uint32_t> inband_switches{0};
  std::atomic<int> ending{-1};  // An Ending, once somebody asked for it.
  bool keep_going{false};
};

[[nodiscard]] Control& control();

/// Before the first thread starts: blocks the signals, installs the handlers.
void set_up_signals();

/// Before each run.
void reset_control(bool keep_going);

/// Has the run end. The first reason counts. Any thread, in-band; signal handlers too.
void request_end(Ending why);

/// Waits until somebody asks for the end, a signal comes, or `seconds` are over (0: never). Returns
/// the reason, and from then on control().stopping is set.
Ending wait_for_end(double seconds);

struct ThreadSettings {
  const char* name;
  int cpu;
  int fifo_priority;  // 0: SCHED_OTHER.
};

/// Starts a thread with a small stack on one CPU. Zero or a negated errno: EPERM without the right
/// to real-time priorities.
[[nodiscard]] int start_thread(pthread_t* thread, const ThreadSettings& settings,
                               std::function<void()> body);

/// Joins the thread, interrupting its calls until it has seen control().stopping.
void finish_thread(pthread_t thread);

/// Nanoseconds on CLOCK_MONOTONIC.
[[nodiscard]] int64_t monotonic_ns();

}  // namespace utils::latmus

#endif  // UTILS_LATMUS_CONTROL_H
