// SPDX-License-Identifier: GPL-2.0
// The walk along a chain of owners, and how it gets from a thread to the channel it waits on, which
// is against the lock order.
#include "sync/pi.h"

#include "sched/schedule.h"
#include "sync/reached.h"
#include "thread/thread_element.h"

namespace evl {
namespace {

// Built once by boot(); lives as long as the core.
constinit InPlace<HardSpinLock<LockRank::pi_walk>> walk_lock;

}  // namespace

HardSpinLock<LockRank::pi_walk>& walks() noexcept {
  return *walk_lock;
}

void PriorityChain::boot() noexcept {
  if (walk_lock.built()) walk_lock.destroy();
  walk_lock.build();
}

void PriorityChain::wait_for_walks() noexcept {
  if (!walk_lock.built()) return;  // Tests of single objects.
  HardIrqGuard irqs_off;
  HardLockGuard guard{*walk_lock, irqs_off};
}

PriorityChain::~PriorityChain() {
  if (next_ != nullptr) next_->element()->put();
}

void PriorityChain::begin_at(Thread& first, bool changed) noexcept {
  EVL_ASSERT(next_ == nullptr);
  first.element()->get();
  next_ = &first;
  changed_ = changed;
}

Status PriorityChain::follow(const Thread* origin) noexcept {
  for (unsigned depth = 0; depth < kMaxChainDepth; ++depth) {
    if (next_ == nullptr) return kOk;
    if (!changed_ && origin == nullptr) return kOk;
    Thread& thread = *next_;
    Thread* owner = nullptr;
    bool owner_changed = false;
    with_reached_channel(
        thread, [&]() noexcept -> WaitChannel* { return thread.wchan_; },
        [&](WaitChannel& channel, const HardIrqsOff& irqs_off) noexcept {
          channel.lock().assert_held();
          if (changed_) channel.requeue(thread, irqs_off);
          Mutex* const mutex = channel.mutex();
          if (mutex == nullptr) return;
          mutex->lock().assert_held();
          if (changed_) owner_changed = mutex->update_boost(irqs_off);
          owner = mutex->owner_;
          if (owner != nullptr) owner->element()->get();  // Tracked: it is alive.
        });
    next_ = owner;
    changed_ = owner_changed;
    thread.element()->put();
    if (owner != nullptr && owner == origin) return Errno::deadlk;
  }
  if (next_ == nullptr) return kOk;
  kapi_print_ratelimited(KAPI_WARNING, "a chain of more than %u mutexes ends at %s", kMaxChainDepth,
                         next_->name());
  return Errno::deadlk;
}

void PriorityChain::propagate(Thread& thread) noexcept {
  if (thread.element() == nullptr) return;  // Root threads wait for nothing.
  PriorityChain chain;
  chain.begin_at(thread, true);
  (void)chain.follow(nullptr);
}

bool PriorityChain::recompute(const ThreadGuard& locked) noexcept {
  Thread& thread = locked.thread();
  thread.lock_.assert_held();
  SchedParams wanted = thread.base_;
  if (thread.boosters_.empty()) {
    thread.state_.clear(ThreadState::boost);
  } else {
    thread.state_.set(ThreadState::boost);
    const SchedParams& boost = thread.boosters_.front().boost();
    if (boost.wprio() > wanted.wprio()) wanted = boost;
  }
  if (wanted == thread.effective_) return false;
  const bool falls = wanted.wprio() < thread.effective_.wprio();
  Scheduler::set_effective(locked, thread, wanted,
                           falls ? Scheduler::Place::first : Scheduler::Place::last);
  return true;
}

}  // namespace evl
