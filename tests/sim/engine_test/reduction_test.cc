// SPDX-License-Identifier: MIT
//
// Goal: the explorer leaves out nothing that can come out differently, without a limit of
// preemptions and with one. Method: small programs drawn by lot, over shared words, locks, and idle
// waits; all their schedules are run one by one, without any reduction, and what comes out is
// compared with what the explorer saw.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "engine/explorer.h"
#include "engine/rng.h"
#include "engine_test/bench.h"

namespace sim::test {
namespace {

Machine& m() {
  return Machine::current();
}

// Every schedule with at most `limit` preemptions, by a plain depth-first walk.
class Enumeration final : public Strategy {
 public:
  explicit Enumeration(unsigned limit) : limit_{limit} {}

  bool next() {
    cursor_ = 0;
    preemptions_ = 0;
    if (!std::exchange(started_, true)) return true;
    while (!path_.empty()) {
      if (++path_.back().tried < path_.back().choices.size()) return true;
      path_.pop_back();
    }
    return false;
  }

  std::size_t pick(std::span<const Move> moves, Actor last) override {
    const bool goes_on =
        last.role == Role::cpu && std::any_of(moves.begin(), moves.end(),
                                              [&](const Move& move) { return move.actor == last; });
    if (cursor_ == path_.size()) {
      Node node;
      for (std::size_t i = 0; i < moves.size(); ++i)
        if (!goes_on || moves[i].actor == last || preemptions_ < limit_) node.choices.push_back(i);
      path_.push_back(std::move(node));
    }
    const Node& node = path_[cursor_++];
    const std::size_t picked = node.choices[node.tried];
    if (goes_on && moves[picked].actor != last) ++preemptions_;
    return picked;
  }
  std::uint32_t value(std::uint32_t /*bound*/) override { return 0; }
  bool rarely(std::uint32_t /*percent*/) override { return false; }

 private:
  struct Node {
    std::vector<std::size_t> choices;
    std::size_t tried{0};
  };
  const unsigned limit_;
  std::vector<Node> path_;
  std::size_t cursor_{0};
  unsigned preemptions_{0};
  bool started_{false};
};

constexpr unsigned kWords = 2;

enum class Deed : std::uint8_t { read, write, locked, await, count };

struct Act {
  Deed deed;
  unsigned word;
};
using Acts = std::vector<std::vector<Act>>;  // By CPU.

std::string to_text(const Acts& acts) {
  static constexpr const char* kNames[] = {"read", "write", "locked", "await"};
  std::ostringstream text;
  for (std::size_t cpu = 0; cpu < acts.size(); ++cpu) {
    text << "CPU " << cpu << ':';
    for (const Act& act : acts[cpu])
      text << ' ' << kNames[static_cast<unsigned>(act.deed)] << ' ' << act.word;
    text << '\n';
  }
  return text.str();
}

// What each CPU has seen, and what is left at the end.
class Trial {
 public:
  explicit Trial(const Acts& acts) : acts_{acts} {
    std::vector<Bench::Body> bodies;
    for (unsigned cpu = 0; cpu < acts_.size(); ++cpu) bodies.push_back([this, cpu] { run(cpu); });
    bench_.on_each_cpu(std::move(bodies))
        .before_each_run([this] { state_ = {}; })
        .idle_ends_when([this](unsigned cpu) { return state_.words[state_.waits_for[cpu]] != 0; });
  }

  template <typename Strategy>
  std::set<std::string> all(Strategy& strategy) {
    std::set<std::string> seen;
    while (strategy.next()) {
      const auto outcome = bench_.run(strategy);
      ++runs_;
      if (outcome == Machine::Outcome::pruned) continue;
      std::ostringstream text;
      text << (outcome == Machine::Outcome::failed ? "stands still" : "ends");
      for (unsigned word = 0; word < kWords; ++word) text << ' ' << state_.words[word];
      for (unsigned cpu = 0; cpu < acts_.size(); ++cpu) text << " | " << state_.seen[cpu];
      seen.insert(text.str());
    }
    return seen;
  }
  unsigned runs() const { return runs_; }

 private:
  struct State {
    SpinLock lock{.name = "lock"};
    unsigned words[kWords]{};
    unsigned waits_for[kMaxCpus]{};
    std::string seen[kMaxCpus];
  };

  void run(unsigned cpu) {
    unsigned number = 0;
    for (const Act& act : acts_[cpu]) {
      unsigned& word = state_.words[act.word];
      const unsigned mine = 10 * (cpu + 1) + ++number;
      switch (act.deed) {
        case Deed::read:
          m().point({.what = "reads", .object = &word, .access = Access::read});
          state_.seen[cpu] += ' ' + std::to_string(word);
          break;
        case Deed::write:
          m().point({.what = "writes", .object = &word});
          word = mine;
          break;
        case Deed::locked:
          m().set_irqs_off(m().cpu(), true);
          m().lock(state_.lock);
          state_.seen[cpu] += ' ' + std::to_string(word);
          word = mine;
          m().unlock(state_.lock);
          m().set_irqs_off(m().cpu(), false);
          break;
        default:
          state_.waits_for[cpu] = act.word;
          m().point({.what = "sleeps", .object = &word, .waits = Waits::idle});
          state_.seen[cpu] += " woken";
          break;
      }
    }
  }

  const Acts& acts_;
  State state_;
  Bench bench_;
  unsigned runs_{0};
};

// A word is written under the lock always, or never: what is shared needs a point or a lock.
Acts draw(Rng& rng) {
  const unsigned cpus = 2 + rng.below(2);
  Acts acts(cpus);
  for (auto& list : acts) {
    for (unsigned i = 1 + rng.below(cpus == 2 ? 4 : 2); i > 0; --i) {
      const auto deed = static_cast<Deed>(rng.below(static_cast<unsigned>(Deed::count)));
      list.push_back({deed, deed == Deed::locked ? kWords - 1 : rng.below(kWords - 1)});
    }
  }
  return acts;
}

void compare(unsigned limit, unsigned programs) {
  unsigned plain_runs = 0;
  unsigned reduced_runs = 0;
  for (unsigned seed = 1; seed <= programs; ++seed) {
    Rng rng{seed};
    const Acts acts = draw(rng);
    Trial plain{acts};
    Enumeration enumeration{limit};
    const auto expected = plain.all(enumeration);
    Trial reduced{acts};
    Explorer explorer{limit};
    const auto seen = reduced.all(explorer);
    ASSERT_TRUE(explorer.exhausted());
    ASSERT_EQ(seen, expected) << "limit " << limit << ", program " << seed << '\n' << to_text(acts);
    plain_runs += plain.runs();
    reduced_runs += reduced.runs();
  }
  EXPECT_LT(reduced_runs, plain_runs);
  std::printf("limit %u: %u schedules instead of %u\n", limit, reduced_runs, plain_runs);
}

TEST(Reduction, LosesNothingWithoutALimit) {
  compare(Explorer::kUnlimited, 60);
}
TEST(Reduction, LosesNothingWithoutPreemption) {
  compare(0, 1000);
}
TEST(Reduction, LosesNothingWithOnePreemption) {
  compare(1, 1000);
}
TEST(Reduction, LosesNothingWithTwoPreemptions) {
  compare(2, 300);
}

}  // namespace
}  // namespace sim::test
