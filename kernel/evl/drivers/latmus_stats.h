// SPDX-License-Identifier: GPL-2.0
// The figures of latmus: samples into windows, peaks and a histogram; and the search for the best
// gravity. Called by drivers/latmus.cc under the lock of a run; nothing here knows of threads.
#ifndef EVL_DRIVERS_LATMUS_STATS_H
#define EVL_DRIVERS_LATMUS_STATS_H

#include <evl/devices/latmus.h>

#include "base/time.h"

namespace evl {

// Answers to a periodic event, measured against the date when each was due.
//
//   LM1  ideal() is the date of the next answer that is expected: of the first one, plus one period
//        per answer and per overrun.
//   LM2  The window's record has min_lat <= sum_lat / samples <= max_lat while it has samples.
class LatencyMeter final {
 public:
  struct Setup {
    Duration period;
    u32 window;              // Samples per record, at least 1.
    u32 skipped;             // Samples before the first record.
    std::span<s32> cells{};  // Histogram: cell n counts |latency| in [n, n + 1) * cell_ns, and
    u32 cell_ns{1'000};      // the last one also what is above; at least 1.
  };
  explicit LatencyMeter(const Setup& setup) noexcept : setup_{setup} {}

  // Forgets the window; the first answer is due at `first`. Shots, and so answers, may be early by
  // `gravity`.
  void start(Date first, Duration gravity) noexcept;

  enum class Event : u8 {
    none,
    peak,         // A new maximum since construction.
    window,       // window() is complete: take it, then next_window().
    window_peak,  // Both.
  };
  /// An answer came at `when`. Cost: O(1).
  Event add(Date when) noexcept;

  [[nodiscard]] const latmus_measurement& window() const noexcept { return window_; }
  void next_window() noexcept;
  [[nodiscard]] Date ideal() const noexcept { return ideal_; }
  [[nodiscard]] s32 peak() const noexcept { return peak_; }
  [[nodiscard]] std::span<const s32> cells() const noexcept { return setup_.cells; }

  // Of the window, early answers counted as punctual.
  [[nodiscard]] s32 mean() const noexcept;
  // Standard deviation of the window. Latencies above 1 ms count as 1 ms.
  [[nodiscard]] s32 deviation() const noexcept;

 private:
  void account(s32 latency) noexcept;

  const Setup setup_;
  Date ideal_{};
  s64 early_limit_ns_{0};
  latmus_measurement window_{};
  u32 to_skip_{0};
  s32 peak_{0};
  // For mean() and deviation(): sum of non-negative latencies, and Welford's running mean and sum
  // of squared distances from it.
  s64 late_sum_{0};
  s64 running_mean_{0};
  s64 squares_{0};
};

// The search for a gravity. Ten steps without any show what the hardware needs at least; then each
// step raises it, up to that limit or until an answer comes early. Of the steps, the better half by
// mean is kept, of these by deviation, of these by minimum, and of these the smallest gravity.
class GravityTuner final {
 public:
  static constexpr unsigned kWarmUpSteps = 10;
  static constexpr unsigned kSteps = 40;
  static constexpr s32 kIncrement_ns = 500;

  // To be applied for the next step.
  [[nodiscard]] s32 gravity_ns() const noexcept { return gravity_ns_; }

  /// A step has ended. True: one more. EAGAIN: an answer was earlier than gravity explains.
  [[nodiscard]] Result<bool> take(s32 mean, s32 deviation, s32 min) noexcept;

  // Once take() said that it is over.
  [[nodiscard]] s32 best_ns() const noexcept;
  [[nodiscard]] unsigned steps() const noexcept { return nr_scores_; }

 private:
  struct Score {
    s32 mean;
    s32 deviation;
    s32 min;
    s32 gravity_ns;
  };
  std::array<Score, kSteps> scores_{};
  unsigned nr_scores_{0};
  unsigned warm_up_{0};
  s32 limit_ns_{0};
  s32 gravity_ns_{0};
};

}  // namespace evl

#endif  // EVL_DRIVERS_LATMUS_STATS_H
