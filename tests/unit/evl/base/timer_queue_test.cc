// SPDX-License-Identifier: MIT
#include "base/timer_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace evl {
namespace {

struct Shot {
  int id = 0;
  TimerHook hook;
};
using Queue = TimerQueue<Shot, &Shot::hook>;

MonoDate at(s64 ns) {
  return MonoDate::from_ns(ns);
}

TEST(TimerQueue, EarliestFirstThenFirstCome) {
  Shot a{1, {}}, b{2, {}}, c{3, {}};
  Queue queue;
  EXPECT_EQ(queue.head(), nullptr);
  EXPECT_TRUE(queue.next_date().is_forever());
  EXPECT_TRUE(queue.insert(a, at(20)));
  EXPECT_FALSE(queue.insert(b, at(20)));
  EXPECT_TRUE(queue.insert(c, at(10)));
  EXPECT_EQ(queue.head()->id, 3);
  EXPECT_EQ(queue.next_date().ns(), 10);
  EXPECT_TRUE(queue.remove(c));
  EXPECT_EQ(queue.head()->id, 1);
  EXPECT_FALSE(queue.remove(b));
  EXPECT_TRUE(queue.remove(a));
  EXPECT_TRUE(queue.empty());
}

TEST(TimerQueue, BehavesLikeAMultimap) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    std::mt19937 random{seed};
    const int span = 1 << (random() % 12);
    std::vector<Shot> shots(64);
    for (int i = 0; i < 64; ++i) shots[i].id = i;
    Queue queue;
    std::multimap<s64, int> model;  // Keeps the order of insertion among equals.
    for (int step = 0; step < 3'000; ++step) {
      Shot& shot = shots[random() % shots.size()];
      const int head_before = model.empty() ? -1 : model.begin()->second;
      if (Queue::linked(shot)) {
        EXPECT_EQ(queue.remove(shot), head_before == shot.id);
        std::erase_if(model, [&](const auto& entry) { return entry.second == shot.id; });
      } else {
        const s64 date = static_cast<s64>(random() % span) - span / 2;
        const bool became_head = queue.insert(shot, at(date));
        model.emplace(date, shot.id);
        EXPECT_EQ(became_head, model.begin()->second == shot.id);
      }
      ASSERT_TRUE(queue.invariants_hold()) << "seed " << seed << ", step " << step;
      std::vector<int> found;
      queue.for_each([&](Shot& each) { found.push_back(each.id); });
      std::vector<int> expected;
      for (const auto& [date, id] : model) expected.push_back(id);
      ASSERT_EQ(found, expected) << "seed " << seed << ", step " << step;
    }
    while (queue.head() != nullptr) queue.remove(*queue.head());
  }
}

// Sorted insertion is what degrades a tree without balance: kMaxLevels would be exceeded.
TEST(TimerQueue, StaysBalancedUnderSortedInsertion) {
  std::vector<Shot> shots(4'096);
  Queue queue;
  for (size_t i = 0; i < shots.size(); ++i) queue.insert(shots[i], at(static_cast<s64>(i)));
  EXPECT_TRUE(queue.invariants_hold());
  for (Shot& shot : shots) {
    ASSERT_EQ(queue.head(), &shot);
    queue.remove(shot);
  }
}

}  // namespace
}  // namespace evl
