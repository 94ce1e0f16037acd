// SPDX-License-Identifier: GPL-2.0
// The scheduler's rules: when a CPU switches, and how. Everybody calls schedule() after it dropped
// its locks; the upcalls of interrupts call the irq brackets.
#ifndef EVL_SCHED_SCHEDULE_H
#define EVL_SCHED_SCHEDULE_H

#include "sched/rq.h"

namespace evl {

/// A scheduling point: switches to the most urgent ready thread, if this CPU was marked; sends the
/// resched IPIs that were collected. Returns when the caller runs again.
/// Stage:    any; in-band it escalates to the oob stage for the switch.
/// Irqs:     any, no lock held. Inside an oob interrupt it does nothing: irq_exit() does it.
/// Cost:     one test when nothing is pending; else O(policies), one lock, one context switch.
void schedule() noexcept;

// Brackets of an oob interrupt. Reschedules at the outermost exit.
void irq_enter(const OobStage& oob, const HardIrqsOff& irqs_off) noexcept;
void irq_exit(const OobStage& oob, const HardIrqsOff& irqs_off) noexcept;

// Defers preemption of the caller; nests; a thread that blocks is switched out all the same.
class [[nodiscard]] PreemptGuard final : Immovable {
 public:
  explicit PreemptGuard(Thread& self) noexcept;
  ~PreemptGuard();  // The outermost one is a scheduling point.

 private:
  Thread& self_;
};

// The slow path and the switch. A class, so that Rq and Thread can name it a friend.
//
// Order in pick_and_switch(), oob stage, irqs off:
//   1. commit current's pending priority ceiling (sync/ceiling.h), without any lock
//   2. lock the Rq; send IPIs to kick_; leave when resched_ is clear
//   3. clear resched_; if current is ready: stay when its preemption is disabled, else requeue it
//   4. pick by Policies::pick(); freeze (PTSYNC) those whose process is in a debugger's stop, and
//      pick again: at most one round per thread of that process
//   5. round-robin timer for the picked one; root picked: flush Linux's tick
//   6. unchanged: unlock, done. Else account, trace, current_ = next, kapi_context_switch() with
//      the lock held; who resumes releases it in finish_switch().
//
// Tails (who releases the lock that was taken before the switch):
//   a. an oob thread, or the root, resumes in pick_and_switch()       -> finish_switch()
//   b. a thread that finishes its move in-band: kapi_context_switch()
//      returned true; root released the lock in its own tail a        -> nothing to release
//   c. a thread that arrives oob from kapi_leave_inband()             -> finish_switch()
class Scheduler final {
 public:
  // kapi_run_oob_call(): stage oob, irqs off. True: the caller came back in-band (tail b).
  static bool pick_and_switch(const OobStage& oob, const HardIrqsOff& irqs_off) noexcept;
  // Through kapi_run_oob_call(), which switching contexts asks for: from any stage, irqs off.
  static bool escalate(const HardIrqsOff& irqs_off) noexcept;
  static void finish_switch(const OobStage& oob, const HardIrqsOff& irqs_off) noexcept;

  // Puts a thread that has become ready in its policy's queue; marks the Rq if it is more urgent.
  static void make_ready(const RqLocked& locked, Thread& thread) noexcept;
  // A thread cannot run any more: takes it out of its queue (READY clears), or marks the Rq when it
  // is current.
  static void make_unready(const RqLocked& locked, Thread& thread) noexcept;
  // Gives the thread new effective parameters; keeps RQ2 and RQ3. `first`: head of its level.
  enum class Place : bool { first, last };
  static void set_effective(const RqLocked& locked, Thread& thread, const SchedParams& params,
                            Place place) noexcept;
  // current goes to the end of its level. Stage: oob.
  static void yield(const OobStage& oob, Thread& self) noexcept;
  // Binds a thread that is not current anywhere to another CPU. READY or blocked.
  static void migrate(const MigrationGuard& locked, Thread& thread, Rq& target) noexcept;
  // A kernel thread that waits for its CPU to open again goes on elsewhere, to end there. Nothing
  // happens to others. Any stage.
  static void unpark(Thread& thread, const HardIrqsOff& irqs_off) noexcept;

 private:
  static int run_escalated(void* unused) noexcept;
  // Puts current back when it can run; picks, and freezes what a debugger stopped.
  [[nodiscard]] static Thread& elect(const RqLocked& locked) noexcept;
  static void enqueue(const RqLocked& locked, Thread& thread, Place place) noexcept;
  static void dequeue(const RqLocked& locked, Thread& thread) noexcept;
  static void count_slice(Rq& rq, Thread& next, MonoDate now) noexcept;
};

// The Rq of this CPU; the core's table is in boot/core.h.
[[nodiscard]] Rq& this_rq(const HardIrqsOff& irqs_off) noexcept;
[[nodiscard]] Rq& rq_of(Cpu cpu) noexcept;
[[nodiscard]] bool has_rq(Cpu cpu) noexcept;  // Always, once the core has booted.
// May threads run there, while it is open?
[[nodiscard]] bool is_oob_cpu(Cpu cpu) noexcept;
// One of `allowed` where threads may run now: this CPU if it is, else the first. kNoCpu: none.
// Any stage; stale at once, unless kapi_cpus_hold() keeps the CPUs as they are.
[[nodiscard]] Cpu choose_open_cpu(const CpuSet& allowed) noexcept;

}  // namespace evl

#endif  // EVL_SCHED_SCHEDULE_H
