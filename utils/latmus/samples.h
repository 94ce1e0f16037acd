// SPDX-License-Identifier: MIT
// Samples of a run: the records of one second each, their sum, the histogram, and the rule which
// makes a latency out of a time stamp. Times are nanoseconds; a latency below zero is an early
// shot.
#ifndef UTILS_LATMUS_SAMPLES_H
#define UTILS_LATMUS_SAMPLES_H

#include <evl/devices/latmus.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace utils::latmus {

using Record = latmus_measurement;

/// Of no sample: any sample replaces its minimum and maximum.
[[nodiscard]] Record empty_record();

// Counts of latencies by size. Cell n counts absolute values in [n * cell_ns, (n + 1) * cell_ns);
// the last cell also counts everything above.
class Histogram final {
 public:
  Histogram(uint32_t cells, uint32_t cell_ns) : cell_ns_{cell_ns}, counts_(cells) {}

  // No allocation: real-time threads call it.
  void add(int64_t latency_ns) {
    const auto size = static_cast<uint64_t>(latency_ns < 0 ? -latency_ns : latency_ns);
    const uint64_t cell = size / cell_ns_;
    ++counts_[cell < counts_.size() ? cell : counts_.size() - 1];
  }
  /// Takes over what the driver counted; there are as many cells as here.
  void assign(std::span<const int32_t> counts);

  [[nodiscard]] uint32_t cell_ns() const { return cell_ns_; }
  [[nodiscard]] uint32_t cells() const { return static_cast<uint32_t>(counts_.size()); }
  [[nodiscard]] uint64_t count(uint32_t cell) const { return counts_[cell]; }
  [[nodiscard]] uint64_t total() const;
  /// The first and the last cell that is not empty; nothing without samples.
  [[nodiscard]] std::optional<uint32_t> first() const;
  [[nodiscard]] std::optional<uint32_t> last() const;
  /// Did the last cell take values that lie above it?
  [[nodiscard]] bool overflowed(int64_t max_ns) const;
  /// The least upper edge of a cell below which a share (0 to 1) of the samples lies; at most
  /// max_ns, and max_ns if it is in the last cell. Zero without samples.
  [[nodiscard]] int64_t quantile_ns(double share, int64_t max_ns) const;

 private:
  uint32_t cell_ns_;
  std::vector<uint64_t> counts_;
};

// All records of a run, added up.
class Summary final {
 public:
  void add(const Record& record);

  [[nodiscard]] bool empty() const { return samples_ == 0; }
  [[nodiscard]] int64_t samples() const { return samples_; }
  [[nodiscard]] int64_t overruns() const { return overruns_; }
  [[nodiscard]] int32_t min_ns() const { return min_ns_; }
  [[nodiscard]] int32_t max_ns() const { return max_ns_; }
  [[nodiscard]] double avg_ns() const;
  /// The second of the run, from 1, in which the maximum was seen.
  [[nodiscard]] int64_t peak_second() const { return peak_; }

 private:
  int64_t samples_{0};
  int64_t overruns_{0};
  int64_t sum_ns_{0};
  int64_t records_{0};
  int64_t peak_{0};
  int32_t min_ns_{INT32_MAX};
  int32_t max_ns_{INT32_MIN};
};

/// Is the minimum at most the average, and that at most the maximum?
[[nodiscard]] bool consistent(const Record& record);

// The driver's rule, for the contexts which are measured without it. The first second of samples
// warms up and is not counted. sample() does not allocate: real-time threads call it.
class ResponseMeter final {
 public:
  ResponseMeter(int64_t period_ns, int64_t first_date_ns, Histogram* histogram);

  /// The date the next answer is due, on the clock of the time stamps.
  [[nodiscard]] int64_t ideal_ns() const { return ideal_ns_; }
  /// Takes the time of an answer; returns a record once a second. The latency stays readable.
  std::optional<Record> sample(int64_t timestamp_ns);
  [[nodiscard]] int64_t last_latency_ns() const { return last_ns_; }
  [[nodiscard]] bool warming_up() const { return to_skip_ > 0; }
  /// What was counted since the last record.
  [[nodiscard]] const Record& partial() const { return record_; }

 private:
  const int64_t period_ns_;
  const uint32_t per_record_;
  uint32_t to_skip_;
  int64_t ideal_ns_;
  int64_t last_ns_{0};
  Record record_;
  Histogram* histogram_;
};

}  // namespace utils::latmus

#endif  // UTILS_LATMUS_SAMPLES_H
