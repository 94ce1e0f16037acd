// SPDX-License-Identifier: MIT

#include "engine/random_walk.h"

#include <algorithm>

namespace sim {

std::size_t RandomWalk::pick(std::span<const Move> moves, Actor last) {
  const auto same = std::find_if(moves.begin(), moves.end(),
                                 [&](const Move& move) { return move.actor == last; });
  if (same != moves.end() && !rng_.chance(leave_percent_))
    return static_cast<std::size_t>(same - moves.begin());
  std::size_t picked = rng_.below(static_cast<std::uint32_t>(moves.size()));
  // Time passes less often than anything else, or every wait with a timeout would time out.
  if (moves[picked].actor.role == Role::clock && moves.size() > 1 && !rng_.chance(25))
    picked =
        rng_.below(static_cast<std::uint32_t>(moves.size() - 1));  // The clock is the last one.
  return picked;
}

Pct::Pct(std::uint64_t seed, unsigned depth, std::uint32_t steps) : rng_{seed} {
  std::array<int, kActors> order{};
  for (unsigned i = 0; i < kActors; ++i) order[i] = static_cast<int>(i) + 1;
  for (unsigned i = kActors - 1; i > 0; --i) std::swap(order[i], order[rng_.below(i + 1)]);
  priority_ = order;
  for (unsigned i = 1; i < depth; ++i) changes_.push_back(rng_.below(steps) + 1);
  std::sort(changes_.begin(), changes_.end());
}

std::size_t Pct::pick(std::span<const Move> moves, Actor /*last*/) {
  ++step_;
  auto best = [&] {
    std::size_t found = 0;
    for (std::size_t i = 1; i < moves.size(); ++i)
      if (priority_[moves[i].actor.index()] > priority_[moves[found].actor.index()]) found = i;
    return found;
  };
  std::size_t picked = best();
  while (next_change_ < changes_.size() && changes_[next_change_] <= step_) {
    demote(moves[picked].actor);
    ++next_change_;
    picked = best();
  }
  // Time that has passed once passes again when nobody else can move: or it would pass for ever.
  if (moves[picked].actor.role == Role::clock) demote(moves[picked].actor);
  return picked;
}

}  // namespace sim
