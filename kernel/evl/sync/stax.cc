// SPDX-License-Identifier: GPL-2.0
// Stage exclusion: see the header. A retry of a compare-and-swap means that somebody else came in,
// left, or claimed; there is no bound on these by construction.
#include "sync/stax.h"

#include "boot/core.h"
#include "thread/hm.h"

namespace evl {

Stax::Stax(const char* name) noexcept : oob_waiters_{name, core().monotonic(), WaitOrder::fifo} {
  kapi_waitq_init(&inband_waiters_);
  kapi_irq_work_init(&wake_work_, &Stax::wake_inband);
}

Stax::~Stax() {
  kapi_irq_work_sync(&wake_work_);
  EVL_ASSERT((gate_.load_relaxed() & kCount) == 0);
}

bool Stax::enter(u32 stage) noexcept {
  u32 word = gate_.load_relaxed();
  for (;;) {
    const bool is_free = (word & kCount) == 0;
    if (!is_free && (word & kInband) != stage) return false;
    if (gate_.compare_exchange(word, (is_free ? stage : word) + 1)) return true;
  }
}

// Asks to be woken by the last one of the other stage. False: no need to, it is open.
bool Stax::claim(u32 stage) noexcept {
  u32 word = gate_.load_relaxed();
  for (;;) {
    if ((word & kCount) == 0 || (word & kInband) == stage) return false;
    if ((word & kClaimed) != 0 || gate_.compare_exchange(word, word | kClaimed)) return true;
  }
}

// True: the other stage is to be woken.
Result<bool> Stax::leave(u32 stage) noexcept {
  u32 word = gate_.load_relaxed();
  for (;;) {
    if ((word & kCount) == 0 || (word & kInband) != stage) return Errno::perm;
    const bool last = (word & kCount) == 1;
    if (gate_.compare_exchange(word, last ? 0 : word - 1)) return last && (word & kClaimed) != 0;
  }
}

Status Stax::try_lock(const OobStage&) noexcept {
  return enter(0) ? kOk : Status{Errno::again};
}

Status Stax::try_lock(const InbandStage&) noexcept {
  return enter(kInband) ? kOk : Status{Errno::again};
}

Status Stax::lock(const OobStage& oob, Thread& self) noexcept {
  for (bool reported = false; !enter(0);) {
    if (!std::exchange(reported, true) && self.peek_state().has(ThreadState::wosx))
      report(self, HmCode::stagex);
    {
      HardIrqGuard irqs_off;
      HardLockGuard guard{oob_waiters_.lock(), irqs_off};
      if (!claim(0)) continue;
      // Who wakes takes this lock after it has opened the gate: it finds us.
      oob_waiters_.enqueue(oob, self, Deadline::never(), oob_waiters_.clock(), irqs_off);
    }
    schedule();
    (void)EVL_TRY(oob_waiters_.finish(oob, self));
  }
  return kOk;
}

Status Stax::lock(const InbandStage&) noexcept {
  if (enter(kInband)) return kOk;
  return status_of(kapi_waitq_wait(
      &inband_waiters_,
      [](void* arg) noexcept {
        auto& self = *static_cast<Stax*>(arg);
        for (;;) {  // A round more: it was opened, and taken, between both questions.
          if (self.enter(kInband)) return true;
          if (self.claim(kInband)) return false;
        }
      },
      this));
}

Status Stax::unlock(const OobStage&) noexcept {
  if (EVL_TRY(leave(0))) kapi_irq_work_queue(&wake_work_);
  return kOk;
}

Status Stax::unlock(const InbandStage&) noexcept {
  if (EVL_TRY(leave(kInband))) flush({});
  return kOk;
}

void Stax::wake_inband(kapi_irq_work* work) noexcept {
  kapi_waitq_wake_all(&owner_of<Stax, &Stax::wake_work_>(*work).inband_waiters_);
}

void Stax::flush(InfoFlags reasons) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{oob_waiters_.lock(), irqs_off};
    oob_waiters_.flush(reasons, irqs_off);
  }
  schedule();
}

}  // namespace evl
