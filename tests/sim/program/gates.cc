// SPDX-License-Identifier: MIT
//
// World: what may come out of the steps on gates and events.

#include <cerrno>
#include <utility>

#include "program/world.h"

namespace sim {
namespace {

Machine& mc() {
  return Machine::current();
}

}  // namespace

void World::take(UserThread& self, unsigned number, const Step& step) {
  GateModel& gate = gates_[step.a];
  const ThreadModel& mine = threads_[number];
  const GateSpec& spec = program_.gates[step.a];
  const bool owned = gate.owner == static_cast<int>(number);
  const std::uint64_t date = step.value == 0 ? 0 : mc().now_ns() + step.value;
  const int status = step.op == Op::lock ? self.lock(gate.user, {date}) : self.try_lock(gate.user);
  switch (status) {
    case 0:
      expect(gate.owner < 0 || (owned && spec.recursive), "held by another", number, step,
             gate.owner);
      gate.owner = static_cast<int>(number);
      ++gate.nesting;
      break;
    case -ETIMEDOUT:
      expect(date != 0 && reached(date), "too early", number, step, status);
      break;
    case -EDEADLK:
      expect(!program_.ordered || program_.deaths || (owned && !spec.recursive),
             "there can be no cycle", number, step, status);
      break;
    case -EBUSY:
      expect(step.op == Op::try_lock, "not asked for", number, step, status);
      break;
    case -EIDRM:
    case -EBADF:
      expect(gate.closed, "nobody has closed it", number, step, status);
      break;
    case -EINVAL:
      expect(spec.ceiling != 0, "no ceiling", number, step, status);
      break;
    case -EOWNERDEAD:
      expect(program_.deaths || killed_, "nobody died", number, step, status);
      break;
    default:
      expect(mine.dead, "unexpected", number, step, status);
  }
}

void World::give(UserThread& self, unsigned number, unsigned number_of_gate) {
  GateModel& gate = gates_[number_of_gate];
  const unsigned nesting = gate.nesting;
  const Step step{.op = Op::unlock, .a = static_cast<std::uint8_t>(number_of_gate)};
  // From the release on, others may own it, whatever the caller has been told.
  if (--gate.nesting == 0) gate.owner = -1;
  const int status = self.unlock(gate.user);
  expect(status == 0 || (gate.closed && (status == -EIDRM || status == -EBADF || status == -EPERM)),
         "refused", number, step, status);
  (void)nesting;
}

bool World::holds_another(unsigned number, unsigned gate) const noexcept {
  for (unsigned i = 0; i < kMaxGates; ++i)
    if (i != gate && gates_[i].owner == static_cast<int>(number)) return true;
  return false;
}

// The gate is the caller's before, and, unless something is gone, afterwards. Taking it again
// closes a circle when its new owner waits for another gate of the caller's: then he is without it.
int World::wait(UserThread& self, unsigned number, const Step& step) {
  GateModel& gate = gates_[step.b];
  const std::uint64_t date = step.value == 0 ? 0 : mc().now_ns() + step.value;
  const unsigned nesting = std::exchange(gate.nesting, 0U);
  gate.owner = -1;
  const int status = self.wait(events_[step.a], gate.user, {date});
  const bool circle = status == -EDEADLK && !self.owns(gate.user);
  const bool gone = status == -EIDRM || status == -EBADF || circle ||
                    (gate.closed && !self.owns(gate.user)) || status == -EOWNERDEAD;
  if (!gone) {
    expect(gate.owner < 0, "came back while another holds the gate", number, step, gate.owner);
    gate.owner = static_cast<int>(number);
    gate.nesting = nesting;
  }
  expect(status != -ETIMEDOUT || (date != 0 && reached(date)), "too early", number, step, status);
  expect(!circle || holds_another(number, step.b), "there can be no cycle", number, step, status);
  expect(status == 0 || status == -ETIMEDOUT || (status == -EINTR && threads_[number].disturbed) ||
             gone,
         "unexpected", number, step, status);
  return status;
}

// A condition variable as everybody uses one. A signal that is lost leaves somebody here for ever.
void World::await(UserThread& self, unsigned number, const Step& step) {
  const auto holds = [&] { return gates_[step.b].owner == static_cast<int>(number); };
  if (!holds()) return;
  while (tokens_[step.a] == 0) {
    const int status = wait(self, number, {.op = Op::wait, .a = step.a, .b = step.b});
    if (!holds() || (status != 0 && tokens_[step.a] == 0)) return;  // Broken, or gone.
  }
  --tokens_[step.a];
}

void World::use_event(UserThread& self, unsigned number, const Step& step) {
  UserEvent& event = events_[step.a];
  if (gates_[step.b].owner != static_cast<int>(number)) return;
  switch (step.op) {
    case Op::wait:
      wait(self, number, step);
      break;
    case Op::signal:
      self.signal(event);
      break;
    case Op::broadcast:
      self.broadcast(event);
      break;
    case Op::raise:
      tokens_[step.a] += step.value;
      if (step.value > 1)
        self.broadcast(event);
      else
        self.signal(event);
      break;
    default: {
      const int fd = threads_[step.value].fd;
      if (fd < 0 || event_closed_[step.a]) break;
      const int status = self.signal_thread(event, fd);
      expect(status == 0 || status == -ESTALE || status == -EINTR || status == -EBADF, "unexpected",
             number, step, status);
    }
  }
}

}  // namespace sim
