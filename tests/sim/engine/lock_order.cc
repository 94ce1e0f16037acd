// SPDX-License-Identifier: MIT

#include "engine/lock_order.h"

#include <bit>

namespace sim {

bool LockOrder::nested(unsigned held, unsigned taken) noexcept {
  if (held == taken || held >= kClasses || taken >= kClasses) return true;
  if ((below_[held] >> taken) & 1U) return true;
  if (reaches(taken, held)) return false;
  below_[held] |= std::uint64_t{1} << taken;
  return true;
}

// Breadth first; each class enters `seen` once, so at most kClasses rounds.
bool LockOrder::reaches(unsigned from, unsigned to) const noexcept {
  std::uint64_t seen = std::uint64_t{1} << from;
  std::uint64_t todo = seen;
  while (todo != 0) {
    const auto next = static_cast<unsigned>(std::countr_zero(todo));
    todo &= todo - 1;
    if (next == to) return true;
    todo |= below_[next] & ~seen;
    seen |= below_[next];
  }
  return false;
}

}  // namespace sim
