// SPDX-License-Identifier: MIT
// Properties of time where it ends, bounds of loops, and of the values that requests bring in.
#include <gtest/gtest.h>

#include <random>

#include "base/assert.h"
#include "base/cpus.h"
#include "base/level_queue.h"
#include "base/time.h"

namespace evl {
namespace {

constexpr s64 kMax = std::numeric_limits<s64>::max();
constexpr s64 kMin = std::numeric_limits<s64>::min();

s64 cut(__int128 value) {
  return static_cast<s64>(value > kMax ? kMax : value < kMin ? kMin : value);
}

// A number near a limit, near zero, near a power of two, or any.
s64 awkward(std::mt19937_64& random) {
  const auto bits = static_cast<unsigned>(random() % 64);
  const __int128 power = static_cast<__int128>(1) << bits;
  const s64 near = static_cast<s64>(random() % 5) - 2;
  switch (random() % 5) {
    case 0:
      return cut(power + near);
    case 1:
      return cut(-power + near);
    case 2:
      return cut(static_cast<__int128>(kMax) - static_cast<s64>(random() % 3));
    case 3:
      return cut(static_cast<__int128>(kMin) + static_cast<s64>(random() % 3));
    default:
      return static_cast<s64>(random());
  }
}

TEST(TimeLimits, UnitsSaturate) {
  std::mt19937_64 random{11};
  for (int i = 0; i < 100'000; ++i) {
    const s64 count = awkward(random);
    ASSERT_EQ(Duration::us(count).ns(), cut(static_cast<__int128>(count) * 1'000)) << count;
    ASSERT_EQ(Duration::seconds(count).ns(), cut(static_cast<__int128>(count) * kNsPerSecond))
        << count;
  }
}

// Goal: the distance of two dates leads from one to the other, unless it is too large to be told;
// and then it has the right sign.
TEST(TimeLimits, TheDistanceLeadsFromOneDateToTheOther) {
  std::mt19937_64 random{12};
  for (int i = 0; i < 200'000; ++i) {
    const Date a = Date::from_ns(awkward(random));
    const Date b = Date::from_ns(awkward(random));
    const Duration distance = b - a;
    ASSERT_EQ(distance.ns(), cut(static_cast<__int128>(b.ns()) - a.ns()));
    ASSERT_EQ(distance > Duration{}, a < b) << a.ns() << ' ' << b.ns();
    ASSERT_EQ(distance.is_zero(), a == b);
    const bool exact = distance.ns() != kMax && distance.ns() != kMin;
    if (exact && !a.is_forever()) {
      ASSERT_EQ(a + distance, b) << a.ns() << ' ' << b.ns();
    }
  }
}

// Goal: how many periods fit is the largest number whose product does not go beyond; this is what a
// periodic timer is advanced by.
TEST(TimeLimits, WholePeriodsAreTheMostThatFit) {
  std::mt19937_64 random{13};
  for (int i = 0; i < 200'000; ++i) {
    const s64 span = awkward(random) & kMax;
    s64 period = awkward(random) & kMax;
    if (period == 0) period = 1;
    const s64 fit = Duration::ns(span).whole(Duration::ns(period));
    ASSERT_LE(static_cast<__int128>(fit) * period, span);
    ASSERT_GT((static_cast<__int128>(fit) + 1) * period, span);
  }
}

// Goal: no timespec that is accepted means an earlier date than one that is smaller.
TEST(TimeLimits, TimespecsKeepTheirOrder) {
  std::mt19937_64 random{14};
  for (int i = 0; i < 200'000; ++i) {
    const __evl_timespec a{awkward(random), awkward(random) % (2 * kNsPerSecond)};
    const __evl_timespec b{awkward(random) & kMax, static_cast<s64>(random() % kNsPerSecond)};
    const bool valid = a.tv_sec >= 0 && a.tv_nsec >= 0 && a.tv_nsec < kNsPerSecond;
    const auto date = Date::from(a);
    ASSERT_EQ(date.ok(), valid) << a.tv_sec << ' ' << a.tv_nsec;
    ASSERT_EQ(duration_from(a).ok(), valid);
    ASSERT_EQ(Deadline::from(a).ok(), valid);
    if (!valid) continue;
    const bool earlier = a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec <= b.tv_nsec;
    ASSERT_EQ(earlier ? date.value() <= Date::from(b).value() : true, true);
    ASSERT_EQ(date.value().ns(), cut(static_cast<__int128>(a.tv_sec) * kNsPerSecond + a.tv_nsec));
  }
}

TEST(TimeLimits, ADeadlineIsOneOfThree) {
  for (const Deadline& each :
       {Deadline::never(), Deadline::nonblock(), Deadline::at(Date::from_ns(1)),
        Deadline::at(Date::forever()), Deadline::at(Date{})})
    EXPECT_EQ(each.is_never() + each.is_nonblock() + each.has_date(), 1);
  EXPECT_TRUE(Deadline::at(Date{}).has_date()) << "the clock's zero is a date, long gone";
  EXPECT_DEATH((void)Deadline::never().date(), "has_date");
}

TEST(TimeLimitsDeathTest, NoPeriodIsNoDivisor) {
  EXPECT_DEATH((void)Duration::ns(1).whole(Duration{}), "period");
  EXPECT_DEATH((void)Duration::ns(-1).whole(Duration::ns(1)), "ns_ >= 0");
}

TEST(LoopBoundDeathTest, EndsALoopThatOutgrowsItsBound) {
  LoopBound bound{3};
  for (int i = 0; i < 3; ++i) bound.step();
  EXPECT_DEATH(bound.step(), "left_");
}

// ---- What else of the base has a limit ----

TEST(CpuSetLimits, IntersectionAndNextAgreeWithTheBits) {
  std::mt19937 random{15};
  for (int i = 0; i < 2'000; ++i) {
    CpuSet a;
    CpuSet b;
    for (Cpu cpu = 0; cpu < kMaxCpus; ++cpu) {
      if (random() % 3 == 0) a.add(cpu);
      if (random() % 3 == 0) b.add(cpu);
    }
    const CpuSet both = a & b;
    Cpu expected = kNoCpu;
    for (Cpu cpu = kMaxCpus; cpu-- > 0;) {
      ASSERT_EQ(both.has(cpu), a.has(cpu) && b.has(cpu));
      if (a.has(cpu)) expected = cpu;
      ASSERT_EQ(a.next(cpu), expected) << "from " << cpu;
    }
    ASSERT_EQ(a.first(), expected);
  }
  CpuSet none;
  EXPECT_EQ(none.first(), kNoCpu);
  EXPECT_EQ(none.next(kMaxCpus), kNoCpu);
  EXPECT_FALSE(none.has(kMaxCpus)) << "asking is allowed, adding is not";
  EXPECT_DEATH(none.add(kMaxCpus), "kMaxCpus");
}

struct Item {
  int id = 0;
  ListHook hook;
};

// Levels at each edge of the words of the map.
TEST(LevelQueueLimits, EveryNumberOfLevelsWorks) {
  const auto fill_and_drain = []<unsigned Levels>() {
    std::array<Item, Levels> items;
    LevelQueue<Item, &Item::hook, Levels> queue;
    for (unsigned level = 0; level < Levels; ++level) {
      items[level].id = static_cast<int>(level);
      queue.push_back(items[level], level);
      EXPECT_EQ(queue.front(), &items[level]);
    }
    unsigned seen = Levels;
    queue.for_each([&](Item& item, unsigned level) {
      EXPECT_EQ(level, --seen);
      EXPECT_EQ(item.id, static_cast<int>(level));
    });
    EXPECT_TRUE(queue.invariants_hold());
    for (unsigned level = Levels; level-- > 0;) {
      EXPECT_EQ(queue.front(), &items[level]);
      queue.remove(items[level], level);
    }
    EXPECT_TRUE(queue.empty());
  };
  fill_and_drain.operator()<1>();
  fill_and_drain.operator()<63>();
  fill_and_drain.operator()<64>();
  fill_and_drain.operator()<65>();
  fill_and_drain.operator()<128>();
  fill_and_drain.operator()<129>();
}

}  // namespace
}  // namespace evl
