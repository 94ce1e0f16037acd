// SPDX-License-Identifier: GPL-2.0
// Where kapi enters the core: each upcall of kapi/upcall.h mints the proofs of its context and
// hands them on. What it means is elsewhere; here is who is asked.
#include "kapi/upcall.h"

#include "boot/core.h"
#include "boot/hotplug.h"
#include "request/dispatch.h"
#include "sched/schedule.h"
#include "sched/stage.h"
#include "thread/process.h"
#include "thread/thread_element.h"

namespace evl {
namespace {

// The thread of another task, for as long as `visit` uses it (T5); nothing when it has none.
template <typename Visit>
void with_thread_of(kapi_task* task, Visit&& visit) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{core().task_lock(), irqs_off};
    auto* const thread = static_cast<Thread*>(kapi_task_state(task)->thread);
    if (thread == nullptr) return;
    visit(*thread, irqs_off);
  }
  schedule();  // Sends the IPIs, at least. In-band code that is interrupted here goes on later.
}

// An oob thread that was demoted by a trap in kernel code goes back before that code continues.
constexpr LocalFlags kInFault = LocalInfo::infault;

}  // namespace
}  // namespace evl

using namespace evl;

extern "C" {

int evl_on_boot(void) {
  return static_cast<int>(code_of(Core::boot(InbandStage::at_entry())));
}

// ---- Interrupts ----

EVL_FLAT void evl_on_irq_enter(void) {
  const HardIrqsOffAtEntry irqs_off;
  if (core_is_up()) irq_enter(OobStage::at_entry(), irqs_off);
}

EVL_FLAT void evl_on_irq_exit(void) {
  const HardIrqsOffAtEntry irqs_off;
  if (core_is_up()) irq_exit(OobStage::at_entry(), irqs_off);
}

// The bracket's end does what there is to do.
void evl_on_resched_ipi(void) {}

void evl_on_timer_ipi(void) {
  const HardIrqsOffAtEntry irqs_off;
  timer_bases().here(irqs_off).tick(OobStage::at_entry(), irqs_off);
}

EVL_FLAT void evl_on_tick(void) {
  const HardIrqsOffAtEntry irqs_off;
  timer_bases().here(irqs_off).tick(OobStage::at_entry(), irqs_off);
}

void evl_on_proxy_program(__s64 date_ns) {
  const HardIrqsOffAtEntry irqs_off;
  timer_bases().here(irqs_off).set_inband_shot(MonoDate::from_ns(date_ns), irqs_off);
}

void evl_on_proxy_stop(void) {
  const HardIrqsOffAtEntry irqs_off;
  timer_bases().here(irqs_off).set_inband_shot(MonoDate::forever(), irqs_off);
}

void evl_on_clock_was_set(void) {
  const HardIrqsOffAtEntry irqs_off;
  if (core_is_up()) core().realtime().adjust(irqs_off);
}

// ---- CPUs that come and go ----

void evl_on_cpu_online(unsigned int cpu, bool has_tick) {
  open_cpu(cpu, has_tick, InbandStage::at_entry());
}

int evl_on_cpu_offline(unsigned int cpu) {
  return static_cast<int>(code_of(close_cpu(cpu, InbandStage::at_entry())));
}

// ---- Requests ----

EVL_FLAT enum kapi_verdict evl_on_oob_request(struct kapi_request* request, bool caller_oob) {
  return probe_oob(*request, caller_oob);
}

enum kapi_verdict evl_on_inband_request(struct kapi_request* request) {
  return probe_inband(*request);
}

// ---- Faults, and leaving to user mode ----

void evl_on_trap_entry(const struct kapi_trap* trap) {
  Thread& self = *current_thread();
  kapi_trace(KAPI_EV_thread_fault, self.name(), trap->nr, static_cast<__s64>(trap->pc));
  if (!trap->from_user) self.set_local(kInFault);
  if (self.peek_state().has(ThreadState::woss) && !trap->debugger)
    kapi_print_ratelimited(KAPI_WARNING, "%s switched in-band by trap %u at %#llx", self.name(),
                           trap->nr, static_cast<unsigned long long>(trap->pc));
  (void)switch_inband(OobStage::at_entry(),
                      trap->debugger ? SwitchCause::none : SwitchCause::exception, trap->pc);
}

// From kernel code, the thread goes back oob, so that what that code relies on holds again; a
// signal keeps it in-band: the code notices by kapi_running_oob(), or by its next sleep.
void evl_on_trap_exit(const struct kapi_trap*) {
  Thread* const self = current_thread();
  if (self != nullptr && self->local().has(kInFault)) {
    self->clear_local(kInFault);
    kapi_hard_irq_enable();
    (void)switch_oob(InbandStage::at_entry(), OnCancel::go_on);
    kapi_hard_irq_disable();
  }
}

void evl_on_mayday(void) {
  if (kapi_running_oob()) (void)switch_inband(OobStage::at_entry(), SwitchCause::none);
}

// The end of a debugger's stop: together with its siblings, or not at all.
void evl_on_retuser(void) {
  Thread* const self = current_thread();
  if (self == nullptr) return;
  Process* const process = self->process();
  if (process == nullptr || !self->peek_info().has(ThreadInfo::ptjoin)) return;
  if (!switch_oob(InbandStage::at_entry()).ok()) {
    process->leave_stop(*self);
    return;
  }
  OobStage oob = OobStage::at_entry();
  process->join_barrier(oob, *self);
  if (self->is_kicked() || (self->peek_state().has(ThreadState::weak) && !self->holds_mutex()))
    (void)switch_inband(std::move(oob), SwitchCause::none);
}

// ---- Life of tasks ----

void evl_on_resume_task(struct kapi_task* task) {
  {
    const HardIrqsOffAtEntry irqs_off;
    // Parked, on its way: it cannot detach meanwhile.
    finish_park(*static_cast<Thread*>(kapi_task_state(task)->thread), irqs_off);
  }
  schedule();
}

void evl_on_task_signal(struct kapi_task* task) {
  const bool stops = kapi_debugger_signal_pending(task);
  with_thread_of(task, [stops](Thread& thread, const HardIrqsOff& irqs_off) {
    thread.kick(stops ? InfoFlags{ThreadInfo::ptsig} : InfoFlags{}, irqs_off);
  });
}

// Only in-band code can move a task: one that sleeps oob is asked to come in-band first, and finds
// its new CPU when it goes back.
void evl_on_task_migration(struct kapi_task* task, unsigned int) {
  with_thread_of(task, [](Thread& thread, const HardIrqsOff& irqs_off) {
    if (!thread.peek_state().has(ThreadState::inband)) thread.kick({}, irqs_off);
  });
}

void evl_on_task_exit(void) {
  if (core_is_up()) ThreadElement::detach_current(InbandStage::at_entry());
}

void evl_on_mm_exit(struct kapi_mm_state* state) {
  discard(InbandStage::at_entry(), static_cast<Process*>(std::exchange(state->process, nullptr)));
}

void evl_on_ptrace_stop(void) {
  Thread* const self = current_thread();
  if (self != nullptr && self->process() != nullptr)
    self->process()->enter_stop(*self, InbandStage::at_entry());
}

void evl_on_ptrace_continue(void) {
  Thread* const self = current_thread();
  if (self == nullptr || !self->peek_info().has(ThreadInfo::ptstop)) return;
  self->set_local(LocalInfo::ignovr);  // The time in the stop is not the thread's fault.
  self->process()->will_join(*self);
  kapi_request_retuser(self->task());
}

// One thread goes on by a step, the others stay: it does not wait for them.
void evl_on_ptrace_step(struct kapi_task* task) {
  Process* process = nullptr;
  Thread* stepped = nullptr;
  with_thread_of(task, [&](Thread& thread, const HardIrqsOff&) {
    stepped = &thread;
    process = thread.process();
  });
  // Its debugger holds it in its stop: it does not go away.
  if (process != nullptr) process->leave_stop(*stepped);
}

// ---- Descriptors ----

void evl_on_fd_install(const struct kapi_files* files, unsigned int fd, struct kapi_file* file) {
  core().files().install(files, fd, *static_cast<OobFile*>(kapi_oob_data(file)),
                         InbandStage::at_entry());
}

void evl_on_fd_uninstall(const struct kapi_files* files, unsigned int fd, struct kapi_file*) {
  core().files().uninstall(files, fd, InbandStage::at_entry());
}

}  // extern "C"
