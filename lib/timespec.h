// SPDX-License-Identifier: MIT
// Times of the C library, as the core wants them and back.
#ifndef LIB_TIMESPEC_H
#define LIB_TIMESPEC_H

#include <time.h>

#include "evl/types.h"

namespace evl {

inline constexpr long kNanosecondsPerSecond = 1'000'000'000;

[[nodiscard]] constexpr __evl_timespec to_core(const timespec& time) noexcept {
  return {.tv_sec = time.tv_sec, .tv_nsec = time.tv_nsec};
}

[[nodiscard]] constexpr timespec from_core(const __evl_timespec& time) noexcept {
  return {.tv_sec = static_cast<time_t>(time.tv_sec), .tv_nsec = static_cast<long>(time.tv_nsec)};
}

[[nodiscard]] constexpr __evl_itimerspec to_core(const itimerspec& value) noexcept {
  return {.it_interval = to_core(value.it_interval), .it_value = to_core(value.it_value)};
}

[[nodiscard]] constexpr itimerspec from_core(const __evl_itimerspec& value) noexcept {
  return {.it_interval = from_core(value.it_interval), .it_value = from_core(value.it_value)};
}

}  // namespace evl

#endif  // LIB_TIMESPEC_H
