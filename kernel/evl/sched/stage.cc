// SPDX-License-Identifier: GPL-2.0
// The two moves between the stages. Both lives are drawn in Documentation/core/architecture.md.
#include "sched/stage.h"

#include "sched/schedule.h"
#include "sync/pi.h"
#include "sync/wait.h"

namespace evl {

// The parts of the moves that touch what is private to a thread.
class StageSwitch final {
 public:
  // Whatever kicked the thread while it was in-band was meant for Linux, which serves its signals
  // before user code runs. Signals from here on are seen by kapi_leave_inband(), or on arrival.
  static void forget_kicks(Thread& self) noexcept {
    HardIrqGuard irqs_off;
    ThreadGuard locked{self, irqs_off};
    self.info_.clear(kWakeReasons | ThreadInfo::ptsig);
  }

  // A signal that was queued during the move found the thread in-band, or did not see it arrive.
  // Who is cancelled is not to sleep any more.
  static void catch_up(Thread& self) noexcept {
    HardIrqGuard irqs_off;
    ThreadGuard locked{self, irqs_off};
    if (kapi_signal_pending() || self.info_.has(ThreadInfo::canceld))
      self.info_.set(ThreadInfo::kicked);
  }

  static void enter_inband(Thread& self, const HardIrqsOff& irqs_off) noexcept {
    // Idle since the last arrival oob: see switch_oob(). It runs when this CPU is Linux's again.
    (void)kapi_irq_work_queue(&self.wake_work_);
    ThreadGuard locked{self, irqs_off};
    EVL_ASSERT(&locked.rq().current() == &self);
    self.state_.set(ThreadState::inband);
    self.info_.clear(kWakeReasons);
    Scheduler::make_unready(locked, self);
  }

  // Whether to tell that the thread left the stage as an owner: once for as long as it owns
  // anything. The mark goes with the last mutex, see Mutex::untrack_owner().
  [[nodiscard]] static bool alerts(Thread& self) noexcept {
    HardIrqGuard irqs_off;
    ThreadGuard locked{self, irqs_off};
    if (self.info_.has(ThreadInfo::pialert)) return false;
    self.info_.set(ThreadInfo::pialert);
    return true;
  }

  // What the thread should not have done, told once it is in-band.
  static void complain(Thread& self, SwitchCause cause, u64 detail) noexcept {
    const StateFlags state = self.peek_state();
    if (cause != SwitchCause::none) {
      self.stats_.inband_switches.add();
      if (state.has(ThreadState::woss)) report(self, static_cast<HmCode>(cause), detail);
    }
    if (state.has(ThreadState::woli) && self.holds_mutex() && alerts(self))
      report(self, HmCode::lkdepend);
  }

