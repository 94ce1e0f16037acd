// SPDX-License-Identifier: GPL-2.0
// Who owns a mutex, and what that does to the owner: tracking, boosts, ceilings, and the end of an
// owner.
#include "boot/core.h"
#include "sync/monitor.h"
#include "sync/pi.h"
#include "sync/reached.h"
#include "thread/thread_element.h"

namespace evl {

Status Mutex::find_owner(PriorityChain& former, const HardIrqsOff& irqs_off) noexcept {
  Thread* const found = home_.owner_of(owner_handle());
  if (found == owner_ && found != nullptr) {
    home_.put_owner(*found);
    return kOk;
  }
  if (owner_ != nullptr) {
    // Not what the word says any more: a fast release and a fast lock by somebody else need a word
    // without CLAIM, so user space spoiled it (M5).
    former.begin_at(*owner_, true);
    untrack_owner(irqs_off);
  }
  if (found == nullptr) return Errno::ownerdead;
  const bool alive = track_owner(*found, Ceiling::none, Counted::no, irqs_off);
  home_.put_owner(*found);
  return alive ? kOk : Status{Errno::ownerdead};
}

bool Mutex::track_owner(Thread& owner, Ceiling ceiling, Counted counted,
                        const HardIrqsOff& irqs_off) noexcept {
  EVL_ASSERT(owner_ == nullptr);
  ThreadGuard guard{owner, irqs_off};
  owner.lock_.assert_held();
  if (!owner.may_own_) return false;
  owner.owned_.push_back(*this);
  owner_ = &owner;
  counted_ = counted == Counted::yes;
  if (counted_) ++owner.held_mutexes_;
  if (ceiling == Ceiling::applied) take_ceiling(guard);
  return true;
}

void Mutex::take_ceiling(const ThreadGuard& locked) noexcept {
  Thread& owner = locked.thread();
  owner.lock_.assert_held();
  boost_ = SchedParams{PolicyId::fifo, home_.ceiling(), Duration{}};
  owner.boosters_.insert(*this, boost_.wprio());
  PriorityChain::recompute(locked);
}

bool Mutex::untrack_owner(const HardIrqsOff& irqs_off) noexcept {
  Thread& owner = *owner_;
  owner_ = nullptr;
  ThreadGuard guard{owner, irqs_off};
  owner.lock_.assert_held();
  owner.owned_.remove(*this);
  if (std::exchange(counted_, false) && --owner.held_mutexes_ == 0)
    owner.info_.clear(ThreadInfo::pialert);
  if (!BoostQueue::linked(*this)) return false;
  owner.boosters_.remove(*this);
  return PriorityChain::recompute(guard);
}

bool Mutex::update_boost(const HardIrqsOff& irqs_off) noexcept {
  if (owner_ == nullptr || protocol_ != MutexProtocol::inherit) return false;
  Thread* const top = head();
  SchedParams wanted{};
  if (top != nullptr) {
    // Who changes these parameters after this comes here to carry the change on: it needs lock().
    HardLockGuard guard{top->lock_, irqs_off};
    wanted = top->effective_;
  }
  ThreadGuard guard{*owner_, irqs_off};
  owner_->lock_.assert_held();
  const bool linked = BoostQueue::linked(*this);
  if (linked && top != nullptr && boost_ == wanted) return false;
  if (linked) owner_->boosters_.remove(*this);
  if (top != nullptr) {
    boost_ = wanted;
    owner_->boosters_.insert(*this, wanted.wprio());
  }
  return PriorityChain::recompute(guard);
}

void Mutex::waiter_left(PriorityChain& chain, const HardIrqsOff& irqs_off) noexcept {
  const bool changed = update_boost(irqs_off);
  if (changed) chain.begin_at(*owner_, true);
}

bool Mutex::commit_ceiling(Thread& self, const HardIrqsOff& irqs_off) noexcept {
  HardLockGuard guard{lock(), irqs_off};
  if (protocol_ != MutexProtocol::protect || !is_owned_by(self)) return false;
  // The owner is the thread that runs this: it cannot release the mutex meanwhile. Whether the
  // ceiling is applied is not the word's to say (M4).
  (void)word_.fetch_or(LockWord::kCeil);
  if (owner_ == nullptr) {
    track_owner(self, Ceiling::applied, Counted::no, irqs_off);
  } else if (owner_ == &self && !BoostQueue::linked(*this)) {  // Tracked since somebody contended.
    ThreadGuard locked{self, irqs_off};
    take_ceiling(locked);
  }
  return true;
}

bool Mutex::mutex_invariants_hold() noexcept {
  if (!invariants_hold()) return false;
  if (has_waiters() && (word_.load_relaxed() & LockWord::kClaim) == 0) return false;  // M1
  if (owner_ == nullptr) return !BoostQueue::linked(*this);
  if (!OwnedList::linked(*this)) return false;                                               // M2
  return protocol_ == MutexProtocol::protect || has_waiters() == BoostQueue::linked(*this);  // M3
}

void Mutex::drop_all_of(Thread& self) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{self.lock_, irqs_off};
    self.may_own_ = false;
  }
  for (bool more = true; more;) {  // Bounded by the mutexes it owns: no new ones come.
    more = false;
    with_reached_channel(
        self,
        [&]() noexcept -> WaitChannel* {
          self.lock_.assert_held();
          if (self.owned_.empty()) return nullptr;
          return &static_cast<Mutex&>(self.owned_.front());
        },
        [&](WaitChannel& channel, const HardIrqsOff& irqs_off) noexcept {
          Mutex& mutex = *channel.mutex();
          mutex.lock().assert_held();
          more = true;
          if (mutex.is_owned_by(self))
            mutex.unlock_locked(irqs_off);
          else
            mutex.untrack_owner(irqs_off);  // M5: the word is somebody else's.
        });
  }
}

void drop_owned_mutexes(const InbandStage&, Thread& self) noexcept {
  Mutex::drop_all_of(self);
  schedule();
}

void commit_ceiling(Thread& self, const HardIrqsOff& irqs_off) noexcept {
  evl_user_window* const window = self.user_window();
  if (window == nullptr) return;
  const SharedWord pending{window->pp_pending};
  const fundle_t handle = evl_get_index(pending.load_relaxed());
  if (handle == EVL_NO_HANDLE) return;
  Element* const found = core().monitors().index().find(handle);
  if (found == nullptr) return;
  auto gate = Ref<Monitor>::adopt(static_cast<Monitor&>(*found));
  if (gate->type() != Monitor::Type::gate) return;
  // Not the owner: on its way into the gate, or out of it.
  if (static_cast<Gate&>(*gate).mutex().commit_ceiling(self, irqs_off))
    pending.store_relaxed(EVL_NO_HANDLE);
}

}  // namespace evl
