// SPDX-License-Identifier: MIT

#include "engine/explorer.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>

namespace sim {
namespace {

[[noreturn]] void not_repeatable(std::size_t depth) {
  std::fprintf(stderr, "sim: the run is not repeatable: other choices at step %zu than before\n",
               depth);
  std::abort();
}

bool same(std::span<const Move> a, std::span<const Move> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Move& x, const Move& y) { return x.actor == y.actor; });
}

}  // namespace

bool Explorer::next() {
  cursor_ = 0;
  if (!started_) {
    started_ = true;
    ++runs_;
    return true;
  }
  while (!path_.empty()) {
    if (advance(path_.back())) {
      fresh_ = path_.size() - 1;
      ++runs_;
      return true;
    }
    path_.pop_back();
  }
  exhausted_ = true;
  return false;
}

// Moves a node on to a choice that has not been tried.
bool Explorer::advance(Node& node) const noexcept {
  if (node.is_value()) return ++node.value < node.bound;
  node.done |= bit(node.move().actor);
  for (std::size_t i = 0; i < node.moves.size(); ++i) {
    const ActorSet actor = bit(node.moves[i].actor);
    if ((node.todo & actor) == 0 || ((node.done | node.sleep) & actor) != 0 || !allowed(node, i))
      continue;
    node.chosen = i;
    return true;
  }
  return false;
}

bool Explorer::preempts(const Node& node, std::size_t choice) noexcept {
  if (node.last.role != Role::cpu || node.moves[choice].actor == node.last) return false;
  return std::any_of(node.moves.begin(), node.moves.end(),
                     [&](const Move& move) { return move.actor == node.last; });
}

bool Explorer::allowed(const Node& node, std::size_t choice) const noexcept {
  return !preempts(node, choice) || node.preemptions < max_preemptions_;
}

// The actor that moved last goes on when it can, so that the first run has no preemption.
bool Explorer::choose_first(Node& node) const noexcept {
  bool found = false;
  for (std::size_t i = 0; i < node.moves.size(); ++i) {
    if ((node.sleep & bit(node.moves[i].actor)) != 0 || !allowed(node, i)) continue;
    if (!found || node.moves[i].actor == node.last) node.chosen = i;
    found = true;
  }
  return found;
}

std::size_t Explorer::pick(std::span<const Move> moves, Actor last) {
  const std::size_t depth = cursor_++;
  if (depth < path_.size()) {
    Node& node = path_[depth];
    if (node.is_value() || !same(node.moves, moves)) not_repeatable(depth);
    if (depth >= fresh_) compute_clock(depth);
    return node.chosen;
  }
  Node node;
  node.moves.assign(moves.begin(), moves.end());
  node.last = last;
  node.sleep = inherited_sleep();
  if (!path_.empty()) {
    const auto before =
        std::find_if(path_.rbegin(), path_.rend(), [](const Node& one) { return !one.is_value(); });
    if (before != path_.rend())
      node.preemptions = before->preemptions + (preempts(*before, before->chosen) ? 1 : 0);
  }
  find_races(node);
  if (!choose_first(node)) {
    ++pruned_;
    return kPrune;
  }
  node.todo |= bit(node.move().actor);
  path_.push_back(std::move(node));
  compute_clock(depth);
  return path_.back().chosen;
}

std::uint32_t Explorer::value(std::uint32_t bound) {
  const std::size_t depth = cursor_++;
  if (depth < path_.size()) {
    if (!path_[depth].is_value() || path_[depth].bound != bound) not_repeatable(depth);
    return path_[depth].value;
  }
  Node node;
  node.bound = bound;
  path_.push_back(std::move(node));
  return 0;
}

// An actor sleeps on while nothing that depends on its move has happened: the order has been tried.
Explorer::ActorSet Explorer::inherited_sleep() const noexcept {
  const auto before =
      std::find_if(path_.rbegin(), path_.rend(), [](const Node& one) { return !one.is_value(); });
  if (before == path_.rend()) return 0;
  ActorSet sleep = 0;
  const ActorSet candidates = (before->sleep | before->done) & ~bit(before->move().actor);
  for (const Move& move : before->moves)
    if ((candidates & bit(move.actor)) != 0 && !dependent(move, before->move()))
      sleep |= bit(move.actor);
  return sleep;
}

const Explorer::Clock* Explorer::clock_of(Actor actor) const noexcept {
  for (std::size_t i = std::min(cursor_ - 1, path_.size()); i-- > 0;)
    if (!path_[i].is_value() && path_[i].move().actor == actor) return &path_[i].clock;
  return nullptr;
}

void Explorer::compute_clock(std::size_t depth) noexcept {
  Node& node = path_[depth];
  node.clock.fill(0);
  for (std::size_t i = 0; i < depth; ++i) {
    const Node& earlier = path_[i];
    if (earlier.is_value()) continue;
    if (earlier.move().actor != node.move().actor && !dependent(earlier.move(), node.move()))
      continue;
    for (unsigned k = 0; k < kActors; ++k)
      node.clock[k] = std::max(node.clock[k], earlier.clock[k]);
  }
  node.clock[node.move().actor.index()] = static_cast<std::uint32_t>(depth) + 1;
}

// For each actor that could move now: the last move of the path that depends on its next one, and
// does not happen before it anyway, could have come after it.
void Explorer::find_races(const Node& at) {
  for (const Move& next : at.moves) {
    const Clock* known = clock_of(next.actor);
    for (std::size_t i = path_.size(); i-- > 0;) {
      Node& node = path_[i];
      if (node.is_value() || node.move().actor == next.actor || !dependent(node.move(), next))
        continue;
      if (known != nullptr && (*known)[node.move().actor.index()] >= i + 1) continue;
      add_backtrack(node, i, next.actor);
      break;
    }
  }
}

void Explorer::add_backtrack(Node& before, std::size_t depth, Actor actor) noexcept {
  ActorSet enabled = 0;
  for (const Move& move : before.moves) enabled |= bit(move.actor);
  if ((enabled & bit(actor)) != 0) {
    before.todo |= bit(actor);
    return;
  }
  // The actor could not move there. One that had to move first for it to be able to is as good.
  if (const Clock* known = clock_of(actor)) {
    for (std::size_t j = depth + 1; j < path_.size(); ++j) {
      if (path_[j].is_value()) continue;
      const Actor other = path_[j].move().actor;
      if ((enabled & bit(other)) != 0 && (*known)[other.index()] >= j + 1) {
        before.todo |= bit(other);
        return;
      }
    }
  }
  before.todo |= enabled;
}

}  // namespace sim
