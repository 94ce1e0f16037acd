// SPDX-License-Identifier: GPL-2.0
// The guards of a run queue and of a thread. Any stage, hard irqs off.
//
// Clang's analysis follows neither a lock that a member function takes for its object's life, nor
// one whose address is read under another lock: it is off here, and RqLocked stands in. Whoever
// uses what the lock guards says assert_held() first.
#include "sched/rq.h"

namespace evl {

RqGuard::RqGuard(Rq& rq, const HardIrqsOff& irqs_off) noexcept EVL_NO_THREAD_SAFETY_ANALYSIS
    : RqLocked{rq, irqs_off} {
  LockHandover::take(rq.lock_, irqs_off);
}

RqGuard::~RqGuard() EVL_NO_THREAD_SAFETY_ANALYSIS {
  LockHandover::release(rq().lock_, irqs_off());
}

// The thread's lock first: with it held, the thread keeps its Rq (T2).
ThreadGuard::ThreadGuard(Thread& thread,
                         const HardIrqsOff& irqs_off) noexcept EVL_NO_THREAD_SAFETY_ANALYSIS
    : RqLocked{(LockHandover::take(thread.lock_, irqs_off), thread.rq()), irqs_off},
      thread_{thread} {
  LockHandover::take(rq().lock_, irqs_off);
}

ThreadGuard::~ThreadGuard() EVL_NO_THREAD_SAFETY_ANALYSIS {
  LockHandover::release(rq().lock_, irqs_off());
  LockHandover::release(thread_.lock_, irqs_off());
}

MigrationGuard::MigrationGuard(Thread& thread, Rq& target,
                               const HardIrqsOff& irqs_off) noexcept EVL_NO_THREAD_SAFETY_ANALYSIS
    : RqLocked{(LockHandover::take(thread.lock_, irqs_off), thread.rq()), irqs_off},
      thread_{thread},
      target_{target} {
  LockHandover::take_pair(rq().lock_, target.lock_, irqs_off);
}

MigrationGuard::~MigrationGuard() EVL_NO_THREAD_SAFETY_ANALYSIS {
  LockHandover::release(rq().lock_, irqs_off());
  if (&rq() != &target_) LockHandover::release(target_.lock_, irqs_off());
  LockHandover::release(thread_.lock_, irqs_off());
}

}  // namespace evl
