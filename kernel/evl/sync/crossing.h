// SPDX-License-Identifier: GPL-2.0
// Crossing: where in-band code waits until no oob user is in flight. One shot, reusable by
// reinit().
#ifndef EVL_SYNC_CROSSING_H
#define EVL_SYNC_CROSSING_H

#include "base/atomic.h"
#include "base/proof.h"
#include "kapi/inband.h"

namespace evl {

// Invariants:
//   CR1  count_ = 1 (until pass() began) + users in flight.
//   CR2  open_ is completed by exactly one of: the user that leaves last, or pass() itself.
class Crossing final : Immovable {
 public:
  Crossing() noexcept;
  void reinit() noexcept;  // Nobody uses it.

  // A user comes; false: pass() has begun and nobody else was inside, stay away. Any stage. O(1).
  [[nodiscard]] bool enter() noexcept;
  // It leaves. Any stage, any irq state: the last one opens the crossing by irq_work. O(1).
  void leave() noexcept;

  // Waits until all users have left; enter() fails from then on. Sleeps.
  void pass(const InbandStage& inband) noexcept;

 private:
  static void open(kapi_irq_work* work) noexcept;
  Atomic<s32> count_{1};
  kapi_completion open_{};
  kapi_irq_work work_{};
};

}  // namespace evl

#endif  // EVL_SYNC_CROSSING_H
