// SPDX-License-Identifier: MIT
// What a run found, what it ran on, and the lines latmus prints about it.
#ifndef UTILS_LATMUS_REPORT_H
#define UTILS_LATMUS_REPORT_H

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "common/system.h"
#include "latmus/context.h"
#include "latmus/samples.h"

namespace utils::latmus {

// Why a run ended.
enum class Ending { timeout, interrupted, inband_switch, latency_limit, inconsistent, failed };

[[nodiscard]] const char* name_of(Ending ending);

struct Run {
  Context context{Context::user};
  int cpu{0};
  bool isolated{false};
  int priority{0};
  int64_t period_ns{0};
  int64_t requested_s{0};  // 0: until it is interrupted.
  int64_t duration_s{0};
  time_t started{0};
  std::vector<Record> seconds;  // A partial one at the end, if the run had one.
  Summary summary;
  Histogram histogram{0, 1000};
  uint32_t inband_switches{0};
  bool c_states_restricted{false};
  Ending ending{Ending::timeout};

  /// Takes a record into the list and the summary.
  void add(const Record& record);
};

// What the figures depend on.
struct Environment {
  std::string kernel;  // Release, version, machine.
  std::string command_line;
  std::string library;
  std::string gravity;  // "<n>i <n>k <n>u"; empty without a core.
  std::string clocksource;
  std::string vdso_access;
  std::string load_average;

  [[nodiscard]] static Environment of(const System& system);
};

struct Report {
  Environment environment;
  std::string command;  // The call of latmus.
  std::string load;     // The user's words for what else the machine did.
  std::vector<Run> runs;
};

/// "user, 1000 us period, priority 98, CPU1-noisol"
[[nodiscard]] std::string describe(const Run& run);

// Lines of the live table. Latencies in microseconds with three digits behind the point.
[[nodiscard]] std::string title_line(const Run& run, int64_t elapsed_s);    // RTT
[[nodiscard]] std::string header_line();                                    // RTH
[[nodiscard]] std::string data_line(const Run& run, const Record& record);  // RTD
[[nodiscard]] std::string summary_lines(const Run& run);                    // A separator, and RTS.

/// One row per run, with quantiles: what is left to read when all is over.
[[nodiscard]] std::string final_table(const Report& report);

/// ns as microseconds: "1.816".
[[nodiscard]] std::string in_us(double ns);

}  // namespace utils::latmus

#endif  // UTILS_LATMUS_REPORT_H
