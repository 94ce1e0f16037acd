// SPDX-License-Identifier: GPL-2.0
// Pulling threads: kicks towards in-band, cancellation, and the signals that carry reports. Any
// stage; the signals themselves leave from irq_work.
#include <evl/signal.h>

#include "sched/schedule.h"
#include "thread/hm.h"
#include "thread/thread.h"

namespace evl {
namespace {

// Linux's numbers on all architectures of ours.
constexpr int kSigTerm = 15;
constexpr int kSigXcpu = 24;  // SIGDEBUG.

}  // namespace

// The order against a thread that moves, all under its Rq's lock:
//
//     kick                        the thread
//     KICKED set, INBAND seen     is in-band, or will look at KICKED when it has arrived oob
//     KICKED set, no INBAND       sleeps: woken; in the core: sees it when it leaves, or before it
//                                 sleeps; in user mode: the mayday brings it in
void Thread::kick(InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept {
  ThreadGuard locked{*this, irqs_off};
  if (is_kernel()) {
    info_.set(reasons);
    unhold(locked, ThreadState::dormant | ThreadState::susp | ThreadState::halt, {});
    (void)end_sleep(locked, kSleeping, reasons | ThreadInfo::brk);
    return;
  }
  info_.set(reasons | ThreadInfo::kicked);
  if (state_.has(ThreadState::inband)) return;
  kapi_send_mayday(task_);
  unhold(locked, ThreadState::susp | ThreadState::halt | ThreadState::ptsync, {});
  (void)end_sleep(locked, kSleeping, ThreadInfo::brk);
  // Running elsewhere: an interrupt makes it pass by the test for maydays.
  Rq& rq = locked.rq();
  if (&rq.current() == this && rq.cpu() != this_cpu(irqs_off)) rq.mark_resched(locked);
}

void Thread::demote(const HardIrqsOff& irqs_off) noexcept {
  // Fails for a zombie, which has nothing left to lose.
  (void)set_params({.policy = PolicyId::weak, .prio = 0});
  kick({}, irqs_off);
}

void Thread::cancel(const HardIrqsOff& irqs_off) noexcept {
  {
    ThreadGuard locked{*this, irqs_off};
    if (info_.has(ThreadInfo::canceld) || state_.has(ThreadState::zombie)) return;
    kapi_trace(KAPI_EV_thread_cancel, name_, info_.word(), 0);
    // Before the mark: who sees that one waits until the signal has been sent. See test_cancel().
    signal_thread(*this, kSigTerm);
    info_.set(ThreadInfo::canceld);
    // A kernel thread has nowhere to go but the end of its body: no wait of it lasts from here on.
    if (is_kernel()) info_.set(ThreadInfo::kicked);
    unhold(locked, ThreadState::dormant, {});
  }
  if (is_user()) {
    demote(irqs_off);
  } else {
    Scheduler::unpark(*this, irqs_off);
    kick({}, irqs_off);
  }
}

void Thread::test_cancel(const InbandStage&) noexcept {
  if (!info_.has(ThreadInfo::canceld)) return;
  kapi_irq_work_sync(&signal_work_);  // Linux drops what is sent to a thread that has ended.
  kapi_exit_current();
}

// In-band, on the CPU the thread left.
void Thread::on_wake_work(kapi_irq_work* work) noexcept {
  Thread& thread = owner_of<Thread, &Thread::wake_work_>(*work);
  kapi_trace(KAPI_EV_inband_wakeup, thread.name_, kapi_task_pid(thread.task_), 0);
  kapi_wake_task(thread.task_);
}

// In-band. Bound: a bit per code, respectively per signal.
void Thread::on_signal_work(kapi_irq_work* work) noexcept {
  Thread& thread = owner_of<Thread, &Thread::signal_work_>(*work);
  for (u32 left = thread.pending_reports_.exchange(0); left != 0; left &= left - 1) {
    const auto code = static_cast<unsigned>(std::countr_zero(left));
    kapi_trace(KAPI_EV_inband_signal, thread.name_, kapi_task_pid(thread.task_), kSigXcpu);
    kapi_send_signal(thread.task_, kSigXcpu, static_cast<int>(sigdebug_marker | code));
  }
  for (u64 left = thread.pending_signals_.exchange(0); left != 0; left &= left - 1) {
    const int signo = std::countr_zero(left);
    kapi_trace(KAPI_EV_inband_signal, thread.name_, kapi_task_pid(thread.task_), signo);
    kapi_send_signal(thread.task_, signo, 0);
  }
}

void report(Thread& thread, HmCode code, u64) noexcept {
  if (!thread.is_user() || !thread.peek_state().has(ThreadState::hmsig)) return;
  (void)thread.pending_reports_.fetch_or(u32{1} << static_cast<unsigned>(code));
  (void)kapi_irq_work_queue(&thread.signal_work_);
}

void signal_thread(Thread& thread, int signo) noexcept {
  EVL_ASSERT(signo > 0 && signo < 64);
  if (!thread.is_user()) return;
  (void)thread.pending_signals_.fetch_or(u64{1} << static_cast<unsigned>(signo));
  (void)kapi_irq_work_queue(&thread.signal_work_);
}

}  // namespace evl
