// SPDX-License-Identifier: MIT
// The byte ring under xbuf and proxy: worked examples, then a comparison with a queue of bytes.
#include "device/ring.h"

#include <deque>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace evl {
namespace {

struct RingTest : testing::Test {
  std::array<std::byte, 16> storage{};
  Ring ring{storage.data(), 16};
};

TEST_F(RingTest, NothingIsReadableBeforeTheLastWriterIsDone) {
  ASSERT_TRUE(ring.reserve_write(4).ok());
  ASSERT_TRUE(ring.reserve_write(4).ok());
  EXPECT_FALSE(ring.commit_write());
  EXPECT_EQ(ring.filled(), 0U);
  EXPECT_TRUE(ring.commit_write());
  EXPECT_EQ(ring.filled(), 8U);
  EXPECT_TRUE(ring.invariants_hold());
}

TEST_F(RingTest, SpaceComesBackWhenTheLastReaderIsDone) {
  ASSERT_TRUE(ring.reserve_write(16).ok());
  ASSERT_TRUE(ring.commit_write());
  ASSERT_TRUE(ring.reserve_read(10).ok());
  EXPECT_EQ(ring.room(), 0U);
  EXPECT_TRUE(ring.reserve_write(1).is(Errno::again));
  EXPECT_TRUE(ring.commit_read());
  EXPECT_EQ(ring.room(), 10U);
  EXPECT_FALSE(ring.is_idle());
}

TEST_F(RingTest, MoreThanTheRingIsNeverPossible) {
  EXPECT_TRUE(ring.reserve_write(17).is(Errno::inval));
  EXPECT_TRUE(ring.reserve_read(17).is(Errno::inval));
  EXPECT_TRUE(ring.reserve_read(1).is(Errno::again));
}

TEST_F(RingTest, BytesComeOutInTheOrderTheyWentIn) {
  std::mt19937 random{4711};
  std::deque<u8> model;
  u8 next = 0;
  for (int step = 0; step < 20'000; ++step) {
    const u32 bytes = random() % 18;
    if (random() % 2 == 0) {
      const auto position = ring.reserve_write(bytes);
      ASSERT_EQ(position.ok(), bytes <= 16 - model.size()) << "step " << step;
      if (!position.ok()) continue;
      const Ring::Slot slot = ring.slot(position.value(), bytes);
      for (std::span<std::byte> piece : {slot.first, slot.second})
        for (std::byte& byte : piece) {
          byte = static_cast<std::byte>(next);
          model.push_back(next++);
        }
      ASSERT_TRUE(ring.commit_write());
    } else {
      const auto position = ring.reserve_read(bytes);
      ASSERT_EQ(position.ok(), bytes <= model.size()) << "step " << step;
      if (!position.ok()) continue;
      const Ring::Slot slot = ring.slot(position.value(), bytes);
      for (std::span<std::byte> piece : {slot.first, slot.second})
        for (const std::byte byte : piece) {
          ASSERT_EQ(static_cast<u8>(byte), model.front()) << "step " << step;
          model.pop_front();
        }
      ASSERT_TRUE(ring.commit_read());
    }
    ASSERT_TRUE(ring.invariants_hold()) << "step " << step;
    ASSERT_EQ(ring.filled(), model.size());
  }
}

// Goal: what several writers and readers copy at the same time comes out whole and in order, and
// nobody sees bytes that somebody still copies. The model keeps every byte by its position.
TEST_F(RingTest, OverlappingCopiesBehaveLikeAQueue) {
  struct Copy {
    u32 position;
    u32 bytes;
  };
  std::mt19937 random{4712};
  std::vector<Copy> writers;
  std::vector<Copy> readers;
  u64 reserved_in = 0;  // Since the beginning, in bytes: reserved, visible, reserved again, free.
  u64 visible = 0;
  u64 reserved_out = 0;
  u64 freed = 0;
  for (int step = 0; step < 50'000; ++step) {
    const u32 bytes = 1 + random() % 6;
    switch (random() % 4) {
      case 0: {
        const auto position = ring.reserve_write(bytes);
        ASSERT_EQ(position.ok(), reserved_in + bytes - freed <= 16) << "step " << step;
        if (!position.ok()) break;
        ASSERT_EQ(position.value(), reserved_in % 16) << "step " << step;
        writers.push_back({position.value(), bytes});
        const Ring::Slot slot = ring.slot(position.value(), bytes);
        ASSERT_EQ(slot.size(), bytes);
        for (std::span<std::byte> piece : {slot.first, slot.second})
          for (std::byte& byte : piece) byte = static_cast<std::byte>(reserved_in++);
        break;
      }
      case 1: {
        const auto position = ring.reserve_read(bytes);
        ASSERT_EQ(position.ok(), reserved_out + bytes <= visible) << "step " << step;
        if (!position.ok()) break;
        readers.push_back({position.value(), bytes});
        const Ring::Slot slot = ring.slot(position.value(), bytes);
        for (std::span<std::byte> piece : {slot.first, slot.second})
          for (const std::byte byte : piece)
            ASSERT_EQ(byte, static_cast<std::byte>(reserved_out++)) << "step " << step;
        break;
      }
      case 2:
        if (writers.empty()) break;
        writers.pop_back();
        ASSERT_EQ(ring.commit_write(), writers.empty());
        if (writers.empty()) visible = reserved_in;
        break;
      default:
        if (readers.empty()) break;
        readers.pop_back();
        ASSERT_EQ(ring.commit_read(), readers.empty());
        if (readers.empty()) freed = reserved_out;
    }
    ASSERT_TRUE(ring.invariants_hold()) << "step " << step;
    ASSERT_EQ(ring.filled(), visible - reserved_out) << "step " << step;
  }
}

TEST_F(RingTest, APieceEndsWhereTheStorageEnds) {
  ASSERT_TRUE(ring.reserve_write(12).ok());
  ASSERT_TRUE(ring.commit_write());
  EXPECT_EQ(ring.take_piece(10).size(), 10U);
  ASSERT_TRUE(ring.commit_read());
  ASSERT_TRUE(ring.reserve_write(10).ok());
  ASSERT_TRUE(ring.commit_write());
  const auto before_the_edge = ring.take_piece(12);
  EXPECT_EQ(before_the_edge.data(), storage.data() + 10);
  EXPECT_EQ(before_the_edge.size(), 6U);
  const auto behind_it = ring.take_piece(6);
  EXPECT_EQ(behind_it.data(), storage.data());
  EXPECT_EQ(behind_it.size(), 6U);
  EXPECT_FALSE(ring.commit_read()) << "the other reader still copies";
  EXPECT_TRUE(ring.commit_read());
  EXPECT_TRUE(ring.is_idle());
}

}  // namespace
}  // namespace evl
