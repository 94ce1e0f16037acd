// SPDX-License-Identifier: GPL-2.0
// Intrusive red-black tree without keys: the mechanics under TimerQueue and the index of fundles
// and descriptors. The textbook algorithm (Cormen, Leiserson, Rivest, Stein), with null for leaves.
// The caller holds the lock that guards the tree.
#ifndef EVL_BASE_RB_TREE_H
#define EVL_BASE_RB_TREE_H

#include "base/assert.h"
#include "base/types.h"

namespace evl {

class RbHook final : Immovable {
 public:
  constexpr RbHook() noexcept = default;
  ~RbHook() { EVL_ASSERT(!linked()); }
  [[nodiscard]] bool linked() const noexcept { return linked_; }

 private:
  friend class RbTree;
  RbHook* parent_{nullptr};
  RbHook* left_{nullptr};
  RbHook* right_{nullptr};
  bool red_{false};
  bool linked_{false};
};

// R1  No red node has a red child.
// R2  Every path from the root down has the same number of black nodes.
// R3  first_ is the leftmost node.
// Cost: insert, remove, next O(log n), at most 2 log2(n + 1) levels; first O(1).
class RbTree final : Immovable {
 public:
  constexpr RbTree() noexcept = default;
  ~RbTree() { EVL_ASSERT(empty()); }

  [[nodiscard]] bool empty() const noexcept { return root_ == nullptr; }
  [[nodiscard]] RbHook* root() noexcept { return root_; }
  [[nodiscard]] RbHook* first() noexcept { return first_; }
  [[nodiscard]] static RbHook* left(RbHook& node) noexcept { return node.left_; }
  [[nodiscard]] static RbHook* right(RbHook& node) noexcept { return node.right_; }
  [[nodiscard]] static RbHook* next(RbHook& node) noexcept;

  // Places `node` where before(existing) says on the way down: true when `node` goes before
  // `existing`. Equals keep the order of insertion when before() is false for them.
  template <typename Before>
  void insert(RbHook& node, Before&& before) {
    EVL_ASSERT(!node.linked_);
    RbHook* parent = nullptr;
    RbHook** link = &root_;
    bool leftmost = true;
    LoopBound bound{kMaxLevels};
    while (*link != nullptr) {
      bound.step();
      parent = *link;
      if (before(*parent)) {
        link = &parent->left_;
      } else {
        link = &parent->right_;
        leftmost = false;
      }
    }
    *link = &node;
    if (leftmost) first_ = &node;
    node.parent_ = parent;
    node.left_ = node.right_ = nullptr;
    node.red_ = node.linked_ = true;
    rebalance_after_insert(&node);
  }

  void remove(RbHook& node) noexcept;

  // R1 to R3. Cost: O(n), recursion of the tree's depth. For tests and the simulator.
  [[nodiscard]] bool invariants_hold() const noexcept;

  static constexpr unsigned kMaxLevels = 64;  // 2^32 entries; there are fewer than 2^30 elements.

 private:
  void rotate_left(RbHook& node) noexcept;
  void rotate_right(RbHook& node) noexcept;
  void replace(RbHook& node, RbHook* heir) noexcept;
  void rebalance_after_insert(RbHook* node) noexcept;
  void rebalance_after_remove(RbHook* node, RbHook* parent) noexcept;
  [[nodiscard]] static bool is_red(const RbHook* node) noexcept {
    return node != nullptr && node->red_;
  }
  [[nodiscard]] static int black_height(const RbHook* node, const RbHook* parent) noexcept;

  RbHook* root_{nullptr};
  RbHook* first_{nullptr};
};

}  // namespace evl

#endif  // EVL_BASE_RB_TREE_H
