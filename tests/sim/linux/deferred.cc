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
    case kOther:  // Of Linux's devices: logged, and played already.
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
  if (flags_off == 0) {
    machine_->irqs_enable();
    // In-band code that can be interrupted is, at once: irq_local_work_raise() of Dovetail. Or who
    // is told of an in-band switch by a signal would be oob again when it comes, and be told of the
    // next one, for ever.
    if (fresh) machine_->play_inband_log();
  }
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

// More workers than this find no more interleavings: few works wait for something at a time.
constexpr unsigned kMostWorkers = 3;

kapi_workqueue* Linux::create_workqueue(const char* name, unsigned at_once) {
  may_sleep("kapi_workqueue_create");
  maybe_preempt();
  if (config_.refuse_percent != 0 && machine_->strategy().rarely(config_.refuse_percent))
    return nullptr;
  workqueues_.push_back(std::make_unique<Workqueue>());
  Workqueue& queue = *workqueues_.back();
  for (unsigned i = 0; i < std::min(at_once, kMostWorkers); ++i) {
    Task& worker =
        spawn_kthread(name, machine_->cpu().number, [this, &queue] { work_loop(queue); });
    worker.worker = true;
    queue.workers.push_back(&worker);
  }
  return reinterpret_cast<kapi_workqueue*>(&queue);
}

bool Linux::Workqueue::runs(const kapi_work* work) const {
  return std::find(running.begin(), running.end(), work) != running.end();
}

bool Linux::Workqueue::has(const kapi_work* work) const {
  return runs(work) || std::find(works.begin(), works.end(), work) != works.end();
}

kapi_work* Linux::Workqueue::next() {
  const auto found =
      std::find_if(works.begin(), works.end(), [this](kapi_work* work) { return !runs(work); });
  if (found == works.end()) return nullptr;
  kapi_work* const work = *found;
  works.erase(found);
  return work;
}

void Linux::work_loop(Workqueue& queue) {
  for (;;) {
    kapi_work* work = nullptr;
    while ((work = queue.next()) == nullptr && !queue.ends) sleep_on(&queue, false);
    if (work == nullptr) return;
    inside<Work>(work).queued = false;
    queue.running.push_back(work);
    machine_->note("runs work", work);
    const InCore in_core{*this};
    inside<Work>(work).handler(work);
    queue.running.erase(std::find(queue.running.begin(), queue.running.end(), work));
    wake(&queue);  // It may be queued again, and was passed by.
    wake(work);
  }
}

void Linux::destroy_workqueue(kapi_workqueue* handle_of_queue) {
  Workqueue& queue = *reinterpret_cast<Workqueue*>(handle_of_queue);
  may_sleep("kapi_workqueue_destroy");
  queue.ends = true;
  wake(&queue);
  for (Task* const worker : queue.workers) join(*worker);
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
    return std::any_of(workqueues_.begin(), workqueues_.end(),
                       [&](const auto& queue) { return queue->has(work); });
  };
  while (busy()) sleep_on(work, false);
}

}  // namespace sim
