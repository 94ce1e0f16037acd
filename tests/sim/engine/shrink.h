// SPDX-License-Identifier: MIT
//
// shrink: takes away from a failing program what it does not need to fail. A program is a list of
// tasks, each a list of steps. The result is minimal in the sense that no single step and no single
// task can be left out.

#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace sim {

template <typename Step>
using Script = std::vector<std::vector<Step>>;

/// `fails` says whether a program still fails; it is called O(n^2) times in the worst case, O(n log
/// n) ordinarily, with n the number of steps. Zeller and Hildebrandt's delta debugging (2002),
/// first over tasks, then within each of them.
template <typename Step, typename Fails>
Script<Step> shrink(Script<Step> program, const Fails& fails) {
  auto without = [](const auto& list, std::size_t at, std::size_t count) {
    auto shorter = list;
    const auto first = shorter.begin() + static_cast<std::ptrdiff_t>(at);
    shorter.erase(first, first + static_cast<std::ptrdiff_t>(std::min(count, list.size() - at)));
    return shorter;
  };
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t task = program.size(); task-- > 0;) {
      auto candidate = without(program, task, 1);
      if (!candidate.empty() && fails(candidate)) {
        program = std::move(candidate);
        smaller = true;
      }
    }
    for (std::size_t task = 0; task < program.size(); ++task) {
      for (std::size_t chunk = std::max<std::size_t>(program[task].size() / 2, 1); chunk > 0;
           chunk /= 2) {
        for (std::size_t at = 0; at < program[task].size();) {
          auto candidate = program;
          candidate[task] = without(program[task], at, chunk);
          if (fails(candidate)) {
            program = std::move(candidate);
            smaller = true;
          } else {
            at += chunk;
          }
        }
      }
    }
  }
  return program;
}

}  // namespace sim
