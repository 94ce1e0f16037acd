// SPDX-License-Identifier: GPL-2.0
// What the core shares with user space: the area mapped in every process that opened control. It is
// writable by all of them, at any time: the core keeps nothing of its own in it, and trusts nothing
// that it reads there. In-band.
#ifndef EVL_MEMORY_SHARED_HEAP_H
#define EVL_MEMORY_SHARED_HEAP_H

#include "base/id_map.h"
#include "base/lock.h"

namespace evl {

// SH1  Slots of one size tile the area; which are taken is known in slots_ alone, in memory of the
//      kernel.
// SH2  A slot taken is zero until its owner, or user space, writes to it.
class SharedHeap final : Immovable {
 public:
  // Of every slot: a window of a thread or the state of a monitor fits.
  static constexpr size_t kSlotBytes = 16;
  [[nodiscard]] static constexpr unsigned slots_in(size_t bytes) noexcept {
    return static_cast<unsigned>(bytes / kSlotBytes);
  }

  // `pages`: `bytes` of them; `map`: IdMap::words_for(slots_in(bytes)) zeroed words, not shared.
  // Both outlive the heap.
  SharedHeap(void* pages, size_t bytes, u64* map) noexcept
      : pages_{pages}, bytes_{bytes}, slots_{map, slots_in(bytes)} {}
  ~SharedHeap();  // Everything was freed.

  /// A zeroed T, or nullptr: all slots are taken.
  /// Cost: O(slots / 64), preemptible.
  template <typename T>
  [[nodiscard]] T* alloc(const InbandStage& inband) noexcept {
    static_assert(std::is_trivial_v<T> && sizeof(T) <= kSlotBytes && alignof(T) <= kSlotBytes);
    return static_cast<T*>(take(inband));
  }
  void free(void* slot, const InbandStage& inband) noexcept;  // nullptr is fine. O(1).

  // What user space adds to the start of its mapping. nullptr: EVL_NO_STATE_OFFSET. Any stage.
  [[nodiscard]] u32 offset_of(const void* slot) const noexcept;
  [[nodiscard]] void* pages() const noexcept { return pages_; }
  [[nodiscard]] size_t size() const noexcept { return bytes_; }
  [[nodiscard]] unsigned in_use(const InbandStage& inband) noexcept;

 private:
  [[nodiscard]] void* take(const InbandStage& inband) noexcept;

  void* const pages_;
  const size_t bytes_;
  InbandMutex mutex_;
  IdMap slots_ EVL_GUARDED_BY(mutex_);
};

}  // namespace evl

#endif  // EVL_MEMORY_SHARED_HEAP_H
