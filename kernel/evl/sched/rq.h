// SPDX-License-Identifier: GPL-2.0
// The run queue of one CPU, and the guards that prove its lock is held. The rules of picking and
// switching are in sched/schedule.h.
#ifndef EVL_SCHED_RQ_H
#define EVL_SCHED_RQ_H

#include "base/cpus.h"
#include "base/lock.h"
#include "thread/thread.h"
#include "time/timer.h"

namespace evl {

// Proof that the lock of rq() is held. Made by the guards below only.
class RqLocked : public Immovable {
 public:
  [[nodiscard]] Rq& rq() const noexcept { return rq_; }
  [[nodiscard]] const HardIrqsOff& irqs_off() const noexcept { return irqs_off_; }

 protected:
  RqLocked(Rq& rq, const HardIrqsOff& irqs_off) noexcept : rq_{rq}, irqs_off_{irqs_off} {}
  ~RqLocked() = default;

 private:
  Rq& rq_;
  const HardIrqsOff& irqs_off_;
};

// Invariants, whenever lock_ is free:
//   RQ1  current_ is the thread this CPU runs on the oob side, root_ when in-band runs. It is not
//        queued; no other Rq has it as current. There is an Rq for each possible CPU, since any of
//        them may wake a thread; threads run on those of Core::oob_cpus().
//   RQ2  A thread is queued here exactly when its state has READY; then it has no blocking bit,
//        its rq() is this one, and its policy's queue holds it at the level of its cprio.
//   RQ3  No queued thread has a higher wprio than current_, unless resched_ is set, current_ has
//        preemption disabled and is not blocked, or this CPU is inside schedule().
//   RQ4  root_ is always ready: it is current_, or queued by the idle policy.
//   RQ5  resched_ set from another CPU: an IPI to this CPU is on its way, or the setter has this
//        CPU in its kick_ set and has not yet reached its next scheduling point. Who sets it for
//        his own CPU has not reached it either: a CPU that leaves the core is not marked, unless
//        preemption is disabled, and owes no IPI, or the next one to mark it would send none.
//        No IPI goes to a CPU that is closed: it is a scheduling point when it opens.
//   RQ6  Once a CPU has closed (boot/hotplug.h), no user thread of this Rq is oob; kernel threads
//        stay, and wait for it: nobody makes them run but cancel(), which takes them elsewhere.
//
// Hot data first: the tick-to-switch path touches the first two cache lines.
class alignas(KAPI_CACHE_LINE) Rq final : Immovable {
 public:
  Rq(Cpu cpu, TimerBase& timers, const Clock& clock) noexcept;
  ~Rq();

  [[nodiscard]] Cpu cpu() const noexcept { return cpu_; }
  [[nodiscard]] TimerBase& timers() const noexcept { return timers_; }
  [[nodiscard]] Thread& root() noexcept { return root_; }
  // Whether threads may come, and timers: see boot/hotplug.h. Any stage; as TimerBase::is_open().
  [[nodiscard]] bool is_open() const noexcept { return timers_.is_open(); }
  // Slices and watchdog; nobody of the core runs here any more. In-band, on this CPU.
  void stop_timers() noexcept;
  // Any CPU: a snapshot. On this CPU with irqs off: exact.
  [[nodiscard]] Thread& current() const noexcept { return *current_.load_relaxed(); }

  // When current() got the CPU.
  [[nodiscard]] MonoDate switched_at(const RqLocked&) const noexcept { return switched_at_; }

  // Makes the CPU go through schedule() at its next scheduling point. From another CPU: see RQ5;
  // the IPI leaves at the caller's next scheduling point. O(1).
  void mark_resched(const RqLocked& locked) noexcept;

  // A round-robin slice has to be longer than this: the gravity of the thread's kind.
  [[nodiscard]] static Duration min_quantum(const Thread& thread) noexcept;

  // RQ1 to RQ4. Cost: O(n). For tests, debug builds, the simulator.
  [[nodiscard]] bool invariants_hold(const RqLocked& locked) noexcept;

 private:
  friend class Scheduler;
  friend class HeldRq;
  friend void schedule() noexcept;
  friend void irq_enter(const OobStage& oob, const HardIrqsOff& irqs_off) noexcept;
  friend void irq_exit(const OobStage& oob, const HardIrqsOff& irqs_off) noexcept;
  friend void watchdog_arm(Rq& rq, MonoDate now) noexcept;
  friend void watchdog_expired(Timer& timer, const HardIrqsOff& irqs_off) noexcept;
  friend class RqGuard;
  friend class ThreadGuard;
  friend class MigrationGuard;
  friend struct FifoPolicy;
  friend struct WeakPolicy;
  friend struct IdlePolicy;

  HardSpinLock<LockRank::rq> lock_;
  Atomic<Thread*> current_;
  Atomic<bool> resched_{false};  // Written under lock_; read by this CPU with irqs off.
  const Cpu cpu_;

  bool rotate_ EVL_GUARDED_BY(lock_){
      false};  // current_ goes to the end of its level: yield, slice.

  // Private to this CPU, irqs off.
  unsigned irq_depth_{0};  // Oob interrupts that are being handled.
  CpuSet kick_;            // Other CPUs to send the resched IPI to.

  // Queues of the policies, under lock_.
  Thread::ReadyQueue fifo_ready_ EVL_GUARDED_BY(lock_);
  Thread::ReadyQueue weak_ready_ EVL_GUARDED_BY(lock_);

  // Takes those out of kick_ that have closed since: RQ5.
  void forget_closed() noexcept;

  TimerBase& timers_;
  static void on_slice_end(Timer& timer, const HardIrqsOff& irqs_off) noexcept;

  // Private to this CPU, irqs off.
  MonoDate switched_at_{};   // When current_ got the CPU.
  MonoDate oob_since_{};     // When the CPU left in-band last.
  Thread* sliced_{nullptr};  // Whose slice rr_timer_ counts.
  Timer rr_timer_;           // Slice of current_, armed at switch-in.
  Timer watchdog_timer_;     // See sched/watchdog.h.
  Thread root_;
};

// For those who took the lock by other means: see who is a friend of LockHandover.
class HeldRq final : public RqLocked {
 public:
  HeldRq(Rq& rq, const HardIrqsOff& irqs_off) noexcept : RqLocked{rq, irqs_off} {
    rq.lock_.assert_held();
  }
};

// Holds one Rq's lock.
class [[nodiscard]] RqGuard final : public RqLocked {
 public:
  RqGuard(Rq& rq, const HardIrqsOff& irqs_off) noexcept;
  ~RqGuard();
};

// Holds a thread's lock, then that of its Rq, which cannot change meanwhile (T2). The only way to
// change another thread's state.
class [[nodiscard]] ThreadGuard final : public RqLocked {
 public:
  ThreadGuard(Thread& thread, const HardIrqsOff& irqs_off) noexcept;
  ~ThreadGuard();
  [[nodiscard]] Thread& thread() const noexcept { return thread_; }

 private:
  Thread& thread_;
};

// Holds a thread's lock and those of its Rq and of another, in address order: for migration.
// rq() is the present one.
class [[nodiscard]] MigrationGuard final : public RqLocked {
 public:
  MigrationGuard(Thread& thread, Rq& target, const HardIrqsOff& irqs_off) noexcept;
  ~MigrationGuard();

 private:
  Thread& thread_;
  Rq& target_;
};

}  // namespace evl

#endif  // EVL_SCHED_RQ_H
