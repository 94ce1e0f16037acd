// SPDX-License-Identifier: MIT
//
// LockOrder: which lock classes were taken under which, in one run. Two classes taken in both
// orders are a deadlock that waits for its schedule, so this is reported although nothing has hung.
// It is what lockdep does, in small.

#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace sim {

class LockOrder final {
 public:
  static constexpr unsigned kClasses = 64;

  /// Records that a lock of class `taken` was taken under one of class `held`. False when the other
  /// order has been seen. Locks of one class nest only in a documented order, which the caller
  /// checks: they are not recorded.
  bool nested(unsigned held, unsigned taken) noexcept;
  void clear() noexcept { below_.fill(0); }

 private:
  bool reaches(unsigned from, unsigned to) const noexcept;

  std::array<std::uint64_t, kClasses> below_{};  // Bit t of [h]: t was taken under h.
};

}  // namespace sim
