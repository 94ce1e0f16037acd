// SPDX-License-Identifier: GPL-2.0
// Time as types. All are signed 64-bit nanoseconds, and all arithmetic saturates: a date that would
// overflow is kForever, never a date in the past. Any stage; O(1); constexpr.
//
//   Duration  a distance.
//   MonoDate  a date on the monotonic clock: what the hardware and the timer queues know.
//   Date      a date on the clock an object was bound to (Clock converts it: time/clock.h).
//   Deadline  what a request may ask for: wait for ever, do not wait, or wait until a Date.
#ifndef EVL_BASE_TIME_H
#define EVL_BASE_TIME_H

#include <evl/types.h>

#include "base/result.h"
#include "base/types.h"

namespace evl {

inline constexpr s64 kNsPerSecond = 1'000'000'000;

namespace detail {

constexpr s64 saturating_add(s64 a, s64 b) noexcept {
  s64 sum{};
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<s64>::max() : std::numeric_limits<s64>::min();
}

constexpr s64 saturating_sub(s64 a, s64 b) noexcept {
  s64 difference{};
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b < 0 ? std::numeric_limits<s64>::max() : std::numeric_limits<s64>::min();
}

constexpr s64 saturating_mul(s64 a, s64 b) noexcept {
  s64 product{};
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  return (a < 0) == (b < 0) ? std::numeric_limits<s64>::max() : std::numeric_limits<s64>::min();
}

}  // namespace detail

class Duration {
 public:
  constexpr Duration() noexcept = default;
  [[nodiscard]] static constexpr Duration ns(s64 count) noexcept { return Duration{count}; }
  [[nodiscard]] static constexpr Duration us(s64 count) noexcept {
    return Duration{detail::saturating_mul(count, 1'000)};
  }
  [[nodiscard]] static constexpr Duration seconds(s64 count) noexcept {
    return Duration{detail::saturating_mul(count, kNsPerSecond)};
  }
  [[nodiscard]] static constexpr Duration max() noexcept {
    return Duration{std::numeric_limits<s64>::max()};
  }

  [[nodiscard]] constexpr s64 ns() const noexcept { return ns_; }
  [[nodiscard]] constexpr bool is_zero() const noexcept { return ns_ == 0; }

  constexpr auto operator<=>(const Duration&) const noexcept = default;
  constexpr Duration operator-() const noexcept { return Duration{detail::saturating_sub(0, ns_)}; }
  constexpr Duration operator+(Duration other) const noexcept {
    return Duration{detail::saturating_add(ns_, other.ns_)};
  }
  constexpr Duration operator-(Duration other) const noexcept {
    return Duration{detail::saturating_sub(ns_, other.ns_)};
  }
  constexpr Duration operator*(s64 factor) const noexcept {
    return Duration{detail::saturating_mul(ns_, factor)};
  }

  // How many whole `period`s fit; both are positive or zero, `period` is not zero.
  [[nodiscard]] constexpr s64 whole(Duration period) const noexcept {
    EVL_ASSERT(ns_ >= 0 && period.ns_ > 0);
    return ns_ / period.ns_;
  }

 private:
  constexpr explicit Duration(s64 ns) noexcept : ns_{ns} {}
  s64 ns_{0};
};

// A point in time on the clock that Tag names. Dates of different tags do not mix.
template <typename Tag>
class TimePoint {
 public:
  constexpr TimePoint() noexcept = default;  // The clock's zero.
  [[nodiscard]] static constexpr TimePoint from_ns(s64 ns) noexcept { return TimePoint{ns}; }
  [[nodiscard]] static constexpr TimePoint forever() noexcept {
    return TimePoint{std::numeric_limits<s64>::max()};
  }
  // From the ABI. EINVAL: tv_nsec is not in [0, 10^9), or tv_sec is negative. Too far is forever.
  [[nodiscard]] static constexpr Result<TimePoint> from(const __evl_timespec& spec) noexcept {
    if (spec.tv_nsec < 0 || spec.tv_nsec >= kNsPerSecond || spec.tv_sec < 0) return Errno::inval;
    return TimePoint{
        detail::saturating_add(detail::saturating_mul(spec.tv_sec, kNsPerSecond), spec.tv_nsec)};
  }

  [[nodiscard]] constexpr s64 ns() const noexcept { return ns_; }
  [[nodiscard]] constexpr bool is_forever() const noexcept { return *this == forever(); }

  constexpr auto operator<=>(const TimePoint&) const noexcept = default;

  // Forever stays forever, whatever is added to it.
  constexpr TimePoint operator+(Duration distance) const noexcept {
    return is_forever() ? *this : TimePoint{detail::saturating_add(ns_, distance.ns())};
  }
  constexpr TimePoint operator-(Duration distance) const noexcept {
    return is_forever() ? *this : TimePoint{detail::saturating_sub(ns_, distance.ns())};
  }
  constexpr Duration operator-(TimePoint earlier) const noexcept {
    return Duration::ns(detail::saturating_sub(ns_, earlier.ns_));
  }

 private:
  constexpr explicit TimePoint(s64 ns) noexcept : ns_{ns} {}
  s64 ns_{0};
};

struct MonotonicTag;
struct OwnClockTag;
using MonoDate = TimePoint<MonotonicTag>;
using Date = TimePoint<OwnClockTag>;

[[nodiscard]] constexpr __evl_timespec to_timespec(s64 ns) noexcept {
  __evl_timespec spec{};
  spec.tv_sec = ns / kNsPerSecond;
  spec.tv_nsec = ns % kNsPerSecond;
  if (spec.tv_nsec < 0) {
    spec.tv_nsec += kNsPerSecond;
    --spec.tv_sec;
  }
  return spec;
}

// EINVAL as in TimePoint::from().
[[nodiscard]] constexpr Result<Duration> duration_from(const __evl_timespec& spec) noexcept {
  const auto point = MonoDate::from(spec);
  if (!point.ok()) return point.error();
  return Duration::ns(point.value().ns());
}

// What a blocking request may ask for. Trivial; passed by value.
class Deadline {
 public:
  [[nodiscard]] static constexpr Deadline never() noexcept { return Deadline{Kind::never, {}}; }
  [[nodiscard]] static constexpr Deadline nonblock() noexcept {
    return Deadline{Kind::nonblock, {}};
  }
  // Date::forever() is the same as never().
  [[nodiscard]] static constexpr Deadline at(Date date) noexcept {
    return date.is_forever() ? never() : Deadline{Kind::at, date};
  }
  // From the ABI: 0/0 is "no limit". EINVAL as in TimePoint::from().
  [[nodiscard]] static constexpr Result<Deadline> from(const __evl_timespec& spec) noexcept {
    if (spec.tv_sec == 0 && spec.tv_nsec == 0) return never();
    const auto date = Date::from(spec);
    if (!date.ok()) return date.error();
    return at(date.value());
  }

  [[nodiscard]] constexpr bool is_never() const noexcept { return kind_ == Kind::never; }
  [[nodiscard]] constexpr bool is_nonblock() const noexcept { return kind_ == Kind::nonblock; }
  [[nodiscard]] constexpr bool has_date() const noexcept { return kind_ == Kind::at; }
  [[nodiscard]] constexpr Date date() const noexcept {
    EVL_ASSERT(has_date());
    return date_;
  }

  constexpr Deadline() noexcept = default;  // Never.

 private:
  enum class Kind : u8 { never, nonblock, at };
  constexpr Deadline(Kind kind, Date date) noexcept : kind_{kind}, date_{date} {}
  Kind kind_{Kind::never};
  Date date_{};
};

}  // namespace evl

#endif  // EVL_BASE_TIME_H
