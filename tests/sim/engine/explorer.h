// SPDX-License-Identifier: MIT
//
// Explorer: tries every schedule of a small program that can differ in effect, and none twice if it
// can help it.
//
// Stateless search: each run repeats the choices of a path and goes on from there. Of two schedules
// that differ only in the order of independent moves one is enough. Two moves depend on each other
// when they are of one CPU, or touch one object and one of them writes it; so what is shared must
// be touched under a lock or at a point of its own, or the reduction hides it.
//
// Without a limit of preemptions: source sets with sleep sets (Abdulla, Aronsson, Jonsson, Sagonas,
// POPL 2014). With one, what was run first may have cost more preemptions than what it stands for:
// each race is reversed where it happened and where the mover began, and nobody sleeps (Coons,
// Musuvathi, McKinley, OOPSLA 2013). reduction_test.cc compares both with plain enumeration.
//
// E1  todo of a node holds, for each move after it that could have come before the node's own, an
//     actor that a schedule with the two in that order can go on with.
// E2  A node leaves the path only when every actor of todo has been tried, or sleeps, or would be a
//     preemption too many.
// E3  exhausted() means that every inequivalent schedule within `max_preemptions` has been run.

#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/strategy.h"

namespace sim {

class Explorer final : public Strategy {
 public:
  static constexpr unsigned kUnlimited = ~0U;

  /// Schedules with more than `max_preemptions` are left out: those in which a CPU that could have
  /// gone on had to let another actor move. With a limit the search is complete for few preemptions
  /// only, which is where most bugs are.
  explicit Explorer(unsigned max_preemptions = kUnlimited) noexcept
      : max_preemptions_{max_preemptions} {}

  /// Prepares the next run. False when none is left.
  bool next();
  bool exhausted() const noexcept { return exhausted_; }
  std::uint64_t runs() const noexcept { return runs_; }
  std::uint64_t pruned() const noexcept { return pruned_; }

  std::size_t pick(std::span<const Move> moves, Actor last) override;
  std::uint32_t value(std::uint32_t bound) override;
  bool rarely(std::uint32_t /*percent*/) override { return false; }

 private:
  using ActorSet = std::uint32_t;  // Bits by Actor::index().
  using Clock = std::array<std::uint32_t, kActors>;

  struct Node {
    std::vector<Move> moves;  // Empty for a node of value().
    std::size_t chosen{0};
    ActorSet todo{0};
    ActorSet done{0};
    ActorSet sleep{0};
    Actor last{};
    unsigned preemptions{0};  // On the path up to here, this choice not included.
    std::uint32_t bound{0};
    std::uint32_t value{0};
    Clock clock{};  // Of the move chosen: which moves of whom happen before it.

    const Move& move() const noexcept { return moves[chosen]; }
    bool is_value() const noexcept { return moves.empty(); }
    ActorSet enabled() const noexcept {
      ActorSet all = 0;
      for (const Move& one : moves) all |= bit(one.actor);
      return all;
    }
  };

  static ActorSet bit(Actor actor) noexcept { return ActorSet{1} << actor.index(); }
  static bool preempts(const Node& node, std::size_t choice) noexcept;
  bool allowed(const Node& node, std::size_t choice) const noexcept;
  bool advance(Node& node) const noexcept;
  bool choose_first(Node& node) const noexcept;
  void moved(std::size_t depth);
  void ended();
  Clock find_races(std::size_t depth, const Move& next);
  Clock clock_before(std::size_t depth, Actor actor) const noexcept;
  ActorSet initials(std::size_t race, std::size_t depth, Actor next,
                    const Clock& clock) const noexcept;
  void reverse(std::size_t race, std::size_t depth, Actor next, const Clock& clock);
  void reverse_within_limit(std::size_t race, Actor next);
  ActorSet inherited_sleep() const noexcept;

  const unsigned max_preemptions_;
  std::vector<Node> path_;
  std::size_t cursor_{0};  // The node that the next choice of this run belongs to.
  std::size_t fresh_{0};   // From here on, nodes were not in the previous run.
  std::uint64_t runs_{0};
  std::uint64_t pruned_{0};
  bool started_{false};
  bool exhausted_{false};
};

}  // namespace sim
