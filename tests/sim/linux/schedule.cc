// SPDX-License-Identifier: MIT
//
// In-band scheduling: who has the in-band stage of a CPU. Nothing here knows the core, except that
// a task which leaves in-band is handed to it when its switch is complete.

#include <algorithm>
#include <bit>

#include "linux/linux.h"

namespace sim {

Task& Linux::add_task(const char* name, unsigned cpu, std::function<void()> body,
                      Flow::Body entry) {
  tasks_.push_back(std::make_unique<Task>(name, entry));
  Task& task = *tasks_.back();
  task.body = std::move(body);
  task.cpu = cpu;
  task.pid = next_pid_++;
  return task;
}

// What every flow begins with: the tail of the switch that has brought it here.
void Linux::first_steps() {
  finish_switch();
  machine_->cpu().stalled = false;
  machine_->irqs_enable();
}

void Linux::run_idle(void* task) {
  Linux& self = lx();
  (void)task;
  self.first_steps();
  for (;;) {
    self.machine_->point({.what = "idle", .object = &self.here(), .waits = Waits::idle});
    self.schedule();
  }
}

bool Linux::runs(const Task& task) const noexcept {
  return std::any_of(cpus_.begin(), cpus_.end(),
                     [&](const PerCpu& one) { return one.current == &task; });
}

bool Linux::can_run(const Task& task, unsigned cpu) const noexcept {
  if (task.cpu != cpu || task.run != Run::runnable || task.oob || &task == cpus_[cpu].idle)
    return false;
  // Whom a CPU has just left, to whichever CPU, stays on it until the switch is complete: what
  // on_cpu says in Linux.
  return std::none_of(cpus_.begin(), cpus_.end(),
                      [&](const PerCpu& one) { return one.previous == &task; });
}

bool Linux::has_work(const Cpu& cpu) {
  if (cpu.oob) return true;
  return std::any_of(tasks_.begin(), tasks_.end(),
                     [&](const auto& task) { return can_run(*task, cpu.number); });
}

// Bound: the tasks of a run, a few dozen.
Task& Linux::pick_next(unsigned cpu) {
  std::uint32_t count = 0;
  for (const auto& task : tasks_) count += can_run(*task, cpu) ? 1 : 0;
  if (count == 0) return *cpus_[cpu].idle;
  std::uint32_t skip = count > 1 ? machine_->strategy().value(count) : 0;
  for (const auto& task : tasks_) {
    if (can_run(*task, cpu) && skip-- == 0) return *task;
  }
  return *cpus_[cpu].idle;
}

// Entry: in-band, hard irqs on. Returns to the caller when it is its turn again; a task that was
// leaving in-band returns on the oob stage with hard irqs off.
void Linux::schedule() {
  Task& self = current();
  machine_->point({.what = "schedules", .object = &here()});
  machine_->set_irqs_off(machine_->cpu(), true);
  machine_->cpu().stalled = true;
  PerCpu& cpu = here();
  if (&self != cpu.current)
    machine_->fail("%s schedules, but %s is current", self.comm.data(), cpu.current->comm.data());
  if (!self.leaving && ((self.affinity >> self.cpu) & 1U) == 0)
    self.cpu = static_cast<unsigned>(std::countr_zero(self.affinity));
  Task& next = pick_next(machine_->cpu().number);
  if (&next != &self) {
    cpu.previous = &self;
    cpu.current = &next;
    machine_->changed();
    machine_->switch_flow(next.flow);
    if (self.oob) return;  // The core has continued it: kapi_leave_inband() is over.
    finish_switch();
  }
  machine_->cpu().stalled = false;
  machine_->irqs_enable();
}

// The flow that was switched to completes the switch: hard irqs are off, the in-band stage is
// stalled.
void Linux::finish_switch() {
  Task* previous = here().previous;
  here().previous = nullptr;
  if (previous == nullptr || !previous->leaving) return;
  previous->leaving = false;
  previous->oob = true;
  machine_->cpu().oob_stalled = true;
  machine_->note("resumes oob", previous);
  evl_on_resume_task(handle(previous));
  machine_->cpu().oob_stalled = false;
}

void Linux::may_sleep(const char* who) {
  const Cpu& cpu = machine_->cpu();
  if (cpu.oob) machine_->fail("%s sleeps in-band, but the CPU runs oob", who);
  if (cpu.irqs_off) machine_->fail("%s sleeps with hard interrupts off", who);
  if (!cpu.held.empty()) machine_->fail("%s sleeps with %s held", who, cpu.held.back()->name);
  if (cpu.stalled || cpu.inband_irq || current().atomic != 0)
    machine_->fail("%s sleeps in atomic context", who);
}

bool Linux::lets_preempt() {
  if (machine_->quiet()) return false;
  const Cpu& cpu = machine_->cpu();
  if (cpu.oob || cpu.irqs_off || cpu.stalled || cpu.inband_irq || !cpu.held.empty() ||
      current().atomic != 0)
    return false;
  if (current().run != Run::runnable || !has_work(cpu)) return false;
  return config_.preempt_percent != 0 && machine_->strategy().rarely(config_.preempt_percent);
}

void Linux::maybe_preempt() {
  if (lets_preempt()) schedule();
}

// What preempts a task in the middle of in-band code is the return from an interrupt of the
// hardware's, which has passed through the core's brackets: what the task had marked, and not come
// to schedule() with, is done by then.
void Linux::inband_irq_exit() {
  if (!lets_preempt()) return;
  machine_->interrupt_here(kOther);
  schedule();
}

void Linux::sleep_on(const void* channel, bool interruptible, std::uint64_t until_ns) {
  Task& self = current();
  self.channel = channel;
  self.interruptible = interruptible;
  self.wakes_at_ns = until_ns;
  self.timer_cpu = machine_->cpu().number;
  self.run = Run::sleeping;
  if (until_ns != kNever) program_proxy();
  if (interruptible && self.signals != 0) self.run = Run::runnable;
  schedule();
  self.channel = nullptr;
  self.interruptible = false;
  self.wakes_at_ns = kNever;
}

void Linux::wake(const void* channel) {
  for (const auto& task : tasks_)
    if (task->run == Run::sleeping && task->channel == channel) wake_task(*task);
}

// A task on the oob stage is not touched: wake_up_process() finds it in a state that it does not
// match.
void Linux::wake_task(Task& task) {
  if (task.oob || (task.run != Run::sleeping && task.run != Run::parked)) return;
  if (task.leaving) return;
  task.run = Run::runnable;
  // Who has not gone to sleep yet goes on where he is.
  if (!runs(task) && ((task.affinity >> task.cpu) & 1U) == 0)
    task.cpu = static_cast<unsigned>(std::countr_zero(task.affinity));
  machine_->note("wakes", &task);
  machine_->changed();
}

void Linux::migrate(Task& task, unsigned cpu) {
  may_sleep("migration");
  if (cpu >= config_.cpus || task.run == Run::dead) return;
  {
    const InCore in_core{*this};
    AtomicSection rq_lock{*this};
    // A task that runs, or waits, oob stays where it is: Linux sees it parked, and moves its books
    // when it wakes.
    if (task.dovetailed) evl_on_task_migration(handle(&task), cpu);
    task.affinity = std::uint64_t{1} << cpu;
    if (!runs(task) && !task.oob && !task.leaving && task.run != Run::parked) task.cpu = cpu;
  }
  if (&task == &current() && machine_->cpu().number != cpu) schedule();
}

void Linux::join(Task& task) {
  may_sleep("join");
  while (task.run != Run::dead) sleep_on(&task, false);
}

}  // namespace sim
