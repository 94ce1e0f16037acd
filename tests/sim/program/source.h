// SPDX-License-Identifier: MIT
//
// Source: what may come out of reads from a target that gives its bytes, the numbers from 0 on, and
// then ends, through a ring of the core's. Naive: it knows beginnings, ends and results only.
//
// Each byte comes out once, in order, and an end only to who has found nothing any more.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sim {

class Source final {
 public:
  static constexpr unsigned kMaxBytes = 24;

  /// `granularity`: what nonblocking reads get is a multiple of it, but for the last bytes.
  void make(unsigned bytes, unsigned granularity) noexcept {
    bytes_ = bytes;
    granularity_ = granularity;
  }
  /// What the target has to hold.
  std::string content() const;

  enum class Waits : bool { no, yes };
  /// Before a read; the number is for end().
  unsigned begin(unsigned bytes, Waits waits);
  /// After it. What is wrong with its result, nullptr: nothing. Errors are the caller's to judge;
  /// they have taken nothing.
  const char* end(unsigned call, std::span<const std::uint8_t> buffer, long result);

 private:
  static constexpr std::uint64_t kOnItsWay = ~std::uint64_t{0};

  struct Read {
    unsigned bytes;
    Waits waits;
    std::uint64_t begun;
    std::uint64_t ended{kOnItsWay};
    unsigned after{0};  // One more than the last byte that it got; 0: none.
  };

  const char* check_part(const Read& read, long result) const;
  const char* check_end(const Read& read) const;
  unsigned others_want(const Read& read) const;

  unsigned bytes_{0};
  unsigned granularity_{1};
  std::vector<Read> reads_;
  std::uint32_t taken_{0};  // A bit per byte.
  std::uint64_t now_{0};
};

}  // namespace sim
