// SPDX-License-Identifier: MIT
//
// Steps and threads of programs, as scenarios write them.
#pragma once

#include <cstdint>

#include "program/program.h"

namespace sim::steps {

inline Step lock(unsigned gate, std::uint32_t limit_ns = 0) {
  return {Op::lock, static_cast<std::uint8_t>(gate), 0, limit_ns};
}
inline Step unlock(unsigned gate) {
  return {Op::unlock, static_cast<std::uint8_t>(gate)};
}
inline Step wait(unsigned event, unsigned gate, std::uint32_t limit_ns) {
  return {Op::wait, static_cast<std::uint8_t>(event), static_cast<std::uint8_t>(gate), limit_ns};
}
inline Step signal(unsigned event, unsigned gate) {
  return {Op::signal, static_cast<std::uint8_t>(event), static_cast<std::uint8_t>(gate)};
}
inline Step broadcast(unsigned event, unsigned gate) {
  return {Op::broadcast, static_cast<std::uint8_t>(event), static_cast<std::uint8_t>(gate)};
}
inline Step await(unsigned event, unsigned gate) {
  return {Op::await, static_cast<std::uint8_t>(event), static_cast<std::uint8_t>(gate)};
}
inline Step raise(unsigned event, unsigned gate, std::uint32_t tokens = 1) {
  return {Op::raise, static_cast<std::uint8_t>(event), static_cast<std::uint8_t>(gate), tokens};
}
inline Step compute(std::uint32_t steps) {
  return {Op::compute, 0, 0, steps};
}
inline Step sleep(std::uint32_t ns) {
  return {Op::sleep, 0, 0, ns};
}
inline Step of(Op op, unsigned thread = 0, std::uint32_t value = 0) {
  return {op, static_cast<std::uint8_t>(thread), 0, value};
}

inline Step set_timer(unsigned timer, unsigned interval_us, std::uint32_t first_ns) {
  return {Op::set_timer, static_cast<std::uint8_t>(timer), static_cast<std::uint8_t>(interval_us),
          first_ns};
}
inline Step read_timer(unsigned timer) {
  return of(Op::read_timer, timer);
}
inline ThreadSpec fifo(unsigned cpu, unsigned priority) {
  return {.cpu = static_cast<std::uint8_t>(cpu),
          .priority = static_cast<std::uint8_t>(priority),
          .policy = Policy::fifo};
}
inline ThreadSpec rr(unsigned cpu, unsigned priority) {
  return {.cpu = static_cast<std::uint8_t>(cpu),
          .priority = static_cast<std::uint8_t>(priority),
          .policy = Policy::rr};
}
inline ThreadSpec weak(unsigned cpu, unsigned priority) {
  return {.cpu = static_cast<std::uint8_t>(cpu),
          .priority = static_cast<std::uint8_t>(priority),
          .policy = Policy::weak};
}

}  // namespace sim::steps
