// SPDX-License-Identifier: GPL-2.0
// Priority inheritance: recomputing effective priorities along a chain of owners. Oob or in-band;
// irqs off in each step, at most three locks: channel, waiter and owner.
#ifndef EVL_SYNC_PI_H
#define EVL_SYNC_PI_H

#include "sync/mutex.h"

namespace evl {

// A longer chain is a design error of the application: EDEADLK and a report.
inline constexpr unsigned kMaxChainDepth = 64;
// Lock retries of one step before the walk takes the slow path: the lock that serialises walks.
inline constexpr unsigned kMaxStepRetries = 8;

// One walk. Recomputes, never accumulates: the priority of each owner is derived from its boosters
// as they are now, so concurrent walks end in the same state, whatever their order.
//
// A step, at owner T with effective priority just recomputed:
//   unchanged                          -> done (unless it looks for cycles)
//   T waits on a channel               -> requeue T there (W1)
//   that channel is a mutex with owner -> its boost becomes that of its top waiter (M3); the next
//                                         step is that owner
//   the next owner is the origin       -> EDEADLK
class PriorityChain final {
 public:
  enum class Purpose : u8 {
    adjust,      // Something changed at the origin's mutex: carry it down the chain.
    find_cycle,  // Look only: no waiter was added.
  };

  /// From `mutex`, which `origin` is about to wait on, or has left. No lock held on entry and exit;
  /// the caller re-checks what it knew. Errors: EDEADLK.
  /// Cost: at most kMaxChainDepth steps, O(levels) each; irqs come on between steps.
  [[nodiscard]] static Status walk(Mutex& mutex, Thread& origin, Purpose purpose) noexcept;

  /// The effective parameters of `thread` have changed (recompute() said so): requeues it where it
  /// waits, and carries the change on from there. Any stage, no lock held; what it knew of the
  /// thread may be stale on return. Cost: as walk().
  static void propagate(Thread& thread) noexcept;

  /// Recomputes the effective parameters of a thread: base, or its top booster when that is higher.
  /// The head of its level when it falls back (POSIX), the tail when it rises. Under the thread's
  /// lock and its Rq's. True: they changed.
  static bool recompute(const ThreadGuard& locked) noexcept;
};

// Applies the ceiling of the gate named in the user window's pp_pending, when the thread owns it.
// From the scheduler, for current, before any lock. Stage: oob, irqs off. O(1).
void commit_ceiling(Thread& self, const HardIrqsOff& irqs_off) noexcept;

}  // namespace evl

#endif  // EVL_SYNC_PI_H
