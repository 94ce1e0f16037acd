// SPDX-License-Identifier: MIT

#include "latmus/samples.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace utils::latmus {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

int32_t clamp_latency(int64_t latency_ns) {
  return static_cast<int32_t>(
      std::clamp(latency_ns, int64_t{INT32_MIN} + 1, int64_t{INT32_MAX} - 1));
}

}  // namespace

Record empty_record() {
  return {.sum_lat = 0, .min_lat = INT32_MAX, .max_lat = INT32_MIN, .overruns = 0, .samples = 0};
}

void Histogram::assign(std::span<const int32_t> counts) {
  const size_t cells = std::min(counts.size(), counts_.size());
  for (size_t cell = 0; cell < cells; ++cell) {
    counts_[cell] = static_cast<uint32_t>(counts[cell]);
  }
}

uint64_t Histogram::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), uint64_t{0});
}

std::optional<uint32_t> Histogram::first() const {
  for (uint32_t cell = 0; cell < cells(); ++cell) {
    if (counts_[cell] != 0) return cell;
  }
  return std::nullopt;
}

std::optional<uint32_t> Histogram::last() const {
  for (uint32_t cell = cells(); cell > 0; --cell) {
    if (counts_[cell - 1] != 0) return cell - 1;
  }
  return std::nullopt;
}

bool Histogram::overflowed(int64_t max_ns) const {
  return !counts_.empty() && counts_.back() != 0 && max_ns >= int64_t{cells()} * cell_ns_;
}

int64_t Histogram::quantile_ns(double share, int64_t max_ns) const {
  const uint64_t all = total();
  if (all == 0) return 0;
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(all)));
  uint64_t below = 0;
  for (uint32_t cell = 0; cell + 1 < cells(); ++cell) {
    below += counts_[cell];
    if (below >= wanted) return std::min(int64_t{cell + 1} * cell_ns_, max_ns);
  }
  return max_ns;
}

void Summary::add(const Record& record) {
  ++records_;
  overruns_ += record.overruns;
  if (record.samples == 0) return;
  samples_ += record.samples;
  sum_ns_ += record.sum_lat;
  min_ns_ = std::min(min_ns_, record.min_lat);
  if (record.max_lat > max_ns_) {
    max_ns_ = record.max_lat;
    peak_ = records_;
  }
}

double Summary::avg_ns() const {
  return samples_ == 0 ? 0 : static_cast<double>(sum_ns_) / static_cast<double>(samples_);
}

bool consistent(const Record& record) {
  if (record.samples == 0) return true;
  const int64_t samples = record.samples;
  return record.min_lat * samples <= record.sum_lat && record.sum_lat <= record.max_lat * samples;
}

ResponseMeter::ResponseMeter(int64_t period_ns, int64_t first_date_ns, Histogram* histogram)
    : period_ns_{period_ns},
      per_record_{static_cast<uint32_t>(std::max(kSecond / period_ns, int64_t{1}))},
      to_skip_{per_record_},
      ideal_ns_{first_date_ns},
      record_{empty_record()},
      histogram_{histogram} {}

std::optional<Record> ResponseMeter::sample(int64_t timestamp_ns) {
  const int64_t latency = timestamp_ns - ideal_ns_;
  last_ns_ = latency;
  // Periods which are over by now are lost: there is no answer to them.
  const int64_t lost = latency > period_ns_ ? (latency - 1) / period_ns_ : 0;
  ideal_ns_ += (1 + lost) * period_ns_;
  if (to_skip_ > 0) {
    --to_skip_;
    return std::nullopt;
  }
  record_.overruns += static_cast<uint32_t>(lost);
  record_.sum_lat += latency;
  record_.min_lat = std::min(record_.min_lat, clamp_latency(latency));
  record_.max_lat = std::max(record_.max_lat, clamp_latency(latency));
  histogram_->add(latency);
  if (++record_.samples < per_record_) return std::nullopt;
  const Record full = record_;
  record_ = empty_record();
  return full;
}

}  // namespace utils::latmus
