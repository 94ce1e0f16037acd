// SPDX-License-Identifier: MIT
//
// Two strategies that draw lots: a walk that leaves the running CPU with a fixed chance, and PCT.

#pragma once

#include <array>
#include <vector>

#include "engine/rng.h"
#include "engine/strategy.h"

namespace sim {

// RandomWalk: stays with the actor that moved last, except in `leave_percent` cases, where each
// other move is as likely as the next. A small chance finds what needs a long undisturbed run
// between two preemptions, a large one what needs many preemptions: a search varies it with the
// seed.
class RandomWalk final : public Strategy {
 public:
  RandomWalk(std::uint64_t seed, std::uint32_t leave_percent) noexcept
      : rng_{seed}, leave_percent_{leave_percent} {}

  std::size_t pick(std::span<const Move> moves, Actor last) override;
  std::uint32_t value(std::uint32_t bound) override { return rng_.below(bound); }
  bool rarely(std::uint32_t percent) override { return rng_.chance(percent); }

 private:
  Rng rng_;
  std::uint32_t leave_percent_;
};

// Pct: probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS
// 2010). Each actor gets a priority by lot, the highest that can move does, and at depth - 1 steps
// drawn by lot the actor that moves falls below all others. A bug that needs `depth` ordering
// constraints is found by one run with a probability of at least
//
//     1 / (n * k^(depth - 1))        n actors (2 per CPU and the clock), k steps
//
// as long as the run takes at most k steps. Random values (Strategy::value) are not part of the
// bound.
class Pct final : public Strategy {
 public:
  Pct(std::uint64_t seed, unsigned depth, std::uint32_t steps);

  std::size_t pick(std::span<const Move> moves, Actor last) override;
  std::uint32_t value(std::uint32_t bound) override { return rng_.below(bound); }
  bool rarely(std::uint32_t percent) override { return rng_.chance(percent); }
  void relaxed(Actor actor) override { demote(actor); }

 private:
  void demote(Actor actor) noexcept { priority_[actor.index()] = --lowest_; }

  Rng rng_;
  std::array<int, kActors> priority_{};
  std::vector<std::uint32_t> changes_;  // Steps at which the mover falls, ascending.
  std::size_t next_change_{0};
  std::uint32_t step_{0};
  int lowest_{0};
};

}  // namespace sim
