// SPDX-License-Identifier: GPL-2.0
// Events: waiting with a gate given up, and being signalled by who releases that gate.
#include "sync/monitor.h"

#include "boot/core.h"
#include "sync/pi.h"

namespace evl {

Event::Event(Factory& factory, u32 clone_flags, const Clock& clock,
             evl_monitor_state& state) noexcept
    : Monitor{factory, clone_flags, Type::event, clock, state},
      queue_{"event", clock, WaitOrder::prio} {}

bool Event::join(Gate& gate, const HardIrqsOff& irqs_off) noexcept {
  HardLockGuard guard{queue_.lock(), irqs_off};
  if (gate_ == &gate) return true;
  if (gate_ != nullptr) return false;
  gate_ = &gate;
  gate.events_.push_back(*this);
  // Release pairs with the acquire of who owns the gate next, and wants to signal.
  SharedWord{state().u.event.gate_offset}.store_release(
      core().shared_heap().offset_of(&gate.state()));
  return true;
}

void Event::part(Gate& gate, const HardIrqsOff& irqs_off) noexcept {
  HardLockGuard guard{queue_.lock(), irqs_off};
  if (gate_ != &gate || queue_.has_waiters()) return;
  gate_ = nullptr;
  gate.events_.remove(*this);
  SharedWord{state().u.event.gate_offset}.store_release(EVL_MONITOR_NOGATE);
}

bool Event::serve(const HardIrqsOff& irqs_off) noexcept {
  constexpr u32 kKinds = EVL_MONITOR_SIGNALED | EVL_MONITOR_BROADCAST | EVL_MONITOR_TARGETED;
  HardLockGuard guard{queue_.lock(), irqs_off};
  const u32 kinds = SharedWord{state().flags}.fetch_and(~kKinds);
  if ((kinds & EVL_MONITOR_BROADCAST) != 0) {
    queue_.flush({}, irqs_off);
  } else {
    if ((kinds & EVL_MONITOR_TARGETED) != 0) queue_.wake_marked(ThreadInfo::signal, irqs_off);
    if ((kinds & EVL_MONITOR_SIGNALED) != 0) queue_.wake_head({}, irqs_off);
  }
  return !queue_.has_waiters();
}

Status Event::wait(const OobStage& oob, Thread& self, Gate& gate, Deadline deadline,
                   s32& status) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{gate.lock_, irqs_off};
    if (!gate.mutex_.is_owned_by(self)) return Errno::perm;
    if (!join(gate, irqs_off)) return Errno::badfd;
    gate.serve_events(this, irqs_off);
    // The gate first: a boost that ends with it is over when the place in the queue is chosen. Who
    // signals has to own the gate, and then needs its lock: it finds us asleep.
    gate.release(irqs_off);
    HardLockGuard queue{queue_.lock(), irqs_off};
    queue_.enqueue(oob, self, deadline, clock(), irqs_off);
  }
  schedule();
  const Status waited = queue_.finish(oob, self);
  WaitChannel::unmark(self, ThreadInfo::signal);
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{gate.lock_, irqs_off};
    part(gate, irqs_off);
  }
  if (waited.is(Errno::idrm)) {
    status = static_cast<s32>(code_of(waited));
    return Errno::idrm;
  }
  if (waited.is(Errno::intr) && (self.is_kicked() || kapi_signal_pending())) {
    status = 0;
    self.set_local(LocalInfo::norst);
    return Errno::intr;
  }
  status = static_cast<s32>(code_of(waited));
  const Status entered = gate.enter(oob, self, Deadline::never());
  if (entered.is(Errno::intr)) {
    if (waited.ok()) status = -EAGAIN;
    self.set_local(LocalInfo::norst);
  } else if (!entered.ok()) {
    status = static_cast<s32>(code_of(entered));
  }
  return entered;
}

void Event::aim_at(Thread& target) noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  if (queue_.mark(target, ThreadInfo::signal, irqs_off))
    SharedWord{state().flags}.fetch_or(EVL_MONITOR_TARGETED);
}

// The waiters end the bond with their gate themselves.
void Event::flush(InfoFlags reasons) noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  queue_.flush(reasons, irqs_off);
}

bool Event::invariants_hold() noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  if (!queue_.invariants_hold()) return false;
  return gate_ != nullptr || !queue_.has_waiters();  // EV1
}

}  // namespace evl
