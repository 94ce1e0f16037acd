// SPDX-License-Identifier: MIT
//
// What a search must be able to do, shown on programs whose bugs are known: find the planted ones,
// and find nothing in the right versions, by each strategy.

#include <gtest/gtest.h>

#include <set>

#include "engine/explorer.h"
#include "engine/random_walk.h"
#include "engine_test/bench.h"

namespace sim::test {
namespace {

Machine& m() {
  return Machine::current();
}

// A consumer that sleeps until a flag is set, and a producer that sets it and wakes it. The bug:
// the consumer looks at the flag before it says that it sleeps, without the lock, so a wake-up in
// between is lost.
class SleepAndWake {
 public:
  explicit SleepAndWake(bool lost_wakeup) : lost_wakeup_{lost_wakeup} {
    bench_.before_each_run([this] { state_ = {}; })
        .idle_ends_when([this](unsigned) { return !state_.asleep; })
        .on_each_cpu({[this] { consume(); }, [this] { produce(); }});
  }
  Bench& bench() { return bench_; }

 private:
  struct State {
    SpinLock lock{.name = "queue lock"};
    bool flag{false};
    bool asleep{false};
  };

  void consume() {
    m().irqs_disable();
    m().lock(state_.lock);
    while (!state_.flag) {
      if (lost_wakeup_) {
        m().unlock(state_.lock);
        m().lock(state_.lock);
      }
      state_.asleep = true;
      m().unlock(state_.lock);
      m().point({.what = "sleeps", .object = &state_.asleep, .waits = Waits::idle});
      m().lock(state_.lock);
    }
    m().unlock(state_.lock);
    m().irqs_enable();
  }

  void produce() {
    m().irqs_disable();
    m().lock(state_.lock);
    state_.flag = true;
    state_.asleep = false;
    m().unlock(state_.lock);
    m().irqs_enable();
  }

