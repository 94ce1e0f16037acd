// SPDX-License-Identifier: GPL-2.0
// Bitmap run queue: one list per priority level, and a bit per list that is not empty. What is
// ready to run under a fixed-priority policy on one CPU. The caller holds the Rq's lock.
#ifndef EVL_BASE_LEVEL_QUEUE_H
#define EVL_BASE_LEVEL_QUEUE_H

#include "base/list.h"

namespace evl {

// LQ1  Bit n of the map is set exactly when level n has entries.
// LQ2  Each level is first in, first out, but for what push_front() puts first.
// All O(1): the pick looks at (Levels + 63) / 64 words.
template <typename T, ListHook T::*Hook, unsigned Levels>
class LevelQueue final : Immovable {
 public:
  constexpr LevelQueue() noexcept = default;

  [[nodiscard]] bool empty() const noexcept {
    for (const u64 word : map_)
      if (word != 0) return false;
    return true;
  }
  [[nodiscard]] static bool linked(const T& entry) noexcept { return (entry.*Hook).linked(); }

  void push_back(T& entry, unsigned level) noexcept {
    at(level).push_back(entry);
    mark(level);
  }
  void push_front(T& entry, unsigned level) noexcept {
    at(level).push_front(entry);
    mark(level);
  }
  // `level` is the one the entry was pushed to.
  void remove(T& entry, unsigned level) noexcept {
    at(level).remove(entry);
    if (at(level).empty()) map_[level / 64] &= ~(u64{1} << level % 64);
  }

  // The first entry of the highest level, or nullptr.
  [[nodiscard]] T* front() noexcept {
    for (unsigned word = kWords; word-- > 0;)
      if (map_[word] != 0)
        return &levels_[word * 64 + 63 - static_cast<unsigned>(std::countl_zero(map_[word]))]
                    .front();
    return nullptr;
  }

  // Calls visit(entry, level), from the highest level down; it changes nothing. Cost: O(n +
  // Levels).
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (unsigned level = Levels; level-- > 0;)
      levels_[level].for_each([&](T& entry) { visit(entry, level); });
  }

  [[nodiscard]] bool invariants_hold() const noexcept {
    for (unsigned level = 0; level < Levels; ++level) {
      const bool marked = (map_[level / 64] >> level % 64 & 1) != 0;
      if (marked == levels_[level].empty() || !levels_[level].invariants_hold()) return false;
    }
    return true;
  }

 private:
  static constexpr unsigned kWords = (Levels + 63) / 64;
  [[nodiscard]] List<T, Hook>& at(unsigned level) noexcept {
    EVL_ASSERT(level < Levels);
    return levels_[level];
  }
  void mark(unsigned level) noexcept { map_[level / 64] |= u64{1} << level % 64; }

  std::array<u64, kWords> map_{};  // First: the pick reads nothing else of an empty queue.
  std::array<List<T, Hook>, Levels> levels_{};
};

}  // namespace evl

#endif  // EVL_BASE_LEVEL_QUEUE_H
