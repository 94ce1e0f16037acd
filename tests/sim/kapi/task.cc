// SPDX-License-Identifier: MIT
//
// kapi of the simulator: tasks, alternate scheduling, signals, privileges.

#include <bit>

#include "linux/dovetail.h"
#include "linux/hotplug.h"
#include "linux/linux.h"

namespace {

using sim::lx;
using sim::task_of;

sim::Machine& mc() {
  return sim::Machine::current();
}

}  // namespace

extern "C" {

struct kapi_task* kapi_current(void) {
  return sim::handle(&lx().current());
}
struct kapi_task_state* kapi_current_state(void) {
  return &lx().current().state;
}
struct kapi_task_state* kapi_task_state(struct kapi_task* task) {
  return &task_of(task)->state;
}
struct kapi_mm_state* kapi_current_mm_state(void) {
  sim::Mm* mm = lx().current().mm;
  return mm == nullptr ? nullptr : &mm->state;
}
void kapi_get_task(struct kapi_task* task) {
  ++task_of(task)->references;
}
void kapi_put_task(struct kapi_task* task) {
  if (--task_of(task)->references == 0)
    mc().fail("%s: one reference on the task too few", task_of(task)->comm.data());
}
int kapi_task_pid(struct kapi_task* task) {
  return task_of(task)->pid;
}
void kapi_set_current_name(const char* name) {
  lx().current().set_name(name);
}

// ---- Alternate scheduling

int kapi_dovetail_start(void) {
  lx().start_dovetail();
  return 0;
}
void kapi_dovetail_stop(void) {
  lx().stop_dovetail();
}

void kapi_altsched_init(struct kapi_altsched* context) {
  lx().may_sleep("kapi_altsched_init");
  new (context) sim::Altsched{.task = &lx().current()};
  lx().current().altsched = context;
}
void kapi_altsched_init_root(struct kapi_altsched* context) {
  new (context) sim::Altsched{.root = true};
}
int kapi_altsched_start(void) {
  lx().current().dovetailed = true;
  return 0;
}
void kapi_altsched_stop(void) {
  if (lx().current().oob) mc().fail("kapi_altsched_stop() on the oob stage");
  lx().current().dovetailed = false;
}

int kapi_leave_inband(void) {
  return lx().leave_inband();
}
void kapi_leave_oob(void) {
  if (!mc().cpu().oob || !mc().cpu().irqs_off) mc().fail("kapi_leave_oob() in a wrong context");
  lx().current().oob = false;
}
void kapi_resume_inband(void) {
  lx().resume_inband();
}
void kapi_wake_task(struct kapi_task* task) {
  if (mc().cpu().oob) mc().fail("kapi_wake_task() on the oob stage");
  mc().point({.what = "wakes task", .object = task});
  lx().wake_task(*task_of(task));
}
bool kapi_context_switch(struct kapi_altsched* out, struct kapi_altsched* in, bool leave_inband) {
  return lx().context_switch(out, in, leave_inband);
}
void kapi_request_retuser(struct kapi_task* task) {
  task_of(task)->retuser = true;
}
void kapi_send_mayday(struct kapi_task* task) {
  mc().note("sends mayday to", task);
  task_of(task)->mayday = true;
}

// ---- Signals, exit

bool kapi_signal_pending(void) {
  return lx().signal_pending();
}
void kapi_send_signal(struct kapi_task* task, int signo, int value) {
  if (mc().cpu().oob) mc().fail("kapi_send_signal() on the oob stage");
  lx().send_signal(*task_of(task), signo, value);
}
bool kapi_debugger_signal_pending(struct kapi_task* task) {
  return task_of(task)->debugged && task_of(task)->signals != 0;
}
void kapi_exit_current(void) {
  lx().exit_current();
}

// ---- Placement, privileges

int kapi_pin_current(unsigned int cpu) {
  if (cpu >= mc().cpus() || sim::is_down(cpu)) return -EINVAL;
  lx().migrate(lx().current(), cpu);
  return 0;
}
void kapi_get_affinity(struct kapi_task* task, struct kapi_cpumask* cpus) {
  cpus->words[0] = task_of(task)->affinity & ((1ULL << mc().cpus()) - 1);
}
void kapi_set_inband_priority(struct kapi_task* task, int priority) {
  lx().may_sleep("kapi_set_inband_priority");
  lx().maybe_preempt();
  task_of(task)->inband_priority = priority;
}
bool kapi_task_allowed(void) {
  return true;
}
bool kapi_memory_is_locked(void) {
  return lx().current().mm != nullptr && lx().current().mm->locked;
}
bool kapi_capable(enum kapi_capability capability) {
  return (lx().current().capabilities & capability) != 0;
}
int kapi_raise_capabilities(unsigned int wanted) {
  lx().may_sleep("kapi_raise_capabilities");
  const unsigned refuse = lx().config().refuse_percent;
  if (refuse != 0 && mc().strategy().rarely(refuse)) return -ENOMEM;
  sim::Task& self = lx().current();
  const unsigned raised = wanted & ~self.capabilities;
  self.capabilities |= raised;
  return static_cast<int>(raised);
}
void kapi_drop_capabilities(unsigned int raised) {
  lx().current().capabilities &= ~raised;
}

int kapi_run_kthread(void (*body)(void* arg), void* arg, unsigned int cpu, int priority,
                     const char* name, struct kapi_task** task) {
  lx().may_sleep("kapi_run_kthread");
  lx().maybe_preempt();
  if (cpu >= mc().cpus() || sim::is_down(cpu)) return -EINVAL;
  const unsigned refuse = lx().config().refuse_percent;
  if (refuse != 0 && mc().strategy().rarely(refuse)) return -ENOMEM;
  sim::Task& made = lx().spawn_kthread(name, cpu, [body, arg] { body(arg); });
  made.affinity = 1ULL << cpu;
  made.inband_priority = priority;
  ++made.references;
  *task = sim::handle(&made);
  return 0;
}

}  // extern "C"
