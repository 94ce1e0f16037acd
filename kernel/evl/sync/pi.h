// SPDX-License-Identifier: GPL-2.0
// Priority inheritance: recomputing effective priorities along a chain of owners. Oob or in-band;
// irqs off in each step; a step holds one channel, and one thread at a time.
#ifndef EVL_SYNC_PI_H
#define EVL_SYNC_PI_H

#include "sync/mutex.h"

namespace evl {

// A longer chain is a design error of the application: EDEADLK and a line in the log.
inline constexpr unsigned kMaxChainDepth = 64;
// Lock retries of one step before the walk takes the slow path: the lock that serialises walks.
inline constexpr unsigned kMaxStepRetries = 8;

// One walk. Recomputes, never accumulates: the priority of each owner is derived from its boosters
// as they are now, so concurrent walks end in the same state, whatever their order.
//
// A step, at thread T whose effective priority may just have changed:
//   unchanged                          -> done (unless it looks for a cycle)
//   T waits on a channel               -> requeue T there (W1)
//   that channel is a mutex with owner -> its boost becomes that of its top waiter (M3); the next
//                                         step is that owner
//   the next owner is the origin       -> EDEADLK
//
// Who waits links itself before it walks. Of threads that close a cycle at the same time the last
// one to link sees all of it; more than one may get EDEADLK.
class PriorityChain final : Immovable {
 public:
  PriorityChain() noexcept = default;
  ~PriorityChain();  // The walk was done, or never began.

  /// The walk begins at `first`, whose effective priority changed, or not. Under a lock that keeps
  /// it alive: takes a reference.
  void begin_at(Thread& first, bool changed) noexcept;

  /// The walk. `origin`: whose cycles are looked for, nullptr: nobody's. No lock held; what the
  /// caller knew may be stale on return. Errors: EDEADLK.
  /// Cost: at most kMaxChainDepth steps, O(levels) each; irqs come on between steps.
  [[nodiscard]] Status follow(const Thread* origin) noexcept;

  /// The effective parameters of `thread` have changed (recompute() said so): requeues it where it
  /// waits, and carries the change on from there. Any stage, no lock held; what it knew of the
  /// thread may be stale on return. Cost: as follow().
  static void propagate(Thread& thread) noexcept;

  /// Recomputes the effective parameters of a thread: base, or its top booster when that is higher.
  /// The head of its level when it falls back (POSIX), the tail when it rises. Under the thread's
  /// lock and its Rq's. True: they changed.
  static bool recompute(const ThreadGuard& locked) noexcept;

  // Before the first channel exists. Stage: inband.
  static void boot() noexcept;
  // By ~WaitChannel: no walk looks at a channel its thread has left any more. Any stage. Cost: one
  // step of each other CPU.
  static void wait_for_walks() noexcept;

  // For sync/reached.h.
  [[nodiscard]] static HardSpinLock<LockRank::thread>& lock_of(Thread& thread) noexcept
      EVL_RETURN_CAPABILITY(thread.lock_) {
    return thread.lock_;
  }

 private:
  Thread* next_{nullptr};  // With a reference.
  bool changed_{false};
};

// Applies the ceiling of the gate named in the user window's pp_pending, when the thread owns it.
// From the scheduler and the requests, for current, before any lock; on the way to the oob stage.
// Any stage, irqs off. O(1).
void commit_ceiling(Thread& self, const HardIrqsOff& irqs_off) noexcept;

}  // namespace evl

#endif  // EVL_SYNC_PI_H
