// SPDX-License-Identifier: MIT
#include "base/time.h"

#include <gtest/gtest.h>

#include <random>

namespace evl {
namespace {

constexpr s64 kMax = std::numeric_limits<s64>::max();
constexpr s64 kMin = std::numeric_limits<s64>::min();

// The naive model: 128-bit arithmetic, cut to 64 bits at the end.
s64 cut(__int128 value) {
  if (value > kMax) return kMax;
  if (value < kMin) return kMin;
  return static_cast<s64>(value);
}

// Half of the values sit within a few units of a limit, of zero, or of a second.
s64 awkward(std::mt19937_64& random) {
  static constexpr s64 kCorners[] = {kMin,          kMax,     0,       kNsPerSecond,
                                     -kNsPerSecond, kMax / 2, kMin / 2};
  if (random() % 2 == 0) return static_cast<s64>(random());
  const s64 corner = kCorners[random() % std::size(kCorners)];
  return cut(static_cast<__int128>(corner) + static_cast<s64>(random() % 9) - 4);
}

TEST(Duration, AddsAndSubtracts) {
  EXPECT_EQ((Duration::ns(2) + Duration::ns(3)).ns(), 5);
  EXPECT_EQ((Duration::us(1) - Duration::ns(1)).ns(), 999);
  EXPECT_EQ((-Duration::seconds(1)).ns(), -kNsPerSecond);
  EXPECT_EQ(Duration::ns(10).whole(Duration::ns(3)), 3);
}

TEST(Duration, SaturatesLikeTheModel) {
  std::mt19937_64 random{1};
  for (int i = 0; i < 200'000; ++i) {
    const s64 a = awkward(random);
    const s64 b = awkward(random);
    ASSERT_EQ((Duration::ns(a) + Duration::ns(b)).ns(), cut(static_cast<__int128>(a) + b))
        << a << ' ' << b;
    ASSERT_EQ((Duration::ns(a) - Duration::ns(b)).ns(), cut(static_cast<__int128>(a) - b))
        << a << ' ' << b;
    ASSERT_EQ((Duration::ns(a) * b).ns(), cut(static_cast<__int128>(a) * b)) << a << ' ' << b;
    ASSERT_EQ((-Duration::ns(a)).ns(), cut(-static_cast<__int128>(a))) << a;
  }
}

TEST(Date, ForeverAbsorbs) {
  EXPECT_TRUE((Date::forever() + Duration::ns(-5)).is_forever());
  EXPECT_TRUE((Date::forever() - Duration::max()).is_forever());
  EXPECT_TRUE((Date::from_ns(kMax - 1) + Duration::ns(5)).is_forever());
}

// Goal: adding never turns a later date into an earlier one, at no limit.
TEST(Date, AdditionIsMonotonic) {
  std::mt19937_64 random{2};
  for (int i = 0; i < 200'000; ++i) {
    const Date a = Date::from_ns(awkward(random));
    const Date b = Date::from_ns(awkward(random));
    const Duration d = Duration::ns(awkward(random));
    const Duration e = Duration::ns(awkward(random));
    ASSERT_EQ(a < b && !b.is_forever() ? a + d <= b + d : true, true)
        << a.ns() << ' ' << b.ns() << ' ' << d.ns();
    ASSERT_EQ(d <= e ? a + d <= a + e : true, true) << a.ns() << ' ' << d.ns() << ' ' << e.ns();
  }
}

TEST(Date, FromTimespecRefusesWhatIsNotOne) {
  EXPECT_TRUE(Date::from({0, kNsPerSecond}).is(Errno::inval));
  EXPECT_TRUE(Date::from({0, -1}).is(Errno::inval));
  EXPECT_TRUE(Date::from({-1, 0}).is(Errno::inval));
  EXPECT_EQ(Date::from({1, 2}).value().ns(), kNsPerSecond + 2);
}

TEST(Date, FromTimespecTooFarIsForever) {
  EXPECT_TRUE(Date::from({kMax, kNsPerSecond - 1}).value().is_forever());
  EXPECT_TRUE(Date::from({kMax / kNsPerSecond, kNsPerSecond - 1}).value().is_forever());
}

TEST(Date, TimespecRoundTrip) {
  std::mt19937_64 random{3};
  for (int i = 0; i < 200'000; ++i) {
    const s64 ns = awkward(random);
    const __evl_timespec spec = to_timespec(ns);
    ASSERT_GE(spec.tv_nsec, 0) << ns;
    ASSERT_LT(spec.tv_nsec, kNsPerSecond) << ns;
    ASSERT_EQ(cut(static_cast<__int128>(spec.tv_sec) * kNsPerSecond + spec.tv_nsec), ns);
    if (ns >= 0) {
      ASSERT_EQ(Date::from(spec).value().ns(), ns);
    }
  }
}

TEST(Deadline, ZeroTimespecMeansNever) {
  EXPECT_TRUE(Deadline::from({0, 0}).value().is_never());
  EXPECT_EQ(Deadline::from({0, 1}).value().date().ns(), 1);
  EXPECT_TRUE(Deadline::from({0, kNsPerSecond}).is(Errno::inval));
  EXPECT_TRUE(Deadline::from({kMax, 0}).value().is_never());
  EXPECT_TRUE(Deadline::nonblock().is_nonblock());
  EXPECT_TRUE(Deadline{}.is_never());
}

static_assert(!std::is_convertible_v<Date, MonoDate>, "dates of different clocks do not mix");
static_assert(!std::is_convertible_v<s64, Duration>, "a number is not a duration");

}  // namespace
}  // namespace evl
