// SPDX-License-Identifier: GPL-2.0
// Scheduling parameters of a thread, and priorities that compare across policies.
#ifndef EVL_SCHED_PARAMS_H
#define EVL_SCHED_PARAMS_H

#include <evl/sched-abi.h>

#include "base/time.h"

namespace evl {

// In order of rank; a higher rank is picked first. 2 and 3 are those of quota and tp.
enum class PolicyId : u8 { idle = 0, weak = 1, fifo = 4 };

inline constexpr int kMinCorePrio = 0;    // Of FIFO, kernel threads included.
inline constexpr int kMaxCorePrio = 101;  // 100 and 101 are for kernel threads.
inline constexpr int kIdlePrio = -1;      // Of the root threads.
inline constexpr unsigned kPrioLevels = kMaxCorePrio + 1;

// Priority that compares across policies: what wait channels and inheritance order by.
using Wprio = int;
inline constexpr int kRankWeight = 1024;
[[nodiscard]] constexpr Wprio weigh(PolicyId policy, int prio) noexcept {
  return prio + kRankWeight * static_cast<int>(policy);
}

// What a caller asks for, and what a thread has. A value; not yet checked until
// check_params() (sched/policy.h) said so.
struct SchedParams {
  PolicyId policy{PolicyId::weak};
  int prio{0};
  // Round-robin slice, FIFO only; zero: run until blocked.
  Duration quantum{};

  [[nodiscard]] constexpr Wprio wprio() const noexcept { return weigh(policy, prio); }
  constexpr bool operator==(const SchedParams&) const noexcept = default;
};

// From and to the ABI. SCHED_OTHER is weak at 0; SCHED_RR with a zero quantum keeps `present`'s.
// EINVAL: unknown policy, priority out of the policy's range, malformed quantum.
// EOPNOTSUPP: a policy that is not built.
[[nodiscard]] Result<SchedParams> params_from(const evl_sched_attrs& attrs,
                                              const SchedParams& present) noexcept;
[[nodiscard]] evl_sched_attrs attrs_from(const SchedParams& params) noexcept;

}  // namespace evl

#endif  // EVL_SCHED_PARAMS_H
