// SPDX-License-Identifier: GPL-2.0
// Opening and closing CPUs: see the header. In-band, but for the two questions anybody may ask.
#include "boot/hotplug.h"

#include "boot/core.h"
#include "sched/schedule.h"

namespace evl {
namespace {

constexpr unsigned kBite = 8;  // Threads that are kicked in one section with irqs off.

// Of a snapshot: nobody but the thread takes it oob or elsewhere, and it does not run now.
bool is_oob_on(const Thread& thread, Cpu cpu) noexcept {
  return thread.is_user() && thread.peek_cpu() == cpu &&
         !thread.peek_state().has(ThreadState::inband);
}

// False: there was none. They are in-band when this returns: nothing holds up who is kicked.
bool evict_some(Cpu cpu) noexcept {
  unsigned evicted = 0;
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{core().task_lock(), irqs_off};
    core().for_each_thread([&](Thread& thread) {
      if (evicted == kBite || !is_oob_on(thread, cpu)) return;
      thread.kick({}, irqs_off);
      ++evicted;
    });
  }
  schedule();
  return evicted > 0;
}

// Those that came before the CPU closed: there are fewer after each round.
void evict_threads(Cpu cpu) noexcept {
  unsigned rounds = kapi_get_config()->nr_threads / kBite + 2;
  while (evict_some(cpu)) {
    if (--rounds > 0) continue;
    kapi_print(KAPI_ERROR, "CPU %u goes down with threads out-of-band", cpu);
    return;
  }
}

// Without another open CPU they stay: the core is being stopped, or has no threads.
void evacuate_timers(TimerBase& timers) noexcept {
  bool moved = true;
  while (moved) {
    HardIrqGuard irqs_off;
    TimerBase* const refuge = open_timer_base(irqs_off);
    moved = refuge != nullptr && timers.evacuate_one(*refuge, irqs_off);
  }
}

// The order against one that attaches: it is in the list, or does not find an open CPU.
bool threads_need_cpu() noexcept {
  if (!core().running() || choose_open_cpu(core().oob_cpus()) != kNoCpu) return false;
  HardIrqGuard irqs_off;
  HardLockGuard guard{core().task_lock(), irqs_off};
  return core().has_threads();
}

}  // namespace

Cpu choose_open_cpu(const CpuSet& allowed) noexcept {
  CpuSet fit;
  (allowed & core().oob_cpus()).for_each([&](Cpu cpu) {
    if (rq_of(cpu).is_open()) fit.add(cpu);
  });
  const Cpu here = kapi_this_cpu();  // May be stale: then it is a choice like any other.
  return fit.has(here) ? here : fit.first();
}

TimerBase* open_timer_base(const HardIrqsOff&) noexcept {
  const Cpu cpu = choose_open_cpu(core().oob_cpus());
  return cpu == kNoCpu ? nullptr : &timer_bases().on(cpu);
}

void open_cpu(Cpu cpu, bool has_tick, const InbandStage&) noexcept {
  if (!core().oob_cpus().has(cpu)) return;
  if (!has_tick) {
    kapi_print(KAPI_WARNING, "CPU %u takes no threads, for want of a tick", cpu);
    return;
  }
  Rq& rq = rq_of(cpu);
  {
    HardIrqGuard irqs_off;
    rq.timers().open(irqs_off);
    // Who marked this Rq before, and did not send an IPI, is found by the scheduling point below;
    // who takes the lock from here on finds the CPU open, and sends one.
    const RqGuard order{rq, irqs_off};
  }
  schedule();
}

Status close_cpu(Cpu cpu, const InbandStage& inband) noexcept {
  Rq& rq = rq_of(cpu);
  if (!rq.is_open()) return kOk;
  {
    HardIrqGuard irqs_off;
    rq.timers().close(irqs_off);
  }
  if (threads_need_cpu()) {
    open_cpu(cpu, true, inband);
    return Errno::busy;
  }
  evacuate_timers(rq.timers());
  evict_threads(cpu);
  rq.stop_timers();
  return kOk;
}

}  // namespace evl
