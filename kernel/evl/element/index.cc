// SPDX-License-Identifier: GPL-2.0
// Elements by handle. Any stage; one hard lock, O(log n).
#include "element/factory.h"

namespace evl {
namespace {

constexpr u32 kLargestHandle = ~EVL_HANDLE_INDEX_MASK;

}  // namespace

Element* ElementIndex::lookup(fundle_t fundle) noexcept {
  RbHook* node = tree_.root();
  LoopBound bound{RbTree::kMaxLevels};
  while (node != nullptr) {
    bound.step();
    Element& element = owner_of<Element, &Element::index_hook_>(*node);
    if (element.fundle_ == fundle) return &element;
    node = fundle < element.fundle_ ? RbTree::left(*node) : RbTree::right(*node);
  }
  return nullptr;
}

void ElementIndex::publish(Element& element) noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{lock_, irqs_off};
  // Bounded by the handles in use that follow each other: at most the elements of the class.
  while (next_ == EVL_NO_HANDLE || lookup(next_) != nullptr)
    next_ = next_ == kLargestHandle ? 1 : next_ + 1;
  element.fundle_ = next_;
  next_ = next_ == kLargestHandle ? 1 : next_ + 1;
  tree_.insert(element.index_hook_, [&](RbHook& other) {
    return element.fundle_ < owner_of<Element, &Element::index_hook_>(other).fundle_;
  });
}

void ElementIndex::withdraw(Element& element) noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{lock_, irqs_off};
  if (element.index_hook_.linked()) tree_.remove(element.index_hook_);
}

Element* ElementIndex::find(fundle_t fundle) noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{lock_, irqs_off};
  Element* const element = lookup(fundle);
  return element != nullptr && element->try_get() ? element : nullptr;
}

}  // namespace evl
