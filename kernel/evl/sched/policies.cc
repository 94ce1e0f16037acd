// SPDX-License-Identifier: GPL-2.0
// The policies: FIFO with round-robin, WEAK, IDLE. Under the Rq's lock, hard irqs off; all O(1).
#include "sched/policy.h"

#include "sched/rq.h"
#include "time/clock.h"

namespace evl {
namespace {

unsigned level_of(const Thread& thread) noexcept {
  return static_cast<unsigned>(thread.effective().prio);
}

Thread* take_front(Thread::ReadyQueue& queue) noexcept {
  Thread* const next = queue.front();
  if (next != nullptr) queue.remove(*next, level_of(*next));
  return next;
}

}  // namespace

void FifoPolicy::enqueue(const RqLocked& rq, Thread& thread) noexcept {
  rq.rq().lock_.assert_held();
  rq.rq().fifo_ready_.push_back(thread, level_of(thread));
}

void FifoPolicy::requeue(const RqLocked& rq, Thread& thread) noexcept {
  rq.rq().lock_.assert_held();
  rq.rq().fifo_ready_.push_front(thread, level_of(thread));
}

void FifoPolicy::dequeue(const RqLocked& rq, Thread& thread) noexcept {
  rq.rq().lock_.assert_held();
  rq.rq().fifo_ready_.remove(thread, level_of(thread));
}

Thread* FifoPolicy::pick(const RqLocked& rq) noexcept {
  rq.rq().lock_.assert_held();
  return take_front(rq.rq().fifo_ready_);
}

// A slice below the gravity would be over before it began.
Status FifoPolicy::check(const Thread& thread, const SchedParams& params) noexcept {
  const int lowest = thread.is_user() ? EVL_FIFO_MIN_PRIO : kMinCorePrio;
  const int highest = thread.is_user() ? EVL_FIFO_MAX_PRIO : kMaxCorePrio;
  if (params.prio < lowest || params.prio > highest) return Errno::inval;
  if (!params.quantum.is_zero() && params.quantum <= Rq::min_quantum(thread)) return Errno::inval;
  return kOk;
}

void WeakPolicy::enqueue(const RqLocked& rq, Thread& thread) noexcept {
  rq.rq().lock_.assert_held();
  rq.rq().weak_ready_.push_back(thread, level_of(thread));
}

void WeakPolicy::requeue(const RqLocked& rq, Thread& thread) noexcept {
  rq.rq().lock_.assert_held();
  rq.rq().weak_ready_.push_front(thread, level_of(thread));
}

void WeakPolicy::dequeue(const RqLocked& rq, Thread& thread) noexcept {
  rq.rq().lock_.assert_held();
  rq.rq().weak_ready_.remove(thread, level_of(thread));
}

Thread* WeakPolicy::pick(const RqLocked& rq) noexcept {
  rq.rq().lock_.assert_held();
  return take_front(rq.rq().weak_ready_);
}

Status WeakPolicy::check(const Thread&, const SchedParams& params) noexcept {
  if (params.prio < EVL_WEAK_MIN_PRIO || params.prio > EVL_WEAK_MAX_PRIO) return Errno::inval;
  return params.quantum.is_zero() ? kOk : Status{Errno::inval};
}

// Being the root is being in the queue (RQ4).
void IdlePolicy::enqueue(const RqLocked&, Thread& thread) noexcept {
  EVL_ASSERT(thread.is_root());
}

void IdlePolicy::requeue(const RqLocked&, Thread& thread) noexcept {
  EVL_ASSERT(thread.is_root());
}

void IdlePolicy::dequeue(const RqLocked&, Thread& thread) noexcept {
  EVL_ASSERT(thread.is_root());
}

Thread* IdlePolicy::pick(const RqLocked& rq) noexcept {
  return &rq.rq().root_;
}

Status IdlePolicy::check(const Thread&, const SchedParams&) noexcept {
  return Errno::inval;
}

}  // namespace evl