  bool lost_wakeup_;
  State state_;
  Bench bench_;
};

template <typename Make>
unsigned runs_until_failure(Bench& bench, unsigned limit, const Make& make) {
  for (unsigned seed = 1; seed <= limit; ++seed) {
    auto strategy = make(seed);
    if (bench.run(strategy) == Machine::Outcome::failed) return seed;
  }
  return 0;
}

TEST(Search, RandomWalkFindsALostWakeup) {
  SleepAndWake program{true};
  const unsigned runs = runs_until_failure(program.bench(), 1000, [](unsigned seed) {
    return RandomWalk{seed, 30};
  });
  EXPECT_NE(runs, 0U);
  EXPECT_NE(program.bench().failure().find("nobody can move"), std::string::npos);
}

TEST(Search, PctFindsALostWakeupWithinItsBound) {
  SleepAndWake program{true};
  // Depth 2: one preemption at the right place. n = 5 actors, k about 20 steps: 1 in 100 at least.
  const unsigned runs = runs_until_failure(program.bench(), 2000, [](unsigned seed) {
    return Pct{seed, 2, 20};
  });
  EXPECT_NE(runs, 0U);
}

TEST(Search, ExplorerFindsALostWakeup) {
  SleepAndWake program{true};
  Explorer explorer;
  bool found = false;
  while (!found && explorer.next())
    found = program.bench().run(explorer) == Machine::Outcome::failed;
  EXPECT_TRUE(found);
}

TEST(Search, NothingIsFoundInTheRightProgram) {
  SleepAndWake program{false};
  EXPECT_EQ(runs_until_failure(program.bench(), 2000,
                               [](unsigned seed) {
                                 return RandomWalk{seed, seed % 60};
                               }),
            0U)
      << program.bench().tail();
  EXPECT_EQ(runs_until_failure(program.bench(), 2000,
                               [](unsigned seed) {
                                 return Pct{seed, 3, 20};
                               }),
            0U)
      << program.bench().tail();
  Explorer explorer;
  while (explorer.next())
    ASSERT_NE(program.bench().run(explorer), Machine::Outcome::failed) << program.bench().tail();
  EXPECT_TRUE(explorer.exhausted());
  EXPECT_GT(explorer.runs(), 1U);
}

// Two locks in both orders: the deadlock needs a preemption, the report does not.
TEST(Search, InvertedLockOrderIsReportedWithoutADeadlock) {
  SpinLock a{.rank = 1, .name = "a"};
  SpinLock b{.rank = 2, .name = "b"};
  auto both = [](SpinLock& first, SpinLock& second) {
    m().irqs_disable();
    m().lock(first);
    m().lock(second);
    m().unlock(second);
    m().unlock(first);
    m().irqs_enable();
  };
  Bench bench;
  bench.before_each_run([&] { a.owner = b.owner = 0; })
      .on_each_cpu({[&] { both(a, b); }, [&] { both(b, a); }});
  RandomWalk straight{1, 0};
  EXPECT_EQ(bench.run(straight), Machine::Outcome::failed);
  EXPECT_NE(bench.failure().find("against the order"), std::string::npos) << bench.failure();
}

TEST(Search, DeadlockIsReportedWithItsHolders) {
  SpinLock a{.name = "a"};
  SpinLock b{.name = "b"};
  auto both = [](SpinLock& first, SpinLock& second) {
    m().irqs_disable();
    m().lock(first);
    m().lock(second);
    m().unlock(second);
    m().unlock(first);
    m().irqs_enable();
  };
  Bench bench;
  bench.before_each_run([&] { a.owner = b.owner = 0; })
      .on_each_cpu({[&] { both(a, b); }, [&] { both(b, a); }});
  Explorer explorer;
  bool found = false;
  while (!found && explorer.next()) found = bench.run(explorer) == Machine::Outcome::failed;
  ASSERT_TRUE(found);
  EXPECT_NE(bench.failure().find("waits for b, which CPU 1 holds"), std::string::npos)
      << bench.failure();
}

// Unlocked increments: of the n * (n - 1) losses the explorer must see each possible end value.
TEST(Explorer, SeesEveryOutcomeOfARace) {
  unsigned shared = 0;
  auto add = [&] {
    m().point({.what = "reads", .object = &shared, .access = Access::read});
    const unsigned seen = shared;
    m().point({.what = "writes", .object = &shared});
    shared = seen + 1;
  };
  Bench bench;
  bench.before_each_run([&] { shared = 0; }).on_each_cpu({add, add, add});
  std::set<unsigned> ends;
  Explorer explorer;
  while (explorer.next())
    if (bench.run(explorer) == Machine::Outcome::passed) ends.insert(shared);
  EXPECT_EQ(ends, (std::set<unsigned>{1, 2, 3}));
}

// Independent work needs one schedule, whatever the number of interleavings: C(12, 6) = 924 here.
TEST(Explorer, DoesNotRepeatWhatIsIndependent) {
  unsigned mine[2] = {};
  auto work = [&](unsigned cpu) {
    for (int i = 0; i < 6; ++i) {
      m().point({.what = "works", .object = &mine[cpu]});
      ++mine[cpu];
    }
  };
  Bench bench;
  bench.on_each_cpu({[&] { work(0); }, [&] { work(1); }});
  Explorer explorer;
  while (explorer.next()) bench.run(explorer);
  EXPECT_EQ(explorer.runs(), 1U);
}

// One shared object touched once by each of two CPUs, between private work: two orders matter.
TEST(Explorer, RunsEachOrderOfDependentMovesOnce) {
  unsigned shared = 0;
  unsigned mine[2] = {};
  auto work = [&](unsigned cpu) {
    m().point({.what = "works", .object = &mine[cpu]});
    m().point({.what = "touches", .object = &shared});
    m().point({.what = "works", .object = &mine[cpu]});
  };
  Bench bench;
  bench.on_each_cpu({[&] { work(0); }, [&] { work(1); }});
  Explorer explorer;
  unsigned completed = 0;
  while (explorer.next())
    if (bench.run(explorer) == Machine::Outcome::passed) ++completed;
  EXPECT_EQ(completed, 2U);
}

// The number of complete runs is compared with plain enumeration of the orders of one shared
// object's accesses.
TEST(Explorer, CountsAllOrdersOfThreeWriters) {
  unsigned shared = 0;
  std::set<std::vector<unsigned>> orders;
  std::vector<unsigned> order;
  auto write = [&](unsigned cpu) {
    m().point({.what = "writes", .object = &shared});
    order.push_back(cpu);
  };
  Bench bench;
  bench.before_each_run([&] { order.clear(); })
      .on_each_cpu({[&] { write(0); }, [&] { write(1); }, [&] { write(2); }});
  Explorer explorer;
  unsigned completed = 0;
  while (explorer.next()) {
    if (bench.run(explorer) != Machine::Outcome::passed) continue;
    ++completed;
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6U);
  EXPECT_EQ(completed, 6U);
}

TEST(Explorer, TriesEveryValue) {
  std::set<unsigned> seen;
  Bench bench;
  bench.on_each_cpu({[&] { seen.insert(m().strategy().value(3) * 10 + m().strategy().value(2)); }});
  Explorer explorer;
  while (explorer.next()) bench.run(explorer);
  EXPECT_EQ(seen, (std::set<unsigned>{0, 1, 10, 11, 20, 21}));
  EXPECT_EQ(explorer.runs(), 6U);
}

// With a limit of no preemption, a CPU goes on until it ends.
TEST(Explorer, LimitOfPreemptionsHolds) {
  unsigned shared = 0;
  std::set<unsigned> ends;
  auto add = [&] {
    m().point({.what = "reads", .object = &shared, .access = Access::read});
    const unsigned seen = shared;
    m().point({.what = "writes", .object = &shared});
    shared = seen + 1;
  };
  Bench bench;
  bench.before_each_run([&] { shared = 0; }).on_each_cpu({add, add});
  for (const unsigned limit : {0U, 1U}) {
    Explorer explorer{limit};
    ends.clear();
    while (explorer.next())
      if (bench.run(explorer) == Machine::Outcome::passed) ends.insert(shared);
    EXPECT_EQ(ends, limit == 0 ? (std::set<unsigned>{2}) : (std::set<unsigned>{1, 2}))
        << "limit " << limit;
  }
}

}  // namespace
}  // namespace sim::test
