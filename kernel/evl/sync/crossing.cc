// SPDX-License-Identifier: GPL-2.0
// See the header. The last user opens the crossing from an irq_work: it may be on the oob stage.
#include "sync/crossing.h"

#include "base/assert.h"

namespace evl {

Crossing::Crossing() noexcept {
  reinit();
}

void Crossing::reinit() noexcept {
  count_.store_relaxed(1);
  kapi_completion_init(&open_);
  kapi_irq_work_init(&work_, &Crossing::open);
}

// Each round more than one means that another CPU came or left meanwhile.
bool Crossing::enter() noexcept {
  s32 count = count_.load_relaxed();
  while (count > 0)
    if (count_.compare_exchange(count, count + 1)) return true;
  return false;
}

void Crossing::leave() noexcept {
  const s32 former = count_.fetch_sub(1);
  EVL_ASSERT(former > 0);
  if (former == 1) kapi_irq_work_queue(&work_);
}

void Crossing::pass(const InbandStage&) noexcept {
  if (count_.fetch_sub(1) == 1) return;
  kapi_wait_completion(&open_);
  // The handler has completed it, but may not have returned: the work goes away with us.
  kapi_irq_work_sync(&work_);
}

void Crossing::open(kapi_irq_work* work) noexcept {
  kapi_complete(&owner_of<Crossing, &Crossing::work_>(*work).open_);
}

}  // namespace evl
