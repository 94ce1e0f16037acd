// SPDX-License-Identifier: MIT
// Finds clock_gettime() in the vDSO, so that a clock is read without a system call and without
// whatever the C library may do on the way.
#ifndef LIB_VDSO_H
#define LIB_VDSO_H

#include <cstddef>
#include <span>
#include <string_view>

#include "process.h"

namespace evl {

/// The address of a function in a mapped ELF image of this machine's class, or nullptr.
///
/// Reads nothing outside of the image, whatever it holds: offsets, sizes and chains are checked.
/// Context: in-band, init. Cost: O(symbols).
/// Source:  System V ABI (program headers, hash tables); vdso(7).
[[nodiscard]] const void* find_symbol(std::span<const std::byte> image,
                                      std::string_view name) noexcept;

/// The vDSO's clock_gettime(), or nullptr: no vDSO, as under Valgrind, which hides it.
[[nodiscard]] ReadClock find_vdso_clock() noexcept;

}  // namespace evl

#endif  // LIB_VDSO_H
