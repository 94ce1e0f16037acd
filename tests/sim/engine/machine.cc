// SPDX-License-Identifier: MIT

#include "engine/machine.h"

#include <algorithm>
#include <bit>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace sim {
namespace {

Machine* the_machine;
constexpr const char kSilent[] = "";  // A point without a line in the trace.

}  // namespace

Machine::Machine(const Config& config, Strategy& strategy, Hooks& hooks, Trace& trace)
    : config_{config}, strategy_{strategy}, hooks_{hooks}, trace_{trace} {
  if (the_machine != nullptr || config.cpus == 0 || config.cpus > kMaxCpus) std::abort();
  the_machine = this;
  trace_.clear();
  moves_.reserve(kActors);
  for (unsigned i = 0; i < kMaxCpus; ++i) cpus_[i].number = static_cast<std::uint8_t>(i);
}

Machine::~Machine() {
  the_machine = nullptr;
}

Machine& Machine::current() noexcept {
  return *the_machine;
}
bool Machine::exists() noexcept {
  return the_machine != nullptr;
}

void Machine::start(unsigned cpu, Flow& flow) noexcept {
  cpus_[cpu].running = &flow;
  cpus_[cpu].next = Operation{.what = "begin"};
}

Machine::Outcome Machine::run() {
  on_ = &host_;
  move_on();
  return outcome_;
}

void Flow::begin(void* self) {
  Flow& flow = *static_cast<Flow*>(self);
  Machine& machine = Machine::current();
  machine.on_ = &flow.fiber_;
  if (machine.cpu().take_irq) machine.settle(Operation{.what = "begin"});
  flow.body_(flow.argument_);
  machine.flow_ended();
}

// ---------------------------------------------------------------- picking

void Machine::point(const Operation& operation) {
  if (quiet_) return;
  cpu().next = operation;
  if (!straight_ || !goes_straight()) {
    move_on();
    settle(operation);
  }
  if (operation.waits != Waits::idle && operation.what != kSilent)
    note(operation.what, operation.object, operation.value, operation.label);
}

bool Machine::goes_straight() {
  Cpu& here = cpu();
  if (here.next.waits > Waits::lock || !can_move(here)) return false;
  for (unsigned i = 0; i < config_.cpus; ++i) cpus_[i].relaxed = false;
  count_step();
  count_irqs_off(here);
  last_ = {Role::cpu, here.number};
  return true;
}

void Machine::count_step() {
  if (++steps_ > config_.max_steps)
    fail("no end after %u steps: a livelock, or a program that is too long", config_.max_steps);
  now_ns_ += config_.step_ns;
}

void Machine::count_irqs_off(Cpu& cpu) {
  if (!cpu.irqs_off || ++cpu.irqs_off_steps <= irqs_off_max_) return;
  irqs_off_max_ = cpu.irqs_off_steps;
  if (irqs_off_max_ > config_.max_irqs_off_steps)
    fail("CPU %u has had hard interrupts off for %u moves: a loop without a bound?", cpu.number,
         irqs_off_max_);
}

// Handles the interrupts that were picked for this CPU before the operation itself was.
void Machine::settle(const Operation& operation) {
  while (cpu().take_irq) {
    take_interrupt();
    cpu().next = operation;
    move_on();
  }
}

void Machine::relax() {
  if (quiet_) return;
  cpu().relaxed = true;
  strategy_.relaxed({Role::cpu, cpu().number});
  point({.what = "relaxes", .waits = Waits::relax});
}

void Machine::note(const char* what, const void* object, std::uint64_t value, const char* label) {
  const Cpu& here = cpu();
  trace_.add({.now_ns = now_ns_,
              .step = steps_,
              .cpu = here.number,
              .oob = here.oob,
              .irqs_off = here.irqs_off,
              .in_irq = here.irq_depth > 0 || (here.inband_irq && !here.oob),
              .task = here.running != nullptr ? here.running->name() : "-",
              .what = what,
              .object = object,
              .value = value,
              .label = label});
}

std::uint64_t Machine::read_clock() {
  point({.what = "clock", .object = &now_ns_, .access = Access::read});
  return now_ns_;
}

bool Machine::can_move(const Cpu& cpu) const {
  if (cpu.running == nullptr) return false;
  switch (cpu.next.waits) {
    case Waits::none:
      return true;
    case Waits::lock:
      return static_cast<const SpinLock*>(cpu.next.object)->owner == 0;
    case Waits::idle:
      return hooks_.has_work(cpu);
    case Waits::relax:
      return !cpu.relaxed;
  }
  return false;
}

bool Machine::can_interrupt(const Cpu& cpu) const noexcept {
  if (cpu.running == nullptr || cpu.irqs_off || cpu.oob_stalled) return false;
  if (cpu.pending != 0 || cpu.tick_date_ns <= now_ns_) return true;
  return cpu.inband_pending != 0 && !cpu.oob && !cpu.stalled;
}

