// SPDX-License-Identifier: GPL-2.0
// Stax: any number of threads of one stage inside, or of the other, never of both. No latency bound
// by construction. Not from interrupts.
#ifndef EVL_SYNC_STAX_H
#define EVL_SYNC_STAX_H

#include "base/atomic.h"
#include "kapi/irq.h"
#include "sync/wait.h"

namespace evl {

// The gate word: bit 31 in-band owns it, bit 30 the other stage waits for it, bits 0 to 29 count.
//   SX1  Count zero: free, whatever bit 31 says.
//   SX2  Claimed exactly while the other stage waits, so that the last one out wakes it.
class Stax final : Immovable {
 public:
  explicit Stax(const char* name) noexcept;
  ~Stax();  // Free, and nobody inside of a call. In-band: waits for its irq_work.

  // Uncontended: one compare-and-swap. Errors: EINTR, EIDRM.
  [[nodiscard]] Status lock(const OobStage& oob, Thread& self) noexcept;
  // Sleeps. Errors: ERESTARTSYS.
  [[nodiscard]] Status lock(const InbandStage& inband) noexcept;
  [[nodiscard]] Status try_lock(const OobStage& oob) noexcept;  // EAGAIN
  [[nodiscard]] Status try_lock(const InbandStage& inband) noexcept;
  // EPERM: the stage does not hold it. Reschedules.
  [[nodiscard]] Status unlock(const OobStage& oob) noexcept;
  [[nodiscard]] Status unlock(const InbandStage& inband) noexcept;
  // Opens it, whoever holds it: nobody inside of a call, none comes. Before the destructor, when
  // holders may have died.
  void drop(const InbandStage&) noexcept { gate_.store_relaxed(0); }
  void flush(InfoFlags reasons) noexcept;

 private:
  static constexpr u32 kInband = u32{1} << 31;
  static constexpr u32 kClaimed = u32{1} << 30;
  static constexpr u32 kCount = kClaimed - 1;
  // `stage`: 0 or kInband.
  [[nodiscard]] bool enter(u32 stage) noexcept;
  [[nodiscard]] bool claim(u32 stage) noexcept;
  [[nodiscard]] Result<bool> leave(u32 stage) noexcept;
  static void wake_inband(kapi_irq_work* work) noexcept;

  Atomic<u32> gate_{0};
  WaitQueue oob_waiters_;
  kapi_waitq inband_waiters_{};
  kapi_irq_work wake_work_{};
};

}  // namespace evl

#endif  // EVL_SYNC_STAX_H
