// SPDX-License-Identifier: MIT
//
// The machine's rules: interrupts, the clock, locks, busy waits, bounds, and runs that repeat.

#include "engine/machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/explorer.h"
#include "engine/random_walk.h"
#include "engine/shrink.h"
#include "engine_test/bench.h"

namespace sim::test {
namespace {

Machine& m() {
  return Machine::current();
}
void spend(int points) {
  for (int i = 0; i < points; ++i) m().point({.what = "works"});
}

TEST(Machine, InterruptIsTakenOnlyWhileTheyAreOn) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    bool off = false;
    int taken = 0;
    bool taken_while_off = false;
    Bench bench;
    bench
        .on_irq([&](unsigned number) {
          EXPECT_EQ(number, 3U);
          EXPECT_TRUE(m().cpu().oob);
          ++taken;
          taken_while_off |= off;
        })
        .on_each_cpu({[&] {
                        m().irqs_disable();
                        off = true;
                        spend(5);
                        off = false;
                        m().irqs_enable();
                        while (taken == 0) spend(1);
                      },
                      [] { m().raise(0, 3); }});
    RandomWalk walk{seed, 40};
    ASSERT_EQ(bench.run(walk), Machine::Outcome::passed) << "seed " << seed << '\n'
                                                         << bench.failure();
    EXPECT_EQ(taken, 1);
    EXPECT_FALSE(taken_while_off) << "seed " << seed;
  }
}

TEST(Machine, ExplorerDeliversAnInterruptAtEveryPlace) {
  std::set<int> places;
  int at = 0;
  bool taken = false;
  Bench bench;
  bench
      .before_each_run([&] {
        at = 0;
        taken = false;
      })
      .on_irq([&](unsigned) {
        places.insert(at);
        taken = true;
      })
      .idle_ends_when([&](unsigned) { return taken; })
      .on_each_cpu({[&] {
        m().raise(0, 1);
        for (at = 1; at <= 3; ++at) spend(1);
        m().point({.what = "idle", .waits = Waits::idle});
      }});
  Explorer explorer;
  while (explorer.next()) {
    ASSERT_LT(explorer.runs(), 1000U);
    bench.run(explorer);
  }
  EXPECT_TRUE(places.contains(1) && places.contains(2) && places.contains(3));
}

TEST(Machine, TickComesAtItsDateNotBefore) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    std::uint64_t date = 0;
    std::uint64_t taken_at = 0;
    Bench bench{{.step_ns = 50}};
    bench
        .on_irq([&](unsigned number) {
          EXPECT_EQ(number, kTickIrq);
          taken_at = m().now_ns();
        })
        .idle_ends_when([&](unsigned) { return taken_at != 0; })
        .on_each_cpu({[&] {
          date = m().now_ns() + 100'000;
          m().program_tick(0, date);
          spend(10);
          m().point({.what = "idle", .waits = Waits::idle});
        }});
    RandomWalk walk{seed, 20};
    ASSERT_EQ(bench.run(walk), Machine::Outcome::passed) << bench.failure();
    EXPECT_GE(taken_at, date);
    EXPECT_LE(taken_at, date + 50 * 12);
  }
}

TEST(Machine, LockWithInterruptsOnIsRefused) {
  SpinLock lock{.name = "x"};
  Bench bench;
  bench.on_each_cpu({[&] { m().lock(lock); }});
  RandomWalk walk{1, 0};
  EXPECT_EQ(bench.run(walk), Machine::Outcome::failed);
  EXPECT_NE(bench.failure().find("interrupts on"), std::string::npos);
}

TEST(Machine, LoopWithInterruptsOffIsBounded) {
  Bench bench{{.max_irqs_off_steps = 100, .step_ns = 0}};
  bench.on_each_cpu({[] {
    m().irqs_disable();
    spend(200);
    m().irqs_enable();
  }});
  RandomWalk walk{1, 0};
  EXPECT_EQ(bench.run(walk), Machine::Outcome::failed);
  EXPECT_NE(bench.failure().find("without a bound"), std::string::npos);
}

// A busy wait must not be picked for ever, by no strategy: each of them lets the other CPU end it.
TEST(Machine, BusyWaitEndsUnderEachStrategy) {
  bool done = false;
  Bench bench;
  bench.before_each_run([&] { done = false; })
      .on_each_cpu({[&] {
                      while (!done) m().relax();
                    },
                    [&] {
                      spend(3);
                      done = true;
                    }});
  for (unsigned seed = 1; seed <= 100; ++seed) {
    RandomWalk walk{seed, 5};
    ASSERT_EQ(bench.run(walk), Machine::Outcome::passed);
    Pct pct{seed, 3, 10};
    ASSERT_EQ(bench.run(pct), Machine::Outcome::passed);
  }
}

TEST(Machine, SameSeedSameRun) {
  auto trace_of = [](unsigned seed) {
    SpinLock lock{.name = "lock"};
    std::vector<unsigned> order;
    auto work = [&](unsigned cpu) {
      for (int i = 0; i < 20; ++i) {
        m().irqs_disable();
        m().lock(lock);
        order.push_back(cpu);
        m().unlock(lock);
        m().irqs_enable();
      }
    };
    Bench bench;
    bench.on_each_cpu({[&] { work(0); }, [&] { work(1); }, [&] { work(2); }});
    RandomWalk walk{seed, 50};
    EXPECT_EQ(bench.run(walk), Machine::Outcome::passed);
    return order;
  };
  EXPECT_EQ(trace_of(7), trace_of(7));
  EXPECT_NE(trace_of(7), trace_of(8));
}

// Fails while task 1 contains 7 and some task contains 9 after a 3.
TEST(Shrink, LeavesWhatTheFailureNeeds) {
  const Script<int> program{{1, 2, 3, 4}, {5, 6, 7, 8}, {1, 3, 3, 2, 9, 4}, {}};
  auto fails = [](const Script<int>& candidate) {
    bool seven = false;
    bool nine = false;
    for (const auto& task : candidate) {
      seven |= std::find(task.begin(), task.end(), 7) != task.end();
      const auto three = std::find(task.begin(), task.end(), 3);
      nine |= std::find(three, task.end(), 9) != task.end();
    }
    return seven && nine;
  };
  ASSERT_TRUE(fails(program));
  EXPECT_EQ(shrink(program, fails), (Script<int>{{7}, {3, 9}}));
}

TEST(Trace, ShowsAColumnPerCpu) {
  Trace trace;
  int object = 0;
  trace.name(&object, "the lock");
  trace.add({.now_ns = 5,
             .step = 1,
             .cpu = 0,
             .oob = true,
             .irqs_off = true,
             .in_irq = false,
             .task = "a",
             .what = "locks",
             .object = &object,
             .value = 0,
             .label = nullptr});
  trace.add({.now_ns = 6,
             .step = 2,
             .cpu = 1,
             .oob = false,
             .irqs_off = false,
             .in_irq = false,
             .task = "b",
             .what = "waits",
             .object = nullptr,
             .value = 16,
             .label = nullptr});
  const std::string text = trace.tail(10, 2);
  EXPECT_NE(text.find("!=a: locks the lock\n"), std::string::npos) << text;
  EXPECT_NE(text.find("    b: waits 0x10\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace sim::test