std::uint64_t Machine::next_date_ns() const {
  std::uint64_t next = hooks_.next_date_ns(now_ns_);
  for (unsigned i = 0; i < config_.cpus; ++i)
    if (cpus_[i].tick_date_ns > now_ns_) next = std::min(next, cpus_[i].tick_date_ns);
  return next;
}

void Machine::gather() {
  moves_.clear();
  for (unsigned i = 0; i < config_.cpus; ++i)
    if (can_move(cpus_[i]))
      moves_.push_back(
          {{Role::cpu, static_cast<std::uint8_t>(i)}, cpus_[i].next.object, cpus_[i].next.access});
  for (unsigned i = 0; i < config_.cpus; ++i)
    if (can_interrupt(cpus_[i]))
      moves_.push_back({{Role::irq, static_cast<std::uint8_t>(i)}, &cpus_[i].pending});
  due_date_ns_ = next_date_ns();
  if (due_date_ns_ != kNever && (config_.clock_moves || moves_.empty()))
    moves_.push_back({{Role::clock, 0}, &now_ns_});
}

// Returns when the flow that called it is to go on: at once, or after others have moved.
void Machine::move_on() {
  for (;;) {
    if (dirty_) {
      dirty_ = false;
      quiet_ = true;
      hooks_.check();
      quiet_ = false;
    }
    count_step();
    gather();
    if (moves_.empty()) stands_still();
    const std::size_t picked = strategy_.pick(moves_, last_);
    if (picked == Strategy::kPrune) leave(Outcome::pruned);
    const Actor actor = moves_[picked].actor;
    last_ = actor;
    for (unsigned i = 0; i < config_.cpus; ++i)
      if (actor != Actor{Role::cpu, static_cast<std::uint8_t>(i)}) cpus_[i].relaxed = false;
    if (actor.role == Role::clock) {
      jump(due_date_ns_);
      continue;
    }
    Cpu& next = cpus_[actor.cpu];
    count_irqs_off(next);
    next.take_irq = actor.role == Role::irq;
    current_ = actor.cpu;
    Fiber* target = &next.running->fiber_;
    Fiber* self = on_;
    if (target != self) {
      on_ = target;
      self->switch_to(*target);
      on_ = self;
    }
    return;
  }
}

void Machine::jump(std::uint64_t date_ns) {
  now_ns_ = date_ns;
  trace_.add({.now_ns = now_ns_,
              .step = steps_,
              .cpu = kMaxCpus,
              .oob = false,
              .irqs_off = false,
              .in_irq = false,
              .task = "clock",
              .what = "jumps",
              .object = nullptr,
              .value = 0,
              .label = nullptr});
}

void Machine::switch_flow(Flow& next) {
  Flow& self = *cpu().running;
  if (&next == &self) fail("%s switches to itself", self.name_);
  note("switches to", &next);
  cpu().running = &next;
  on_ = &next.fiber_;
  self.fiber_.switch_to(next.fiber_);
  on_ = &self.fiber_;
}

// ---------------------------------------------------------------- interrupts

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

// ---------------------------------------------------------------- ends

void Machine::flow_ended() {
  note("ends");
  cpu().running = nullptr;
  if (std::all_of(cpus_.begin(), cpus_.end(),
                  [](const Cpu& one) { return one.running == nullptr; }))
    finish();
  // The fiber stays on its CPU's books no more; move_on() leaves it for another for good.
  move_on();
  std::abort();
}

void Machine::leave(Outcome outcome) {
  outcome_ = outcome;
  Fiber* self = on_;
  if (self == &host_) std::abort();  // Nothing was started.
  on_ = &host_;
  self->leave_for(host_);
}

void Machine::finish() {
  leave(Outcome::passed);
}

void Machine::fail(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  failure_ = text;
  leave(Outcome::failed);
}

// Composed in a member: destructors of what is on this fiber's stack do not run.
void Machine::stands_still() {
  failure_ = "nobody can move:";
  for (unsigned i = 0; i < config_.cpus; ++i) {
    const Cpu& cpu = cpus_[i];
    failure_ += " CPU " + std::to_string(i);
    if (cpu.running == nullptr) {
      failure_ += " is off;";
    } else if (cpu.next.waits == Waits::lock) {
      const auto* lock = static_cast<const SpinLock*>(cpu.next.object);
      failure_ += std::string{" ("} + cpu.running->name_ + ") waits for " + lock->name +
                  ", which CPU " + std::to_string(lock->owner - 1) + " holds;";
    } else {
      failure_ += std::string{" ("} + cpu.running->name_ + ") " +
                  (cpu.next.waits == Waits::idle ? "is idle;" : "waits busily;");
    }
  }
  failure_ += hooks_.describe();
  leave(Outcome::failed);
}

}  // namespace sim
