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
  if (!started_) {
    started_ = true;
    ++runs_;
    return true;
  }
  ended();
  cursor_ = 0;
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
    if (depth >= fresh_) moved(depth);
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
  if (!choose_first(node)) {
    ++pruned_;
    return kPrune;
  }
  node.todo |= bit(node.move().actor);
  path_.push_back(std::move(node));
  moved(depth);
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
// Not with a limit: it has been tried only as far as the limit allowed, which may be less there.
Explorer::ActorSet Explorer::inherited_sleep() const noexcept {
  if (max_preemptions_ != kUnlimited) return 0;
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

Explorer::Clock Explorer::clock_before(std::size_t depth, Actor actor) const noexcept {
  for (std::size_t i = depth; i-- > 0;)
    if (!path_[i].is_value() && path_[i].move().actor == actor) return path_[i].clock;
  return {};
}

void Explorer::moved(std::size_t depth) {
  path_[depth].clock = find_races(depth, path_[depth].move());
}

// The end of a run: what could have moved still is looked at as if it had.
void Explorer::ended() {
  const auto end =
      std::find_if(path_.rbegin(), path_.rend(), [](const Node& one) { return !one.is_value(); });
  if (end == path_.rend()) return;
  const std::vector<Move> moves = end->moves;
  const Actor mover = end->move().actor;
  for (const Move& left : moves)
    if (left.actor != mover) find_races(path_.size(), left);
}

// Adds what `next`, which comes at `depth`, could have come before: each move that it depends on,
// unless something between the two depends on the one and is depended on by the other. Returns what
// happens before it, itself included.
Explorer::Clock Explorer::find_races(std::size_t depth, const Move& next) {
  Clock clock = clock_before(depth, next.actor);
  std::vector<std::size_t> races;
  for (std::size_t i = depth; i-- > 0;) {
    const Node& node = path_[i];
    if (node.is_value() || node.move().actor == next.actor || !dependent(node.move(), next))
      continue;
    if (clock[node.move().actor.index()] >= i + 1) continue;
    races.push_back(i);
    for (unsigned k = 0; k < kActors; ++k) clock[k] = std::max(clock[k], node.clock[k]);
  }
  clock[next.actor.index()] = static_cast<std::uint32_t>(depth) + 1;
  for (const std::size_t race : races)
    if (max_preemptions_ == kUnlimited)
      reverse(race, depth, next.actor, clock);
    else
      reverse_within_limit(race, next.actor);
  return clock;
}

// The actors that one of the schedules with `next` first can begin with: those whose first move
// after `race`, of the moves that do not need it, needs none of the others. One of them is enough.
Explorer::ActorSet Explorer::initials(std::size_t race, std::size_t depth, Actor next,
                                      const Clock& clock) const noexcept {
  std::array<std::size_t, kActors> first{};
  std::array<const Clock*, kActors> needs{};
  const unsigned raced = path_[race].move().actor.index();
  for (std::size_t i = race + 1; i < depth; ++i) {
    const Node& node = path_[i];
    if (node.is_value() || node.clock[raced] >= race + 1) continue;
    const unsigned actor = node.move().actor.index();
    if (needs[actor] != nullptr) continue;
    needs[actor] = &node.clock;
    first[actor] = i;
  }
  if (needs[next.index()] == nullptr) {
    needs[next.index()] = &clock;
    first[next.index()] = depth;
  }
  ActorSet found = 0;
  for (unsigned actor = 0; actor < kActors; ++actor) {
    if (needs[actor] == nullptr) continue;
    bool comes_first = true;
    for (unsigned other = 0; other < kActors; ++other)
      if (other != actor && needs[other] != nullptr && first[other] < first[actor] &&
          (*needs[actor])[other] >= first[other] + 1)
        comes_first = false;
    if (comes_first) found |= ActorSet{1} << actor;
  }
  return found;
}

void Explorer::reverse(std::size_t race, std::size_t depth, Actor next, const Clock& clock) {
  Node& node = path_[race];
  const ActorSet possible = initials(race, depth, next, clock);
  if ((possible & node.todo) != 0) return;
  const ActorSet enabled = node.enabled();
  if ((possible & enabled & bit(next)) != 0)
    node.todo |= bit(next);
  else if ((possible & enabled) != 0)
    node.todo |= ActorSet{1} << static_cast<unsigned>(std::countr_zero(possible & enabled));
  else
    node.todo |= enabled;  // Somebody must have let it move: anybody.
}

// There, where it may cost a preemption too many; and where the actor that moved there began, where
// it costs no more than what has been done.
void Explorer::reverse_within_limit(std::size_t race, Actor next) {
  const auto add = [&](Node& node) {
    node.todo |= (node.enabled() & bit(next)) != 0 ? bit(next) : node.enabled();
  };
  add(path_[race]);
  std::size_t begins = race;
  for (std::size_t i = race; i-- > 0;) {
    if (path_[i].is_value()) continue;
    if (path_[i].move().actor != path_[race].move().actor) break;
    begins = i;
  }
  add(path_[begins]);
}

}  // namespace sim
