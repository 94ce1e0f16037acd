// SPDX-License-Identifier: GPL-2.0
// Wait channels: what threads sleep on. Everything that blocks an oob thread is one, or has one.
//
// Who unlinks, decides. A waiter is linked from sleep until somebody unlinks it under the lock of
// the channel: a waker (granted), flush() (the channel goes away), or the waiter itself, back from
// an abnormal wake-up (timed out, broken). A time-out that races with a grant is a grant:
//
//     waker, CPU 0                          timer, CPU 1            waiter
//     lock channel                          wake_up(TIMEO)
//     unlink; wake_up(): no sleep left                              runs; TIMEO is set
//     unlock channel                                                lock channel: not linked
//                                                                   -> granted, 0
//
// Wake and retry. A resource is never handed over: who was granted tries again to take it.
#ifndef EVL_SYNC_WAIT_H
#define EVL_SYNC_WAIT_H

#include "sched/schedule.h"
#include "time/clock.h"

namespace evl {

enum class WaitOrder : bool { fifo, prio };

// Invariants, whenever lock_ is free:
//   W1  waiters_ is ordered by wprio, first come first served (prio), or by arrival (fifo).
//   W2  A thread is linked exactly when its wchan() is this channel (T3).
//   W3  A linked thread sleeps (PEND), is about to, or was woken abnormally and will come to unlink
//       itself.
// The storage outlives the return of every waiter from finish(): elements by their crossing, what
// kernel code embeds by its owner. After a flush with RMID, waiters do not touch the channel.
//
// Lock order: lock_ (rank wchan), then the waiter's, then its Rq's. Two channels are never held.
class WaitChannel : Immovable {
 public:
  using Lock = HardSpinLock<LockRank::wchan>;

  // `name` lives as long as the channel: it is what sysfs shows as wchan.
  WaitChannel(const char* name, WaitOrder order) noexcept;
  ~WaitChannel();  // No waiter.

  [[nodiscard]] Lock& lock() noexcept EVL_RETURN_CAPABILITY(lock_) { return lock_; }
  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] bool has_waiters() const noexcept EVL_REQUIRES(lock_) { return !waiters_.empty(); }
  [[nodiscard]] Thread* head() noexcept EVL_REQUIRES(lock_);

  /// Links the caller and marks it asleep. Then: drop the lock, schedule(), finish().
  /// `deadline` is on `clock`; nonblock is the caller's business (EAGAIN).
  /// Cost: O(levels) for prio.
  void enqueue(const OobStage& oob, Thread& self, Deadline deadline, const Clock& clock,
               const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);

  /// Outcome of the sleep, for the caller of enqueue(), after it ran again: ok, EIDRM, ENOMEM,
  /// ETIMEDOUT, EINTR. Unlinks the caller when nobody did. Masks irqs, takes the lock.
  [[nodiscard]] Status finish(const OobStage& oob, Thread& self) noexcept EVL_EXCLUDES(lock_);

