// SPDX-License-Identifier: MIT
// The shared heap: whoever maps it may write anything anywhere, and the core does not notice.
#include "memory/shared_heap.h"

#include <cstring>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace evl {
namespace {

struct State {
  u32 words[4];
};

struct SharedHeapTest : testing::Test {
  static constexpr unsigned kSlots = 100;
  alignas(16) std::array<std::byte, kSlots * SharedHeap::kSlotBytes> pages{};
  std::array<u64, IdMap::words_for(kSlots)> map{};
  SharedHeap heap{pages.data(), pages.size(), map.data()};
  InbandStage inband = InbandStage::at_entry();

  void scribble(std::mt19937& random) {
    for (std::byte& each : pages) each = static_cast<std::byte>(random());
  }
};

TEST_F(SharedHeapTest, EverySlotIsGivenOutOnceAndZeroed) {
  std::mt19937 random{1};
  scribble(random);
  std::vector<State*> held;
  std::set<u32> offsets;
  for (unsigned i = 0; i < kSlots; ++i) {
    auto* const state = heap.alloc<State>(inband);
    ASSERT_NE(state, nullptr);
    for (const u32 word : state->words) EXPECT_EQ(word, 0U);
    EXPECT_LE(heap.offset_of(state) + sizeof(State), heap.size());
    EXPECT_TRUE(offsets.insert(heap.offset_of(state)).second);
    held.push_back(state);
  }
  EXPECT_EQ(heap.alloc<State>(inband), nullptr);
  for (State* const each : held) heap.free(each, inband);
  EXPECT_EQ(heap.in_use(inband), 0U);
}

TEST_F(SharedHeapTest, NothingWrittenToTheAreaMattersToTheHeap) {
  std::mt19937 random{4711};
  std::vector<State*> held;
  std::set<State*> unique;
  for (int step = 0; step < 5'000; ++step) {
    scribble(random);
    if (random() % 5 < 3) {
      auto* const state = heap.alloc<State>(inband);
      ASSERT_EQ(state == nullptr, held.size() == kSlots) << "step " << step;
      if (state == nullptr) continue;
      ASSERT_TRUE(unique.insert(state).second) << "step " << step;
      held.push_back(state);
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      unique.erase(held.back());
      heap.free(held.back(), inband);
      held.pop_back();
    }
    ASSERT_EQ(heap.in_use(inband), held.size());
  }
  for (State* const each : held) heap.free(each, inband);
  EXPECT_EQ(heap.in_use(inband), 0U);
}

TEST_F(SharedHeapTest, NoSlotIsNoOffset) {
  EXPECT_EQ(heap.offset_of(nullptr), ~0U);
  heap.free(nullptr, inband);
}

}  // namespace
}  // namespace evl
