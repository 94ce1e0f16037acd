// SPDX-License-Identifier: MIT

#include "linux/hotplug.h"

#include <cstdint>
#include <cstring>

#include "linux/linux.h"

namespace sim {
namespace {

constexpr int kMaxPid = 256;

// One run per process has CPUs that come and go: see hotplug_test.cc.
std::uint64_t down_cpus;
unsigned holders;
bool changing;

std::uint64_t all_cpus() {
  return (std::uint64_t{1} << lx().config().cpus) - 1;
}

// In the hotplug thread of a CPU, which stays there whatever happens.
void run_on(unsigned cpu, const std::function<void()>& body) {
  Task& task = lx().spawn_kthread("cpuhp", cpu, body);
  task.affinity = std::uint64_t{1} << cpu;
  lx().join(task);
}

bool stays(const Task& task) {
  return std::strncmp(task.comm.data(), "cpuhp", 5) == 0 ||
         std::strncmp(task.comm.data(), "idle", 4) == 0;
}

// Linux does so when such a task wakes up, or is in the way; nothing sees the difference.
void lift_affinities(std::uint64_t down) {
  for (int pid = 1; pid < kMaxPid; ++pid) {
    Task* const task = lx().find(pid);
    if (task == nullptr || stays(*task)) continue;
    task->affinity &= all_cpus() & ~down;
    if (task->affinity == 0) task->affinity = all_cpus() & ~down;
  }
}

void begin_change() {
  while (holders != 0 || changing) lx().sleep_on(&holders, false);
  changing = true;
}

void end_change() {
  changing = false;
  lx().wake(&holders);
}

}  // namespace

bool is_down(unsigned cpu) noexcept {
  return ((down_cpus >> cpu) & 1U) != 0;
}

int take_down(unsigned cpu) {
  const std::uint64_t bit = std::uint64_t{1} << cpu;
  begin_change();
  lift_affinities(down_cpus | bit);
  int status = 0;
  run_on(cpu, [&] {
    status = evl_on_cpu_offline(cpu);
    if (status == 0) down_cpus |= bit;
  });
  // Who was moved for nothing may come back.
  for (int pid = 1; status != 0 && pid < kMaxPid; ++pid) {
    Task* const task = lx().find(pid);
    if (task != nullptr && !stays(*task)) task->affinity |= bit;
  }
  end_change();
  return status;
}

void bring_up(unsigned cpu) {
  begin_change();
  down_cpus &= ~(std::uint64_t{1} << cpu);
  run_on(cpu, [cpu] { evl_on_cpu_online(cpu, lx().tick_installed()); });
  end_change();
}

void hold_cpus() {
  lx().may_sleep("cpus_read_lock");
  while (changing) lx().sleep_on(&holders, false);
  ++holders;
}

void release_cpus() {
  if (--holders == 0) lx().wake(&holders);
}

}  // namespace sim
