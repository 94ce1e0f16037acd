// SPDX-License-Identifier: GPL-2.0
// Entries by date: the timers of one clock on one CPU. Equal dates fire in the order of insertion.
// The caller holds the lock of the timer base, hard irqs off.
#ifndef EVL_BASE_TIMER_QUEUE_H
#define EVL_BASE_TIMER_QUEUE_H

#include "base/rb_tree.h"
#include "base/time.h"

namespace evl {

class TimerHook final : Immovable {
 public:
  constexpr TimerHook() noexcept = default;
  [[nodiscard]] bool linked() const noexcept { return node_.linked(); }
  // When the entry is due. Valid after the removal too, until the next insertion.
  [[nodiscard]] MonoDate date() const noexcept { return date_; }

 private:
  template <typename T, TimerHook T::*>
  friend class TimerQueue;
  RbHook node_;
  MonoDate date_{};
};

// TQ1  In order of date, then of insertion.
// TQ2  A hook is in at most one queue.
// Cost: insert and remove O(log n) in entries; head O(1).
template <typename T, TimerHook T::*Hook>
class TimerQueue final : Immovable {
 public:
  constexpr TimerQueue() noexcept = default;

  [[nodiscard]] bool empty() const noexcept { return tree_.empty(); }
  [[nodiscard]] static bool linked(const T& entry) noexcept { return (entry.*Hook).linked(); }
  [[nodiscard]] static MonoDate date(const T& entry) noexcept { return (entry.*Hook).date_; }

  // The entry that is due first, or nullptr.
  [[nodiscard]] T* head() noexcept {
    RbHook* const first = tree_.first();
    return first == nullptr ? nullptr : &item(*first);
  }

  // Date of the head, or forever.
  [[nodiscard]] MonoDate next_date() noexcept {
    RbHook* const first = tree_.first();
    return first == nullptr ? MonoDate::forever() : date(item(*first));
  }

  // True when the entry became the head: the hardware has to be programmed anew.
  bool insert(T& entry, MonoDate when) noexcept {
    TimerHook& hook = entry.*Hook;
    hook.date_ = when;
    tree_.insert(hook.node_, [when](RbHook& other) { return when < date(item(other)); });
    return tree_.first() == &hook.node_;
  }

  // True when the entry was the head.
  bool remove(T& entry) noexcept {
    RbHook& node = (entry.*Hook).node_;
    const bool was_head = tree_.first() == &node;
    tree_.remove(node);
    return was_head;
  }

  // Calls visit(entry) in order; `visit` changes nothing. Cost: O(n log n).
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (RbHook* node = tree_.first(); node != nullptr; node = RbTree::next(*node))
      visit(item(*node));
  }

  // The first entry that `fits`, or nullptr. Cost: O(n log n) in those before it.
  template <typename Fits>
  [[nodiscard]] T* find(Fits&& fits) noexcept {
    for (RbHook* node = tree_.first(); node != nullptr; node = RbTree::next(*node))
      if (fits(item(*node))) return &item(*node);
    return nullptr;
  }

  [[nodiscard]] bool invariants_hold() noexcept {
    MonoDate last = MonoDate::from_ns(std::numeric_limits<s64>::min());
    bool ordered = tree_.invariants_hold();
    for_each([&](T& entry) {
      ordered = ordered && last <= date(entry);
      last = date(entry);
    });
    return ordered;
  }

 private:
  [[nodiscard]] static T& item(RbHook& node) noexcept {
    return owner_of<T, Hook>(owner_of<TimerHook, &TimerHook::node_>(node));
  }

  RbTree tree_;
};

}  // namespace evl

#endif  // EVL_BASE_TIMER_QUEUE_H
