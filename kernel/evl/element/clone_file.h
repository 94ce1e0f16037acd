// SPDX-License-Identifier: GPL-2.0
// An open file of a clone device: it makes one element, and holds a reference on it until it is
// closed. In-band; used by element/factory.cc.
#ifndef EVL_ELEMENT_CLONE_FILE_H
#define EVL_ELEMENT_CLONE_FILE_H

#include "element/factory.h"

namespace evl {

struct Factory::CloneFile final : Immovable {
  explicit CloneFile(Factory& of) noexcept : factory{of} {}
  Factory& factory;
  Atomic<bool> used{false};           // A clone is under way, or was made.
  Atomic<Element*> element{nullptr};  // With a reference.
};

extern const kapi_file_ops kCloneOps;

}  // namespace evl

#endif  // EVL_ELEMENT_CLONE_FILE_H
