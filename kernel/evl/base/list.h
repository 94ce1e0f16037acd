// SPDX-License-Identifier: GPL-2.0
// Intrusive doubly linked list. An element brings its link, so adding cannot fail and cannot
// allocate. The caller holds the lock that guards the list. All O(1), but the walks.
#ifndef EVL_BASE_LIST_H
#define EVL_BASE_LIST_H

#include "base/assert.h"
#include "base/types.h"

namespace evl {

class ListHook final : Immovable {
 public:
  constexpr ListHook() noexcept = default;
  ~ListHook() { EVL_ASSERT(!linked()); }
  [[nodiscard]] bool linked() const noexcept { return next_ != nullptr; }

 private:
  template <typename T, ListHook T::*>
  friend class List;
  ListHook* next_{nullptr};
  ListHook* prev_{nullptr};
};

// L1  A hook is in at most one list, and knows it.
// L2  The ring closes both ways through head_.
template <typename T, ListHook T::*Hook>
class List final : Immovable {
 public:
  constexpr List() noexcept { head_.next_ = head_.prev_ = &head_; }
  ~List() {
    EVL_ASSERT(empty());
    head_.next_ = head_.prev_ = nullptr;
  }

  [[nodiscard]] bool empty() const noexcept { return head_.next_ == &head_; }
  [[nodiscard]] static bool linked(const T& entry) noexcept { return (entry.*Hook).linked(); }

  [[nodiscard]] T& front() noexcept {
    EVL_ASSERT(!empty());
    return item(*head_.next_);
  }
  [[nodiscard]] T& back() noexcept {
    EVL_ASSERT(!empty());
    return item(*head_.prev_);
  }

  void push_front(T& entry) noexcept { link_after(head_, entry.*Hook); }
  void push_back(T& entry) noexcept { link_after(*head_.prev_, entry.*Hook); }

  void remove(T& entry) noexcept {
    ListHook& hook = entry.*Hook;
    EVL_ASSERT(hook.linked());
    hook.prev_->next_ = hook.next_;
    hook.next_->prev_ = hook.prev_;
    hook.next_ = hook.prev_ = nullptr;
  }

  [[nodiscard]] T& pop_front() noexcept {
    T& first = front();
    remove(first);
    return first;
  }

  // Calls visit(entry) in order. `visit` may remove the entry it is given, no other.
  // Cost: O(n); with hard irqs off, the caller states the bound on n.
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (ListHook* hook = head_.next_; hook != &head_;) {
      ListHook* const next = hook->next_;
      visit(item(*hook));
      hook = next;
    }
  }

  // The first entry for which match(entry) is true, or nullptr. Cost: O(n).
  template <typename Match>
  [[nodiscard]] T* find(Match&& match) {
    for (ListHook* hook = head_.next_; hook != &head_; hook = hook->next_)
      if (match(item(*hook))) return &item(*hook);
    return nullptr;
  }

  // L2, and that each entry's hook says so. Cost: O(n). For tests, debug builds, the simulator.
  [[nodiscard]] bool invariants_hold() const noexcept {
    const ListHook* hook = &head_;
    do {
      if (hook->next_ == nullptr || hook->next_->prev_ != hook) return false;
      hook = hook->next_;
    } while (hook != &head_);
    return true;
  }

 private:
  [[nodiscard]] static T& item(ListHook& hook) noexcept { return owner_of<T, Hook>(hook); }
  static void link_after(ListHook& where, ListHook& hook) noexcept {
    EVL_ASSERT(!hook.linked());
    hook.prev_ = &where;
    hook.next_ = where.next_;
    where.next_->prev_ = &hook;
    where.next_ = &hook;
  }

  ListHook head_;
};

}  // namespace evl

#endif  // EVL_BASE_LIST_H
