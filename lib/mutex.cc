// SPDX-License-Identifier: MIT
// Mutexes: the user-space half of a gate.
//
// An uncontended lock and an uncontended unlock are one compare-and-swap each on the gate's word in
// the shared heap, no request. Everything else is the core's. The protocol, bit by bit, is in
// Documentation/library/abi.md.

#include "evl/mutex.h"

#include <errno.h>
#include <stdarg.h>

#include "cancel.h"
#include "gate.h"
#include "monitor.h"
#include "timespec.h"

namespace evl {
namespace {

constexpr unsigned int kActiveMagic = kActiveMutexMagic;
constexpr unsigned int kMutexFlags =
    EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK | static_cast<unsigned int>(EVL_MUTEX_RECURSIVE);

enum class Wait : bool { no, yes };

int create(evl_mutex* mutex, int clockfd, unsigned int ceiling, int flags, const char* format,
           va_list arguments) noexcept {
  const auto bits = static_cast<unsigned int>(flags);
  if ((bits & ~kMutexFlags) != 0 || ceiling > EVL_FIFO_MAX_PRIO) return -EINVAL;
  const unsigned int protocol = ceiling == 0 ? EVL_GATE_PI : EVL_GATE_PP;
  Monitor made{};
  const int efd = create_monitor({EVL_MONITOR_GATE, protocol}, clockfd, ceiling, flags, format,
                                 arguments, &made);
  if (efd < 0) return efd;
  made.state->u.gate.recursive = (bits & EVL_MUTEX_RECURSIVE) != 0;
  mutex->u.active = {made.fundle, made.state, made.efd, EVL_MONITOR_GATE, protocol & 0xf};
  set_magic(mutex->magic, kActiveMagic);
  return efd;
}

int create_named(evl_mutex* mutex, int clockfd, unsigned int ceiling, int flags, const char* format,
                 ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  const int efd = create(mutex, clockfd, ceiling, flags, format, arguments);
  va_end(arguments);
  return efd;
}

// Completes a static descriptor at its first use.
int complete(evl_mutex* mutex) noexcept {
  CompletionLock lock;
  const unsigned int magic = magic_of(mutex->magic);
  if (magic == kActiveMagic) return 0;  // Another thread was faster.
  if (magic != __MUTEX_UNINIT_MAGIC) return -EINVAL;
  const auto& wanted = mutex->u.uninit;
  const int efd =
      create_named(mutex, wanted.clockfd, wanted.ceiling, wanted.flags, "%s", wanted.name);
  return efd < 0 ? efd : 0;
}

int request_entry(int efd, const timespec& timeout, Wait wait) noexcept {
  if (wait == Wait::no) {
    return retry([=] { return kernel::oob_ioctl(efd, EVL_MONIOC_TRYENTER, nullptr); });
  }
  // The date is absolute: a wait which a signal broke goes on towards the same date.
  const __evl_timespec date = to_core(timeout);
  CancelRegion region;
  return retry([&] { return kernel::oob_ioctl(efd, EVL_MONIOC_ENTER, &date); });
}

int lock(evl_mutex* mutex, const timespec& timeout, Wait wait) noexcept {
  if (!current.attached()) return -EPERM;
  if (magic_of(mutex->magic) != kActiveMagic) {
    if (const int status = complete(mutex); status < 0) return status;
  }
  const auto& active = mutex->u.active;
  Gate gate{*active.state, active.fundle, active.protocol == EVL_GATE_PP};
  switch (gate.try_lock(current)) {
    case Gate::Attempt::taken:
      return 0;
    case Gate::Attempt::mine:
      return gate.nest();
    case Gate::Attempt::ask_the_core:
      break;
  }
  const int status = request_entry(active.efd, timeout, wait);
  if (status >= 0) gate.granted();
  return status < 0 ? status : 0;
}

}  // namespace
}  // namespace evl

using namespace evl;

EVL_API int evl_create_mutex(evl_mutex* mutex, int clockfd, unsigned int ceiling, int flags,
                             const char* fmt, ...) {
  va_list arguments;
  va_start(arguments, fmt);
  const int efd = create(mutex, clockfd, ceiling, flags, fmt, arguments);
  va_end(arguments);
  return efd;
}

EVL_API int evl_open_mutex(evl_mutex* mutex, const char* fmt, ...) {
  Monitor opened{};
  unsigned int protocol = 0;
  va_list arguments;
  va_start(arguments, fmt);
  const int efd = open_monitor(EVL_MONITOR_GATE, fmt, arguments, &opened, &protocol);
  va_end(arguments);
  if (efd < 0) return efd;
  mutex->u.active = {opened.fundle, opened.state, opened.efd, EVL_MONITOR_GATE, protocol & 0xf};
  set_magic(mutex->magic, kActiveMagic);
  return 0;  // Not the descriptor: existing applications test for zero.
}

EVL_API int evl_lock_mutex(evl_mutex* mutex) {
  return lock(mutex, {}, Wait::yes);
}

EVL_API int evl_timedlock_mutex(evl_mutex* mutex, const timespec* timeout) {
  return lock(mutex, *timeout, Wait::yes);
}

EVL_API int evl_trylock_mutex(evl_mutex* mutex) {
  return lock(mutex, {}, Wait::no);
}

EVL_API int evl_unlock_mutex(evl_mutex* mutex) {
  if (magic_of(mutex->magic) != kActiveMagic) return -EINVAL;
  const auto& active = mutex->u.active;
  Gate gate{*active.state, active.fundle, active.protocol == EVL_GATE_PP};
  if (!gate.owned_by(current)) return -EPERM;
  if (gate.unnest() || gate.try_unlock(current)) return 0;
  const int status = retry([&] { return kernel::oob_ioctl(active.efd, EVL_MONIOC_EXIT, nullptr); });
  gate.released(current);
  return status;
}

EVL_API int evl_set_mutex_ceiling(evl_mutex* mutex, unsigned int ceiling) {
  if (ceiling < EVL_FIFO_MIN_PRIO || ceiling > EVL_FIFO_MAX_PRIO) return -EINVAL;
  switch (magic_of(mutex->magic)) {
    case __MUTEX_UNINIT_MAGIC:
      if (mutex->u.uninit.ceiling == 0) return -EINVAL;
      mutex->u.uninit.ceiling = ceiling;
      return 0;
    case kActiveMagic:
      if (mutex->u.active.protocol != EVL_GATE_PP) return -EINVAL;
      SharedWord{mutex->u.active.state->u.gate.ceiling}.store(ceiling, std::memory_order_relaxed);
      return 0;
    default:
      return -EINVAL;
  }
}

EVL_API int evl_get_mutex_ceiling(evl_mutex* mutex) {
  switch (magic_of(mutex->magic)) {
    case __MUTEX_UNINIT_MAGIC:
      return static_cast<int>(mutex->u.uninit.ceiling);
    case kActiveMagic: {
      if (mutex->u.active.protocol != EVL_GATE_PP) return 0;
      const SharedWord ceiling{mutex->u.active.state->u.gate.ceiling};
      return static_cast<int>(ceiling.load(std::memory_order_relaxed));
    }
    default:
      return -EINVAL;
  }
}

EVL_API int evl_close_mutex(evl_mutex* mutex) {
  switch (magic_of(mutex->magic)) {
    case __MUTEX_UNINIT_MAGIC:
      return 0;
    case kActiveMagic:
      set_magic(mutex->magic, kDeadMagic);
      kernel::close(mutex->u.active.efd);
      return 0;
    default:
      return -EINVAL;
  }
}
