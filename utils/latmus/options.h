// SPDX-License-Identifier: MIT
// The command line of latmus.
#ifndef UTILS_LATMUS_OPTIONS_H
#define UTILS_LATMUS_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "latmus/context.h"

namespace utils::latmus {

enum class Mode { measure, tune };
enum class Edge { rising, falling };

// A GPIO line: "<chip>,<pin>[,rising-edge|falling-edge]"; a chip without a slash is in /dev.
struct GpioLine {
  std::string chip;
  int pin{0};
  Edge edge{Edge::rising};

  [[nodiscard]] static std::optional<GpioLine> parse(std::string_view text);
};

struct Options {
  Mode mode{Mode::measure};
  std::vector<Context> contexts;  // In the order they are measured in; never empty.
  int64_t period_ns{1'000'000};
  int priority{98};
  std::optional<int> cpu;
  bool force_cpu{false};
  bool reset{false};
  bool background{false};
  bool keep_going{false};
  std::optional<int64_t> limit_ns;  // Abort above it.
  int64_t timeout_s{0};             // 0: until a signal.
  int verbosity{1};
  int lines{21};
  uint32_t cells{200};
  uint32_t cell_ns{1000};
  std::optional<std::string> plot;  // "-" is stdout.
  bool chart{false};
  bool json{false};
  std::string svg;
  std::string html;
  std::string load;
  std::string gpio_host;
  std::optional<GpioLine> gpio_in;
  std::optional<GpioLine> gpio_out;
  std::string command;

  [[nodiscard]] bool quiet() const { return verbosity == 0; }
};

enum class Parsed { run, help, describe, wrong_use };

/// Fills in the options. On wrong use, `error` says what is wrong with them.
[[nodiscard]] Parsed parse_options(int argc, char** argv, Options* options, std::string* error);

/// "90", "90s", "15m", "24h", "2d" in seconds; at least 1.
[[nodiscard]] std::optional<int64_t> parse_duration(std::string_view text);

[[nodiscard]] const char* usage();

}  // namespace utils::latmus

#endif  // UTILS_LATMUS_OPTIONS_H
