// SPDX-License-Identifier: GPL-2.0
// Timers seen from their owners: arming, stopping, moving, counting overruns. What fires them is in
// time/timer_base.cc.
#include "time/timer.h"

#include "kapi/clock.h"
#include "time/clock.h"

namespace evl {

Timer::Timer(const Clock& clock, TimerBase& base, Gravity gravity, Handler handler,
             const char* name, Bond bond) noexcept
    : gravity_{gravity},
      base_{&base},
      bond_{bond},
      handler_{handler},
      clock_{&clock},
      name_{name} {}

Timer::~Timer() {
  EVL_ASSERT(!hook_.linked());
}

// A round more than one means that the owner moved the timer meanwhile (TM4).
template <typename Work>
void Timer::with_base(const HardIrqsOff& irqs_off, Work&& work) const noexcept {
  for (;;) {
    TimerBase& base = this->base();
    HardLockGuard guard{base.lock_, irqs_off};
    if (&base != &this->base()) continue;
    work(base);
    return;
  }
}

Date Timer::expiry() const noexcept {
  return start_ + interval_ * static_cast<s64>(periodic_ticks_);
}

EVL_APART void Timer::start(Date first, Duration interval) noexcept {
  EVL_ASSERT(interval >= Duration{});
  HardIrqGuard irqs_off;
  TimerBase* refuge = nullptr;
  const auto arm = [&](TimerBase& base) {
    base.lock_.assert_held();
    refuge = base.refuge(*this, irqs_off);
    if (refuge != nullptr) return;
    if (hook_.linked()) base.remove(*this);
    status_.clear(TimerStatus::running | TimerStatus::fired | TimerStatus::periodic);
    if (status_.has(TimerStatus::killed) || first.is_forever()) return;
    start_ = first;
    interval_ = interval;
    periodic_ticks_ = consumed_ticks_ = 0;
    status_.set(TimerStatus::running);
    if (!interval.is_zero()) status_.set(TimerStatus::periodic);
#ifdef CONFIG_EVL_RUNSTATS
    ++scheduled_;
#endif
    kapi_trace(KAPI_EV_timer_start, name_, first.ns(), interval.ns());
    base.insert_and_tell(*this, irqs_off);
  };
  with_base(irqs_off, arm);
  while (refuge != nullptr) {  // A round for each CPU that closes right now.
    move_to(*refuge, irqs_off);
    with_base(irqs_off, arm);
  }
}

void Timer::stop() noexcept {
  HardIrqGuard irqs_off;
  with_base(irqs_off, [&](TimerBase& base) {
    base.lock_.assert_held();
    if (!status_.has(TimerStatus::running)) return;
    kapi_trace(KAPI_EV_timer_stop, name_, expiry().ns(), 0);
    if (hook_.linked()) base.remove(*this);
    status_.clear(TimerStatus::running);
  });
}

void Timer::destroy(const InbandStage&) noexcept {
  stop();
  HardIrqGuard irqs_off;
  with_base(irqs_off, [&](TimerBase& base) {
    base.lock_.assert_held();
    EVL_ASSERT(!hook_.linked());
    status_ = TimerStatus::killed;
  });
  // Its handler may have been called on a base it has left since: wait for all of them.
  LoopBound bound{kMaxCpus};
  for (Cpu cpu = 0; cpu < kMaxCpus; ++cpu) {
    bound.step();
    if (!timer_bases().has(cpu)) continue;
    HardLockGuard handlers{timer_bases().on(cpu).run_lock_, irqs_off};
  }
}

EVL_APART void Timer::move_to(TimerBase& to, const HardIrqsOff& irqs_off) noexcept {
  for (;;) {  // As with_base().
    TimerBase& from = base();
    if (&from == &to) return;
    HardLockPair guard{from.lock_, to.lock_, irqs_off};
    if (&from != &base()) continue;
    if (hook_.linked()) from.remove(*this);
    base_.store_relaxed(&to);
    kapi_trace(KAPI_EV_timer_move, name_, from.cpu_, to.cpu_);
    // Armed and not queued: periodic, and in its handler on the old base, which finds it gone.
    if (status_.has(TimerStatus::running)) to.insert_and_tell(*this, irqs_off);
    return;
  }
}

void Timer::set_gravity(Gravity gravity) noexcept {
  HardIrqGuard irqs_off;
  with_base(irqs_off, [&](TimerBase&) { gravity_ = gravity; });
}

Date Timer::date() const noexcept {
  HardIrqGuard irqs_off;
  Date found = Date::forever();
  with_base(irqs_off, [&](TimerBase&) {
    if (status_.has(TimerStatus::running)) found = expiry();
  });
  return found;
}

Duration Timer::remaining() const noexcept {
  const Date next = date();
  if (next.is_forever()) return Duration{};
  const Duration left = next - clock_->now();
  return left > Duration{} ? left : Duration::ns(1);
}

u64 Timer::take_overruns(Date now) noexcept {
  HardIrqGuard irqs_off;
  u64 missed = 0;
  with_base(irqs_off, [&](TimerBase& base) {
    base.lock_.assert_held();
    if (!status_.has(TimerStatus::periodic)) return;
    const Date expected = start_ + interval_ * static_cast<s64>(consumed_ticks_);
    const Duration late = now - expected;
    if (late >= interval_) missed = static_cast<u64>(late.whole(interval_));
    consumed_ticks_ += missed + 1;
    if (consumed_ticks_ <= periodic_ticks_) return;
    // Ticks that are due and have not fired yet are counted already: they must not fire (TM3).
    const bool queued = hook_.linked();
    if (queued) base.remove(*this);
    periodic_ticks_ = consumed_ticks_;
    if (queued) base.insert_and_tell(*this, irqs_off);
  });
  return missed;
}

}  // namespace evl
