// SPDX-License-Identifier: GPL-2.0
// Intrusive queue ordered by decreasing weight, first come first served among equals: what waits on
// a wait channel, and the boosters of a thread. The caller holds the lock that guards the queue.
//
// Entries of one weight are a level; the first of each level, its leader, is also in a ring of
// leaders, so that insertion walks levels, not entries.
#ifndef EVL_BASE_PRIO_QUEUE_H
#define EVL_BASE_PRIO_QUEUE_H

#include "base/assert.h"
#include "base/types.h"

namespace evl {

class PrioHook final : Immovable {
 public:
  constexpr PrioHook() noexcept = default;
  ~PrioHook() { EVL_ASSERT(!linked()); }
  [[nodiscard]] bool linked() const noexcept { return next_ != nullptr; }

 private:
  template <typename T, PrioHook T::*>
  friend class PrioQueue;
  PrioHook* next_{nullptr};
  PrioHook* prev_{nullptr};
  PrioHook* next_leader_{nullptr};  // Non-null for leaders only.
  PrioHook* prev_leader_{nullptr};
  int weight_{0};  // As it was at insertion: the order stays sound while an owner's value changes.
};

// Q1  Ordered by decreasing weight, first in first out among equals.
// Q2  A hook is in at most one queue.
// Q3  The leaders' ring holds exactly the first entry of each weight, in order.
// Cost: insert O(k) in distinct weights above the new one, at most one per priority level of all
// policies; everything else O(1).
template <typename T, PrioHook T::*Hook>
class PrioQueue final : Immovable {
 public:
  constexpr PrioQueue() noexcept {
    head_.next_ = head_.prev_ = &head_;
    head_.next_leader_ = head_.prev_leader_ = &head_;
  }
  ~PrioQueue() {
    EVL_ASSERT(empty());
    head_.next_ = head_.prev_ = nullptr;
  }

  [[nodiscard]] bool empty() const noexcept { return head_.next_ == &head_; }
  [[nodiscard]] static bool linked(const T& entry) noexcept { return (entry.*Hook).linked(); }
  // Weight under which a linked entry is queued.
  [[nodiscard]] static int weight(const T& entry) noexcept { return (entry.*Hook).weight_; }

  [[nodiscard]] T& front() noexcept {
    EVL_ASSERT(!empty());
    return item(*head_.next_);
  }

  // Behind all entries of this weight.
  void insert(T& entry, int weight) noexcept {
    PrioHook& hook = entry.*Hook;
    EVL_ASSERT(!hook.linked());
    hook.weight_ = weight;
    PrioHook* level = head_.next_leader_;
    while (level != &head_ && level->weight_ > weight) level = level->next_leader_;
    if (level != &head_ && level->weight_ == weight) {
      link_before(*level->next_leader_, hook);
    } else {
      link_before(*level, hook);
      link_leader_before(*level, hook);
    }
  }

  void remove(T& entry) noexcept {
    PrioHook& hook = entry.*Hook;
    EVL_ASSERT(hook.linked());
    if (hook.next_leader_ != nullptr) unlink_leader(hook);
    hook.prev_->next_ = hook.next_;
    hook.next_->prev_ = hook.prev_;
    hook.next_ = hook.prev_ = nullptr;
  }

  [[nodiscard]] T& pop_front() noexcept {
    T& first = front();
    remove(first);
    return first;
  }

  // Calls visit(entry) in order. `visit` may remove the entry it is given, no other. Cost: O(n).
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (PrioHook* hook = head_.next_; hook != &head_;) {
      PrioHook* const next = hook->next_;
      visit(item(*hook));
      hook = next;
    }
  }

  // Q1 and Q3, the rings too. Cost: O(n). For tests, debug builds, the simulator.
  [[nodiscard]] bool invariants_hold() const noexcept {
    const PrioHook* leader = &head_;
    for (const PrioHook* hook = head_.next_; hook != &head_; hook = hook->next_) {
      if (hook->prev_->next_ != hook || hook->next_->prev_ != hook) return false;
      const bool first = hook->prev_ == &head_ || hook->prev_->weight_ != hook->weight_;
      if (hook->prev_ != &head_ && hook->prev_->weight_ < hook->weight_) return false;
      if (first != (hook->next_leader_ != nullptr)) return false;
      if (!first) continue;
      if (leader->next_leader_ != hook || hook->prev_leader_ != leader) return false;
      leader = hook;
    }
    return leader->next_leader_ == &head_ && head_.prev_leader_ == leader;
  }

 private:
  [[nodiscard]] static T& item(PrioHook& hook) noexcept { return owner_of<T, Hook>(hook); }

  static void link_before(PrioHook& where, PrioHook& hook) noexcept {
    hook.next_ = &where;
    hook.prev_ = where.prev_;
    where.prev_->next_ = &hook;
    where.prev_ = &hook;
  }
  static void link_leader_before(PrioHook& where, PrioHook& hook) noexcept {
    hook.next_leader_ = &where;
    hook.prev_leader_ = where.prev_leader_;
    where.prev_leader_->next_leader_ = &hook;
    where.prev_leader_ = &hook;
  }
  // The next of its weight, if there is one, leads in its place.
  void unlink_leader(PrioHook& hook) noexcept {
    hook.prev_leader_->next_leader_ = hook.next_leader_;
    hook.next_leader_->prev_leader_ = hook.prev_leader_;
    PrioHook* const heir = hook.next_;
    if (heir != &head_ && heir->weight_ == hook.weight_)
      link_leader_before(*hook.next_leader_, *heir);
    hook.next_leader_ = hook.prev_leader_ = nullptr;
  }

  PrioHook head_;
};

}  // namespace evl

#endif  // EVL_BASE_PRIO_QUEUE_H
