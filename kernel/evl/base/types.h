// SPDX-License-Identifier: GPL-2.0
// The only place that includes headers of the standard library: the freestanding ones the kernel
// build can have. Included by everything in the core.
#ifndef EVL_BASE_TYPES_H
#define EVL_BASE_TYPES_H

#include <linux/types.h>

#include <array>
#include <atomic>
#include <bit>
#include <compare>
#include <concepts>
#include <cstddef>
#include <limits>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace evl {

using u8 = __u8;
using u16 = __u16;
using u32 = __u32;
using u64 = __u64;
using s32 = __s32;
using s64 = __s64;
using std::size_t;

// Base of what has an identity: linked by address, or known to Linux by address.
class Immovable {
 public:
  Immovable(const Immovable&) = delete;
  Immovable& operator=(const Immovable&) = delete;

 protected:
  constexpr Immovable() noexcept = default;
  ~Immovable() = default;
};

// Finds the object around its member. Hook is a pointer to a direct, non-static data member.
// Cost: one subtraction; the offset is a constant.
template <typename T, auto Hook, typename H>
[[nodiscard]] inline T& owner_of(H& hook) noexcept {
  static_assert(std::is_same_v<decltype(Hook), H T::*>);
  // The Itanium C++ ABI (GCC and Clang) represents a pointer to a data member by its offset.
  const auto offset = std::bit_cast<std::ptrdiff_t>(Hook);
  return *reinterpret_cast<T*>(reinterpret_cast<std::byte*>(&hook) - offset);
}

}  // namespace evl

#endif  // EVL_BASE_TYPES_H
