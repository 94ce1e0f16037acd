// SPDX-License-Identifier: MIT
//
// Machine: hard interrupts, the interrupts of both stages, tick devices, and hard spinlocks.

#include <algorithm>
#include <bit>

#include "engine/machine.h"

namespace sim {

void Machine::set_irqs_off(Cpu& cpu, bool off) noexcept {
  if (cpu.irqs_off != off) {
    cpu.irqs_off_steps = 0;
    cpu.irqs_off_since_ns = now_ns_;
  }
  cpu.irqs_off = off;
}

void Machine::irqs_disable() {
  if (quiet_ || cpu().irqs_off) return;
  point({.what = "irqs off"});
  set_irqs_off(cpu(), true);
}

void Machine::irqs_enable() {
  if (quiet_ || !cpu().irqs_off) return;
  if (!cpu().held.empty()) fail("hard interrupts go on with %s held", cpu().held.back()->name);
  set_irqs_off(cpu(), false);
  point({.what = "irqs on"});
}

void Machine::take_interrupt() {
  Cpu& here = cpu();
  here.take_irq = false;
  // A bit per source that is ready; which of them comes first is a choice.
  const std::uint32_t oob = here.pending | (here.tick_date_ns <= now_ns_ ? 1U << kTickIrq : 0U);
  const std::uint32_t ready = oob != 0 ? oob : here.inband_pending;
  std::uint32_t skip = ready != 0 && std::popcount(ready) > 1
                           ? strategy_.value(static_cast<std::uint32_t>(std::popcount(ready)))
                           : 0;
  std::uint32_t left = ready;
  while (skip-- > 0) left &= left - 1;
  const auto number = static_cast<unsigned>(std::countr_zero(left));
  if (oob != 0) {
    handle_oob(here, number);
  } else {
    handle_inband(here, number);
  }
}

void Machine::handle_oob(Cpu& here, unsigned number) {
  const bool was_oob = here.oob;
  here.pending &= ~(1U << number);
  if (number == kTickIrq) here.tick_date_ns = kNever;
  set_irqs_off(here, true);
  here.oob = true;
  ++here.irq_depth;
  note("takes interrupt", nullptr, number);
  hooks_.irq(number);
  if (!here.held.empty()) fail("an interrupt handler ends with %s held", here.held.back()->name);
  --here.irq_depth;
  hooks_.irq_exit(was_oob);
  Cpu& now = cpu();  // The flow was switched out meanwhile, and Linux may have moved it.
  now.oob = was_oob;
  set_irqs_off(now, false);
}

void Machine::interrupt_here(unsigned number) {
  handle_oob(cpu(), number);
}

void Machine::handle_inband(Cpu& here, unsigned number) {
  here.inband_pending &= ~(1U << number);
  here.stalled = true;
  here.inband_irq = true;
  note("plays in-band interrupt", nullptr, number);
  hooks_.inband_irq(number);
  Cpu& still = cpu();
  still.inband_irq = false;
  still.stalled = false;
  hooks_.inband_irq_exit();
}

void Machine::play_inband_log() {
  // A round each: who is interrupted may go on elsewhere.
  while (cpu().inband_pending != 0 && !cpu().oob && !cpu().stalled && !cpu().irqs_off)
    handle_inband(cpu(), static_cast<unsigned>(std::countr_zero(cpu().inband_pending)));
}

void Machine::raise(unsigned cpu, unsigned number) {
  point({.what = "raises interrupt", .object = &cpus_[cpu].pending, .value = number});
  cpus_[cpu].pending |= 1U << number;
}

void Machine::raise_inband(unsigned cpu, unsigned number) {
  point({.what = "logs in-band interrupt", .object = &cpus_[cpu].inband_pending, .value = number});
  cpus_[cpu].inband_pending |= 1U << number;
}

void Machine::program_tick(unsigned cpu, std::uint64_t date_ns) {
  point({.what = "programs tick", .object = &now_ns_, .value = date_ns});
  cpus_[cpu].tick_date_ns = date_ns;
}

// ---------------------------------------------------------------- locks

void Machine::lock(SpinLock& lock, Nesting nesting) {
  if (quiet_) return;
  Cpu& here = cpu();
  if (!here.irqs_off) fail("%s is taken with hard interrupts on", lock.name);
  if (lock.owner == here.number + 1)
    fail("CPU %u takes %s, which it holds", here.number, lock.name);
  if (lock.rank != 0) {
    for (const SpinLock* held : here.held) {
      if (held->rank < lock.rank) continue;
      if (held->rank > lock.rank)
        fail("%s is taken under %s, against the order", lock.name, held->name);
      if (nesting == Nesting::none)
        fail("%s is taken under %s, of the same rank", lock.name, held->name);
      if (held > &lock) fail("%s: the second of a pair has the lower address", lock.name);
    }
  }
  point({.what = "locks", .object = &lock, .label = lock.name, .waits = Waits::lock});
  took(lock);
}

bool Machine::try_lock(SpinLock& lock) {
  if (quiet_) return lock.owner == 0;
  if (!cpu().irqs_off) fail("%s is tried with hard interrupts on", lock.name);
  point({.what = "tries", .object = &lock, .label = lock.name});
  if (lock.owner != 0) return false;
  took(lock);
  return true;
}

void Machine::took(SpinLock& lock) {
  lock.owner = static_cast<std::uint8_t>(cpu().number + 1);
  cpu().held.push_back(&lock);
}

void Machine::unlock(SpinLock& lock) {
  if (quiet_) return;
  Cpu& here = cpu();
  const auto found = std::find(here.held.rbegin(), here.held.rend(), &lock);
  if (found == here.held.rend())
    fail("CPU %u releases %s, which it does not hold", here.number, lock.name);
  here.held.erase(std::next(found).base());
  lock.owner = 0;
  released_ |= std::uint64_t{1} << (lock.rank % 64U);
  note("unlocks", &lock, 0, lock.name);
  changed();
  point({.what = kSilent});
}

}  // namespace sim
