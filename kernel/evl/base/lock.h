// SPDX-License-Identifier: GPL-2.0
// Hard spinlocks and their guards. A lock has no public lock and unlock: a guard, which needs the
// proof that hard irqs are off, is the only way in. Any stage.
//
// Lock order: by LockRank, outermost first; two locks of one rank in address order, through
// HardLockPair. The pages and the lockdep classes follow this enum.
#ifndef EVL_BASE_LOCK_H
#define EVL_BASE_LOCK_H

#include "base/annotations.h"
#include "base/proof.h"
#include "kapi/inband.h"
#include "kapi/lock.h"

namespace evl {

enum class LockRank : unsigned {
  inband,      // kapi_mutex: factories, control. Sleeping; before any hard lock.
  timer_run,   // held while a CPU's timer handlers run: what Timer::destroy() waits for
  file_table,  // descriptor index
  monitor,     // gate or event: state that belongs together with a wait channel
  ring,        // xbuf, proxy, observable: ring indices
  task,        // Core: from a task to its thread, in upcalls about another task
  pi_walk,     // PriorityChain: serialises walks that did not get their locks
  wchan,       // WaitChannel: waiters and owner
  thread,      // Thread: state, info, parameters; pairs in address order
  rq,          // Rq: queues, current; pairs in address order
  timer_base,  // TimerBase: timer queue; pairs in address order
  stax,        // stage exclusion: in-band waiters
  fundle,      // handle index of a factory: looked up under a channel's lock
  heap,        // system and shared heap
  leaf,        // anything that calls nothing while it is held
};
inline constexpr size_t kLockRanks = static_cast<size_t>(LockRank::leaf) + 1;

// The lockdep class of a rank. Static storage; never destroyed.
[[nodiscard]] kapi_lock_class& lock_class(LockRank rank) noexcept;

template <LockRank Rank>
class EVL_CAPABILITY("hard spinlock") HardSpinLock final : Immovable {
 public:
  static constexpr LockRank kRank = Rank;

  HardSpinLock() noexcept { kapi_hard_spin_init(&raw_, &lock_class(Rank)); }

  // For functions whose contract is "lock held", where the analysis cannot see it.
  void assert_held() const noexcept EVL_ASSERT_CAPABILITY(this) {
    EVL_ASSERT(kapi_hard_spin_held(&raw_));
  }

 private:
  template <LockRank>
  friend class HardLockGuard;
  template <LockRank>
  friend class HardLockPair;
  template <LockRank>
  friend class HardTryGuard;
  friend class LockHandover;

  void lock(const HardIrqsOff&) noexcept EVL_ACQUIRE() { kapi_hard_spin_lock(&raw_); }
  void lock_second(const HardIrqsOff&) noexcept EVL_ACQUIRE() { kapi_hard_spin_lock_nested(&raw_); }
  [[nodiscard]] bool try_lock(const HardIrqsOff&) noexcept EVL_TRY_ACQUIRE(true) {
    return kapi_hard_spin_trylock(&raw_);
  }
  void unlock() noexcept EVL_RELEASE() { kapi_hard_spin_unlock(&raw_); }

  kapi_hard_spinlock raw_{};
};

// Holds a lock for a scope. Declared after the proof, so dropped before irqs come back.
// Cost: the spin is bounded by the longest section under a lock of this rank, times the CPUs.
template <LockRank Rank>
class [[nodiscard]] EVL_SCOPED_CAPABILITY HardLockGuard final : Immovable {
 public:
  HardLockGuard(HardSpinLock<Rank>& lock, const HardIrqsOff& irqs_off) noexcept EVL_ACQUIRE(lock)
      : lock_{lock} {
    lock_.lock(irqs_off);
  }
  ~HardLockGuard() EVL_RELEASE() { lock_.unlock(); }

 private:
  HardSpinLock<Rank>& lock_;
};
template <LockRank Rank>
HardLockGuard(HardSpinLock<Rank>&, const HardIrqsOff&) -> HardLockGuard<Rank>;

// Holds two locks of one rank, taken in address order; `a` and `b` may be the same lock.
template <LockRank Rank>
class [[nodiscard]] EVL_SCOPED_CAPABILITY HardLockPair final : Immovable {
 public:
  // The analysis cannot follow the order, and needs not: the constructor takes both in any case.
  HardLockPair(HardSpinLock<Rank>& a, HardSpinLock<Rank>& b, const HardIrqsOff& irqs_off) noexcept
      EVL_ACQUIRE(a, b) EVL_NO_THREAD_SAFETY_ANALYSIS : first_{&a < &b ? a : b},
                                                        second_{&a < &b ? b : a} {
    first_.lock(irqs_off);
    if (&first_ != &second_) second_.lock_second(irqs_off);
  }
  ~HardLockPair() EVL_RELEASE() EVL_NO_THREAD_SAFETY_ANALYSIS {
    if (&first_ != &second_) second_.unlock();
    first_.unlock();
  }

