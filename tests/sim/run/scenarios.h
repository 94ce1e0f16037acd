// SPDX-License-Identifier: MIT
//
// The catalogue: small programs, each about one thing that is known to be hard. `random` stands for
// all others.

#pragma once

#include <span>

#include "program/program.h"

namespace sim {

struct Scenario {
  const char* name;
  const char* summary;
  Program (*make)(Rng& rng);
  bool exhaustive;  // Small enough for the explorer.
};

std::span<const Scenario> scenarios();
const Scenario* find_scenario(const char* name);

}  // namespace sim
