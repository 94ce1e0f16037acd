// SPDX-License-Identifier: MIT
//
// World: what may come out of the steps on clocks.

#include <algorithm>
#include <cerrno>

#include "program/world.h"

namespace sim {
namespace {

Machine& mc() {
  return Machine::current();
}

std::uint64_t ns_of(const __evl_timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

void World::use_clock(UserThread& self, unsigned number, const Step& step) {
  ThreadModel& mine = threads_[number];
  switch (step.op) {
    case Op::sleep: {
      const std::uint64_t date = mc().now_ns() + step.value;
      mine.sleeps_until = date;
      const int status = self.sleep_until(date);
      mine.sleeps_until = 0;
      expect(status == 0 || (status == -EINTR && mine.disturbed), "broken by nobody", number, step,
             status);
      expect(status != 0 || reached(date), "too early", number, step, status);
      break;
    }
    case Op::sleep_wall: {
      // Its date has been reached by one of the settings since, while that was in force.
      const auto known = static_cast<std::ptrdiff_t>(wall_known_);
      const auto shift = static_cast<std::uint64_t>(wall_.back().offset_ns);
      const std::uint64_t date = mc().now_ns() + shift + step.value;
      const int status = self.sleep_until_wall(date);
      expect(status == 0 || (status == -EINTR && mine.disturbed), "broken by nobody", number, step,
             status);
      const bool due =
          std::any_of(wall_.begin() + known, wall_.end(), [&](const WallSetting& setting) {
            // Before the machine's start, when the clock was set forward by more than its age.
            const std::int64_t at = static_cast<std::int64_t>(date) - setting.offset_ns;
            const std::uint64_t latest = std::min(mc().now_ns(), setting.until_ns) + gravity_ns();
            return static_cast<std::int64_t>(latest) >= at;
          });
      expect(status != 0 || due, "too early", number, step, status);
      break;
    }
    case Op::set_wall:
      set_wall(step);
      break;
    default:
      look_at_clock(number, step);
      break;
  }
}

// Linux tells of its new time with its timekeeping locks held: one setting at a time.
void World::set_wall(const Step& step) {
  lx().call(227, [this, &step] {
    while (setting_wall_) lx().sleep_on(&setting_wall_, false);
    setting_wall_ = true;
    const auto by_ns = static_cast<std::int64_t>(step.value);
    {
      const InCore in_core{lx()};
      const AtomicSection timekeeping{lx()};
      mc().irqs_disable();
      wall_.push_back({wall_.back().offset_ns + (step.b != 0 ? -by_ns : by_ns), kNever});
      lx().set_realtime_offset(wall_.back().offset_ns);
      evl_on_clock_was_set();
      wall_[wall_known_++].until_ns = mc().now_ns();
      mc().irqs_enable();
    }
    setting_wall_ = false;
    lx().wake(&setting_wall_);
    return 0L;
  });
}

void World::look_at_clock(unsigned number, const Step& step) {
  const int fd = process_.clock_fd();
  __evl_timespec found{};
  const std::uint64_t before = mc().now_ns();
  long status = oob_ioctl(fd, EVL_CLKIOC_GET_TIME, &found);
  if (status == -EINTR) return;  // A signal keeps the caller in-band.
  expect(status == 0 && ns_of(found) >= before && ns_of(found) <= mc().now_ns(), "not now", number,
         step, status);
  status = oob_ioctl(fd, EVL_CLKIOC_GET_RES, &found);
  expect(status == -EINTR || (status == 0 && ns_of(found) > 0), "no resolution", number, step,
         status);
  status = oob_ioctl(fd, EVL_CLKIOC_SET_TIME, &found);
  expect(status == -EINTR || status == -EOPNOTSUPP, "Linux sets it", number, step, status);
}

void World::look_at_gate(unsigned number, const Step& step) {
  const GateModel& gate = gates_[step.a];
  if (gate.closed) return;
  evl_monitor_binding binding{};
  const long status = inband_ioctl(gate.user.fd, EVL_MONIOC_BIND, &binding);
  expect(status == 0 || gate.closed, "refused", number, step, status);
  if (status != 0) return;
  const unsigned protocol = program_.gates[step.a].ceiling != 0 ? EVL_GATE_PP : EVL_GATE_PI;
  expect(binding.type == EVL_MONITOR_GATE && binding.protocol == protocol &&
             binding.eids.fundle == gate.user.handle,
         "another one's binding", number, step, binding.protocol);
}

}  // namespace sim
