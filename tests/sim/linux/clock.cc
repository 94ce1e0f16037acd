// SPDX-License-Identifier: MIT
//
// Linux's own timers on its tick device, which is the core's proxy once that is installed.

#include <algorithm>

#include "linux/linux.h"

namespace sim {

// Whose device ticks changes; Linux programs anew what it waits for, each CPU by itself.
int Linux::install_tick() {
  may_sleep("kapi_tick_install");
  if (tick_installed_) return -EAGAIN;
  tick_installed_ = true;
  for (unsigned i = 0; i < config_.cpus; ++i) {
    if (machine_->cpu(i).tick_date_ns == kNever) continue;
    machine_->cpu(i).tick_date_ns = kNever;
    machine_->raise_inband(i, kProxyTick);
  }
  return 0;
}

void Linux::uninstall_tick() {
  may_sleep("kapi_tick_uninstall");
  tick_installed_ = false;
  for (unsigned i = 0; i < config_.cpus; ++i) machine_->cpu(i).tick_date_ns = next_sleeper_ns(i);
}

std::uint64_t Linux::next_sleeper_ns(unsigned cpu) const noexcept {
  std::uint64_t next = kNever;
  for (const auto& task : tasks_)
    if (task->run == Run::sleeping && task->timer_cpu == cpu)
      next = std::min(next, task->wakes_at_ns);
  return next;
}

// Programs this CPU's device for the next sleeper that it has to wake.
void Linux::program_proxy() {
  const std::uint64_t next = next_sleeper_ns(machine_->cpu().number);
  const bool were_off = machine_->cpu().irqs_off;
  machine_->irqs_disable();
  machine_->point({.what = "programs Linux's tick", .value = next});
  if (!tick_installed_) {  // Looked at and acted on in one move: the device changes hands.
    machine_->cpu().tick_date_ns = next;
  } else if (next == kNever) {
    evl_on_proxy_stop();
  } else {
    evl_on_proxy_program(static_cast<__s64>(next));
  }
  if (!were_off) machine_->irqs_enable();
}

void Linux::play_proxy_tick() {
  const std::uint64_t now = machine_->now_ns();
  const unsigned number = machine_->cpu().number;
  for (const auto& task : tasks_)
    if (task->run == Run::sleeping && task->timer_cpu == number && task->wakes_at_ns <= now)
      wake_task(*task);
  program_proxy();
}

// Linux pins what it sleeps on to this CPU's device: the caller must not move between the two.
void Linux::sleep_inband(std::uint64_t for_ns) {
  may_sleep("sleep");
  const std::uint64_t until = machine_->now_ns() + for_ns;
  Task& self = current();
  while (machine_->now_ns() < until && (self.signals & (std::uint64_t{1} << kSigKill)) == 0)
    sleep_on(&self.wakes_at_ns, true, until);
}

}  // namespace sim
