// SPDX-License-Identifier: MIT
// What the library knows about the calling thread, and the rule which carrier a request takes.
#ifndef LIB_CURRENT_H
#define LIB_CURRENT_H

#include <errno.h>

#include <atomic>

#include "evl/thread-abi.h"
#include "kernel.h"

#define EVL_API __attribute__((visibility("default")))

namespace evl {

// A word that the core writes too. The orders are those of Documentation/library/abi.md.
using SharedWord = std::atomic_ref<__u32>;
static_assert(SharedWord::is_always_lock_free);

struct Current {
  fundle_t handle;          // EVL_NO_HANDLE: not attached.
  int efd;                  // -1: not attached.
  evl_user_window* window;  // In the shared heap; nullptr: not attached.

  [[nodiscard]] bool attached() const noexcept { return handle != EVL_NO_HANDLE; }

  // State bits; a thread which is not attached runs in-band.
  [[nodiscard]] unsigned int state() const noexcept {
    if (window == nullptr) return EVL_T_INBAND;
    return SharedWord{window->state}.load(std::memory_order_relaxed);
  }

  [[nodiscard]] bool inband() const noexcept { return (state() & EVL_T_INBAND) != 0; }
};

inline constexpr Current kNotAttached{EVL_NO_HANDLE, -1, nullptr};

// Trivial, so that no thread runs a constructor at its first access, out-of-band perhaps.
extern constinit thread_local Current current;

// A request which both stages serve: on the stage of the caller, so that it does not switch.
[[nodiscard]] inline int any_ioctl(int fd, unsigned long request, const void* argument) noexcept {
  if (current.inband()) return kernel::ioctl(fd, request, argument);
  return kernel::oob_ioctl(fd, request, argument);
}

// A request for which the caller is attached; it is moved out-of-band if it is not there.
[[nodiscard]] inline int attached_ioctl(int fd, unsigned long request,
                                        const void* argument) noexcept {
  if (!current.attached()) return -EPERM;
  return kernel::oob_ioctl(fd, request, argument);
}

// A request which signals and forced unblocking may not end. EINTR says that it had no effect, and
// that the handler of a signal has run: each round consumes one.
template <typename Request>
[[nodiscard]] int retry(Request request) noexcept {
  int status = 0;
  do {
    status = request();
  } while (status == -EINTR);
  return status;
}

}  // namespace evl

#endif  // LIB_CURRENT_H
