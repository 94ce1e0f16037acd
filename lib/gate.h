// SPDX-License-Identifier: MIT
// The gate's word, and what may be done with it without asking the core.
//
// Invariants of the words, at any time:
//   W1  owner names the thread that holds the gate, or 0. FLCLAIM and FLCEIL come from the core
//   only. W2  owner goes from 0 to a handle, and from exactly that handle to 0, by
//   compare-and-swap: a
//       claimed or raised gate cannot be released behind the core's back.
//   W3  nesting and recursive are touched by the owner only.
//   W4  While the caller holds a PP gate whose ceiling the core has not applied, its window's
//       pp_pending names that gate. One gate can be pending; a second one goes through the core.
#ifndef LIB_GATE_H
#define LIB_GATE_H

#include <errno.h>

#include "current.h"
#include "evl/monitor-abi.h"

namespace evl {

inline constexpr unsigned int kActiveMutexMagic = 0xab12ab12;

class Gate final {
 public:
  enum class Attempt { taken, mine, ask_the_core };

  Gate(evl_monitor_state& state, fundle_t handle, bool has_ceiling) noexcept
      : state_{state}, handle_{handle}, has_ceiling_{has_ceiling} {}

  /// Takes the gate if it is free and the caller may do so by itself. Cost: one compare-and-swap.
  ///
  /// A caller that runs in-band has to be moved; the core has to know what weak threads hold, which
  /// stay out-of-band that long, and what threads hold whose locking is checked.
  [[nodiscard]] Attempt try_lock(const Current& self) noexcept {
    const unsigned int slow = EVL_T_INBAND | EVL_T_WEAK | EVL_T_WOLI;
    if ((self.state() & slow) != 0 || !announce(self)) {
      return owned_by(self) ? Attempt::mine : Attempt::ask_the_core;
    }
    __u32 found = EVL_NO_HANDLE;
    if (owner().compare_exchange_strong(found, self.handle, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
      granted();
      // What a thread left behind that signalled an event without holding the gate.
      if ((flags().load(std::memory_order_relaxed) & EVL_MONITOR_SIGNALED) != 0) {
        flags().fetch_and(~static_cast<__u32>(EVL_MONITOR_SIGNALED), std::memory_order_relaxed);
      }
      return Attempt::taken;
    }
    withdraw(self);
    return evl_get_index(found) == self.handle ? Attempt::mine : Attempt::ask_the_core;
  }

  /// The caller holds the gate already: one level deeper. Errors: EDEADLK, EAGAIN.
  [[nodiscard]] int nest() noexcept {
    auto& gate = state_.u.gate;
    if (gate.recursive == 0) return -EDEADLK;
    if (gate.nesting == kDeepest) return -EAGAIN;
    gate.nesting = (gate.nesting + 1) & kDeepest;
    return 0;
  }

  void granted() noexcept { state_.u.gate.nesting = 1; }

  /// Leaves one level; false: that was the outermost one.
  [[nodiscard]] bool unnest() noexcept {
    auto& gate = state_.u.gate;
    if (gate.nesting <= 1) return false;
    gate.nesting = (gate.nesting - 1) & kDeepest;
    return true;
  }

  /// Releases the gate if nobody waits for it, or for one of its events. Cost: one
  /// compare-and-swap.
  [[nodiscard]] bool try_unlock(const Current& self) noexcept {
    if ((flags().load(std::memory_order_relaxed) & EVL_MONITOR_SIGNALED) != 0) return false;
    if ((self.state() & (EVL_T_WEAK | EVL_T_WOLI)) != 0) return false;
    __u32 mine = self.handle;
    if (!owner().compare_exchange_strong(mine, EVL_NO_HANDLE, std::memory_order_release,
                                         std::memory_order_relaxed)) {
      return false;
    }
    released(self);
    return true;
  }

  /// Forgets the announcement of a gate which the caller has released.
  void released(const Current& self) noexcept {
    if (!has_ceiling_ || self.window == nullptr) return;
    std::atomic_signal_fence(std::memory_order_seq_cst);  // After owner, for the core on this CPU.
    if (pending(self).load(std::memory_order_relaxed) == handle_) withdraw(self);
  }

  [[nodiscard]] bool owned_by(const Current& self) const noexcept {
    return self.attached() && evl_get_index(owner().load(std::memory_order_relaxed)) == self.handle;
  }

 private:
  static constexpr unsigned int kDeepest = 0x7fffffff;

  [[nodiscard]] SharedWord owner() const noexcept { return SharedWord{state_.u.gate.owner}; }
  [[nodiscard]] SharedWord flags() const noexcept { return SharedWord{state_.flags}; }
  [[nodiscard]] static SharedWord pending(const Current& self) noexcept {
    return SharedWord{self.window->pp_pending};
  }

  // Tells the core, before the gate is taken, which ceiling to apply if it reschedules the caller.
  // False: another gate is announced.
  [[nodiscard]] bool announce(const Current& self) noexcept {
    if (!has_ceiling_) return true;
    if (pending(self).load(std::memory_order_relaxed) != EVL_NO_HANDLE) return false;
    pending(self).store(handle_, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // Before owner, for the core on this CPU.
    return true;
  }

  void withdraw(const Current& self) noexcept {
    if (has_ceiling_) pending(self).store(EVL_NO_HANDLE, std::memory_order_relaxed);
  }

  evl_monitor_state& state_;
  const fundle_t handle_;
  const bool has_ceiling_;
};

}  // namespace evl

#endif  // LIB_GATE_H
