// SPDX-License-Identifier: GPL-2.0
// Which small numbers are in use: the minors of a factory, slots of the shared heap. The caller
// holds the lock that guards the map; any stage.
#ifndef EVL_BASE_ID_MAP_H
#define EVL_BASE_ID_MAP_H

#include "base/result.h"

namespace evl {

// ID1  Bits at and above capacity() are never set.
// Cost: take O(capacity / 64); everything else O(1).
class IdMap final : Immovable {
 public:
  // `words` holds words_for(capacity) zeroed words and outlives the map.
  IdMap(u64* words, unsigned capacity) noexcept : words_{words}, capacity_{capacity} {}
  [[nodiscard]] static constexpr size_t words_for(unsigned capacity) noexcept {
    return (size_t{capacity} + 63) / 64;
  }

  // The lowest free number. EAGAIN: none is free.
  [[nodiscard]] Result<unsigned> take() noexcept {
    for (unsigned word = 0; word < words_for(capacity_); ++word) {
      if (words_[word] == ~u64{0}) continue;
      const auto id = word * 64 + static_cast<unsigned>(std::countr_one(words_[word]));
      if (id >= capacity_) break;
      words_[word] |= u64{1} << id % 64;
      ++in_use_;
      return id;
    }
    return Errno::again;
  }
  void give_back(unsigned id) noexcept {
    EVL_ASSERT(taken(id));
    words_[id / 64] &= ~(u64{1} << id % 64);
    --in_use_;
  }
  [[nodiscard]] bool taken(unsigned id) const noexcept {
    return id < capacity_ && (words_[id / 64] >> id % 64 & 1) != 0;
  }
  [[nodiscard]] unsigned capacity() const noexcept { return capacity_; }
  [[nodiscard]] unsigned in_use() const noexcept { return in_use_; }

 private:
  u64* words_;
  unsigned capacity_;
  unsigned in_use_{0};
};

}  // namespace evl

#endif  // EVL_BASE_ID_MAP_H
