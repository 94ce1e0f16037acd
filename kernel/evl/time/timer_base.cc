// SPDX-License-Identifier: GPL-2.0
// The base of one CPU: what its tick device is programmed for, and what happens when it fires.
// Entered from the tick and timer IPI upcalls, from Linux's proxy, and from Timer.
#include "kapi/clock.h"
#include "time/clock.h"
#include "time/timer.h"

namespace evl {
namespace {

MonoDate monotonic_now() noexcept {
  return MonoDate::from_ns(kapi_read_monotonic());
}

}  // namespace

MonoDate TimerBase::shot_date(const Timer& timer) noexcept {
  const Clock& clock = *timer.clock_;
  return clock.to_monotonic(timer.expiry()) - clock.gravity(timer.gravity_);
}

bool TimerBase::insert(Timer& timer) noexcept {
  return queue_.insert(timer, shot_date(timer));
}

// A tick that runs here programs the device at its end, whoever asks. A closed base has nobody to
// tell.
void TimerBase::insert_and_tell(Timer& timer, const HardIrqsOff& irqs_off) noexcept {
  if (!insert(timer) || in_tick_ || !is_open()) return;
  if (this_cpu(irqs_off) == cpu_) {
    program_next(irqs_off);
  } else {
    CpuSet there;
    there.add(cpu_);
    kapi_send_timer_ipi(there.raw());
  }
}

void TimerBase::remove(Timer& timer) noexcept {
  (void)queue_.remove(timer);
}

// A timer that is late is due after `now` next, so that it fires once, and the handlers of one tick
// end.
EVL_APART void TimerBase::catch_up(Timer& timer, MonoDate now) noexcept {
  const Clock& clock = *timer.clock_;
  const Duration elapsed = clock.from_monotonic(now) + clock.gravity(timer.gravity_) - timer.start_;
  const u64 next = elapsed > Duration{} ? static_cast<u64>(elapsed.whole(timer.interval_)) + 1 : 0;
  if (next > timer.periodic_ticks_) timer.periodic_ticks_ = next;
}

Timer* TimerBase::next_expired(Timer* done, MonoDate now) noexcept {
  // The handler may have armed, stopped or moved it; somebody else may have, too.
  if (done != nullptr && done->status_.has(TimerStatus::running) && !done->hook_.linked() &&
      &done->base() == this) {
    if (shot_date(*done) <= now) catch_up(*done, now);
    (void)insert(*done);
  }
  Timer* const timer = is_open() ? queue_.head() : nullptr;
  if (timer == nullptr || Timer::Queue::date(*timer) > now) return nullptr;
  remove(*timer);
  kapi_trace(KAPI_EV_timer_expire, timer->name_, timer->expiry().ns(), 0);
  timer->status_.set(TimerStatus::fired);
#ifdef CONFIG_EVL_RUNSTATS
  ++timer->fired_;
#endif
  if (timer->status_.has(TimerStatus::periodic))
    ++timer->periodic_ticks_;
  else
    timer->status_.clear(TimerStatus::running);
  return timer;
}

void TimerBase::tick(const OobStage&, const HardIrqsOff& irqs_off) noexcept {
  EVL_ASSERT(this_cpu(irqs_off) == cpu_);
  const MonoDate now = monotonic_now();
  HardLockGuard handlers{run_lock_, irqs_off};
  Timer* timer = nullptr;
  for (;;) {  // As many rounds as timers are due: see catch_up().
    {
      HardLockGuard guard{lock_, irqs_off};
      in_tick_ = true;
      timer = next_expired(timer, now);
      if (timer == nullptr) {
        if (inband_shot_ <= now) {
          inband_shot_ = MonoDate::forever();
          kapi_tick_notify_proxy();  // Played when the CPU is Linux's again.
        }
        in_tick_ = false;
        programmed_ = MonoDate::forever();
        program_next(irqs_off);
        return;
      }
    }
    timer->handler_(*timer, irqs_off);
  }
}

EVL_APART void TimerBase::program_next(const HardIrqsOff&) noexcept {
  if (in_tick_) return;
  MonoDate next = is_open() ? queue_.next_date() : MonoDate::forever();
  inband_deferred_ = oob_busy_ && !inband_shot_.is_forever();
  if (!oob_busy_ && inband_shot_ < next) next = inband_shot_;
  if (next == programmed_) return;
  programmed_ = next;
  if (next.is_forever()) {
    kapi_tick_stop();
    return;
  }
  kapi_tick_program(next.ns());
  if (!kapi_tracing()) return;
  kapi_trace_timer_shot(is_open() && queue_.next_date() == next ? queue_.head()->name() : "inband",
                        next.ns(), (next - monotonic_now()).ns());
}

// The device may be another one than before: what it is programmed for is not known.
void TimerBase::open(const HardIrqsOff& irqs_off) noexcept {
  HardLockGuard guard{lock_, irqs_off};
  open_.store_relaxed(true);
  if (this_cpu(irqs_off) != cpu_) return;
  programmed_ = MonoDate::forever();
  program_next(irqs_off);
}

void TimerBase::close(const HardIrqsOff& irqs_off) noexcept {
  HardLockGuard guard{lock_, irqs_off};
  open_.store_relaxed(false);
  if (this_cpu(irqs_off) == cpu_) program_next(irqs_off);
}

// A handler does not run here meanwhile: it would have this CPU. So an armed timer is queued.
bool TimerBase::evacuate_one(TimerBase& to, const HardIrqsOff& irqs_off) noexcept {
  HardLockPair guard{lock_, to.lock_, irqs_off};
  Timer* const timer =
      queue_.find([](const Timer& queued) { return queued.bond_ == Timer::Bond::free; });
  if (timer == nullptr) return false;
  remove(*timer);
  timer->base_.store_relaxed(&to);
  kapi_trace(KAPI_EV_timer_move, timer->name_, cpu_, to.cpu_);
  to.insert_and_tell(*timer, irqs_off);
  return true;
}

TimerBase* TimerBase::refuge(const Timer& timer, const HardIrqsOff& irqs_off) const noexcept {
  return is_open() || timer.bond_ == Timer::Bond::bound ? nullptr : open_timer_base(irqs_off);
}

// What was programmed before the last stop is forgotten: the same date would not be programmed
// again.
void TimerBase::device_is_taken(const InbandStage&) noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{lock_, irqs_off};
  programmed_ = inband_shot_ = MonoDate::forever();
  inband_deferred_ = oob_busy_ = false;
}

void TimerBase::set_inband_shot(MonoDate date, const HardIrqsOff& irqs_off) noexcept {
  EVL_ASSERT(this_cpu(irqs_off) == cpu_);
  inband_shot_ = date;
  HardLockGuard guard{lock_, irqs_off};
  program_next(irqs_off);
}

void TimerBase::root_takes_cpu(const HardIrqsOff& irqs_off) noexcept {
  oob_busy_ = false;
  if (!inband_deferred_) return;
  inband_deferred_ = false;
  if (inband_shot_ <= monotonic_now()) {
    inband_shot_ = MonoDate::forever();
    kapi_tick_notify_proxy();
    return;
  }
  HardLockGuard guard{lock_, irqs_off};
  program_next(irqs_off);
}

bool TimerBase::invariants_hold() noexcept {
  bool sound = queue_.invariants_hold();
  queue_.for_each([&](Timer& timer) {
    sound = sound && &timer.base() == this && timer.status_.has(TimerStatus::running) &&
            !timer.status_.has(TimerStatus::killed) &&
            timer.consumed_ticks_ <= timer.periodic_ticks_;
  });
  return sound;
}

}  // namespace evl
