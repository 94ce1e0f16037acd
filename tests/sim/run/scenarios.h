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
/// The program of a seed. What the threads do in user mode between their requests is drawn: so do
/// they meet in all places, whatever each of them takes to get there.
Program program_of(const Scenario& scenario, std::uint64_t seed);

}  // namespace sim
