// SPDX-License-Identifier: GPL-2.0
// Mutexes: taking, waiting, releasing. Who owns one and what that does to the owner's priority is
// in sync/owner.cc.
#include "sync/mutex.h"

#include "sync/pi.h"
#include "thread/hm.h"

namespace evl {

Mutex::Mutex(const char* name, MutexProtocol protocol, u32& word, MutexHome& home) noexcept
    : WaitChannel{name, WaitOrder::prio}, word_{word}, home_{home}, protocol_{protocol} {
  set_mutex(*this);
}

Mutex::~Mutex() {
  EVL_ASSERT(owner_ == nullptr);
}

bool Mutex::is_owned_by(Thread& self) noexcept {
  return owner_handle() == home_.handle_of(self);
}

// CLAIM goes into the word whatever is in it: one operation, which cannot fail. From then on nobody
// takes or releases the mutex without this lock. Pairs with the compare-and-swap of a fast release.
Status Mutex::try_take(Thread& self, const HardIrqsOff& irqs_off) noexcept {
  if (is_owned_by(self)) return Errno::deadlk;
  if ((word_.fetch_or(LockWord::kClaim) & LockWord::kOwner) != LockWord::kFree) return Errno::busy;
  const bool protects = protocol_ == MutexProtocol::protect;
  word_.store_release(home_.handle_of(self) | LockWord::kClaim |
                      (protects ? LockWord::kCeil : u32{0}));
  if (owner_ != nullptr) untrack_owner(irqs_off);  // User space spoiled the word (M5).
  track_owner(self, protects ? Ceiling::applied : Ceiling::none, Counted::yes, irqs_off);
  update_boost(irqs_off);  // By those who wait; we are running, so no chain goes on from here.
  kapi_trace(KAPI_EV_mutex_lock, name(), kapi_task_pid(self.task()), word_.load_relaxed());
  return kOk;
}

Status Mutex::take_if_free(Thread& self) noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{lock(), irqs_off};
  kapi_trace(KAPI_EV_mutex_trylock, name(), kapi_task_pid(self.task()), word_.load_relaxed());
  // Nobody waits: the owner's fast release needs not be disturbed.
  if (owner_handle() != LockWord::kFree && !is_owned_by(self)) return Errno::busy;
  return try_take(self, irqs_off);
}

// A waiter links itself, walks the chain behind the owner with irqs on between the steps, and then
// sleeps, unless it was granted the mutex meanwhile: a preemption during the walk finds a thread
// that runs, and priorities that are on their way up.
Status Mutex::take_or_wait(const OobStage& oob, Thread& self, Deadline deadline,
                           const Clock& clock) noexcept {
  for (;;) {  // A round per grant: wake and retry.
    PriorityChain chain;
    PriorityChain former;
    {
      HardIrqGuard irqs_off;
      HardLockGuard guard{lock(), irqs_off};
      const Status taken = try_take(self, irqs_off);
      if (!taken.is(Errno::busy)) return taken;
      const Status found = find_owner(former, irqs_off);
      if (!found.ok()) return found;
      link(self, irqs_off);
      const bool changed = update_boost(irqs_off);
      chain.begin_at(*owner_, changed);
    }
    (void)former.follow(nullptr);
    if (!chain.follow(&self).ok()) {
      const Status status = give_up(oob, self);
      if (status.ok()) continue;
      return status.is(Errno::idrm) ? status : Status{Errno::deadlk};
    }
    {
      HardIrqGuard irqs_off;
      HardLockGuard guard{lock(), irqs_off};
      if (is_linked(self))
        sleep(oob, self, deadline, clock, irqs_off);
      else if (self.wake_reasons().has(ThreadInfo::rmid))
        return Errno::idrm;
      else
        continue;
    }
    schedule();
    const Status status = finish(oob, self);
    if (!status.ok()) return status;
  }
}

// However it ends: others were raised on the way, on whichever CPU, or fall back, and so may the
// caller. A mark that stays, here or there, keeps later ones from being told of (RQ5).
Status Mutex::try_lock(const OobStage&, Thread& self) noexcept {
  const Status status = take_if_free(self);
  schedule();
  return status;
}

Status Mutex::lock_until(const OobStage& oob, Thread& self, Deadline deadline,
                         const Clock& clock) noexcept {
  const Status status =
      deadline.is_nonblock() ? take_if_free(self) : take_or_wait(oob, self, deadline, clock);
  schedule();
  return status;
}

Status Mutex::unlock(const OobStage&, Thread& self) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{lock(), irqs_off};
    if (is_owned_by(self)) {
      unlock_locked(irqs_off);
      return kOk;
    }
  }
  if (self.peek_state().has(ThreadState::woli)) report(self, HmCode::lkimbalance);
  return Errno::perm;
}

// The word last: a fast lock on another CPU finds everything done.
void Mutex::unlock_locked(const HardIrqsOff& irqs_off) noexcept {
  kapi_trace(KAPI_EV_mutex_unlock, name(), 0, word_.load_relaxed());
  if (owner_ != nullptr) untrack_owner(irqs_off);
  wake_head({}, irqs_off);
  // Release pairs with the acquire of who takes it next.
  word_.store_release(has_waiters() ? LockWord::kClaim : LockWord::kFree);
}

void Mutex::flush_waiters(InfoFlags reasons) noexcept {
  PriorityChain chain;
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{lock(), irqs_off};
    [[maybe_unused]] const unsigned woken = flush(reasons, irqs_off);
    kapi_trace(KAPI_EV_mutex_flush, name(), woken, word_.load_relaxed());
    waiter_left(chain, irqs_off);
  }
  (void)chain.follow(nullptr);
}

void Mutex::destroy() noexcept {
  PriorityChain chain;
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{lock(), irqs_off};
    kapi_trace(KAPI_EV_mutex_destroy, name(), 0, word_.load_relaxed());
    flush(ThreadInfo::rmid, irqs_off);
    if (Thread* const former = owner_; former != nullptr) {
      chain.begin_at(*former, true);
      untrack_owner(irqs_off);
    }
  }
  (void)chain.follow(nullptr);
}

}  // namespace evl
