// SPDX-License-Identifier: GPL-2.0
// Context as a type: which stage runs, and that hard irqs are off. A function that needs a context
// takes its proof; only the right guard, or an entry point, makes one. Nothing is left at run time.
//
// A proof may outlive its truth: after touching user memory (kapi/memory.h), or any call documented
// to change the stage, do not rely on the old one.
#ifndef EVL_BASE_PROOF_H
#define EVL_BASE_PROOF_H

#include "base/assert.h"
#include "base/types.h"
#include "kapi/irq.h"

namespace evl {

enum class Stage : bool { inband, oob };

// Proof that this CPU runs on stage S. Minted where control enters the stage (upcalls, kthread
// body, escalated call) and handed down by reference.
template <Stage S>
class StageProof {
 public:
  [[nodiscard]] static StageProof at_entry() noexcept { return StageProof{}; }
  StageProof(StageProof&&) noexcept = default;
  StageProof(const StageProof&) = delete;
  StageProof& operator=(const StageProof&) = delete;
  ~StageProof() = default;

 private:
  StageProof() noexcept { EVL_ASSERT(kapi_running_oob() == (S == Stage::oob)); }
};
using OobStage = StageProof<Stage::oob>;
using InbandStage = StageProof<Stage::inband>;

// Proof that hard irqs are off on this CPU, thus that the CPU does not change.
class HardIrqsOff {
 public:
  HardIrqsOff(const HardIrqsOff&) = delete;
  HardIrqsOff& operator=(const HardIrqsOff&) = delete;

 protected:
  HardIrqsOff() noexcept = default;
  ~HardIrqsOff() = default;
};

// Masks hard irqs for a scope. Any stage, any irq state, nests. Cost: O(1).
class [[nodiscard]] HardIrqGuard final : public HardIrqsOff {
 public:
  HardIrqGuard() noexcept : flags_{kapi_hard_irq_save()} {}
  ~HardIrqGuard() { kapi_hard_irq_restore(flags_); }

 private:
  const unsigned long flags_;
};

// For code that is entered with hard irqs off: irq and tick upcalls, escalated calls, the far side
// of a context switch. Leaves them as they are.
class [[nodiscard]] HardIrqsOffAtEntry final : public HardIrqsOff {
 public:
  HardIrqsOffAtEntry() noexcept { EVL_ASSERT(kapi_hard_irqs_disabled()); }
};

}  // namespace evl

#endif  // EVL_BASE_PROOF_H
