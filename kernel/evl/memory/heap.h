// SPDX-License-Identifier: GPL-2.0
// Allocator for what is created while oob. Any stage, any irq state; bounded. Two-level segregated
// fit: bitmaps of free lists by size class, blocks merged with their neighbours when freed. A block
// costs a header of 16 bytes. Source: Masmano, Ripoll, Crespo, Real: TLSF, a new dynamic memory
// allocator for real-time systems.
#ifndef EVL_MEMORY_HEAP_H
#define EVL_MEMORY_HEAP_H

#include "base/lock.h"
#include "base/result.h"

namespace evl {

// Invariants, whenever lock_ is free:
//   H1  Blocks tile the arena: each begins where its neighbour ends, and knows the one before it.
//   H2  A free block is in the list of its size class; no two neighbours are both free.
//   H3  Bit (class, subclass) is set exactly when that list is not empty.
//   H4  used() is the sum of the allocated blocks with their headers.
class Heap final : Immovable {
 public:
  static constexpr size_t kAlignment = 16;
  static constexpr size_t kMaxArena = size_t{1} << 31;

  // The arena is zeroed, aligned to kAlignment, outlives the heap; at most kMaxArena bytes.
  Heap(void* arena, size_t bytes) noexcept;
  ~Heap();  // Everything was freed.

  // Zeroed memory aligned to kAlignment, or nullptr. Cost: O(1), plus zeroing.
  [[nodiscard]] void* alloc(size_t bytes) noexcept;
  void free(void* block) noexcept;  // nullptr is fine. O(1).

  [[nodiscard]] size_t used() const noexcept;
  [[nodiscard]] size_t size() const noexcept { return bytes_; }
  [[nodiscard]] bool owns(const void* block) const noexcept;
  [[nodiscard]] bool invariants_hold() noexcept;  // O(blocks).

 private:
  struct Block;
  struct Class;
  static constexpr unsigned kClasses = 32;
  static constexpr unsigned kSubclassBits = 4;
  static constexpr unsigned kSubclasses = 1U << kSubclassBits;

  // Neighbours in the arena, or nullptr.
  [[nodiscard]] Block* after(Block& block) const noexcept EVL_REQUIRES(lock_);
  [[nodiscard]] Block* before(Block& block) const noexcept EVL_REQUIRES(lock_);
  void link(Block& block) noexcept EVL_REQUIRES(lock_);
  void unlink(Block& block) noexcept EVL_REQUIRES(lock_);
  // A free block of at least `bytes`, still linked, or nullptr.
  [[nodiscard]] Block* find(size_t bytes) noexcept EVL_REQUIRES(lock_);

  mutable HardSpinLock<LockRank::heap> lock_;
  std::byte* const arena_;
  const size_t bytes_;
  size_t used_ EVL_GUARDED_BY(lock_){0};
  u32 class_map_ EVL_GUARDED_BY(lock_){0};
  std::array<u16, kClasses> subclass_maps_ EVL_GUARDED_BY(lock_){};
  std::array<std::array<Block*, kSubclasses>, kClasses> free_ EVL_GUARDED_BY(lock_){};
};

// What an object allocated oob comes from; nullptr when it is exhausted.
template <typename T, typename... Args>
[[nodiscard]] T* create_in(Heap& heap, Args&&... args) noexcept {
  static_assert(alignof(T) <= Heap::kAlignment);
  void* const block = heap.alloc(sizeof(T));
  return block == nullptr ? nullptr : ::new (block) T(std::forward<Args>(args)...);
}
template <typename T>
void discard_in(Heap& heap, T* object) noexcept {
  if (object == nullptr) return;
  object->~T();
  heap.free(object);
}

}  // namespace evl

#endif  // EVL_MEMORY_HEAP_H
