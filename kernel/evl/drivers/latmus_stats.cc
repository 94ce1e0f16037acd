// SPDX-License-Identifier: GPL-2.0
#include "drivers/latmus_stats.h"

namespace evl {

namespace {

constexpr s32 kLatencyMax = std::numeric_limits<s32>::max();
constexpr s64 kDeviationLimit_ns = 1'000'000;
// Between the reading of the clock by the tick and the shot that it asks for.
constexpr s64 kClockSlack_ns = 1'000;

constexpr s32 clamp_latency(s64 ns) noexcept {
  if (ns > kLatencyMax) return kLatencyMax;
  return ns < -kLatencyMax ? -kLatencyMax : static_cast<s32>(ns);
}

// Largest integer whose square is not above `value`. 32 rounds.
constexpr s64 square_root(s64 value) noexcept {
  s64 root = 0;
  for (s64 bit = s64{1} << 31; bit != 0; bit >>= 1) {
    const s64 next = root | bit;
    if (next <= value / next) root = next;
  }
  return root;
}

}  // namespace

void LatencyMeter::start(Date first, Duration gravity) noexcept {
  ideal_ = first;
  early_limit_ns_ = gravity.ns() + kClockSlack_ns;
  to_skip_ = setup_.skipped;
  next_window();
}

void LatencyMeter::next_window() noexcept {
  window_ = {};
  window_.min_lat = kLatencyMax;
  window_.max_lat = -kLatencyMax;
  late_sum_ = running_mean_ = squares_ = 0;
}

void LatencyMeter::account(s32 latency) noexcept {
  if (latency < window_.min_lat) window_.min_lat = latency;
  if (latency > window_.max_lat) window_.max_lat = latency;
  window_.sum_lat += latency;
  ++window_.samples;
  if (latency > 0) late_sum_ += latency;

  const s64 value = latency > kDeviationLimit_ns ? kDeviationLimit_ns : latency;
  const s64 distance = value - running_mean_;
  running_mean_ += distance / window_.samples;
  squares_ = detail::saturating_add(squares_, distance * (value - running_mean_));

  if (setup_.cells.empty()) return;
  const auto cell = static_cast<size_t>(latency < 0 ? -latency : latency) / setup_.cell_ns;
  ++setup_.cells[cell < setup_.cells.size() ? cell : setup_.cells.size() - 1];
}

// An answer that took longer than a period stands for the shots that went by meanwhile. When one of
// these is answered all the same, its answer seems to be earlier than gravity explains: the date
// goes back, and what was counted as an overrun was none.
LatencyMeter::Event LatencyMeter::add(Date when) noexcept {
  const s64 period_ns = setup_.period.ns();
  const s64 early_ns = (ideal_ - when).ns();
  if (early_ns > early_limit_ns_) {
    const s64 served = (early_ns + period_ns - 1) / period_ns;
    ideal_ = ideal_ - setup_.period * served;
    window_.overruns -= served < window_.overruns ? static_cast<u32>(served) : window_.overruns;
  }
  const s64 late_ns = (when - ideal_).ns();
  const s64 missed = late_ns > period_ns ? (late_ns - 1) / period_ns : 0;
  ideal_ = ideal_ + setup_.period * (missed + 1);
  if (to_skip_ > 0) {
    --to_skip_;
    return Event::none;
  }

  const s32 latency = clamp_latency(late_ns);
  account(latency);
  window_.overruns += static_cast<u32>(missed);
  const bool peak = latency > peak_;
  if (peak) peak_ = latency;
  if (window_.samples < setup_.window) return peak ? Event::peak : Event::none;
  return peak ? Event::window_peak : Event::window;
}

s32 LatencyMeter::mean() const noexcept {
  return window_.samples == 0 ? 0 : static_cast<s32>(late_sum_ / window_.samples);
}

s32 LatencyMeter::deviation() const noexcept {
  if (window_.samples < 2) return 0;
  return static_cast<s32>(square_root(squares_ / (window_.samples - 1)));
}

Result<bool> GravityTuner::take(s32 mean, s32 deviation, s32 min) noexcept {
  if (warm_up_ < kWarmUpSteps) {
    ++warm_up_;
    if (min > limit_ns_) limit_ns_ = min;
    return true;
  }
  if (min < 0) {
    if (gravity_ns_ < -static_cast<s64>(min) || nr_scores_ == 0) return Errno::again;
    return false;
  }
  scores_[nr_scores_++] = {mean, deviation, min, gravity_ns_};
  gravity_ns_ += kIncrement_ns;
  return gravity_ns_ <= limit_ns_ && nr_scores_ < kSteps;
}

s32 GravityTuner::best_ns() const noexcept {
  std::array<Score, kSteps> kept = scores_;
  unsigned count = nr_scores_;
  // Insertion sorts of at most kSteps scores, stable; then the better half stays.
  const auto keep_half = [&](s32 Score::*by) {
    for (unsigned i = 1; i < count; ++i) {
      for (unsigned j = i; j > 0 && kept[j].*by < kept[j - 1].*by; --j)
        std::swap(kept[j], kept[j - 1]);
    }
    count = (count + 1) / 2;
  };
  if (count == 0) return 0;
  keep_half(&Score::mean);
  keep_half(&Score::deviation);
  keep_half(&Score::min);
  s32 best = kept[0].gravity_ns;
  for (unsigned i = 1; i < count; ++i) {
    if (kept[i].gravity_ns < best) best = kept[i].gravity_ns;
  }
  return best;
}

}  // namespace evl
