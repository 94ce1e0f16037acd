// SPDX-License-Identifier: GPL-2.0
// Flag and semaphore: the conditions of kernel code. Wake and retry; a broadcast is a result of its
// own, since there is nothing to retry for.
#include "boot/core.h"
#include "sync/wait.h"

namespace evl {
namespace {

// As WaitQueue::wait_until(), but a waiter that was broadcast to returns.
template <typename Ready>
Status wait_or_broadcast(const OobStage& oob, Thread& self, WaitQueue& queue, Deadline deadline,
                         Ready&& ready) noexcept {
  for (;;) {  // One round per grant.
    {
      HardIrqGuard irqs_off;
      HardLockGuard guard{queue.lock(), irqs_off};
      if (ready()) return kOk;
      if (deadline.is_nonblock()) return Errno::again;
      queue.enqueue(oob, self, deadline, queue.clock(), irqs_off);
    }
    schedule();
    const Status status = queue.finish(oob, self);
    if (!status.ok() || self.wake_reasons().has(ThreadInfo::bcast)) return status;
  }
}

}  // namespace

Flag::Flag(const char* name) noexcept : queue_{name, core().monotonic(), WaitOrder::prio} {}

EVL_FLAT Status Flag::wait(const OobStage& oob, Thread& self, Deadline deadline) noexcept {
  return wait_or_broadcast(oob, self, queue_, deadline,
                           [this]() noexcept { return std::exchange(raised_, false); });
}

EVL_FLAT void Flag::raise_nosched() noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  raised_ = true;
  queue_.wake_head({}, irqs_off);
}

void Flag::raise() noexcept {
  raise_nosched();
  schedule();
}

void Flag::pulse() noexcept {
  flush(ThreadInfo::bcast);
}

void Flag::flush(InfoFlags reasons) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{queue_.lock(), irqs_off};
    queue_.flush(reasons, irqs_off);
  }
  schedule();
}

void Flag::clear() noexcept {
  (void)take();
}

bool Flag::take() noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  return std::exchange(raised_, false);
}

Semaphore::Semaphore(const char* name, unsigned initial) noexcept
    : queue_{name, core().monotonic(), WaitOrder::prio}, value_{initial} {}

Status Semaphore::down(const OobStage& oob, Thread& self, Deadline deadline) noexcept {
  return wait_or_broadcast(oob, self, queue_, deadline, [this]() noexcept {
    if (value_ == 0) return false;
    --value_;
    return true;
  });
}

Status Semaphore::try_down() noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  if (value_ == 0) return Errno::again;
  --value_;
  return kOk;
}

void Semaphore::up() noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{queue_.lock(), irqs_off};
    ++value_;
    queue_.wake_head({}, irqs_off);
  }
  schedule();
}

void Semaphore::broadcast() noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{queue_.lock(), irqs_off};
    value_ = 0;
    queue_.flush(ThreadInfo::bcast, irqs_off);
  }
  schedule();
}

void Semaphore::flush(InfoFlags reasons) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{queue_.lock(), irqs_off};
    queue_.flush(reasons, irqs_off);
  }
  schedule();
}

}  // namespace evl
