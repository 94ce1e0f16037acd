// SPDX-License-Identifier: GPL-2.0
// Scheduling parameters between the ABI and the core. Any stage.
#include "sched/params.h"

#include <evl/sched-abi.h>

#include "sched/policy.h"

namespace evl {
namespace {

// Linux's numbers; part of the ABI of every architecture.
constexpr s32 kSchedOther = 0;
constexpr s32 kSchedFifo = 1;
constexpr s32 kSchedRr = 2;
constexpr s32 kSchedQuota = 44;
constexpr s32 kSchedTp = 45;

// A thread that is not round-robin yet, and names no slice, gets this one.
constexpr Duration kDefaultQuantum = Duration::us(100'000);

}  // namespace

Result<SchedParams> params_from(const evl_sched_attrs& attrs, const SchedParams& present) noexcept {
  SchedParams params{.policy = PolicyId::fifo, .prio = attrs.sched_priority};
  switch (attrs.sched_policy) {
    case kSchedOther:
      if (params.prio != 0) return Errno::inval;
      params.policy = PolicyId::weak;
      return params;
    case SCHED_WEAK:
      params.policy = PolicyId::weak;
      return params;
    case kSchedFifo:
      return params;
    case kSchedRr:
      params.quantum = EVL_TRY(duration_from(attrs.sched_rr_quantum));
      if (params.quantum.is_zero())
        params.quantum = present.quantum.is_zero() ? kDefaultQuantum : present.quantum;
      return params;
    case kSchedQuota:
    case kSchedTp:
      return Errno::opnotsupp;
    default:
      return Errno::inval;
  }
}

evl_sched_attrs attrs_from(const SchedParams& params) noexcept {
  evl_sched_attrs attrs{};
  attrs.sched_priority = params.prio;
  switch (params.policy) {
    case PolicyId::fifo:
      attrs.sched_policy = params.quantum.is_zero() ? kSchedFifo : kSchedRr;
      attrs.sched_rr_quantum = to_timespec(params.quantum.ns());
      break;
    case PolicyId::weak:
      attrs.sched_policy = SCHED_WEAK;
      break;
    case PolicyId::idle:
      attrs.sched_policy = kSchedOther;
      break;
  }
  return attrs;
}

}  // namespace evl
