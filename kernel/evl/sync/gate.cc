// SPDX-License-Identifier: GPL-2.0
// Gates: a mutex whose word is shared with user space, and the events of those who gave it up.
#include "boot/core.h"
#include "sync/monitor.h"
#include "thread/hm.h"
#include "thread/thread_element.h"

namespace evl {

Monitor::Monitor(Factory& factory, u32 clone_flags, Type type, const Clock& clock,
                 evl_monitor_state& state) noexcept
    : Element{factory, clone_flags}, type_{type}, clock_{clock}, state_{state} {}

Gate::Gate(Factory& factory, u32 clone_flags, MutexProtocol protocol, const Clock& clock,
           evl_monitor_state& state) noexcept
    : Monitor{factory, clone_flags, Type::gate, clock, state},
      mutex_{"gate", protocol, state.u.gate.owner, *this} {}

Thread* Gate::owner_of(fundle_t fundle) noexcept {
  Element* const found = core().threads().index().find(fundle);
  return found == nullptr ? nullptr : &static_cast<ThreadElement*>(found)->thread();
}

void Gate::put_owner(Thread& owner) noexcept {
  owner.element()->put();
}

fundle_t Gate::handle_of(Thread& self) noexcept {
  return self.element()->fundle();
}

int Gate::ceiling() noexcept {
  const u32 ceiling = SharedWord{state().u.gate.ceiling}.load_relaxed();
  if (ceiling < EVL_FIFO_MIN_PRIO) return EVL_FIFO_MIN_PRIO;
  return ceiling > EVL_FIFO_MAX_PRIO ? EVL_FIFO_MAX_PRIO : static_cast<int>(ceiling);
}

Status Gate::enter(const OobStage& oob, Thread& self, Deadline deadline) noexcept {
  return mutex_.lock_until(oob, self, deadline, clock());
}

Status Gate::try_enter(const OobStage& oob, Thread& self) noexcept {
  return mutex_.try_lock(oob, self);
}

Status Gate::exit(const OobStage&, Thread& self) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{lock_, irqs_off};
    if (mutex_.is_owned_by(self)) {
      serve_events(nullptr, irqs_off);
      release(irqs_off);
    } else {
      if (self.peek_state().has(ThreadState::woli)) report(self, HmCode::lkimbalance);
      return Errno::perm;
    }
  }
  schedule();
  return kOk;
}

void Gate::release(const HardIrqsOff& irqs_off) noexcept {
  HardLockGuard guard{mutex_.lock(), irqs_off};
  mutex_.unlock_locked(irqs_off);
}

// The flags are ordered by the gate: who raises them owns it, and so does who is here.
void Gate::serve_events(Event* keep, const HardIrqsOff& irqs_off) noexcept {
  const SharedWord flags{state().flags};
  if ((flags.load_relaxed() & EVL_MONITOR_SIGNALED) == 0) return;
  flags.fetch_and(~u32{EVL_MONITOR_SIGNALED});
  // Bounded by the events of this gate: at most the monitors there are.
  events_.for_each([&](GateLink& link) {
    auto& event = static_cast<Event&>(link);
    lock_.assert_held();
    if (event.serve(irqs_off) && &event != keep) event.part(*this, irqs_off);
  });
}

void Gate::flush(InfoFlags reasons) noexcept {
  mutex_.flush_waiters(reasons);
  HardIrqGuard irqs_off;
  HardLockGuard guard{lock_, irqs_off};
  events_.for_each([&](GateLink& link) {
    auto& event = static_cast<Event&>(link);
    lock_.assert_held();
    event.flush(reasons);
    event.part(*this, irqs_off);
  });
}

}  // namespace evl