  /// Unlinks and wakes one waiter, respectively the head; nullptr when there is none. Does not
  /// reschedule. `reasons` may be empty, BCAST, SIGNAL...
  Thread* wake_head(InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);
  void wake(Thread& waiter, InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept
      EVL_REQUIRES(lock_);

  /// Unlinks and wakes all; their number. Cost: O(waiters) with irqs off, at most the number of
  /// threads.
  unsigned flush(InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);

  /// Sets `flags` in the info of a thread that waits here; false: it does not. wake_marked() wakes
  /// those that have them, and clears them; their number. Cost: O(waiters), as flush().
  bool mark(Thread& waiter, InfoFlags flags, const HardIrqsOff& irqs_off) noexcept
      EVL_REQUIRES(lock_);
  unsigned wake_marked(InfoFlags flags, const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);
  // By who was marked, after finish(): not to be woken by it next time.
  static void unmark(Thread& self, InfoFlags flags) noexcept;

  // The waiter's wprio has changed: restores W1. Takes the waiter's lock.
  void requeue(Thread& waiter, const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);

  // Calls visit(thread) in order; it may wake the thread it is given.
  template <typename Visit>
  void for_each_waiter(Visit&& visit) noexcept EVL_REQUIRES(lock_) {
    waiters_.for_each(std::forward<Visit>(visit));
  }

  // The mutex this channel belongs to, or nullptr: where a priority chain goes on. Constant.
  [[nodiscard]] Mutex* mutex() const noexcept { return mutex_; }

  [[nodiscard]] bool invariants_hold() noexcept EVL_REQUIRES(lock_);

 protected:
  void set_mutex(Mutex& mutex) noexcept { mutex_ = &mutex; }  // By Mutex's constructor.

  // enqueue() in two steps, for who has to do something in between with irqs on: a thread that is
  // linked and not asleep may be unlinked at any time, and asks is_linked() before sleep().
  void link(Thread& self, const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);
  void sleep(const OobStage& oob, Thread& self, Deadline deadline, const Clock& clock,
             const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);
  [[nodiscard]] bool is_linked(const Thread& thread) const noexcept EVL_REQUIRES(lock_);
  // Unlinks the caller, if nobody did; why it gives up is in its info. ok: it was granted.
  [[nodiscard]] Status give_up(const OobStage& oob, Thread& self) noexcept EVL_EXCLUDES(lock_);

 private:
  void unlink(Thread& waiter, const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);
  // Where the thread belongs now. Takes its lock.
  [[nodiscard]] int weight_of(Thread& thread, const HardIrqsOff& irqs_off) const noexcept;

  Lock lock_;
  Thread::WaitList waiters_ EVL_GUARDED_BY(lock_);
  const WaitOrder order_;
  const char* const name_;
  Mutex* mutex_{nullptr};
};

// A channel with a clock, for conditions: what elements wait on.
class WaitQueue final : public WaitChannel {
 public:
  WaitQueue(const char* name, const Clock& clock, WaitOrder order) noexcept
      : WaitChannel{name, order}, clock_{clock} {}

  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }

  /// Sleeps until ready(), which is asked under the lock, before each sleep and after each grant;
  /// what it consumes is taken atomically with the answer.
  /// Errors: EAGAIN (nonblock), ETIMEDOUT, EINTR, EIDRM, ENOMEM.
  template <typename Ready>
  [[nodiscard]] Status wait_until(const OobStage& oob, Thread& self, Deadline deadline,
                                  Ready&& ready) noexcept {
    for (;;) {  // One round per grant.
      {
        HardIrqGuard irqs_off;
        HardLockGuard guard{lock(), irqs_off};
        if (ready()) return kOk;
        if (deadline.is_nonblock()) return Errno::again;
        enqueue(oob, self, deadline, clock_, irqs_off);
      }
      schedule();
      const Status status = finish(oob, self);
      if (!status.ok()) return status;
    }
  }

 private:
  const Clock& clock_;
};

// A boolean that waiters consume: the oob side of a wake-up from an interrupt handler.
class Flag final : Immovable {
 public:
  explicit Flag(const char* name) noexcept;

  [[nodiscard]] Status wait(const OobStage& oob, Thread& self, Deadline deadline) noexcept;
  void raise() noexcept;          // Any stage. Wakes one waiter; reschedules.
  void raise_nosched() noexcept;  // The same; the caller schedules.
  void pulse() noexcept;          // Wakes the present waiters, latches nothing. Any stage.
  void flush(InfoFlags reasons) noexcept;
  void clear() noexcept;
  [[nodiscard]] bool take() noexcept;  // Consumes; false when not raised.

 private:
  WaitQueue queue_;
  bool raised_{false};  // Under the queue's lock.
};

// Counting semaphore of kernel code.
class Semaphore final : Immovable {
 public:
  Semaphore(const char* name, unsigned initial) noexcept;

  [[nodiscard]] Status down(const OobStage& oob, Thread& self, Deadline deadline) noexcept;
  [[nodiscard]] Status try_down() noexcept;  // EAGAIN. Any stage.
  void up() noexcept;                        // Any stage; reschedules.
  void broadcast() noexcept;                 // Value 0, all waiters return (BCAST: ok).
  void flush(InfoFlags reasons) noexcept;

 private:
  WaitQueue queue_;
  unsigned value_;  // Under the queue's lock.
};

}  // namespace evl

#endif  // EVL_SYNC_WAIT_H
