// SPDX-License-Identifier: GPL-2.0
// Clocks: monotonic, which the hardware follows, and those at an offset from it. Reading: any
// stage, wait-free.
#ifndef EVL_TIME_CLOCK_H
#define EVL_TIME_CLOCK_H

#include <evl/clock-abi.h>

#include "base/atomic.h"
#include "time/timer.h"

namespace evl {

// In ns, per kind of target; 0 to 1 s.
struct GravitySet {
  Duration irq{};
  Duration kernel{};
  Duration user{};
};

// Invariants:
//   CL1  date = monotonic date + offset; the monotonic clock's offset is 0 for ever.
//   CL2  After adjust(), every armed timer of the clock is queued by the new offset; a periodic one
//        that fell behind fires once, the ticks it lost are overruns.
// Gravities are words of their own, read relaxed: a timer takes what it finds when it is armed.
class Clock final : Immovable {
 public:
  enum class Kind : u8 { monotonic, realtime };
  Clock(Kind kind, const char* name, const GravitySet& defaults) noexcept;

  [[nodiscard]] Date now() const noexcept;
  [[nodiscard]] Duration resolution() const noexcept;
  [[nodiscard]] MonoDate to_monotonic(Date date) const noexcept;  // Forever stays forever.
  [[nodiscard]] Date from_monotonic(MonoDate date) const noexcept;

  [[nodiscard]] Duration gravity(Gravity target) const noexcept;
  [[nodiscard]] GravitySet gravities() const noexcept;
  // EINVAL: negative, or above 1 s.
  [[nodiscard]] Status set_gravities(const GravitySet& gravities) noexcept;
  void reset_gravities() noexcept;
  // Of a timer of that kind: below it, a CPU would be in its tick for ever.
  [[nodiscard]] Duration shortest_period(Gravity target) const noexcept {
    const Duration least = Duration::us(1);
    return gravity(target) > least ? gravity(target) : least;
  }

  // The wall clock was stepped: re-reads the offset, requeues this clock's timers on each base.
  // Stage: inband, irqs off (upcall). Cost: O(n log n) per base with irqs off; n: its timers.
  void adjust(const HardIrqsOff& irqs_off) noexcept;

  // Deactivates all timers of this clock; core stop. Stage: inband.
  void stop_timers(const InbandStage& inband) noexcept;

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] const char* name() const noexcept { return name_; }

 private:
  static void pull_back(Timer& timer, Date now) noexcept;

  Atomic<s64> offset_ns_;
  Atomic<s64> gravity_ns_[3];
  const Kind kind_;
  const GravitySet defaults_;
  const char* const name_;
};

// Sleeps until `date` on `clock`; a date in the past returns at once. EINTR: broken by a signal or
// evl_unblock; the request is restarted by the library.
[[nodiscard]] Status sleep_until(const OobStage& oob, const Clock& clock, Date date) noexcept;

}  // namespace evl

#endif  // EVL_TIME_CLOCK_H