 private:
  HardSpinLock<Rank>& first_;
  HardSpinLock<Rank>& second_;
};
template <LockRank Rank>
HardLockPair(HardSpinLock<Rank>&, HardSpinLock<Rank>&, const HardIrqsOff&) -> HardLockPair<Rank>;

// Tries to take a lock against the order, in a bounded retry loop. Ask owns() before use; the
// analysis takes the lock for held, since a scoped try has no spelling in Clang 14.
template <LockRank Rank>
class [[nodiscard]] EVL_SCOPED_CAPABILITY HardTryGuard final : Immovable {
 public:
  HardTryGuard(HardSpinLock<Rank>& lock, const HardIrqsOff& irqs_off) noexcept
      EVL_ACQUIRE(lock) EVL_NO_THREAD_SAFETY_ANALYSIS : lock_{lock},
                                                        owns_{lock.try_lock(irqs_off)} {}
  ~HardTryGuard() EVL_RELEASE() EVL_NO_THREAD_SAFETY_ANALYSIS {
    if (owns_) lock_.unlock();
  }
  [[nodiscard]] bool owns() const noexcept { return owns_; }

 private:
  HardSpinLock<Rank>& lock_;
  const bool owns_;
};
template <LockRank Rank>
HardTryGuard(HardSpinLock<Rank>&, const HardIrqsOff&) -> HardTryGuard<Rank>;

// The run queue lock changes hands at a context switch: taken by one thread, released by another.
// Used by the scheduler and its guards, and for walks from threads to channels: sched/schedule.cc,
// sched/guards.cc, sync/pi.cc.
class LockHandover final {
 public:
  template <LockRank Rank>
  static void take(HardSpinLock<Rank>& lock, const HardIrqsOff& irqs_off) noexcept
      EVL_ACQUIRE(lock) {
    lock.lock(irqs_off);
  }
  // Both, in address order; once when they are the same. The order is not for the analysis.
  template <LockRank Rank>
  static void take_pair(HardSpinLock<Rank>& a, HardSpinLock<Rank>& b,
                        const HardIrqsOff& irqs_off) noexcept EVL_NO_THREAD_SAFETY_ANALYSIS {
    HardSpinLock<Rank>& first = &a < &b ? a : b;
    HardSpinLock<Rank>& second = &a < &b ? b : a;
    first.lock(irqs_off);
    if (&first != &second) second.lock_second(irqs_off);
  }
  // Against the order, in a bounded retry loop: see ReachedChannel in sync/pi.cc.
  template <LockRank Rank>
  [[nodiscard]] static bool try_take(HardSpinLock<Rank>& lock, const HardIrqsOff& irqs_off) noexcept
      EVL_TRY_ACQUIRE(true, lock) {
    return lock.try_lock(irqs_off);
  }
  template <LockRank Rank>
  static void release(HardSpinLock<Rank>& lock, const HardIrqsOff&) noexcept EVL_RELEASE(lock) {
    lock.unlock();
  }
};

// In-band mutex and its guard: sleeping, before any hard lock.
class EVL_CAPABILITY("in-band mutex") InbandMutex final : Immovable {
 public:
  InbandMutex() noexcept { kapi_mutex_init(&raw_, &lock_class(LockRank::inband)); }

 private:
  friend class InbandLockGuard;
  void lock() noexcept EVL_ACQUIRE() { kapi_mutex_lock(&raw_); }
  void unlock() noexcept EVL_RELEASE() { kapi_mutex_unlock(&raw_); }
  kapi_mutex raw_{};
};

class [[nodiscard]] EVL_SCOPED_CAPABILITY InbandLockGuard final : Immovable {
 public:
  InbandLockGuard(InbandMutex& mutex, const InbandStage&) noexcept EVL_ACQUIRE(mutex)
      : mutex_{mutex} {
    mutex_.lock();
  }
  ~InbandLockGuard() EVL_RELEASE() { mutex_.unlock(); }

 private:
  InbandMutex& mutex_;
};

}  // namespace evl

#endif  // EVL_BASE_LOCK_H
