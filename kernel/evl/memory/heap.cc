// SPDX-License-Identifier: GPL-2.0
// Two-level segregated fit. The first level is the power of two of a block's size, the second one
// cuts it into 16 equal parts; a request is rounded up to the next part, so that any block of the
// list found is large enough: no search, no loop.
#include "memory/heap.h"

namespace evl {
namespace {

constexpr u32 kUsed = 1;  // Lowest bit of a block's size.

constexpr size_t round_up(size_t bytes, size_t unit) noexcept {
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

// Header of a block. Links are there while it is free: the payload is their place otherwise.
struct Heap::Block {
  u32 size_and_used;  // Bytes with the header, a multiple of kAlignment.
  u32 before_bytes;   // Of the block in front; 0: this is the first.
  u64 unused;
  Block* next;
  Block* prev;

  static constexpr size_t kHeader = 16;
  static constexpr size_t kSmallest = 32;
  [[nodiscard]] u32 size() const noexcept { return size_and_used & ~kUsed; }
  [[nodiscard]] bool used() const noexcept { return (size_and_used & kUsed) != 0; }
  [[nodiscard]] std::byte* bytes() noexcept { return reinterpret_cast<std::byte*>(this); }
  [[nodiscard]] void* payload() noexcept { return bytes() + kHeader; }
  [[nodiscard]] static Block* at(std::byte* address) noexcept {
    return reinterpret_cast<Block*>(address);
  }
  [[nodiscard]] static Block* of(void* payload) noexcept {
    return at(static_cast<std::byte*>(payload) - kHeader);
  }
};

struct Heap::Class {
  unsigned first;
  unsigned second;
  // The list a free block of `bytes` is in.
  [[nodiscard]] static Class of(size_t bytes) noexcept {
    const auto power = static_cast<unsigned>(std::bit_width(bytes)) - 1;
    return {power, static_cast<unsigned>(bytes >> (power - kSubclassBits)) & (kSubclasses - 1)};
  }
  // The first list all of whose blocks are large enough for `bytes`.
  [[nodiscard]] static Class above(size_t bytes) noexcept {
    const auto power = static_cast<unsigned>(std::bit_width(bytes)) - 1;
    return of(bytes + (size_t{1} << (power - kSubclassBits)) - 1);
  }
};

Heap::Heap(void* arena, size_t bytes) noexcept
    : arena_{static_cast<std::byte*>(arena)},
      bytes_{(bytes <= kMaxArena ? bytes : kMaxArena) / kAlignment * kAlignment} {
  EVL_ASSERT(reinterpret_cast<u64>(arena) % kAlignment == 0 && bytes_ >= Block::kSmallest);
  HardIrqGuard irqs_off;
  HardLockGuard guard{lock_, irqs_off};
  Block& all = *Block::at(arena_);
  all.size_and_used = static_cast<u32>(bytes_);
  all.before_bytes = 0;
  link(all);
}

Heap::~Heap() {
  EVL_ASSERT(used() == 0);
}

Heap::Block* Heap::after(Block& block) const noexcept {
  std::byte* const end = block.bytes() + block.size();
  return end < arena_ + bytes_ ? Block::at(end) : nullptr;
}

Heap::Block* Heap::before(Block& block) const noexcept {
  return block.before_bytes == 0 ? nullptr : Block::at(block.bytes() - block.before_bytes);
}

void Heap::link(Block& block) noexcept {
  const Class of = Class::of(block.size());
  Block*& head = free_[of.first][of.second];
  block.prev = nullptr;
  block.next = head;
  if (head != nullptr) head->prev = &block;
  head = &block;
  class_map_ |= u32{1} << of.first;
  subclass_maps_[of.first] = static_cast<u16>(subclass_maps_[of.first] | 1U << of.second);
}

void Heap::unlink(Block& block) noexcept {
  const Class of = Class::of(block.size());
  (block.prev != nullptr ? block.prev->next : free_[of.first][of.second]) = block.next;
  if (block.next != nullptr) block.next->prev = block.prev;
  if (free_[of.first][of.second] != nullptr) return;
  subclass_maps_[of.first] = static_cast<u16>(subclass_maps_[of.first] & ~(1U << of.second));
  if (subclass_maps_[of.first] == 0) class_map_ &= ~(u32{1} << of.first);
}

Heap::Block* Heap::find(size_t bytes) noexcept {
  const Class wanted = Class::above(bytes);
  if (wanted.first >= kClasses) return nullptr;
  unsigned first = wanted.first;
  u32 subclasses = subclass_maps_[first] & ~u32{0} << wanted.second;
  if (subclasses == 0) {
    if (first + 1 >= kClasses) return nullptr;
    const u32 classes = class_map_ & ~u32{0} << (first + 1);
    if (classes == 0) return nullptr;
    first = static_cast<unsigned>(std::countr_zero(classes));
    subclasses = subclass_maps_[first];
  }
  return free_[first][static_cast<unsigned>(std::countr_zero(subclasses))];
}

void* Heap::alloc(size_t bytes) noexcept {
  if (bytes == 0 || bytes > bytes_) return nullptr;
  const size_t wanted = round_up(bytes, kAlignment) + Block::kHeader;
  Block* block = nullptr;
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{lock_, irqs_off};
    block = find(wanted);
    if (block == nullptr) return nullptr;
    unlink(*block);
    const size_t rest = block->size() - wanted;
    if (rest >= Block::kSmallest) {
      block->size_and_used = static_cast<u32>(wanted);
      Block& tail = *after(*block);
      tail.size_and_used = static_cast<u32>(rest);
      tail.before_bytes = static_cast<u32>(wanted);
      if (Block* const next = after(tail); next != nullptr)
        next->before_bytes = static_cast<u32>(rest);
      link(tail);
    }
    used_ += block->size();
    block->size_and_used |= kUsed;
  }
  __builtin_memset(block->payload(), 0, block->size() - Block::kHeader);
  return block->payload();
}

void Heap::free(void* payload) noexcept {
  if (payload == nullptr) return;
  EVL_ASSERT(owns(payload));
  HardIrqGuard irqs_off;
  HardLockGuard guard{lock_, irqs_off};
  Block* block = Block::of(payload);
  EVL_ASSERT(block->used());
  block->size_and_used &= ~kUsed;
  used_ -= block->size();
  // H2: at most one neighbour on each side is free.
  if (Block* const next = after(*block); next != nullptr && !next->used()) {
    unlink(*next);
    block->size_and_used += next->size();
  }
  if (Block* const front = before(*block); front != nullptr && !front->used()) {
    unlink(*front);
    front->size_and_used += block->size();
    block = front;
  }
  if (Block* const next = after(*block); next != nullptr) next->before_bytes = block->size();
  link(*block);
}

size_t Heap::used() const noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{lock_, irqs_off};
  return used_;
}

bool Heap::owns(const void* block) const noexcept {
  const auto* const address = static_cast<const std::byte*>(block);
  return address >= arena_ + Block::kHeader && address < arena_ + bytes_;
}

bool Heap::invariants_hold() noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{lock_, irqs_off};
  size_t total = 0;
  size_t used = 0;
  unsigned loose = 0;
  u32 before_bytes = 0;
  bool before_free = false;
  for (Block* block = Block::at(arena_); block != nullptr; block = after(*block)) {
    if (block->size() < Block::kSmallest || block->size() % kAlignment != 0) return false;
    if (block->before_bytes != before_bytes) return false;  // H1
    if (before_free && !block->used()) return false;        // H2
    if (block->used()) used += block->size();
    if (!block->used()) ++loose;
    before_bytes = block->size();
    before_free = !block->used();
    total += block->size();
  }
  if (total != bytes_ || used != used_) return false;  // H1, H4
  for (unsigned first = 0; first < kClasses; ++first) {
    if ((subclass_maps_[first] != 0) != ((class_map_ >> first & 1) != 0)) return false;
    for (unsigned second = 0; second < kSubclasses; ++second) {
      const bool marked = (subclass_maps_[first] >> second & 1) != 0;
      if (marked != (free_[first][second] != nullptr)) return false;  // H3
      for (Block* block = free_[first][second]; block != nullptr; block = block->next) {
        const Class of = Class::of(block->size());
        if (block->used() || of.first != first || of.second != second) return false;
        if (loose-- == 0) return false;
      }
    }
  }
  return loose == 0;
}

}  // namespace evl
