// SPDX-License-Identifier: GPL-2.0
// From a thread to a channel: what it waits on, or a mutex it owns. Against the lock order, and the
// channel may go away as soon as the thread is not locked any more. For sync/pi.cc and mutex.cc.
#ifndef EVL_SYNC_REACHED_H
#define EVL_SYNC_REACHED_H

#include "sync/pi.h"

namespace evl {

// Serialises walks that did not get their locks, and keeps channels alive meanwhile: see
// PriorityChain::wait_for_walks().
[[nodiscard]] HardSpinLock<LockRank::pi_walk>& walks() noexcept;

/// Calls work(channel, irqs_off) with the lock of the channel that find() names, and no other; does
/// nothing when it names none. find() runs under the thread's lock; a channel it names is alive
/// until the thread's lock is dropped, and for ~WaitChannel's wait after that.
/// Stage: any, no lock held. Cost: kMaxStepRetries tries, irqs on between them; then, in line with
/// the order but for what holds walks(), one round per channel the thread moved to meanwhile.
/// The analysis cannot follow a lock that is taken inside of another one's guard and outlives it;
/// the blocks show that each path releases what it took.
template <typename Find, typename Work>
void with_reached_channel(Thread& thread, Find&& find,
                          Work&& work) noexcept EVL_NO_THREAD_SAFETY_ANALYSIS {
  for (unsigned tries = 0; tries < kMaxStepRetries; ++tries) {
    HardIrqGuard irqs_off;
    WaitChannel* channel = nullptr;
    bool taken = false;
    {
      HardLockGuard guard{PriorityChain::lock_of(thread), irqs_off};
      channel = find();
      if (channel != nullptr) taken = LockHandover::try_take(channel->lock(), irqs_off);
    }
    if (channel == nullptr) return;
    if (!taken) continue;
    // The thread cannot leave the channel without its lock: what find() said still holds.
    work(*channel, irqs_off);
    LockHandover::release(channel->lock(), irqs_off);
    return;
  }
  HardIrqGuard irqs_off;
  HardLockGuard walk{walks(), irqs_off};
  for (;;) {
    WaitChannel* channel = nullptr;
    {
      HardLockGuard guard{PriorityChain::lock_of(thread), irqs_off};
      channel = find();
    }
    if (channel == nullptr) return;
    LockHandover::take(channel->lock(), irqs_off);
    bool same = false;
    {
      HardLockGuard guard{PriorityChain::lock_of(thread), irqs_off};
      same = find() == channel;
    }
    if (same) work(*channel, irqs_off);
    LockHandover::release(channel->lock(), irqs_off);
    if (same) return;
  }
}

}  // namespace evl

#endif  // EVL_SYNC_REACHED_H