  [[nodiscard]] static bool find_cpu(Thread& self) noexcept;
  [[nodiscard]] static Result<bool> leave_inband(Thread& self) noexcept;
  static void arrive(Thread& thread, const HardIrqsOff& irqs_off) noexcept;
};

// Linux has taken the thread off a CPU that went down, or put it where no thread may run, for want
// of one that may: it is pinned to a CPU where it may, of those that its affinity allows. While a
// CPU is coming or going nobody knows which these are, so that is waited for. False: there is none,
// and the thread is cancelled.
bool StageSwitch::find_cpu(Thread& self) noexcept {
  if (self.rq().is_open() && rq_of(kapi_this_cpu()).is_open()) return true;
  kapi_cpumask affinity{};
  kapi_cpus_hold();
  kapi_get_affinity(kapi_current(), &affinity);
  const Cpu cpu = choose_open_cpu(CpuSet{affinity});
  if (cpu != kNoCpu) (void)kapi_pin_current(cpu);
  kapi_cpus_release();
  if (cpu != kNoCpu) return true;
  kapi_print(KAPI_WARNING, "%s was moved to CPU %u, which is not for out-of-band threads",
             self.name(), kapi_this_cpu());
  HardIrqGuard irqs_off;
  ThreadGuard locked{self, irqs_off};
  self.info_.set(ThreadInfo::canceld);
  return false;
}

// One attempt. False: the CPU is not open, the thread is in-band again.
Result<bool> StageSwitch::leave_inband(Thread& self) noexcept {
  // A signal may have woken the task before the irq_work of its last move in-band had its turn: one
  // that is still pending would wake it too early the next time.
  kapi_irq_work_sync(&self.wake_work_);
  forget_kicks(self);
  // Who was taken in-band between announcing a ceiling and taking the gate owns it now, and may be
  // kept from the CPU when it has arrived: it waits at the ceiling.
  if (self.announces_ceiling()) {
    HardIrqGuard irqs_off;
    commit_ceiling(self, irqs_off);
  }
  const int error = kapi_leave_inband();
  if (error != 0) return static_cast<Errno>(-error);

  OobStage oob = OobStage::at_entry();
  bool stays = false;
  {
    const HardIrqsOffAtEntry irqs_off;
    Scheduler::finish_switch(oob, irqs_off);  // Tail c.
    stays = self.rq().is_open();
    kapi_oob_unstall();
  }
  kapi_hard_irq_enable();
  if (!stays) (void)switch_inband(std::move(oob), SwitchCause::none);
  return stays;
}

Status switch_oob(InbandStage&& here, OnCancel on_cancel) noexcept {
  Thread* const self = current_thread();
  if (self == nullptr) return Errno::perm;
  kapi_trace(KAPI_EV_switch_oob, self->name(), self->peek_state().word(), self->peek_info().word());
  bool arrived = false;
  while (!arrived) {  // A round for each time that Linux puts the thread elsewhere meanwhile.
    if (!StageSwitch::find_cpu(*self)) {
      if (on_cancel == OnCancel::end) self->test_cancel(here);
      return Errno::nxio;
    }
    arrived = EVL_TRY(StageSwitch::leave_inband(*self));
  }

  StageSwitch::catch_up(*self);
  if (on_cancel == OnCancel::end && self->peek_info().has(ThreadInfo::canceld)) {
    const InbandStage inband = switch_inband(OobStage::at_entry(), SwitchCause::none);
    self->test_cancel(inband);
  }
  self->refresh_window();
  kapi_trace(KAPI_EV_switched_oob, self->name(), self->peek_state().word(),
             self->peek_info().word());
  return kOk;
}

InbandStage switch_inband(OobStage&&, SwitchCause cause, u64 detail) noexcept {
  static constexpr const char* kNames[] = {"none", "signal", "syscall", "exception"};
  Thread& self = *current_thread();
  kapi_trace_switch_inband(kNames[static_cast<unsigned>(cause)]);
  kapi_hard_irq_disable();
  {
    const HardIrqsOffAtEntry irqs_off;
    StageSwitch::enter_inband(self, irqs_off);
    kapi_leave_oob();
    const bool arrived = Scheduler::escalate(irqs_off);  // Tail b.
    EVL_ASSERT(arrived);
    (void)arrived;
  }
  kapi_hard_irq_enable();
  kapi_resume_inband();

  InbandStage inband = InbandStage::at_entry();
  self.update_inband_priority(inband);
  StageSwitch::complain(self, cause, detail);
  self.refresh_window();
  kapi_trace(KAPI_EV_switched_inband, self.name(), self.peek_state().word(),
             self.peek_info().word());
  return inband;
}

// Linux has the last word on where a task is: the thread follows. A CPU that is not open gets it
// all the same, for the few instructions in which it finds that out.
void StageSwitch::arrive(Thread& thread, const HardIrqsOff& irqs_off) noexcept {
  Rq& here = this_rq(irqs_off);
  MigrationGuard locked{thread, here, irqs_off};
  Scheduler::migrate(locked, thread, here);
  const HeldRq there{here, irqs_off};
  EVL_ASSERT(thread.state_.has(ThreadState::inband));
  thread.state_.clear(ThreadState::inband);
  if (!thread.state_.has(kBlocked)) Scheduler::make_ready(there, thread);
}

void finish_park(Thread& thread, const HardIrqsOff& irqs_off) noexcept {
  StageSwitch::arrive(thread, irqs_off);
}

}  // namespace evl
