// SPDX-License-Identifier: GPL-2.0
// The lockdep classes of the lock ranks: static, since lockdep takes no other keys.
#include "base/lock.h"

namespace evl {
namespace {

constinit std::array<kapi_lock_class, kLockRanks> lock_classes{{
    {{}, "evl:inband", 0},
    {{}, "evl:timer_run", 1},
    {{}, "evl:file_table", 2},
    {{}, "evl:fundle", 3},
    {{}, "evl:monitor", 4},
    {{}, "evl:ring", 5},
    {{}, "evl:task", 6},
    {{}, "evl:pi_walk", 7},
    {{}, "evl:wchan", 8},
    {{}, "evl:thread", 9},
    {{}, "evl:rq", 10},
    {{}, "evl:timer_base", 11},
    {{}, "evl:stax", 12},
    {{}, "evl:heap", 13},
    {{}, "evl:leaf", 14},
}};

}  // namespace

kapi_lock_class& lock_class(LockRank rank) noexcept {
  kapi_lock_class& found = lock_classes[static_cast<size_t>(rank)];
  EVL_ASSERT(found.rank == static_cast<unsigned>(rank));
  return found;
}

}  // namespace evl
