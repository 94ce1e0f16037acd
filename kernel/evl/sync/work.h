// SPDX-License-Identifier: GPL-2.0
// Calling in-band work from the oob stage: irq_work first, then a workqueue item that may sleep.
#ifndef EVL_SYNC_WORK_H
#define EVL_SYNC_WORK_H

#include "kapi/inband.h"
#include "kapi/irq.h"
#include "sync/wait.h"

namespace evl {

class Element;

// WK1  A call that comes while one is queued and not yet started is merged with it.
// WK2  The element, when there is one, is referenced from call() until the handler has returned.
class Work final : Immovable {
 public:
  using Handler = void (*)(Work& work, const InbandStage& inband) noexcept;
  enum class Made : bool { inband, oob };
  // Stage: as `made` says. Made oob, it is for one call: the in-band part is made by that.
  Work(Handler handler, kapi_workqueue* queue, Element* keep = nullptr,
       Made made = Made::inband) noexcept;

  void call() noexcept;                            // Any stage, any irq state. O(1).
  void flush(const InbandStage& inband) noexcept;  // Sleeps: queued calls have run.

 private:
  static void forward(kapi_irq_work* work) noexcept;
  static void run(kapi_work* work) noexcept;
  kapi_irq_work irq_work_{};
  kapi_work work_{};
  const Handler handler_;
  kapi_workqueue* const queue_;
  Element* const keep_;
  const Made made_;
};

// Runs handler(argument) in-band and returns its result to the oob caller, who sleeps meanwhile;
// EINTR: broken; the handler then may still run, so `argument` is passed by value. ENOMEM: system
// heap exhausted. Cost: two stage switches of Linux, no bound.
[[nodiscard]] Result<long> call_inband(const OobStage& oob, Thread& self,
                                       long (*handler)(unsigned long argument),
                                       unsigned long argument) noexcept;

}  // namespace evl

#endif  // EVL_SYNC_WORK_H
