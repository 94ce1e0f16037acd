// SPDX-License-Identifier: MIT
//
// CoreBench: the core booted on simulated CPUs, and a process that a test writes in C++. For what
// programs (program/program.h) do not speak of: devices, attributes, the core's own stop and start.

#pragma once

#include <functional>
#include <string>

#include "user/user.h"

namespace sim {

class CoreBench final {
 public:
  using Body = std::function<void(UserProcess& process)>;

  /// Runs `body` as a process that has opened control, under a random walk, and then looks for
  /// leaks. Empty when all is well; else what is wrong, and the end of the trace.
  static std::string run(std::uint64_t seed, const Body& body);
  /// The first of `seeds` runs that fails, by its seed; empty: none.
  static std::string run_all(unsigned seeds, const Body& body);
};

/// Starts a thread of the calling process on `cpu` that attaches, takes a FIFO priority and runs
/// `body`.
Task& start_thread(UserProcess& process, const char* name, unsigned cpu, int priority,
                   std::function<void(UserThread& self)> body);
/// Starts a thread that Linux alone knows.
Task& start_inband_thread(const char* name, unsigned cpu, std::function<void()> body);
/// Waits for it, as by pthread_join().
void join(Task& task);

/// Ends the run with a failure unless `holds`.
void expect(bool holds, const char* what, long value = 0);

std::string attribute(const std::string& device, const char* name);
long set_attribute(const std::string& device, const char* name, const char* text);

}  // namespace sim
