// SPDX-License-Identifier: MIT
// The other end of evl_init(): what a child of fork() does first.
#ifndef LIB_INIT_H
#define LIB_INIT_H

namespace evl {

/// Gives back what evl_init() has opened and mapped, and detaches the calling thread on this side
/// only; evl_init() works again. In-band, with one thread in the process: fork(), and tests.
void forget_process() noexcept;

}  // namespace evl

#endif  // LIB_INIT_H
