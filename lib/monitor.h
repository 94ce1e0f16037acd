// SPDX-License-Identifier: MIT
// What mutexes and events have in common: both are monitors of the core.
#ifndef LIB_MONITOR_H
#define LIB_MONITOR_H

#include <stdarg.h>

#include <atomic>

#include "current.h"
#include "evl/monitor-abi.h"

namespace evl {

// The word of a descriptor that was closed; any word that is none of ours counts as that.
inline constexpr unsigned int kDeadMagic = 0;

struct Monitor {
  fundle_t fundle;
  evl_monitor_state* state;
  int efd;
};

struct MonitorKind {
  unsigned int type;
  unsigned int protocol;
};

/// Makes a monitor. In-band. Errors: ENXIO before evl_init(), those of the creation.
[[nodiscard]] int create_monitor(const MonitorKind& kind, int clockfd, unsigned int initval,
                                 int clone_flags, const char* format, va_list arguments,
                                 Monitor* made) noexcept;

/// Opens a public monitor, which has to be of the type given; tells its protocol. In-band.
[[nodiscard]] int open_monitor(unsigned int type, const char* format, va_list arguments,
                               Monitor* opened, unsigned int* protocol) noexcept;

// The magic word tells whether the rest of a descriptor is valid: written last, read first.
[[nodiscard]] inline unsigned int magic_of(unsigned int& magic) noexcept {
  return std::atomic_ref{magic}.load(std::memory_order_acquire);
}

inline void set_magic(unsigned int& magic, unsigned int value) noexcept {
  std::atomic_ref{magic}.store(value, std::memory_order_release);
}

// Held while a static descriptor is completed, so that the first users of it make one element, not
// several. In-band, as the creation is.
class [[nodiscard]] CompletionLock final {
 public:
  CompletionLock() noexcept;
  ~CompletionLock();
  CompletionLock(const CompletionLock&) = delete;
  CompletionLock& operator=(const CompletionLock&) = delete;

  /// In a child of fork(): the thread that held the lock, if any, was not copied.
  static void renew() noexcept;
};

/// Raises bits of a monitor's flags. Order: relaxed, the gate orders it.
inline void raise_flags(evl_monitor_state& state, __u32 bits) noexcept {
  SharedWord{state.flags}.fetch_or(bits, std::memory_order_relaxed);
}

}  // namespace evl

#endif  // LIB_MONITOR_H
