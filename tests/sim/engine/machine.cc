// SPDX-License-Identifier: MIT

#include "engine/machine.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace sim {
namespace {

Machine* the_machine;

}  // namespace

const char Machine::kSilent[] = "";

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
