// SPDX-License-Identifier: GPL-2.0
// Sleeping, waking, holding: what changes whether a thread can run. Any stage, hard irqs off; none
// of it switches.
#include "file/oob_file.h"
#include "sched/schedule.h"
#include "thread/thread.h"
#include "time/clock.h"

namespace evl {

bool Thread::is_doomed() const noexcept {
  for (const OobFile* const file : serving_)
    if (file != nullptr && file->closing()) return true;
  return false;
}

void Thread::sleep_on(WaitChannel* channel, Date date, const Clock& clock,
                      const HardIrqsOff& irqs_off) noexcept {
  ThreadGuard locked{*this, irqs_off};
  EVL_ASSERT(&locked.rq().current() == this && !is_root() && !state_.has(kSleeping));
  kapi_trace(KAPI_EV_sleep_on, name_, date.ns(), channel != nullptr);
  if (channel != nullptr) wchan_ = channel;
  const bool kicked = info_.has(ThreadInfo::kicked);
  info_.clear(kWakeReasons);
  if (kicked) {
    info_.set(ThreadInfo::kicked | ThreadInfo::brk);
    return;
  }
  if (channel != nullptr && is_doomed()) {
    info_.set(ThreadInfo::rmid | ThreadInfo::brk);
    return;
  }
  if (!date.is_forever()) {
    if (date <= clock.now()) {
      info_.set(ThreadInfo::timeo);
      return;
    }
    // Idle, and its handler is over: it ran on this CPU, before the thread did.
    resource_timer_.set_clock(clock);
    resource_timer_.move_to(locked.rq().timers(), irqs_off);
    resource_timer_.start(date, {});
    state_.set(ThreadState::delay);
  }
  if (channel != nullptr) state_.set(ThreadState::pend);
  if (channel == nullptr && date.is_forever()) state_.set(ThreadState::wait);
  Scheduler::make_unready(locked, *this);
}

// A timed wait on a channel is one sleep: its timer ends with it, and it with its timer.
bool Thread::end_sleep(const RqLocked& locked, StateFlags mask, InfoFlags reasons) noexcept {
  if (mask.has(ThreadState::pend)) mask.set(ThreadState::delay);
  if (!state_.has(mask)) return false;
  if (state_.has(ThreadState::delay) && mask.has(ThreadState::delay)) resource_timer_.stop();
  state_.clear(mask);
  info_.set(reasons);
  if (this_cpu(locked.irqs_off()) != locked.rq().cpu()) stats_.remote_wakeups.add();
  if (!state_.has(kBlocked)) Scheduler::make_ready(locked, *this);
  return true;
}

bool Thread::wake_up(StateFlags mask, InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept {
  EVL_ASSERT((mask & ~kSleeping).word() == 0);
  ThreadGuard locked{*this, irqs_off};
  kapi_trace(KAPI_EV_wakeup_thread, name_, mask.word(), reasons.word());
  return end_sleep(locked, mask, reasons);
}

// The timer of the present sleep: one that was stopped too late to keep its handler from running
// does no harm, since the thread cannot have started another sleep on this CPU meanwhile.
void Thread::on_timeout(Timer& timer, const HardIrqsOff& irqs_off) noexcept {
  Thread& thread = owner_of<Thread, &Thread::resource_timer_>(timer);
  (void)thread.wake_up(ThreadState::pend | ThreadState::delay, ThreadInfo::timeo, irqs_off);
}

void Thread::on_period(Timer& timer, const HardIrqsOff& irqs_off) noexcept {
  Thread& thread = owner_of<Thread, &Thread::period_timer_>(timer);
  (void)thread.wake_up(ThreadState::wait, ThreadInfo::timeo, irqs_off);
}

void Thread::hold(StateFlags mask, const HardIrqsOff& irqs_off) noexcept {
  EVL_ASSERT(!mask.has(kSleeping) && (mask & ~kBlocked).word() == 0);
  ThreadGuard locked{*this, irqs_off};
  kapi_trace(KAPI_EV_hold_thread, name_, mask.word(), 0);
  const bool ran = !state_.has(kBlocked);
  state_.set(mask);
  if (ran) Scheduler::make_unready(locked, *this);
}

void Thread::unhold(const RqLocked& locked, StateFlags mask, InfoFlags reasons) noexcept {
  if (!state_.has(mask)) return;
  state_.clear(mask);
  info_.set(reasons);
  if (!state_.has(kBlocked)) Scheduler::make_ready(locked, *this);
}

void Thread::release(StateFlags mask, InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept {
  EVL_ASSERT(!mask.has(kSleeping) && (mask & ~kBlocked).word() == 0);
  ThreadGuard locked{*this, irqs_off};
  kapi_trace(KAPI_EV_release_thread, name_, mask.word(), reasons.word());
  unhold(locked, mask, reasons);
}

void Thread::unblock(InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept {
  kapi_trace(KAPI_EV_unblock_thread, name_, reasons.word(), 0);
  (void)wake_up(kSleeping, reasons | ThreadInfo::brk, irqs_off);
}

}  // namespace evl
