// SPDX-License-Identifier: MIT
//
// Rng: the one source of chance in a simulation. The same seed gives the same numbers on every
// host.

#pragma once

#include <cstdint>

namespace sim {

// SplitMix64 (Steele, Lea, Flood 2014): full period, no bad seeds, which matters because seeds are
// 1, 2, 3...
class Rng final {
 public:
  explicit constexpr Rng(std::uint64_t seed) noexcept : state_{seed} {}

  constexpr std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31U);
  }

  /// A number below `bound`, which is not 0. The bias of the reduction is below 2^-32 and does not
  /// matter here.
  constexpr std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32U) * bound) >> 32U);
  }

  /// True in `percent` cases of 100.
  constexpr bool chance(std::uint32_t percent) noexcept { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

}  // namespace sim
