// SPDX-License-Identifier: GPL-2.0
// The lockdep classes of the lock ranks: static, since lockdep takes no other keys.
#include "base/lock.h"

namespace evl {
namespace {

constinit std::array<kapi_lock_class, kLockRanks> lock_classes{{
    {{}, "evl:inband", 0},
    {{}, "evl:timer_run", 1},
    {{}, "evl:file_table", 2},
    {{}, "evl:monitor", 3},
    {{}, "evl:ring", 4},
    {{}, "evl:task", 5},
    {{}, "evl:pi_walk", 6},
    {{}, "evl:wchan", 7},
    {{}, "evl:thread", 8},
    {{}, "evl:rq", 9},
    {{}, "evl:timer_base", 10},
    {{}, "evl:stax", 11},
    {{}, "evl:fundle", 12},
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
