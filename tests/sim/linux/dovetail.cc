// SPDX-License-Identifier: MIT
//
// Alternate scheduling: how a task changes between Linux's scheduler and the core's. See
// Documentation/simulator for the two walks drawn.

#include "linux/dovetail.h"

#include "linux/hotplug.h"
#include "linux/linux.h"

namespace sim {

int Linux::leave_inband() {
  may_sleep("kapi_leave_inband");
  Task& self = current();
  if (!self.dovetailed)
    machine_->fail("%s leaves in-band without alternate scheduling", self.comm.data());
  machine_->point({.what = "leaves in-band"});
  if (self.signals != 0) return -kRestartSys;
  self.leaving = true;
  self.run = Run::parked;
  schedule();
  // Back by context_switch(): oob, hard irqs off.
  machine_->cpu().oob_stalled = true;
  return 0;
}

// The stall bit of the oob stage belongs to the context, as if each context saved it before and
// restored it after.
bool Linux::context_switch(kapi_altsched* out, kapi_altsched* in, bool leave_inband) {
  Altsched& from = altsched_of(out);
  Altsched& to = altsched_of(in);
  Cpu& cpu = machine_->cpu();
  if (!cpu.irqs_off || !cpu.oob) machine_->fail("context switch in a wrong context");
  if (leave_inband != (from.root && !to.root))
    machine_->fail("context switch: leave_inband is wrong");
  Task* self = &current();
  if (from.root) {
    from.task = self;
  } else if (&from.task->flow != cpu.running) {
    machine_->fail("context switch: %s is not the one that runs", from.task->comm.data());
  } else {
    self = from.task;
  }
  const unsigned number = cpu.number;
  if (to.root) to.task = cpus_[number].current;
  if (to.task == nullptr) machine_->fail("context switch to a context without a task");
  // Linux puts it somewhere when it wakes it up; until then nobody asks.
  if (!to.root && is_down(to.task->cpu)) to.task->cpu = number;
  if (!to.root && to.task->cpu != number)
    machine_->fail("%s is switched in on CPU %u, Linux has it on %u", to.task->comm.data(), number,
                   to.task->cpu);
  const bool stalled = cpu.oob_stalled;
  if (on_switch && !to.root) on_switch(*self, *to.task);
  machine_->changed();
  machine_->switch_flow(to.task->flow);
  if (from.root || self->oob) {
    machine_->cpu().oob_stalled = stalled;
    return false;
  }
  return true;  // Linux has continued it: in-band, hard irqs off, the switch is not finished.
}

void Linux::resume_inband() {
  if (machine_->cpu().oob) machine_->fail("kapi_resume_inband() on the oob stage");
  machine_->set_irqs_off(machine_->cpu(), true);
  finish_switch();
  machine_->cpu().stalled = false;
  machine_->irqs_enable();
}

void Linux::watchdog_strikes(std::uint64_t limit_s) {
  const std::uint64_t ran_ns = machine_->now_ns() - here().oob_since_ns;
  if (limit_s == 0 || ran_ns + config_.core.latency_user_ns < limit_s * 1'000'000'000)
    machine_->fail("the watchdog of %llu s strikes after %llu ns out-of-band",
                   static_cast<unsigned long long>(limit_s),
                   static_cast<unsigned long long>(ran_ns));
}

int Linux::run_oob_call(int (*function)(void*), void* argument) {
  const bool were_off = machine_->cpu().irqs_off;
  const bool was_oob = machine_->cpu().oob;
  const bool was_stalled = machine_->cpu().oob_stalled;
  machine_->irqs_disable();
  if (!was_oob) here().oob_since_ns = machine_->now_ns();
  machine_->cpu().oob = true;
  machine_->cpu().oob_stalled = true;
  const int result = function(argument);
  // The function may have taken the task in-band: the new stage is kept.
  if (was_oob && !machine_->cpu().oob) return result;
  // The caller may be back in-band by now: then it stays there.
  if (machine_->cpu().oob) machine_->cpu().oob = was_oob;
  machine_->cpu().oob_stalled = was_stalled;
  if (!were_off) machine_->irqs_enable();
  return result;
}

}  // namespace sim
