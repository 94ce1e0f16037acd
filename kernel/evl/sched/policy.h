// SPDX-License-Identifier: GPL-2.0
// What a scheduling policy is, and the constexpr table that picks one by its id. Policies are types
// without objects: their queues live in the Rq, their parameters in the Thread. No indirect call on
// the switch path: dispatch is a chain of comparisons with constants, FIFO first.
#ifndef EVL_SCHED_POLICY_H
#define EVL_SCHED_POLICY_H

#include "sched/params.h"

namespace evl {

class Rq;
class RqLocked;
class Thread;

// All operations run under the lock of the thread's Rq, hard irqs off, any stage; O(1).
//   enqueue   last of its level (wake-up, round-robin, yield)
//   requeue   first of its level (preempted, deboosted)
//   dequeue   takes a queued thread out
//   pick      the thread to run next, taken out of the queue; nullptr: none
//   check     may these parameters be given to this thread? EINVAL, EPERM; changes nothing
template <typename P>
concept Policy = requires(const RqLocked& rq, Thread& thread, const Thread& candidate,
                          const SchedParams& params) {
  { P::kId } -> std::convertible_to<PolicyId>;
  { P::kName } -> std::convertible_to<const char*>;
  { P::enqueue(rq, thread) }
  noexcept->std::same_as<void>;
  { P::requeue(rq, thread) }
  noexcept->std::same_as<void>;
  { P::dequeue(rq, thread) }
  noexcept->std::same_as<void>;
  { P::pick(rq) }
  noexcept->std::same_as<Thread*>;
  { P::check(candidate, params) }
  noexcept->std::same_as<Status>;
};

// Fixed priority, first in first out; round-robin when the thread has a quantum.
struct FifoPolicy {
  static constexpr PolicyId kId = PolicyId::fifo;
  static constexpr const char* kName = "fifo";
  static void enqueue(const RqLocked& rq, Thread& thread) noexcept;
  static void requeue(const RqLocked& rq, Thread& thread) noexcept;
  static void dequeue(const RqLocked& rq, Thread& thread) noexcept;
  [[nodiscard]] static Thread* pick(const RqLocked& rq) noexcept;
  [[nodiscard]] static Status check(const Thread& thread, const SchedParams& params) noexcept;
};

// No guarantee: goes back in-band after each request, unless it holds a mutex.
struct WeakPolicy {
  static constexpr PolicyId kId = PolicyId::weak;
  static constexpr const char* kName = "weak";
  static void enqueue(const RqLocked& rq, Thread& thread) noexcept;
  static void requeue(const RqLocked& rq, Thread& thread) noexcept;
  static void dequeue(const RqLocked& rq, Thread& thread) noexcept;
  [[nodiscard]] static Thread* pick(const RqLocked& rq) noexcept;
  [[nodiscard]] static Status check(const Thread& thread, const SchedParams& params) noexcept;
};

// Holds nothing but the root thread, which is always ready: pick never fails.
struct IdlePolicy {
  static constexpr PolicyId kId = PolicyId::idle;
  static constexpr const char* kName = "idle";
  static void enqueue(const RqLocked& rq, Thread& thread) noexcept;
  static void requeue(const RqLocked& rq, Thread& thread) noexcept;
  static void dequeue(const RqLocked& rq, Thread& thread) noexcept;
  [[nodiscard]] static Thread* pick(const RqLocked& rq) noexcept;
  [[nodiscard]] static Status check(const Thread& thread, const SchedParams& params) noexcept;
};

// The table: by falling rank, so that the most urgent policy is tried first.
template <Policy... P>
struct PolicyTable {
  static constexpr unsigned kCount = sizeof...(P);
  static constexpr std::array<PolicyId, kCount> kIds{P::kId...};
  static consteval bool ranks_fall() {
    for (unsigned i = 1; i < kCount; ++i)
      if (kIds[i - 1] <= kIds[i]) return false;
    return true;
  }

  // Calls visit.template operator()<P>() for the policy `id`. `id` is in the table.
  template <typename Visit>
  static constexpr auto with(PolicyId id, Visit&& visit) noexcept {
    return dispatch<Visit, P...>(id, visit);
  }

  // The first policy that has a thread to run.
  [[nodiscard]] static Thread* pick(const RqLocked& rq) noexcept {
    Thread* next = nullptr;
    (void)((next = P::pick(rq), next != nullptr) || ...);
    return next;
  }

 private:
  template <typename Visit, typename First, typename... Rest>
  static constexpr auto dispatch(PolicyId id, Visit& visit) noexcept {
    if constexpr (sizeof...(Rest) > 0)
      if (id != First::kId) return dispatch<Visit, Rest...>(id, visit);
    return visit.template operator()<First>();
  }
};
using Policies = PolicyTable<FifoPolicy, WeakPolicy, IdlePolicy>;
static_assert(Policies::ranks_fall());

}  // namespace evl

#endif  // EVL_SCHED_POLICY_H
