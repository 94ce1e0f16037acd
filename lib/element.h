// SPDX-License-Identifier: MIT
// Creating and opening elements. In-band.
#ifndef LIB_ELEMENT_H
#define LIB_ELEMENT_H

#include "evl/factory-abi.h"
#include "name.h"

namespace evl {

/// Makes an element of a class; returns its descriptor, close-on-exec. *ids may not be null.
///
/// Errors: those of the clone device and its request: see evl_sys(3).
[[nodiscard]] int create_element(const char* type, const ElementName& name, const void* attributes,
                                 evl_element_ids* ids) noexcept;

/// Opens a public element by its name, or a device without a class if the name is null.
[[nodiscard]] int open_element(const char* type, const char* name) noexcept;

}  // namespace evl

#endif  // LIB_ELEMENT_H
