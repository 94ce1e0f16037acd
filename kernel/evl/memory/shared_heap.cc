// SPDX-License-Identifier: GPL-2.0
// Slots of the area that user space maps. Links and sizes inside of it, as in a Heap, would be for
// any process to overwrite, and for the kernel to follow.
#include "memory/shared_heap.h"

#include "base/assert.h"

namespace evl {

SharedHeap::~SharedHeap() {
  EVL_ASSERT(in_use(InbandStage::at_entry()) == 0);
}

void* SharedHeap::take(const InbandStage& inband) noexcept {
  InbandLockGuard guard{mutex_, inband};
  const auto slot = slots_.take();
  if (!slot.ok()) return nullptr;
  void* const taken = static_cast<std::byte*>(pages_) + slot.value() * kSlotBytes;
  __builtin_memset(taken, 0, kSlotBytes);
  return taken;
}

void SharedHeap::free(void* slot, const InbandStage& inband) noexcept {
  if (slot == nullptr) return;
  const u32 offset = offset_of(slot);
  EVL_ASSERT(offset < bytes_ && offset % kSlotBytes == 0);
  InbandLockGuard guard{mutex_, inband};
  slots_.give_back(offset / kSlotBytes);
}

u32 SharedHeap::offset_of(const void* slot) const noexcept {
  if (slot == nullptr) return ~u32{0};  // EVL_NO_STATE_OFFSET
  return static_cast<u32>(static_cast<const std::byte*>(slot) -
                          static_cast<const std::byte*>(pages_));
}

unsigned SharedHeap::in_use(const InbandStage& inband) noexcept {
  InbandLockGuard guard{mutex_, inband};
  return slots_.in_use();
}

}  // namespace evl
