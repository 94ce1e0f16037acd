// SPDX-License-Identifier: MIT
// Proofs, guards, results, CPU sets, id maps, flags, user pointers, storage.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/atomic.h"
#include "base/cpus.h"
#include "base/flags.h"
#include "base/id_map.h"
#include "base/in_place.h"
#include "base/lock.h"
#include "base/time.h"
#include "base/user_ptr.h"
#include "fake_kapi.h"

namespace evl {
namespace {

class Context : public ::testing::Test {
 protected:
  void SetUp() override { fake::state() = {}; }
  void TearDown() override {
    EXPECT_EQ(fake::state().locks_held, 0);
    EXPECT_FALSE(fake::state().irqs_off);
  }
};
using ContextDeathTest = Context;

TEST_F(Context, IrqGuardsNest) {
  {
    HardIrqGuard outer;
    { HardIrqGuard inner; }
    EXPECT_TRUE(fake::state().irqs_off);
  }
  EXPECT_FALSE(fake::state().irqs_off);
}

TEST_F(ContextDeathTest, AStageProofIsCheckedWhereItIsMade) {
  EXPECT_DEATH((void)OobStage::at_entry(), "kapi_running_oob");
  EXPECT_DEATH({ HardIrqsOffAtEntry off; }, "kapi_hard_irqs_disabled");
}

static_assert(!std::is_copy_constructible_v<OobStage>);
static_assert(!std::is_default_constructible_v<OobStage>);
static_assert(!std::is_convertible_v<InbandStage, OobStage>);
static_assert(!std::is_default_constructible_v<HardIrqsOff>);

TEST_F(Context, LockGuardHoldsForItsScope) {
  HardSpinLock<LockRank::rq> lock;
  HardIrqGuard irqs_off;
  {
    HardLockGuard guard{lock, irqs_off};
    lock.assert_held();
    HardTryGuard again{lock, irqs_off};
    EXPECT_FALSE(again.owns());
  }
  EXPECT_EQ(fake::state().locks_held, 0);
  HardTryGuard free{lock, irqs_off};
  EXPECT_TRUE(free.owns());
}

TEST_F(Context, PairTakesEachLockOnce) {
  HardSpinLock<LockRank::thread> a;
  HardSpinLock<LockRank::thread> b;
  HardIrqGuard irqs_off;
  {
    HardLockPair pair{b, a, irqs_off};
    EXPECT_EQ(fake::state().locks_held, 2);
  }
  {
    HardLockPair same{a, a, irqs_off};
    EXPECT_EQ(fake::state().locks_held, 1);
  }
}

TEST_F(Context, EveryRankHasItsClass) {
  for (unsigned rank = 0; rank < kLockRanks; ++rank) {
    EXPECT_EQ(lock_class(static_cast<LockRank>(rank)).rank, rank);
  }
}

Result<int> half(int n) {
  if (n % 2 != 0) return Errno::inval;
  return n / 2;
}
Result<int> quarter(int n) {
  return half(EVL_TRY(half(n)));
}

TEST_F(Context, TryReturnsTheFirstError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_TRUE(quarter(6).is(Errno::inval));
  EXPECT_EQ(code_of(quarter(6)), -EINVAL);
  EXPECT_EQ(code_of(kOk), 0);
  EXPECT_TRUE(status_of(-ETIMEDOUT).is(Errno::timedout));
  EXPECT_TRUE(status_of(3).ok());
}

TEST_F(ContextDeathTest, NoValueInAnError) {
  EXPECT_DEATH((void)half(1).value(), "ok");
}

TEST_F(Context, CpuSetBehavesLikeASet) {
  std::mt19937 random{5};
  CpuSet cpus;
  std::set<Cpu> model;
  for (int step = 0; step < 2'000; ++step) {
    const Cpu cpu = random() % kMaxCpus;
    if (random() % 2 == 0) {
      cpus.add(cpu);
      model.insert(cpu);
    } else {
      cpus.remove(cpu);
      model.erase(cpu);
    }
    std::set<Cpu> found;
    cpus.for_each([&](Cpu each) { found.insert(each); });
    ASSERT_EQ(found, model);
    ASSERT_EQ(cpus.first(), model.empty() ? kNoCpu : *model.begin());
  }
}

TEST_F(Context, PerCpuIsIndexedByTheCpuOfTheCaller) {
  PerCpu<int> table;
  int one = 1;
  table.install(1, &one);
  EXPECT_FALSE(table.has(0));
  fake::state().cpu = 1;
  HardIrqGuard irqs_off;
  EXPECT_EQ(&table.here(irqs_off), &one);
}

TEST_F(Context, IdMapGivesTheLowestFreeNumber) {
  std::mt19937 random{6};
  for (const unsigned capacity : {1U, 63U, 64U, 65U, 200U}) {
    std::vector<u64> words(IdMap::words_for(capacity));
    IdMap map{words.data(), capacity};
    std::set<unsigned> model;
    for (int step = 0; step < 4'000; ++step) {
      if (random() % 3 != 0) {
        unsigned lowest = 0;
        while (model.count(lowest) != 0) ++lowest;
        const auto id = map.take();
        if (lowest == capacity) {
          ASSERT_TRUE(id.is(Errno::again));
        } else {
          ASSERT_EQ(id.value(), lowest);
          model.insert(lowest);
        }
      } else if (!model.empty()) {
        const unsigned id = *std::next(model.begin(), static_cast<int>(random() % model.size()));
        map.give_back(id);
        model.erase(id);
      }
      ASSERT_EQ(map.in_use(), model.size());
    }
  }
}

enum class Bit : u32 { one = 1, two = 2, four = 4 };
EVL_FLAG_OPERATORS(Bit)

TEST_F(Context, FlagsSetClearAndTest) {
  Flags<Bit> flags = Bit::one | Bit::four;
  EXPECT_TRUE(flags.has(Bit::one));
  EXPECT_FALSE(flags.has(Bit::two));
  EXPECT_TRUE(flags.has(Bit::two | Bit::four));
  EXPECT_FALSE(flags.has_all(Bit::two | Bit::four));
  flags.clear(Bit::one);
  flags.set(Bit::two);
  EXPECT_EQ(flags.word(), 6U);
}

TEST_F(Context, UserPointersCopyOrFault) {
  const __evl_timespec spec{3, 4};
  const UserPtr<__evl_timespec> good{reinterpret_cast<unsigned long>(&spec)};
  EXPECT_EQ(good.read().value().tv_nsec, 4);
  EXPECT_TRUE(UserPtr<__evl_timespec>{}.read().is(Errno::fault));
  EXPECT_TRUE(UserPtr<__evl_timespec>{16}.write(spec).is(Errno::fault));
}

struct Counted {
  explicit Counted(int& alive) : alive_{alive} { ++alive_; }
  ~Counted() { --alive_; }
  int& alive_;
};

TEST_F(Context, StorageBuildsAndDestroysOnce) {
  int alive = 0;
  InPlace<Counted> storage;
  EXPECT_FALSE(storage.built());
  storage.build(alive);
  EXPECT_EQ(alive, 1);
  storage.destroy();
  EXPECT_EQ(alive, 0);
  const auto inband = InbandStage::at_entry();
  Counted* const object = create<Counted>(inband, alive);
  EXPECT_EQ(alive, 1);
  discard(inband, object);
  EXPECT_EQ(alive, 0);
  fake::state().allocations_until_refusal = 0;
  EXPECT_EQ(create<Counted>(inband, alive), nullptr);
}

TEST_F(Context, AtomicsDoWhatTheySay) {
  Atomic<u32> word{1};
  u32 expected = 2;
  EXPECT_FALSE(word.compare_exchange(expected, 5));
  EXPECT_EQ(expected, 1U);
  EXPECT_TRUE(word.compare_exchange(expected, 5));
  EXPECT_EQ(word.fetch_add(2), 5U);
  EXPECT_EQ(word.fetch_and(3), 7U);
  EXPECT_EQ(word.fetch_or(8), 3U);
  EXPECT_EQ(word.exchange(0), 11U);
  u32 shared = 9;
  const SharedWord handle{shared};
  EXPECT_TRUE(handle.compare_exchange(expected = 9, 10));
  EXPECT_EQ(shared, 10U);
}

}  // namespace
}  // namespace evl
