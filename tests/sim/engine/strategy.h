// SPDX-License-Identifier: MIT
//
// Strategy: what decides. The machine asks for every choice it has; the answers are the schedule. A
// strategy that gives the same answers makes the same run, whatever it is made of.

#pragma once

#include <cstdint>
#include <span>

#include "engine/operation.h"

namespace sim {

class Strategy {
 public:
  static constexpr std::size_t kPrune = ~std::size_t{0};

  Strategy() = default;
  virtual ~Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;

  /// Picks the index of the next move. `moves` is not empty and is ordered by actor; `last` moved
  /// last. kPrune gives the run up: whatever follows has been seen already.
  virtual std::size_t pick(std::span<const Move> moves, Actor last) = 0;

  /// Picks a number below `bound`: which interrupt is taken first, which task Linux runs next, and
  /// the like. 0 is what happens ordinarily.
  virtual std::uint32_t value(std::uint32_t bound) = 0;

  /// Whether something rare happens now, such as a refused allocation.
  virtual bool rarely(std::uint32_t percent) = 0;

  /// The actor waits busily: others should move first.
  virtual void relaxed(Actor /*actor*/) {}
};

}  // namespace sim
