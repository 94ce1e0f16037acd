// SPDX-License-Identifier: MIT
// The heap: worked examples, then random allocations whose contents and invariants are checked.
#include "memory/heap.h"

#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace evl {
namespace {

struct HeapTest : testing::Test {
  alignas(16) std::array<std::byte, 16384> arena{};
  Heap heap{arena.data(), arena.size()};
};

TEST_F(HeapTest, BlocksAreZeroedAndAligned) {
  void* const block = heap.alloc(100);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(reinterpret_cast<u64>(block) % Heap::kAlignment, 0U);
  std::memset(block, 0xff, 100);
  heap.free(block);
  auto* const again = static_cast<std::byte*>(heap.alloc(100));
  ASSERT_EQ(again, block);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(again[i], std::byte{0});
  heap.free(again);
  EXPECT_EQ(heap.used(), 0U);
}

TEST_F(HeapTest, NeighboursMergeToOneBlock) {
  void* const a = heap.alloc(4000);
  void* const b = heap.alloc(4000);
  void* const c = heap.alloc(4000);
  heap.free(a);
  heap.free(c);
  EXPECT_TRUE(heap.invariants_hold());
  heap.free(b);
  EXPECT_TRUE(heap.invariants_hold());
  void* const large = heap.alloc(15000);
  EXPECT_NE(large, nullptr);
  heap.free(large);
}

TEST_F(HeapTest, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(heap.alloc(0), nullptr);
  EXPECT_EQ(heap.alloc(16384), nullptr);
  EXPECT_EQ(heap.alloc(~size_t{0}), nullptr);
  heap.free(nullptr);
}

TEST_F(HeapTest, RandomUseKeepsContentsAndInvariants) {
  struct Held {
    std::byte* block;
    size_t bytes;
    std::byte mark;
  };
  std::mt19937 random{99};
  std::vector<Held> held;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 5 < 3) {
      const size_t bytes = 1 + random() % (random() % 8 == 0 ? 2000 : 120);
      auto* const block = static_cast<std::byte*>(heap.alloc(bytes));
      if (block != nullptr) {
        const auto mark = static_cast<std::byte>(random());
        std::memset(block, static_cast<int>(mark), bytes);
        held.push_back({block, bytes, mark});
      }
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      const Held last = held.back();
      for (size_t i = 0; i < last.bytes; ++i) ASSERT_EQ(last.block[i], last.mark) << step;
      heap.free(last.block);
      held.pop_back();
    }
    ASSERT_TRUE(heap.invariants_hold()) << "step " << step;
  }
  for (const Held& each : held) heap.free(each.block);
  EXPECT_EQ(heap.used(), 0U);
  EXPECT_TRUE(heap.invariants_hold());
}

}  // namespace
}  // namespace evl
