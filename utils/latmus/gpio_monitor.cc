// SPDX-License-Identifier: MIT

#include "latmus/gpio_monitor.h"

#include "common/text.h"

namespace utils::latmus {
namespace {

uint32_t take_word(std::span<const std::byte> bytes, size_t word) {
  uint32_t value = 0;
  for (size_t at = 0; at < 4; ++at) {
    value = value << 8 | std::to_integer<uint32_t>(bytes[word * 4 + at]);
  }
  return value;
}

void put_word(std::span<std::byte> bytes, size_t word, uint32_t value) {
  for (size_t at = 0; at < 4; ++at) bytes[word * 4 + at] = std::byte(value >> (24 - 8 * at));
}

}  // namespace

std::array<std::byte, kMonitorRequestBytes> monitor_request(uint32_t period_us, uint32_t cells) {
  std::array<std::byte, kMonitorRequestBytes> bytes{};
  put_word(bytes, 0, period_us);
  put_word(bytes, 1, cells);
  return bytes;
}

Record monitor_record(std::span<const std::byte, kMonitorRecordBytes> bytes) {
  const uint64_t sum = uint64_t{take_word(bytes, 0)} << 32 | take_word(bytes, 1);
  return {.sum_lat = static_cast<int64_t>(sum),
          .min_lat = static_cast<int32_t>(take_word(bytes, 2)),
          .max_lat = static_cast<int32_t>(take_word(bytes, 3)),
          .overruns = take_word(bytes, 4),
          .samples = take_word(bytes, 5)};
}

bool ends_records(const Record& record) {
  return record.sum_lat == 0 && record.min_lat == 0 && record.max_lat == 0 &&
         record.overruns == 0 && record.samples == 0;
}

std::vector<int32_t> monitor_cells(std::span<const std::byte> bytes) {
  std::vector<int32_t> cells(bytes.size() / 4);
  for (size_t cell = 0; cell < cells.size(); ++cell) {
    cells[cell] = static_cast<int32_t>(take_word(bytes, cell));
  }
  return cells;
}

std::optional<MonitorAddress> MonitorAddress::parse(std::string_view text) {
  MonitorAddress address;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    address.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
  } else {
    address.host = text.substr(0, text.find(':'));
    text.remove_prefix(address.host.size());
  }
  if (address.host.empty()) return std::nullopt;
  if (text.empty()) return address;
  const auto port = text.starts_with(':') ? to_integer(text.substr(1), 1, 65535) : std::nullopt;
  if (!port) return std::nullopt;
  address.port = static_cast<uint16_t>(*port);
  return address;
}

}  // namespace utils::latmus
