// SPDX-License-Identifier: MIT
// Clocks and sleeping. The built-in clocks are read through the vDSO, and set and described by
// in-band system calls, for in-band owns them.

#include "evl/clock.h"

#include <errno.h>

#include "cancel.h"
#include "current.h"
#include "process.h"
#include "timespec.h"

namespace evl {
namespace {

constexpr useconds_t kLongestUsleep = 1'000'000;

constexpr bool built_in(int clockfd) noexcept {
  return clockfd == EVL_CLOCK_MONOTONIC || clockfd == EVL_CLOCK_REALTIME;
}

constexpr clockid_t posix_clock(int clockfd) noexcept {
  return -clockfd;
}

}  // namespace
}  // namespace evl

using namespace evl;

EVL_API int evl_read_clock(int clockfd, timespec* tp) {
  if (built_in(clockfd)) return read_posix_clock(posix_clock(clockfd), tp);
  __evl_timespec time{};
  const int status = attached_ioctl(clockfd, EVL_CLKIOC_GET_TIME, &time);
  if (status >= 0) *tp = from_core(time);
  return status;
}

EVL_API int evl_set_clock(int clockfd, const timespec* tp) {
  if (built_in(clockfd)) return kernel::set_time(posix_clock(clockfd), *tp);
  const __evl_timespec time = to_core(*tp);
  return any_ioctl(clockfd, EVL_CLKIOC_SET_TIME, &time);
}

EVL_API int evl_get_clock_resolution(int clockfd, timespec* tp) {
  if (built_in(clockfd)) return kernel::get_resolution(posix_clock(clockfd), tp);
  __evl_timespec resolution{};
  const int status = any_ioctl(clockfd, EVL_CLKIOC_GET_RES, &resolution);
  if (status >= 0) *tp = from_core(resolution);
  return status;
}

EVL_API int evl_sleep_until(int clockfd, const timespec* timeout) {
  const __evl_timespec date = to_core(*timeout);
  CancelRegion region;
  return attached_ioctl(process.clock(clockfd), EVL_CLKIOC_SLEEP, &date);
}

EVL_API int evl_usleep(useconds_t usecs) {
  if (usecs > kLongestUsleep) return -EINVAL;
  if (usecs == 0) return 0;
  timespec date{};
  if (const int status = evl_read_clock(EVL_CLOCK_MONOTONIC, &date); status < 0) return status;
  date.tv_nsec += static_cast<long>(usecs) * 1000;
  if (date.tv_nsec >= kNanosecondsPerSecond) {  // At most twice: 10^6 us are one second.
    date.tv_sec += date.tv_nsec / kNanosecondsPerSecond;
    date.tv_nsec %= kNanosecondsPerSecond;
  }
  return evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
}
