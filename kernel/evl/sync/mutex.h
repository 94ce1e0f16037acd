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
  // Thread of a handle in the lock word, with a reference, or nullptr. Any stage, irqs off.
  [[nodiscard]] virtual Thread* owner_of(fundle_t fundle) noexcept = 0;
  virtual void put_owner(Thread& owner) noexcept = 0;
  // Handle under which `self` owns, and the ceiling (1..99, clamped) as it is now.
  [[nodiscard]] virtual fundle_t handle_of(Thread& self) noexcept = 0;
  [[nodiscard]] virtual int ceiling() noexcept = 0;

 protected:
  ~MutexHome() = default;
};

// Invariants, whenever the channel's lock is free:
//   M1  Waiters imply: the word has CLAIM (or is being taken by one of them), so a release comes
//       to the core.
//   M2  The tracked owner_, if there is one, is the thread whose handle is in the word, and this
//       mutex is in its owned_ list. A mutex taken by the fast path has no tracked owner until the
//       core looks at it.
//   M3  Inheriting with a tracked owner and waiters: this is in the owner's boosters_, with the top
//       waiter's effective parameters as boost().
//   M4  Protecting, ceiling applied (CEIL in the word): this is in the owner's boosters_, FIFO at
//       the ceiling as it was at the acquisition.
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
  /// owner vanished; ETIMEDOUT, EINTR, EIDRM; EINVAL ceiling below the caller's priority (PP).
  /// Cost: O(depth * levels) with irqs on between the steps of the chain.
  [[nodiscard]] Status lock_until(const OobStage& oob, Thread& self, Deadline deadline,
                                  const Clock& clock) noexcept;
  // EBUSY, EDEADLK.
  [[nodiscard]] Status try_lock(const OobStage& oob, Thread& self) noexcept;
  // EPERM: not the owner (LKIMBALANCE is reported under WOLI). A scheduling point is the caller's.
  [[nodiscard]] Status unlock(const OobStage& oob, Thread& self) noexcept;
  // The same under lock(), for a gate that releases and wakes in one step.
  void unlock_locked(Thread& self, const HardIrqsOff& irqs_off) noexcept;

  // Wakes all waiters with `reasons`. Any stage.
  void flush_waiters(InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept;
  // The element goes away: flush with RMID, then forget the owner.
  void destroy(const HardIrqsOff& irqs_off) noexcept;

  [[nodiscard]] MutexProtocol protocol() const noexcept { return protocol_; }
  [[nodiscard]] bool mutex_invariants_hold() noexcept;

 private:
  friend class PriorityChain;
  void track_owner(Thread& owner, const HardIrqsOff& irqs_off) noexcept;
  void untrack_owner(const HardIrqsOff& irqs_off) noexcept;

  const SharedWord word_;
  MutexHome& home_;
  Thread* owner_{nullptr};  // Tracked owner; under lock().
  const MutexProtocol protocol_;
};

// Releases what a dying thread owns: each mutex is freed and its waiters go on. Stage: inband, irqs
// on. Cost: bounded by the mutexes it owns, one lock section each.
void drop_owned_mutexes(const InbandStage& inband, Thread& self) noexcept;

}  // namespace evl

#endif  // EVL_SYNC_MUTEX_H
