// SPDX-License-Identifier: GPL-2.0
// The two built-in clocks. Any stage, but for adjust() and stop_timers().
#include "time/clock.h"

#include "kapi/clock.h"
#include "sched/schedule.h"

namespace evl {
namespace {

constexpr Duration kMaxGravity = Duration::seconds(1);

// The distance of the wall clock from the monotonic one. Both are read one after the other: the
// result is too small by the time between, so that no timer of the wall clock is early. The
// smallest error of a few samples is taken.
s64 sample_offset() noexcept {
  s64 best = std::numeric_limits<s64>::min();
  for (int sample = 0; sample < 3; ++sample) {
    const s64 real = kapi_read_realtime();
    const s64 offset = detail::saturating_sub(real, kapi_read_monotonic());
    if (offset > best) best = offset;
  }
  return best;
}

}  // namespace

Clock::Clock(Kind kind, const char* name, const GravitySet& defaults) noexcept
    : offset_ns_{kind == Kind::realtime ? sample_offset() : 0},
      gravity_ns_{Atomic<s64>{defaults.irq.ns()}, Atomic<s64>{defaults.kernel.ns()},
                  Atomic<s64>{defaults.user.ns()}},
      kind_{kind},
      defaults_{defaults},
      name_{name} {
  kapi_trace(KAPI_EV_register_clock, name, 0, 0);
}

Date Clock::now() const noexcept {
  return from_monotonic(MonoDate::from_ns(kapi_read_monotonic()));
}

Duration Clock::resolution() const noexcept {
  return Duration::ns(kapi_clock_resolution());
}

MonoDate Clock::to_monotonic(Date date) const noexcept {
  if (date.is_forever()) return MonoDate::forever();
  return MonoDate::from_ns(detail::saturating_sub(date.ns(), offset_ns_.load_relaxed()));
}

Date Clock::from_monotonic(MonoDate date) const noexcept {
  if (date.is_forever()) return Date::forever();
  return Date::from_ns(detail::saturating_add(date.ns(), offset_ns_.load_relaxed()));
}

Duration Clock::gravity(Gravity target) const noexcept {
  return Duration::ns(gravity_ns_[static_cast<unsigned>(target)].load_relaxed());
}

GravitySet Clock::gravities() const noexcept {
  return {.irq = gravity(Gravity::irq),
          .kernel = gravity(Gravity::kernel),
          .user = gravity(Gravity::user)};
}

Status Clock::set_gravities(const GravitySet& gravities) noexcept {
  for (const Duration gravity : {gravities.irq, gravities.kernel, gravities.user})
    if (gravity < Duration{} || gravity > kMaxGravity) return Errno::inval;
  gravity_ns_[static_cast<unsigned>(Gravity::irq)].store_relaxed(gravities.irq.ns());
  gravity_ns_[static_cast<unsigned>(Gravity::kernel)].store_relaxed(gravities.kernel.ns());
  gravity_ns_[static_cast<unsigned>(Gravity::user)].store_relaxed(gravities.user.ns());
  return kOk;
}

void Clock::reset_gravities() noexcept {
  (void)set_gravities(defaults_);  // Checked when the kernel was configured.
}

// A periodic timer that the step has put more than an interval away starts anew from here: its
// owner waits for one interval, not for the step. Counts are kept.
void Clock::pull_back(Timer& timer, Date now) noexcept {
  if (!timer.status_.has_all(TimerStatus::periodic | TimerStatus::fired)) return;
  const Duration ahead = timer.expiry() - now;
  if (ahead <= timer.interval_) return;
  timer.start_ = timer.start_ - timer.interval_ * ahead.whole(timer.interval_);
}

void Clock::adjust(const HardIrqsOff& irqs_off) noexcept {
  if (kind_ == Kind::monotonic) return;
  offset_ns_.store_relaxed(sample_offset());
  const Date present = now();
  LoopBound bound{kMaxCpus};
  for (Cpu cpu = 0; cpu < kMaxCpus; ++cpu) {
    bound.step();
    if (!timer_bases().has(cpu)) continue;
    TimerBase& base = timer_bases().on(cpu);
    Timer::ShiftList shifted;
    HardLockGuard guard{base.lock_, irqs_off};
    // Twice as many rounds as this clock has timers here.
    base.queue_.for_each([&](Timer& timer) {
      if (timer.clock_ == this) shifted.push_back(timer);
    });
    while (!shifted.empty()) {
      Timer& timer = shifted.pop_front();
      base.remove(timer);
      pull_back(timer, present);
      base.insert_and_tell(timer, irqs_off);
    }
  }
}

void Clock::stop_timers(const InbandStage&) noexcept {
  for (Cpu cpu = 0; cpu < kMaxCpus; ++cpu) {
    if (!timer_bases().has(cpu)) continue;
    TimerBase& base = timer_bases().on(cpu);
    Timer::ShiftList stopped;
    HardIrqGuard irqs_off;
    HardLockGuard guard{base.lock_, irqs_off};
    base.queue_.for_each([&](Timer& timer) {
      if (timer.clock_ == this) stopped.push_back(timer);
    });
    while (!stopped.empty()) {
      Timer& timer = stopped.pop_front();
      base.remove(timer);
      timer.status_.clear(TimerStatus::running);
    }
  }
}

Status sleep_until(const OobStage&, const Clock& clock, Date date) noexcept {
  Thread& self = *current_thread();
  // Without channel and date a thread would wait for its period: the last date there is will do.
  const Date last = Date::from_ns(std::numeric_limits<s64>::max() - 1);
  {
    HardIrqGuard irqs_off;
    self.sleep_on(nullptr, date < last ? date : last, clock, irqs_off);
  }
  schedule();
  return self.wake_reasons().has(ThreadInfo::timeo) ? kOk : Status{Errno::intr};
}

}  // namespace evl
