// SPDX-License-Identifier: MIT

#include "run/scenarios.h"

#include <cstring>
#include <vector>

#include "run/families.h"
#include "run/steps.h"

namespace sim {

using steps::compute;

std::span<const Scenario> scenarios() {
  static const std::vector<Scenario> all = [] {
    std::vector<Scenario> gathered;
    for (const auto part : {locking(), waiting(), lives(), meetings(), kernel()})
      gathered.insert(gathered.end(), part.begin(), part.end());
    gathered.push_back({"random", "any program over all requests", &random_program, false});
    return gathered;
  }();
  return all;
}

const Scenario* find_scenario(const char* name) {
  for (const Scenario& scenario : scenarios())
    if (std::strcmp(scenario.name, name) == 0) return &scenario;
  return nullptr;
}

Program program_of(const Scenario& scenario, std::uint64_t seed) {
  Rng rng{seed};
  Program program = scenario.make(rng);
  // Up to a few switches' worth of steps for half of them, none for the others.
  const std::uint32_t most = rng.chance(50) ? 0 : 10 + rng.below(150);
  if (most == 0) return program;
  for (auto& steps : program.script) {
    std::vector<Step> spread;
    for (const Step& step : steps) {
      if (rng.chance(60)) spread.push_back(compute(1 + rng.below(most)));
      spread.push_back(step);
    }
    steps = std::move(spread);
  }
  return program;
}

}  // namespace sim
