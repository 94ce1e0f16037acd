// SPDX-License-Identifier: GPL-2.0
// The barrier of a debugger's stop. A debugger stops all threads of a process, one by one, and
// wants none of them to run on meanwhile; going on, none is to be ahead of the others.
#include "thread/process.h"

#include "boot/core.h"
#include "sched/schedule.h"

namespace evl {

Process::Process() noexcept : barrier_{"ptrace", core().monotonic(), WaitOrder::fifo} {}

Process::~Process() {
  EVL_ASSERT(threads_.empty());
}

Process* Process::current() noexcept {
  const kapi_mm_state* const mm = kapi_current_mm_state();
  return mm == nullptr ? nullptr : static_cast<Process*>(mm->process);
}

Status Process::open_current(const InbandStage& inband) noexcept {
  kapi_mm_state* const mm = kapi_current_mm_state();
  if (mm == nullptr) return Errno::perm;
  if (mm->process != nullptr) return kOk;
  Process* made = create<Process>(inband);
  if (made == nullptr) return Errno::nomem;
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{core().task_lock(), irqs_off};
    if (mm->process == nullptr) mm->process = std::exchange(made, nullptr);
  }
  discard(inband, made);  // Another thread of the process was faster.
  return kOk;
}

void Process::add(Thread& self) noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{barrier_.lock(), irqs_off};
  threads_.push_back(self);
  self.process_ = this;
}

void Process::remove(Thread& self) noexcept {
  leave_stop(self);
  HardIrqGuard irqs_off;
  HardLockGuard guard{barrier_.lock(), irqs_off};
  threads_.remove(self);
  self.process_ = nullptr;
}

void Process::enter_stop(Thread& self, const InbandStage&) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{barrier_.lock(), irqs_off};
    {
      ThreadGuard locked{self, irqs_off};
      if (self.info_.has(ThreadInfo::ptstop)) return;
      self.info_.set(ThreadInfo::ptstop);
      self.state_.set(ThreadState::ptrace);
    }
    (void)in_stop_.fetch_add(1);
    // Those who run are picked anew, and then frozen. Bound: the threads of the process.
    threads_.for_each([&](Thread& thread) {
      ThreadGuard locked{thread, irqs_off};
      if (&locked.rq().current() == &thread) locked.rq().mark_resched(locked);
    });
  }
  schedule();
}

void Process::will_join(Thread& self) noexcept {
  HardIrqGuard irqs_off;
  ThreadGuard locked{self, irqs_off};
  self.info_.set(ThreadInfo::ptjoin);
}

bool Process::count_out(Thread& thread, const HardIrqsOff& irqs_off) noexcept {
  ThreadGuard locked{thread, irqs_off};
  if (!thread.info_.has(ThreadInfo::ptstop)) return false;
  thread.info_.clear(ThreadInfo::ptstop | ThreadInfo::ptjoin);
  thread.state_.clear(ThreadState::ptrace);
  return true;
}

void Process::leave_stop(Thread& thread) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{barrier_.lock(), irqs_off};
    if (!count_out(thread, irqs_off)) return;
    if (in_stop_.fetch_sub(1) > 1) return;
    // A thread that is being picked now may read the count as it was, and freeze after this walk
    // has passed it: it cannot, since it holds the lock of its Rq from the reading to the freezing,
    // and the count was written before that lock is taken here.
    threads_.for_each([&](Thread& frozen) {
      ThreadGuard locked{frozen, irqs_off};
      frozen.unhold(locked, ThreadState::ptsync, {});
    });
    (void)barrier_.flush({}, irqs_off);
  }
  schedule();
}

void Process::join_barrier(const OobStage& oob, Thread& self) noexcept {
  leave_stop(self);
  // EINTR: somebody wants the thread in-band; it stops, or ends, soon enough.
  (void)barrier_.wait_until(oob, self, Deadline::never(), [this] { return !stopping(); });
}

}  // namespace evl
