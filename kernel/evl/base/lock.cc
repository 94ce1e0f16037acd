// SPDX-License-Identifier: GPL-2.0
// The lockdep classes of the lock ranks: static, since lockdep takes no other keys.
#include "base/lock.h"

namespace evl {
namespace {

constinit std::array<kapi_lock_class, kLockRanks> lock_classes{{
    {{}, "evl:inband", 0},
    {{}, "evl:file_table", 1},
    {{}, "evl:fundle", 2},
    {{}, "evl:monitor", 3},
    {{}, "evl:ring", 4},
    {{}, "evl:wchan", 5},
    {{}, "evl:thread", 6},
    {{}, "evl:rq", 7},
    {{}, "evl:timer_base", 8},
    {{}, "evl:stax", 9},
    {{}, "evl:heap", 10},
    {{}, "evl:leaf", 11},
}};

}  // namespace

kapi_lock_class& lock_class(LockRank rank) noexcept {
  kapi_lock_class& found = lock_classes[static_cast<size_t>(rank)];
  EVL_ASSERT(found.rank == static_cast<unsigned>(rank));
  return found;
}

}  // namespace evl
