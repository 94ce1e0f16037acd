// SPDX-License-Identifier: GPL-2.0
// Mutex with priority inheritance or protection: under gates (lock word in the shared heap, fast
// path in user space) and under kernel mutexes (word in kernel memory). Oob, but for what says
// otherwise.
#ifndef EVL_SYNC_MUTEX_H
#define EVL_SYNC_MUTEX_H

#include <evl/types.h>

#include "sync/booster.h"
#include "sync/wait.h"

namespace evl {

class PriorityChain;

enum class MutexProtocol : u8 { inherit, protect };

// The lock word. Bits and memory orders: table in Documentation/core/architecture.md.
struct LockWord {
  static constexpr u32 kFree = 0;
  static constexpr u32 kClaim = EVL_MUTEX_FLCLAIM;  // The core must see the release.
  static constexpr u32 kCeil = EVL_MUTEX_FLCEIL;    // A ceiling is applied: the same.
  static constexpr u32 kOwner = ~EVL_HANDLE_INDEX_MASK;
};

// Where a mutex finds what differs between gates and kernel mutexes. A named seam: final classes.
class MutexHome {
 public:
  // Thread of a handle in the lock word, with a reference, or nullptr. Any stage, irqs off, under
  // the channel's lock.
  [[nodiscard]] virtual Thread* owner_of(fundle_t fundle) noexcept = 0;
  virtual void put_owner(Thread& owner) noexcept = 0;
  // Handle under which `self` owns, and the ceiling (1..99, clamped) as it is now.
  [[nodiscard]] virtual fundle_t handle_of(Thread& self) noexcept = 0;
  [[nodiscard]] virtual int ceiling() noexcept = 0;

 protected:
  ~MutexHome() = default;
};

// Invariants, whenever the channel's lock is free:
//   M1  Waiters imply that the word has CLAIM, even while nobody owns the mutex: whoever releases
//       it, or wants it, comes to the core.
//   M2  The tracked owner_, if there is one, is the thread whose handle is in the word, and this
//       mutex is in its owned_ list. A mutex taken by the fast path has no tracked owner until the
//       core looks at it.
//   M3  Inheriting with a tracked owner and waiters: this is in the owner's boosters_, with the top
//       waiter's effective parameters as boost().
//   M4  Protecting: this is in the tracked owner's boosters_ exactly while the ceiling is applied,
//       FIFO at the ceiling as it was at the acquisition. CEIL in the word tells user space so.
//   M5  The word is never trusted: an owner is looked up, not dereferenced; a word user space
//       spoiled costs its users a deadlock or an error, the core nothing.
//
// Lock order: lock() (rank wchan), then threads (pair, address order), then Rq.
class Mutex final : public Booster, public WaitChannel {
 public:
  // `word` outlives the mutex. `counted`: for weak and WOLI threads (gates).
  Mutex(const char* name, MutexProtocol protocol, u32& word, MutexHome& home) noexcept;
  ~Mutex();  // No owner tracked, no waiter.

  /// Errors: EDEADLK already owner, or a cycle, or a chain above kMaxChainDepth; EOWNERDEAD the
  /// owner vanished; ETIMEDOUT, EINTR, EIDRM.
  /// A caller above the ceiling gets the mutex all the same: a ceiling only raises.
  /// A scheduling point, in the end.
  /// Cost: O(depth * levels) with irqs on between the steps of the chain.
  [[nodiscard]] Status lock_until(const OobStage& oob, Thread& self, Deadline deadline,
                                  const Clock& clock) noexcept;
  // EBUSY, EDEADLK. A scheduling point, too.
  [[nodiscard]] Status try_lock(const OobStage& oob, Thread& self) noexcept;
  // EPERM: not the owner (LKIMBALANCE is reported under WOLI). A scheduling point is the caller's.
  [[nodiscard]] Status unlock(const OobStage& oob, Thread& self) noexcept;
  // The same under lock(), by the owner, for a gate that releases and wakes in one step.
  void unlock_locked(const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock());
  // Does the word name `self`? Stable while it does: only the owner gives up.
  [[nodiscard]] bool is_owned_by(Thread& self) noexcept;
  // Who owns it, by the word; 0: nobody. A snapshot.
  [[nodiscard]] fundle_t owner_handle() const noexcept {
    return word_.load_relaxed() & LockWord::kOwner;
  }
  // PP: sets CEIL, and raises the owner, which is `self`, if it was not done yet. False: not owner.
  bool commit_ceiling(Thread& self, const HardIrqsOff& irqs_off) noexcept EVL_EXCLUDES(lock());

  // Wakes all waiters with `reasons`. Any stage. A scheduling point is the caller's.
  void flush_waiters(InfoFlags reasons) noexcept EVL_EXCLUDES(lock());
  // The element goes away: flush with RMID, then forget the owner. Likewise.
  void destroy() noexcept EVL_EXCLUDES(lock());

  [[nodiscard]] MutexProtocol protocol() const noexcept { return protocol_; }
  [[nodiscard]] bool mutex_invariants_hold() noexcept EVL_REQUIRES(lock());

 private:
  friend class PriorityChain;
  friend class WaitChannel;
  friend void drop_owned_mutexes(const InbandStage& inband, Thread& self) noexcept;

  static void drop_all_of(Thread& self) noexcept;  // See drop_owned_mutexes().
  // What lock_until() and try_lock() do but for the scheduling point.
  [[nodiscard]] Status take_or_wait(const OobStage& oob, Thread& self, Deadline deadline,
                                    const Clock& clock) noexcept EVL_EXCLUDES(lock());
  [[nodiscard]] Status take_if_free(Thread& self) noexcept EVL_EXCLUDES(lock());
  // One attempt. EBUSY: somebody else owns it, and cannot release it without the core any more.
  [[nodiscard]] Status try_take(Thread& self, const HardIrqsOff& irqs_off) noexcept
      EVL_REQUIRES(lock());
  // Makes the tracked owner the one in the word. EOWNERDEAD: there is no such thread.
  [[nodiscard]] Status find_owner(PriorityChain& former, const HardIrqsOff& irqs_off) noexcept
      EVL_REQUIRES(lock());
  enum class Ceiling : bool { none, applied };
  enum class Counted : bool { no, yes };
  // False: the thread is not attached yet, or exits: it owns nothing.
  bool track_owner(Thread& owner, Ceiling ceiling, Counted counted,
                   const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock());
  // True: the effective parameters of the former owner have changed.
  bool untrack_owner(const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock());
  void take_ceiling(const ThreadGuard& locked) noexcept;
  // M3, after the waiters or the owner changed. True: the owner's effective parameters changed.
  bool update_boost(const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock());
  // A waiter has unlinked itself: `chain` begins at who inherited from it.
  void waiter_left(PriorityChain& chain, const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock());

  const SharedWord word_;
  MutexHome& home_;
  Thread* owner_{nullptr};  // Tracked owner; under lock().
  bool counted_{false};     // In the owner's held_mutexes_; under lock().
  const MutexProtocol protocol_;
};

// Releases what a dying thread owns: each mutex is freed and its waiters go on. Stage: inband, irqs
// on. Cost: bounded by the mutexes it owns, one lock section each.
void drop_owned_mutexes(const InbandStage& inband, Thread& self) noexcept;

}  // namespace evl

#endif  // EVL_SYNC_MUTEX_H
