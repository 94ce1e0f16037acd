// SPDX-License-Identifier: MIT
//
// The catalogue in parts, each in a file of its own name.

#pragma once

#include <span>

#include "run/scenarios.h"

namespace sim {

std::span<const Scenario> locking();
std::span<const Scenario> waiting();
std::span<const Scenario> lives();
std::span<const Scenario> meetings();
std::span<const Scenario> kernel();

}  // namespace sim
