// SPDX-License-Identifier: GPL-2.0
// The links by which a mutex hangs on its owner. Base of Mutex, apart from it so that Thread needs
// not know what a mutex is.
#ifndef EVL_SYNC_BOOSTER_H
#define EVL_SYNC_BOOSTER_H

#include "base/list.h"
#include "base/prio_queue.h"
#include "sched/params.h"

namespace evl {

// What a held mutex does to its owner: nothing, or raise it to `boost_`.
class Booster : Immovable {
 public:
  // Effective parameters the owner gets while this is its top booster: those of the top waiter
  // (inheritance), or FIFO at the ceiling (protection). Under the owner's thread lock.
  [[nodiscard]] const SchedParams& boost() const noexcept { return boost_; }

 protected:
  Booster() noexcept = default;
  ~Booster() = default;

  PrioHook booster_hook_;  // In the owner's boosters_ while contended, or ceiling applied.
  ListHook owned_hook_;    // In the owner's owned_ while the owner is tracked.
  SchedParams boost_{};

 public:
  // Ordered by boost().wprio(). Both under the owner's thread lock.
  using BoostQueue = PrioQueue<Booster, &Booster::booster_hook_>;
  using OwnedList = List<Booster, &Booster::owned_hook_>;
};

}  // namespace evl

#endif  // EVL_SYNC_BOOSTER_H
