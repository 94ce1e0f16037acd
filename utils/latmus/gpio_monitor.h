// SPDX-License-Identifier: MIT
// The protocol of the latency monitor: a board which raises a line and measures how long the answer
// on another line takes. TCP; every field has 32 bits, the most significant byte first.
#ifndef UTILS_LATMUS_GPIO_MONITOR_H
#define UTILS_LATMUS_GPIO_MONITOR_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "latmus/samples.h"

namespace utils::latmus {

inline constexpr uint16_t kMonitorPort = 2306;
inline constexpr size_t kMonitorRequestBytes = 8;
inline constexpr size_t kMonitorRecordBytes = 24;

/// Period in us, and cells of the histogram. A period of 0 ends the measurement.
[[nodiscard]] std::array<std::byte, kMonitorRequestBytes> monitor_request(uint32_t period_us,
                                                                          uint32_t cells);

/// sum high, sum low, min, max, overruns, samples; times in ns. A record of zeros ends the list.
[[nodiscard]] Record monitor_record(std::span<const std::byte, kMonitorRecordBytes> bytes);
[[nodiscard]] bool ends_records(const Record& record);

/// Four bytes per cell.
[[nodiscard]] std::vector<int32_t> monitor_cells(std::span<const std::byte> bytes);

struct MonitorAddress {
  std::string host;
  uint16_t port{kMonitorPort};

  /// "host", "host:port", "[v6]:port".
  [[nodiscard]] static std::optional<MonitorAddress> parse(std::string_view text);
};

}  // namespace utils::latmus

#endif  // UTILS_LATMUS_GPIO_MONITOR_H
