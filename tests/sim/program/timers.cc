// SPDX-License-Identifier: MIT
//
// World: what may come out of the steps on timers.

#include <algorithm>
#include <cerrno>

#include "program/world.h"

namespace sim {
namespace {

Machine& mc() {
  return Machine::current();
}

}  // namespace

void World::use_timer(UserThread& self, unsigned number, const Step& step) {
  TimerModel& timer = timers_[step.a];
  const bool nonblock = program_.timers[step.a].nonblock;
  if (timer.closed) return;
  __evl_itimerspec setting{};
  std::uint64_t ticks = 0;
  long status = 0;
  const std::size_t mine = timer.settings.size();  // Of set_timer: others may set it meanwhile.
  switch (step.op) {
    case Op::set_timer:
      timer.settings.push_back({mc().now_ns() + step.value, std::uint64_t{step.b} * 1'000});
      // Who is disturbed asks again: others may wait for the ticks by now.
      do {
        status = self.set_timer(timer.user, timer.settings[mine].first_ns,
                                timer.settings[mine].interval_ns, setting);
      } while (status == -EINTR && threads_[number].disturbed && !timer.closed);
      break;
    case Op::stop_timer:
      if (nonblock) status = self.set_timer(timer.user, 0, 0, setting);
      break;
    case Op::look_at_timer:
      status = self.get_timer(timer.user, setting);
      break;
    case Op::read_timer:
      if (timer.settings.empty()) return;
      status = self.read_timer(timer.user, ticks);
      if (status == sizeof ticks) check_ticks(timer, number, step, ticks);
      break;
    default:
      timer.closed = true;
      close_file(timer.user.fd);
      return;
  }
  expect(status >= 0 || timer.closed || (status == -EAGAIN && nonblock) ||
             (status == -EINTR && threads_[number].disturbed),
         "unexpected", number, step, status);
  if (status != 0 || timer.settings.empty()) return;
  const auto left_ns = static_cast<std::uint64_t>(setting.it_value.tv_sec * 1'000'000'000 +
                                                  setting.it_value.tv_nsec);
  const bool possible = std::any_of(
      timer.settings.begin(), timer.settings.end(), [&](const TimerModel::Setting& one) {
        // What is left was computed before now, which only makes it less.
        return left_ns <= one.interval_ns + gravity_ns() || left_ns <= one.first_ns;
      });
  expect(possible, "more is left than was ever asked for", number, step,
         static_cast<long>(left_ns));
}

// The last tick that is counted is due by one of the settings.
void World::check_ticks(const TimerModel& timer, unsigned number, const Step& step,
                        std::uint64_t ticks) {
  const bool due =
      ticks > 0 && std::any_of(timer.settings.begin(), timer.settings.end(),
                               [&](const TimerModel::Setting& one) {
                                 if (one.interval_ns == 0)
                                   return ticks == 1 && reached(one.first_ns);
                                 return reached(one.first_ns + (ticks - 1) * one.interval_ns);
                               });
  expect(due, "ticks that are not due", number, step, static_cast<long>(ticks));
}

}  // namespace sim
