// SPDX-License-Identifier: MIT
//
// The vocabulary of a schedule: who can move (Actor), what the move begins with (Operation), and
// what a strategy is shown at each step (Move). A schedule is the sequence of actors picked.

#pragma once

#include <cstdint>

namespace sim {

constexpr unsigned kMaxCpus = 4;

// cpu    the CPU does what it is about to do, up to its next preemption point
// irq    the CPU takes an interrupt that is pending on it
// clock  time jumps to the next date that anybody waits for
enum class Role : std::uint8_t { cpu, irq, clock };

struct Actor {
  Role role{Role::cpu};
  std::uint8_t cpu{0};

  friend bool operator==(const Actor&, const Actor&) = default;
  /// A number below kActors, for tables and bit masks.
  constexpr unsigned index() const noexcept {
    return role == Role::clock ? 2 * kMaxCpus : cpu + (role == Role::irq ? kMaxCpus : 0);
  }
};
constexpr unsigned kActors = 2 * kMaxCpus + 1;

enum class Access : std::uint8_t { read, write };

// none   nothing but the point itself
// lock   waits until the lock is free: the CPU cannot move before
// idle   waits until Linux has something to run on this CPU
// relax  a busy wait: not before somebody else has moved
enum class Waits : std::uint8_t { none, lock, idle, relax };

struct Operation {
  const char* what{""};         // A literal: the trace keeps the pointer.
  const void* object{nullptr};  // What the operation touches; null touches nothing that others see.
  std::uint64_t value{0};       // For the trace, as is the next one.
  const char* label{nullptr};   // A literal: what kind of object it is.
  Access access{Access::write};
  Waits waits{Waits::none};
};

struct Move {
  Actor actor;
  const void* object{nullptr};
  Access access{Access::write};
};

/// Whether the order of the two moves can matter. Moves of the same CPU are ordered by its program.
constexpr bool dependent(const Move& a, const Move& b) noexcept {
  const bool a_timed = a.actor.role == Role::clock;
  const bool b_timed = b.actor.role == Role::clock;
  if (!a_timed && !b_timed && a.actor.cpu == b.actor.cpu) return true;
  return a.object != nullptr && a.object == b.object &&
         (a.access == Access::write || b.access == Access::write);
}

}  // namespace sim
