// SPDX-License-Identifier: GPL-2.0
// Kernel threads of the core, and their periods.
#include "boot/core.h"
#include "sched/schedule.h"
#include "sched/stage.h"
#include "thread/thread_element.h"

namespace evl {

Status KernelThread::run(Body body, void* argument, Cpu cpu, int prio, const char* name,
                         const InbandStage&) noexcept {
  EVL_ASSERT(!element_);
  if (!core().running()) return Errno::nxio;
  if (prio < kMinCorePrio || prio > kMaxCorePrio || !is_oob_cpu(cpu) || !rq_of(cpu).is_open())
    return Errno::inval;
  body_ = body;
  argument_ = argument;
  name_ = name;
  prio_ = prio;
  start_status_ = kOk;
  kapi_completion_init(&started_);
  const int inband_prio = prio < EVL_FIFO_MIN_PRIO   ? EVL_FIFO_MIN_PRIO
                          : prio > EVL_FIFO_MAX_PRIO ? EVL_FIFO_MAX_PRIO
                                                     : prio;
  kapi_task* task = nullptr;
  (void)EVL_TRY(
      status_of(kapi_run_kthread(&KernelThread::trampoline, this, cpu, inband_prio, name, &task)));
  kapi_wait_completion(&started_);
  kapi_put_task(task);
  return start_status_;
}

// In the new task: what can fail, then what cannot. The element's first reference is ours.
Status KernelThread::enter(const InbandStage& inband) noexcept {
  Factory& factory = core().threads();
  auto* const made = create<ThreadElement>(
      inband, factory, 0U,
      Thread::Setup{.kind = Thread::Kind::kernel,
                    .name = name_,
                    .clock = core().monotonic(),
                    .rq = rq_of(kapi_this_cpu()),
                    .task = kapi_current(),
                    .params = {.policy = PolicyId::fifo, .prio = prio_, .quantum = {}},
                    .state = {}});
  if (made == nullptr) return Errno::nomem;
  Ref<ThreadElement> element = Ref<ThreadElement>::adopt(*made);
  (void)EVL_TRY(factory.create_device(*made, name_, inband));
  (void)EVL_TRY(made->attach(inband));
  element_ = std::move(element);
  return kOk;
}

// `self` may be gone once the body has returned and stop() was called: it is not used after.
void KernelThread::trampoline(void* argument) {
  auto& self = *static_cast<KernelThread*>(argument);
  InbandStage inband = InbandStage::at_entry();
  const Body body = self.body_;
  void* const body_argument = self.argument_;
  const Status status = self.enter(inband);
  self.start_status_ = status;
  kapi_trace(KAPI_EV_kthread_entry, self.name_, kapi_task_pid(kapi_current()), code_of(status));
  kapi_complete(&self.started_);
  if (!status.ok()) return;
  if (switch_oob(std::move(inband)).ok()) {
    OobStage oob = OobStage::at_entry();
    if (!should_stop()) body(oob, body_argument);
    if (kapi_running_oob()) (void)switch_inband(std::move(oob), SwitchCause::none);
  }
  ThreadElement::detach_current(InbandStage::at_entry());
}

void KernelThread::stop(const InbandStage&) noexcept {
  if (!element_) return;
  {
    HardIrqGuard irqs_off;
    element_->thread().cancel(irqs_off);
  }
  schedule();
  kapi_wait_completion(&element_->joined_);
  element_.reset();
}

bool KernelThread::should_stop() noexcept {
  return current_thread()->peek_info().has(ThreadInfo::canceld);
}

Status KernelThread::set_period(const OobStage&, const Clock& clock, Date first,
                                Duration period) noexcept {
  Thread& self = *current_thread();
  self.period_timer_.stop();
  if (period.is_zero()) return kOk;
  if (period < clock.shortest_period(Gravity::kernel)) return Errno::inval;
  self.period_timer_.set_clock(clock);
  self.period_timer_.start(first, period);
  return kOk;
}

Status KernelThread::wait_period(const OobStage&, u64& overruns) noexcept {
  Thread& self = *current_thread();
  Timer& timer = self.period_timer_;
  overruns = 0;
  if (!timer.running()) return Errno::again;
  bool sleeps = false;
  {
    HardIrqGuard irqs_off;  // The timer fires on this CPU: not between the question and the sleep.
    sleeps = !timer.tick_is_due();
    if (sleeps) self.sleep_on(nullptr, Date::forever(), timer.clock(), irqs_off);
  }
  if (sleeps) {
    schedule();
    if (self.wake_reasons().has(ThreadInfo::brk)) return Errno::intr;
  }
  overruns = timer.take_overruns(timer.clock().now());
  kapi_trace(KAPI_EV_thread_wait_period, self.name(), timer.date().ns(),
             static_cast<s64>(overruns));
  if (overruns == 0) return kOk;
  kapi_trace(KAPI_EV_thread_missed_period, self.name(), timer.date().ns(),
             static_cast<s64>(overruns));
  return Errno::timedout;
}

}  // namespace evl
