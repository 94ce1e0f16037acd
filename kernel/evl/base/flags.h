// SPDX-License-Identifier: GPL-2.0
// A word of flags of one strong type: bits of the state word do not mix with those of the info
// word. Any stage; the caller holds the lock that guards the word.
#ifndef EVL_BASE_FLAGS_H
#define EVL_BASE_FLAGS_H

#include "base/types.h"

namespace evl {

// E is an enum class over u32 whose enumerators are single bits or unions of them.
template <typename E>
requires std::is_enum_v<E>
class Flags {
 public:
  constexpr Flags() noexcept = default;
  constexpr Flags(E bit) noexcept : word_{static_cast<u32>(bit)} {}  // A bit is a set of one.
  [[nodiscard]] static constexpr Flags from_word(u32 word) noexcept {
    Flags flags;
    flags.word_ = word;
    return flags;
  }

  [[nodiscard]] constexpr u32 word() const noexcept { return word_; }
  [[nodiscard]] constexpr bool any() const noexcept { return word_ != 0; }
  [[nodiscard]] constexpr bool has(Flags bits) const noexcept { return (word_ & bits.word_) != 0; }
  [[nodiscard]] constexpr bool has_all(Flags bits) const noexcept {
    return (word_ & bits.word_) == bits.word_;
  }
  constexpr void set(Flags bits) noexcept { word_ |= bits.word_; }
  constexpr void clear(Flags bits) noexcept { word_ &= ~bits.word_; }

  constexpr bool operator==(const Flags&) const noexcept = default;
  constexpr Flags operator|(Flags other) const noexcept { return from_word(word_ | other.word_); }
  constexpr Flags operator&(Flags other) const noexcept { return from_word(word_ & other.word_); }
  constexpr Flags operator~() const noexcept { return from_word(~word_); }

 private:
  u32 word_{0};
};

// `a | b` of two enumerators; declared where E opts in: `EVL_FLAG_OPERATORS(ThreadState)`.
#define EVL_FLAG_OPERATORS(E)                                     \
  [[nodiscard]] constexpr Flags<E> operator|(E a, E b) noexcept { \
    return Flags<E>{a} | Flags<E>{b};                             \
  }

}  // namespace evl

#endif  // EVL_BASE_FLAGS_H
