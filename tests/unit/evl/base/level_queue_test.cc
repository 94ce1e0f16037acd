// SPDX-License-Identifier: MIT
#include "base/level_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

namespace evl {
namespace {

struct Task {
  int id = 0;
  unsigned level = 0;
  ListHook hook;
};
using Queue = LevelQueue<Task, &Task::hook, 102>;

TEST(LevelQueue, PicksTheHighestLevelFirst) {
  Task low{1, 0, {}}, high{2, 101, {}}, edge{3, 64, {}}, below{4, 63, {}};
  Queue queue;
  EXPECT_EQ(queue.front(), nullptr);
  for (Task* task : {&low, &below, &edge, &high}) queue.push_back(*task, task->level);
  for (Task* expected : {&high, &edge, &below, &low}) {
    ASSERT_EQ(queue.front(), expected);
    queue.remove(*expected, expected->level);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(LevelQueue, BehavesLikeAMapOfDeques) {
  std::mt19937 random{7};
  std::array<Task, 32> tasks;
  for (int i = 0; i < 32; ++i) tasks[i].id = i;
  Queue queue;
  std::map<unsigned, std::deque<int>, std::greater<>> model;
  for (int step = 0; step < 20'000; ++step) {
    Task& task = tasks[random() % tasks.size()];
    if (Queue::linked(task)) {
      queue.remove(task, task.level);
      auto& level = model[task.level];
      level.erase(std::find(level.begin(), level.end(), task.id));
      if (level.empty()) model.erase(task.level);
    } else {
      task.level = static_cast<unsigned>(random() % 102);
      if (random() % 2 == 0) {
        queue.push_back(task, task.level);
        model[task.level].push_back(task.id);
      } else {
        queue.push_front(task, task.level);
        model[task.level].push_front(task.id);
      }
    }
    ASSERT_TRUE(queue.invariants_hold()) << "step " << step;
    ASSERT_EQ(queue.empty(), model.empty());
    if (!model.empty()) {
      ASSERT_EQ(queue.front()->id, model.begin()->second.front()) << "step " << step;
    }
  }
  while (Task* task = queue.front()) queue.remove(*task, task->level);
}

}  // namespace
}  // namespace evl
