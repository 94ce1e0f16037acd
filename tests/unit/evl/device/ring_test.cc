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

}  // namespace
}  // namespace evl
