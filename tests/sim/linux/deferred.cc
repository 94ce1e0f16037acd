// SPDX-License-Identifier: MIT
//
// irq_work and workqueues: how the oob stage gets something done in-band. Interrupts are handed out
// here as well.

#include <algorithm>

#include "linux/dovetail.h"
#include "linux/linux.h"

namespace sim {

void Linux::irq(unsigned number) {
  if (!current().oob) here().oob_since_ns = machine_->now_ns();
  evl_on_irq_enter();
  switch (number) {
    case kTickIrq:
      if (tick_installed_)
        evl_on_tick();
      else
        machine_->cpu().inband_pending |= 1U << kProxyTick;
      break;
    case kResched:
      evl_on_resched_ipi();
      break;
    case kTimerIpi:
      evl_on_timer_ipi();
      break;
    default:
      machine_->fail("interrupt %u has no handler", number);
  }
}

void Linux::irq_exit(bool /*was_oob*/) {
  evl_on_irq_exit();
}

void Linux::inband_irq(unsigned number) {
  if (number == kIrqWork)
    play_irq_work();
  else
    play_proxy_tick();
}

bool Linux::queue_irq_work(kapi_irq_work* work) {
  IrqWork& state = inside<IrqWork>(work);
  const unsigned flags_off = machine_->cpu().irqs_off ? 1 : 0;
  machine_->irqs_disable();
  const bool fresh = !state.queued;
  if (fresh) {
    state.queued = true;
    here().works.push_back(work);
    machine_->raise_inband(machine_->cpu().number, kIrqWork);
  }
  if (flags_off == 0) machine_->irqs_enable();
  return fresh;
}

// The handler may free the object that embeds its work: nothing of it is touched afterwards but its
// address.
void Linux::play_irq_work() {
  while (!here().works.empty()) {
    kapi_irq_work* work = here().works.front();
    here().works.erase(here().works.begin());
    inside<IrqWork>(work).queued = false;
    here().running_work = work;
    machine_->note("runs irq_work", work);
    const InCore in_core{*this};
    inside<IrqWork>(work).handler(work);
    here().running_work = nullptr;
    wake(work);
  }
}

void Linux::sync_irq_work(kapi_irq_work* work) {
  may_sleep("kapi_irq_work_sync");
  machine_->point({.what = "syncs irq_work", .object = work});
  auto busy = [&] {
    return std::any_of(cpus_.begin(), cpus_.end(), [&](const PerCpu& cpu) {
      return cpu.running_work == work ||
             std::find(cpu.works.begin(), cpu.works.end(), work) != cpu.works.end();
    });
  };
  while (busy()) sleep_on(work, false);
}

kapi_workqueue* Linux::create_workqueue(const char* name) {
  may_sleep("kapi_workqueue_create");
  maybe_preempt();
  if (config_.refuse_percent != 0 && machine_->strategy().rarely(config_.refuse_percent))
    return nullptr;
  workqueues_.push_back(std::make_unique<Workqueue>());
  Workqueue& queue = *workqueues_.back();
  queue.worker = &spawn_kthread(name, machine_->cpu().number, [this, &queue] { work_loop(queue); });
  queue.worker->worker = true;
  return reinterpret_cast<kapi_workqueue*>(&queue);
}

void Linux::work_loop(Workqueue& queue) {
  for (;;) {
    while (queue.works.empty() && !queue.ends) sleep_on(&queue, false);
    if (queue.works.empty()) return;
    kapi_work* work = queue.works.front();
    queue.works.erase(queue.works.begin());
    inside<Work>(work).queued = false;
    queue.running = work;
    machine_->note("runs work", work);
    const InCore in_core{*this};
    inside<Work>(work).handler(work);
    queue.running = nullptr;
    wake(work);
  }
}

void Linux::destroy_workqueue(kapi_workqueue* handle_of_queue) {
  Workqueue& queue = *reinterpret_cast<Workqueue*>(handle_of_queue);
  may_sleep("kapi_workqueue_destroy");
  queue.ends = true;
  wake(&queue);
  join(*queue.worker);
}

bool Linux::queue_work(kapi_workqueue* handle_of_queue, kapi_work* work) {
  Workqueue& queue = *reinterpret_cast<Workqueue*>(handle_of_queue);
  machine_->point({.what = "queues work", .object = &queue});
  Work& state = inside<Work>(work);
  if (state.queued) return false;
  state.queued = true;
  state.queue = &queue;
  queue.works.push_back(work);
  wake(&queue);
  return true;
}

void Linux::flush_work(kapi_work* work) {
  may_sleep("kapi_work_flush");
  auto busy = [&] {
    return std::any_of(workqueues_.begin(), workqueues_.end(), [&](const auto& queue) {
      return queue->running == work ||
             std::find(queue->works.begin(), queue->works.end(), work) != queue->works.end();
    });
  };
  while (busy()) sleep_on(work, false);
}

}  // namespace sim
