// SPDX-License-Identifier: GPL-2.0
// Picking and switching. The rules are in sched/schedule.h; who calls what, in columns, is in
// Documentation/core/architecture.md.
#include "sched/schedule.h"

#include "kapi/clock.h"
#include "sched/policy.h"
#include "sched/watchdog.h"
#include "sync/pi.h"
#include "thread/process.h"

namespace evl {
namespace {

void trace_switch(const Thread& from, const Thread& to) noexcept {
  const auto describe = [](const Thread& thread) noexcept -> kapi_trace_thread {
    return {.name = thread.name(),
            .pid = thread.task() != nullptr ? kapi_task_pid(thread.task()) : 0,
            .priority = thread.effective().prio,
            .state = thread.peek_state().word()};
  };
  const kapi_trace_thread before = describe(from);
  const kapi_trace_thread after = describe(to);
  kapi_trace_switch_context(&before, &after);
}

}  // namespace

EVL_FLAT void schedule() noexcept {
  HardIrqGuard irqs_off;
  const Cpu cpu = this_cpu(irqs_off);
  if (!has_rq(cpu)) return;
  Rq& rq = rq_of(cpu);
  if (rq.irq_depth_ > 0 || (!rq.resched_.load_relaxed() && rq.kick_.empty())) return;
  (void)Scheduler::escalate(irqs_off);
}

void irq_enter(const OobStage&, const HardIrqsOff& irqs_off) noexcept {
  ++this_rq(irqs_off).irq_depth_;
}

void irq_exit(const OobStage&, const HardIrqsOff& irqs_off) noexcept {
  Rq& rq = this_rq(irqs_off);
  EVL_ASSERT(rq.irq_depth_ > 0);
  if (--rq.irq_depth_ > 0 || (!rq.resched_.load_relaxed() && rq.kick_.empty())) return;
  (void)Scheduler::escalate(irqs_off);
}

PreemptGuard::PreemptGuard(Thread& self) noexcept : self_{self} {
  ++self_.preempt_count_;
}

// The mark of what was deferred is still there: see Scheduler::pick_and_switch().
PreemptGuard::~PreemptGuard() {
  if (--self_.preempt_count_ == 0) schedule();
}

EVL_FLAT int Scheduler::run_escalated(void*) noexcept {
  const OobStage oob = OobStage::at_entry();
  const HardIrqsOffAtEntry irqs_off;
  return pick_and_switch(oob, irqs_off) ? 1 : 0;
}

bool Scheduler::escalate(const HardIrqsOff&) noexcept {
  return kapi_run_oob_call([](void* unused) { return run_escalated(unused); }, nullptr) != 0;
}

void Scheduler::enqueue(const RqLocked& locked, Thread& thread, Place place) noexcept {
  EVL_ASSERT(&thread.rq() == &locked.rq() && !thread.state_.has(kBlocked));
  thread.state_.set(ThreadState::ready);
  Policies::with(thread.effective().policy, [&]<typename P>() {
    if (place == Place::last)
      P::enqueue(locked, thread);
    else
      P::requeue(locked, thread);
  });
}

void Scheduler::dequeue(const RqLocked& locked, Thread& thread) noexcept {
  thread.state_.clear(ThreadState::ready);
  Policies::with(thread.effective().policy, [&]<typename P>() { P::dequeue(locked, thread); });
}

// A thread that was about to block, and has not switched yet, is current still: it goes on, through
// the scheduling point it is on its way to.
void Scheduler::make_ready(const RqLocked& locked, Thread& thread) noexcept {
  Rq& rq = locked.rq();
  if (&rq.current() == &thread || thread.state_.has(ThreadState::ready)) return;
  enqueue(locked, thread, Place::last);
  if (thread.wprio() > rq.current().wprio()) rq.mark_resched(locked);
}

void Scheduler::make_unready(const RqLocked& locked, Thread& thread) noexcept {
  if (&locked.rq().current() == &thread)
    locked.rq().mark_resched(locked);
  else if (thread.state_.has(ThreadState::ready))
    dequeue(locked, thread);
}

void Scheduler::set_effective(const RqLocked& locked, Thread& thread, const SchedParams& params,
                              Place place) noexcept {
  Rq& rq = locked.rq();
  rq.lock_.assert_held();
  kapi_trace(KAPI_EV_thread_set_current_prio, thread.name(), thread.wprio(), params.wprio());
  if (thread.state_.has(ThreadState::ready)) {
    dequeue(locked, thread);
    thread.effective_ = params;
    enqueue(locked, thread, place);
    if (thread.wprio() > rq.current().wprio()) rq.mark_resched(locked);
    return;
  }
  thread.effective_ = params;
  if (&rq.current() != &thread) return;
  if (place == Place::last) rq.rotate_ = true;
  rq.sliced_ = nullptr;  // Its slice, if it has one now, begins when it is picked.
  rq.mark_resched(locked);
}

void Scheduler::yield(const OobStage&, Thread& self) noexcept {
  {
    HardIrqGuard irqs_off;
    Rq& rq = self.rq();
    RqGuard locked{rq, irqs_off};
    rq.lock_.assert_held();
    EVL_ASSERT(&rq.current() == &self);
    rq.rotate_ = true;
    rq.mark_resched(locked);
  }
  schedule();
}

void Scheduler::migrate(const MigrationGuard& locked, Thread& thread, Rq& target) noexcept {
  Rq& from = locked.rq();
  EVL_ASSERT(&from.current() != &thread);
  if (&from == &target) return;
  kapi_trace(KAPI_EV_thread_migrate, thread.name(), from.cpu(), target.cpu());
  const bool ready = thread.state_.has(ThreadState::ready);
  if (ready) dequeue(locked, thread);
  thread.rq_ = &target;
  thread.period_timer_.move_to(target.timers(), locked.irqs_off());
  if (!ready) return;
  const HeldRq there{target, locked.irqs_off()};
  make_ready(there, thread);
}

void Scheduler::unpark(Thread& thread, const HardIrqsOff& irqs_off) noexcept {
  TimerBase* const open = open_timer_base(irqs_off);
  if (open == nullptr) return;
  Rq& refuge = rq_of(open->cpu());
  MigrationGuard locked{thread, refuge, irqs_off};
  if (locked.rq().is_open() || thread.state_.has(ThreadState::inband) ||
      &locked.rq().current() == &thread)
    return;
  migrate(locked, thread, refuge);
}

Thread& Scheduler::elect(const RqLocked& locked) noexcept {
  Rq& rq = locked.rq();
  rq.lock_.assert_held();
  Thread& current = rq.current();
  if (!current.state_.has(kBlocked))
    enqueue(locked, current, rq.rotate_ ? Place::last : Place::first);
  rq.rotate_ = false;
  // Each round but the last one freezes a thread: as many as its process has, at most.
  for (;;) {
    Thread& next = *Policies::pick(locked);
    next.state_.clear(ThreadState::ready);
    Process* const process = next.process();
    if (process == nullptr || !process->stopping() || next.info_.has(kRunsInStop)) return next;
    next.state_.set(ThreadState::ptsync);
  }
}

// rr_timer_ runs for the present thread only; a timer that is left behind is found out by sliced_.
void Scheduler::count_slice(Rq& rq, Thread& next, MonoDate now) noexcept {
  const Duration quantum = next.effective().quantum;
  if (quantum.is_zero()) {
    rq.sliced_ = nullptr;
    return;
  }
  rq.sliced_ = &next;
  rq.rr_timer_.start(Date::from_ns(now.ns()) + quantum, {});
}

// Returns true without the lock, which the root released for the caller (tail b): no path the
// analysis could follow.
bool Scheduler::pick_and_switch(const OobStage& oob, const HardIrqsOff& irqs_off) noexcept
    EVL_NO_THREAD_SAFETY_ANALYSIS {
  Rq& rq = this_rq(irqs_off);
  Thread& previous = rq.current();
  if (previous.announces_ceiling()) commit_ceiling(previous, irqs_off);

  LockHandover::take(rq.lock_, irqs_off);
  if (!rq.kick_.empty()) rq.forget_closed();
  if (!rq.kick_.empty()) {
    kapi_trace(KAPI_EV_reschedule_ipi, nullptr, rq.kick_.first(), 0);
    kapi_send_resched_ipi(rq.kick_.raw());
    rq.kick_.clear();
  }
  const bool pinned = previous.preempt_count_ > 0 && !previous.state_.has(kBlocked);
  if (!rq.resched_.load_relaxed() || pinned) {  // Deferred: the mark stays.
    LockHandover::release(rq.lock_, irqs_off);
    return false;
  }
  kapi_trace(KAPI_EV_schedule, previous.name(), rq.cpu(), 0);
  rq.resched_.store_relaxed(false);
  const HeldRq locked{rq, irqs_off};
  const bool rotated = rq.rotate_;
  Thread& next = elect(locked);
  kapi_trace(KAPI_EV_pick_thread, next.name(), next.wprio(), rq.cpu());

  const MonoDate now = MonoDate::from_ns(kapi_read_monotonic());
  if (&next == &previous) {
    if (next.is_root())
      rq.timers_.root_takes_cpu(irqs_off);
    else if (rotated || rq.sliced_ != &next)
      count_slice(rq, next, now);
    LockHandover::release(rq.lock_, irqs_off);
    return false;
  }
  count_slice(rq, next, now);
  if (!previous.is_root())
    previous.stats_.oob_time_ns.add(static_cast<u64>((now - rq.switched_at_).ns()));
  if (next.is_root()) {
    rq.timers_.root_takes_cpu(irqs_off);
  } else if (previous.is_root()) {
    rq.timers_.oob_takes_cpu(irqs_off);
    watchdog_arm(rq, now);
  }
  rq.switched_at_ = now;
  next.stats_.context_switches.add();
  if (kapi_tracing()) trace_switch(previous, next);
  rq.current_.store_relaxed(&next);

  if (kapi_context_switch(&previous.altsched_, &next.altsched_, previous.is_root())) return true;
  finish_switch(oob, irqs_off);
  return false;
}

// Somebody took the lock of this CPU's Rq before it switched to the caller: the analysis cannot
// know; finish_switch() is called on the three ways that sched/schedule.h names, and nowhere else.
void Scheduler::finish_switch(const OobStage&,
                              const HardIrqsOff& irqs_off) noexcept EVL_NO_THREAD_SAFETY_ANALYSIS {
  Rq& rq = this_rq(irqs_off);
  kapi_trace(KAPI_EV_switch_tail, rq.current().name(), rq.cpu(), 0);
  LockHandover::release(rq.lock_, irqs_off);
}

}  // namespace evl
