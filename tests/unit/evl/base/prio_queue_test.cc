// SPDX-License-Identifier: MIT
#include "base/prio_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace evl {
namespace {

struct Waiter {
  int id = 0;
  PrioHook hook;
};
using Queue = PrioQueue<Waiter, &Waiter::hook>;

std::vector<int> ids(Queue& queue) {
  std::vector<int> found;
  queue.for_each([&](Waiter& waiter) { found.push_back(waiter.id); });
  return found;
}

TEST(PrioQueue, HighestFirstThenFirstCome) {
  Waiter a{1, {}}, b{2, {}}, c{3, {}}, d{4, {}};
  Queue queue;
  queue.insert(a, 10);
  queue.insert(b, 20);
  queue.insert(c, 10);
  queue.insert(d, 20);
  EXPECT_EQ(ids(queue), (std::vector<int>{2, 4, 1, 3}));
  EXPECT_TRUE(queue.invariants_hold());
  EXPECT_EQ(Queue::weight(c), 10);
  queue.remove(b);  // The leader of its level.
  EXPECT_TRUE(queue.invariants_hold());
  EXPECT_EQ(queue.pop_front().id, 4);
  EXPECT_EQ(queue.pop_front().id, 1);
  EXPECT_EQ(queue.pop_front().id, 3);
  EXPECT_TRUE(queue.empty());
}

TEST(PrioQueue, BehavesLikeAStableSort) {
  struct Entry {
    int id;
    int weight;
  };
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random{seed};
    const int weights = 1 + static_cast<int>(random() % 12);
    std::array<Waiter, 24> waiters;
    for (int i = 0; i < 24; ++i) waiters[i].id = i;
    Queue queue;
    std::vector<Entry> model;
    for (int step = 0; step < 4'000; ++step) {
      Waiter& waiter = waiters[random() % waiters.size()];
      if (Queue::linked(waiter)) {
        queue.remove(waiter);
        std::erase_if(model, [&](const Entry& entry) { return entry.id == waiter.id; });
      } else {
        const int weight = static_cast<int>(random() % weights) - 3;
        queue.insert(waiter, weight);
        model.push_back({waiter.id, weight});
        std::stable_sort(model.begin(), model.end(),
                         [](const Entry& a, const Entry& b) { return a.weight > b.weight; });
      }
      ASSERT_TRUE(queue.invariants_hold()) << "seed " << seed << ", step " << step;
      std::vector<int> expected;
      for (const Entry& entry : model) expected.push_back(entry.id);
      ASSERT_EQ(ids(queue), expected) << "seed " << seed << ", step " << step;
    }
    while (!queue.empty()) (void)queue.pop_front();
  }
}

TEST(PrioQueueDeathTest, CatchesDoubleInsertion) {
  EXPECT_DEATH(
      {
        Waiter waiter;
        Queue queue;
        queue.insert(waiter, 1);
        queue.insert(waiter, 2);
      },
      "linked");
}

}  // namespace
}  // namespace evl
