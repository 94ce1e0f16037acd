// SPDX-License-Identifier: GPL-2.0
// Wait channels: linking, unlinking, and what a sleeper finds when it is back. The protocol is in
// the header.
#include "sync/wait.h"

#include "sync/mutex.h"
#include "sync/pi.h"
#include "thread/hm.h"

namespace evl {

WaitChannel::WaitChannel(const char* name, WaitOrder order) noexcept : order_{order}, name_{name} {}

WaitChannel::~WaitChannel() {
  PriorityChain::wait_for_walks();
}

Thread* WaitChannel::head() noexcept {
  return waiters_.empty() ? nullptr : &waiters_.front();
}

int WaitChannel::weight_of(Thread& thread, const HardIrqsOff& irqs_off) const noexcept {
  if (order_ == WaitOrder::fifo) return 0;
  HardLockGuard guard{thread.lock_, irqs_off};
  return thread.wprio();
}

void WaitChannel::enqueue(const OobStage& oob, Thread& self, Deadline deadline, const Clock& clock,
                          const HardIrqsOff& irqs_off) noexcept {
  if (mutex_ == nullptr && self.holds_mutex() && self.peek_state().has(ThreadState::woli))
    report(self, HmCode::lksleep);
  sleep(oob, self, deadline, clock, irqs_off);
  // After wchan_ is set: who changes the priority from here on finds it, and comes to requeue.
  waiters_.insert(self, weight_of(self, irqs_off));
}

void WaitChannel::sleep(const OobStage&, Thread& self, Deadline deadline, const Clock& clock,
                        const HardIrqsOff& irqs_off) noexcept {
  kapi_trace(KAPI_EV_wait, name_, kapi_task_pid(self.task()), 0);
  self.sleep_on(this, deadline.has_date() ? deadline.date() : Date::forever(), clock, irqs_off);
}

void WaitChannel::link(Thread& self, const HardIrqsOff& irqs_off) noexcept {
  {
    ThreadGuard guard{self, irqs_off};
    self.lock_.assert_held();
    self.wchan_ = this;
    self.info_.clear(kWakeReasons & ~InfoFlags{ThreadInfo::kicked});
  }
  waiters_.insert(self, weight_of(self, irqs_off));
}

void WaitChannel::unlink(Thread& waiter, const HardIrqsOff& irqs_off) noexcept {
  waiters_.remove(waiter);
  HardLockGuard guard{waiter.lock_, irqs_off};
  waiter.wchan_ = nullptr;
}

bool WaitChannel::is_linked(const Thread& thread) const noexcept {
  return thread.wchan_ == this;
}

namespace {

// Why the sleep ended, for a thread that nobody granted anything.
Status outcome_of(InfoFlags reasons) noexcept {
  if (reasons.has(ThreadInfo::rmid)) return Errno::idrm;
  if (reasons.has(ThreadInfo::nomem)) return Errno::nomem;
  if (reasons.has(ThreadInfo::timeo)) return Errno::timedout;
  return Errno::intr;
}

constexpr InfoFlags kAbnormal =
    ThreadInfo::timeo | ThreadInfo::rmid | ThreadInfo::brk | ThreadInfo::kicked | ThreadInfo::nomem;

}  // namespace

Status WaitChannel::finish(const OobStage& oob, Thread& self) noexcept {
  const InfoFlags reasons = self.wake_reasons();
  // With BREAK, it may be linked still.
  if (reasons.has(ThreadInfo::rmid) && !reasons.has(ThreadInfo::brk)) return Errno::idrm;
  if (!reasons.has(kAbnormal)) return kOk;
  return give_up(oob, self);
}

Status WaitChannel::give_up(const OobStage&, Thread& self) noexcept {
  PriorityChain chain;
  Status status = kOk;
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{lock_, irqs_off};
    if (is_linked(self)) {
      unlink(self, irqs_off);
      status = outcome_of(self.wake_reasons());
      if (mutex_ != nullptr) {
        mutex_->lock().assert_held();  // This one.
        mutex_->waiter_left(chain, irqs_off);
      }
    } else if (self.wake_reasons().has(ThreadInfo::rmid)) {
      status = Errno::idrm;  // flush() was faster.
    }
    kapi_trace(KAPI_EV_finish_wait, name_, kapi_task_pid(self.task()), code_of(status));
  }
  (void)chain.follow(nullptr);
  return status;
}

Thread* WaitChannel::wake_head(InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept {
  Thread* const first = head();
  if (first != nullptr) wake(*first, reasons, irqs_off);
  return first;
}

void WaitChannel::wake(Thread& waiter, InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept {
  kapi_trace(KAPI_EV_wake_up, name_, kapi_task_pid(waiter.task()), reasons.word());
  unlink(waiter, irqs_off);
  if (waiter.wake_up(ThreadState::pend, reasons, irqs_off) || !reasons.any()) return;
  // It was woken by something else, or links before it sleeps, and will come here: it must find
  // the reason, or it would sleep again on what is going away.
  ThreadGuard guard{waiter, irqs_off};
  waiter.info_.set(reasons);
}

unsigned WaitChannel::flush(InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept {
  unsigned woken = 0;
  // Bounded by the threads there are: nobody can join while the lock is held.
  while (wake_head(reasons, irqs_off) != nullptr) ++woken;
  kapi_trace(KAPI_EV_flush_wait, name_, woken, reasons.word());
  return woken;
}

bool WaitChannel::mark(Thread& waiter, InfoFlags flags, const HardIrqsOff& irqs_off) noexcept {
  if (!is_linked(waiter)) return false;
  ThreadGuard guard{waiter, irqs_off};
  waiter.info_.set(flags);
  return true;
}

void WaitChannel::unmark(Thread& self, InfoFlags flags) noexcept {
  if (!self.peek_info().has(flags)) return;
  HardIrqGuard irqs_off;
  ThreadGuard guard{self, irqs_off};
  self.info_.clear(flags);
}

unsigned WaitChannel::wake_marked(InfoFlags flags, const HardIrqsOff& irqs_off) noexcept {
  unsigned woken = 0;
  waiters_.for_each([&](Thread& waiter) {
    {
      ThreadGuard guard{waiter, irqs_off};
      if (!waiter.info_.has(flags)) return;
      waiter.info_.clear(flags);
    }
    lock_.assert_held();
    wake(waiter, {}, irqs_off);
    ++woken;
  });
  return woken;
}

void WaitChannel::requeue(Thread& waiter, const HardIrqsOff& irqs_off) noexcept {
  const int weight = weight_of(waiter, irqs_off);
  if (weight == Thread::WaitList::weight(waiter)) return;
  waiters_.remove(waiter);
  waiters_.insert(waiter, weight);
}

bool WaitChannel::invariants_hold() noexcept {
  bool hold = waiters_.invariants_hold();
  waiters_.for_each([&](Thread& waiter) { hold = hold && waiter.wchan_ == this; });
  return hold;
}

}  // namespace evl
