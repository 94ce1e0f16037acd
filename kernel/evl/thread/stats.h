// SPDX-License-Identifier: GPL-2.0
// Counters of a thread. Each word has one writer, named beside it; readers take them without a lock
// and may see a set that never was at one instant. Nothing is left without CONFIG_EVL_RUNSTATS.
#ifndef EVL_THREAD_STATS_H
#define EVL_THREAD_STATS_H

#include "base/atomic.h"
#include "base/time.h"

namespace evl {

class Counter {
 public:
#ifdef CONFIG_EVL_RUNSTATS
  static constexpr bool kKept = true;
  // One writer: no read-modify-write needed.
  void add(u64 amount = 1) noexcept {
    value_.store_relaxed(value_.load_relaxed() + amount);
  }
  [[nodiscard]] u64 get() const noexcept {
    return value_.load_relaxed();
  }

 private:
  Atomic<u64> value_{0};
#else
  static constexpr bool kKept = false;
  void add(u64 = 1) noexcept {}
  [[nodiscard]] u64 get() const noexcept {
    return 0;
  }
#endif
};

struct ThreadStats {
  Counter inband_switches;   // The thread itself: unwanted ones, ISW.
  Counter context_switches;  // The scheduler, at switch-in, under the Rq's lock: CSW.
  Counter requests;          // The thread itself: SYS.
  Counter remote_wakeups;    // The waker, under the thread's Rq lock: RWA.
  Counter oob_time_ns;       // The scheduler, at switch-out. Oob interrupts count for who they hit.
};

}  // namespace evl

#endif  // EVL_THREAD_STATS_H
