// SPDX-License-Identifier: GPL-2.0
// Rotations and repainting of RbTree. Any stage, under the lock of the tree's owner.
#include "base/rb_tree.h"

namespace evl {

RbHook* RbTree::next(RbHook& node) noexcept {
  RbHook* at = &node;
  LoopBound bound{kMaxLevels};
  if (at->right_ != nullptr) {
    at = at->right_;
    while (at->left_ != nullptr) {
      bound.step();
      at = at->left_;
    }
    return at;
  }
  while (at->parent_ != nullptr && at == at->parent_->right_) {
    bound.step();
    at = at->parent_;
  }
  return at->parent_;
}

// Puts `heir` (which may be null) where `node` hangs below its parent.
void RbTree::replace(RbHook& node, RbHook* heir) noexcept {
  if (node.parent_ == nullptr)
    root_ = heir;
  else if (node.parent_->left_ == &node)
    node.parent_->left_ = heir;
  else
    node.parent_->right_ = heir;
  if (heir != nullptr) heir->parent_ = node.parent_;
}

void RbTree::rotate_left(RbHook& node) noexcept {
  RbHook& pivot = *node.right_;
  node.right_ = pivot.left_;
  if (pivot.left_ != nullptr) pivot.left_->parent_ = &node;
  replace(node, &pivot);
  pivot.left_ = &node;
  node.parent_ = &pivot;
}

void RbTree::rotate_right(RbHook& node) noexcept {
  RbHook& pivot = *node.left_;
  node.left_ = pivot.right_;
  if (pivot.right_ != nullptr) pivot.right_->parent_ = &node;
  replace(node, &pivot);
  pivot.right_ = &node;
  node.parent_ = &pivot;
}

// `node` is red; its parent may be red too. Each round goes up two levels.
void RbTree::rebalance_after_insert(RbHook* node) noexcept {
  LoopBound bound{kMaxLevels};
  while (is_red(node->parent_)) {
    bound.step();
    RbHook* parent = node->parent_;
    RbHook* const grand = parent->parent_;  // Exists: a red parent is not the root.
    const bool on_left = parent == grand->left_;
    RbHook* const uncle = on_left ? grand->right_ : grand->left_;
    if (is_red(uncle)) {
      parent->red_ = uncle->red_ = false;
      grand->red_ = true;
      node = grand;
      continue;
    }
    if (node == (on_left ? parent->right_ : parent->left_)) {
      on_left ? rotate_left(*parent) : rotate_right(*parent);
      std::swap(node, parent);
    }
    parent->red_ = false;
    grand->red_ = true;
    on_left ? rotate_right(*grand) : rotate_left(*grand);
  }
  root_->red_ = false;
}

void RbTree::remove(RbHook& node) noexcept {
  EVL_ASSERT(node.linked_);
  if (first_ == &node) first_ = next(node);

  RbHook* child = nullptr;   // Takes the place of the node that leaves its level; may be null.
  RbHook* parent = nullptr;  // Of that place.
  bool removed_black = !node.red_;
  if (node.left_ == nullptr || node.right_ == nullptr) {
    child = node.left_ != nullptr ? node.left_ : node.right_;
    parent = node.parent_;
    replace(node, child);
  } else {
    RbHook* heir = node.right_;
    LoopBound bound{kMaxLevels};
    while (heir->left_ != nullptr) {
      bound.step();
      heir = heir->left_;
    }
    removed_black = !heir->red_;
    child = heir->right_;
    if (heir->parent_ == &node) {
      parent = heir;
    } else {
      parent = heir->parent_;
      replace(*heir, child);
      heir->right_ = node.right_;
      heir->right_->parent_ = heir;
    }
    replace(node, heir);
    heir->left_ = node.left_;
    heir->left_->parent_ = heir;
    heir->red_ = node.red_;
  }
  node.parent_ = node.left_ = node.right_ = nullptr;
  node.linked_ = false;
  if (removed_black) rebalance_after_remove(child, parent);
}

// The paths through `node` (null: a leaf below `parent`) lack one black node.
void RbTree::rebalance_after_remove(RbHook* node, RbHook* parent) noexcept {
  LoopBound bound{kMaxLevels};
  while (node != root_ && !is_red(node)) {
    bound.step();
    const bool on_left = node == parent->left_;
    RbHook* sibling = on_left ? parent->right_ : parent->left_;  // Exists, by R2.
    if (sibling->red_) {
      sibling->red_ = false;
      parent->red_ = true;
      on_left ? rotate_left(*parent) : rotate_right(*parent);
      sibling = on_left ? parent->right_ : parent->left_;
    }
    if (!is_red(sibling->left_) && !is_red(sibling->right_)) {
      sibling->red_ = true;
      node = parent;
      parent = node->parent_;
      continue;
    }
    RbHook* const outer = on_left ? sibling->right_ : sibling->left_;
    if (!is_red(outer)) {
      RbHook* const inner = on_left ? sibling->left_ : sibling->right_;
      inner->red_ = false;
      sibling->red_ = true;
      on_left ? rotate_right(*sibling) : rotate_left(*sibling);
      sibling = inner;
    }
    sibling->red_ = parent->red_;
    parent->red_ = false;
    (on_left ? sibling->right_ : sibling->left_)->red_ = false;
    on_left ? rotate_left(*parent) : rotate_right(*parent);
    node = root_;
  }
  if (node != nullptr) node->red_ = false;
}

// Number of black nodes on each path below `node`, or -1 when R1, R2 or a parent link is broken.
int RbTree::black_height(const RbHook* node, const RbHook* parent) noexcept {
  if (node == nullptr) return 0;
  if (node->parent_ != parent || !node->linked_) return -1;
  if (node->red_ && (is_red(node->left_) || is_red(node->right_))) return -1;
  const int left = black_height(node->left_, node);
  const int right = black_height(node->right_, node);
  if (left < 0 || left != right) return -1;
  return left + (node->red_ ? 0 : 1);
}

bool RbTree::invariants_hold() const noexcept {
  const RbHook* leftmost = root_;
  while (leftmost != nullptr && leftmost->left_ != nullptr) leftmost = leftmost->left_;
  return first_ == leftmost && !is_red(root_) && black_height(root_, nullptr) >= 0;
}

}  // namespace evl
