// SPDX-License-Identifier: GPL-2.0
// Timer file: an anonymous file over one timer, from EVL_CLKIOC_NEW_TIMER. Setting and reading the
// setting: both stages. Waiting: oob.
#ifndef EVL_TIME_TIMER_FILE_H
#define EVL_TIME_TIMER_FILE_H

#include "base/in_place.h"
#include "file/oob_file.h"
#include "sync/wait.h"

namespace evl {

// TF1  ticked_ is set by the handler and consumed by one reader, under queue_'s lock.
class TimerFile final : Immovable {
 public:
  // A descriptor, close-on-exec. Sleeps. Errors: EMFILE, ENFILE, ENOMEM.
  [[nodiscard]] static Result<int> open(const Clock& clock, const InbandStage& inband) noexcept;

  /// Arms or, with a zero value, stops. An oob caller's CPU serves it. EINVAL: malformed times.
  [[nodiscard]] Status set(const __evl_itimerspec& value, __evl_itimerspec* old) noexcept;
  [[nodiscard]] __evl_itimerspec get() noexcept;
  /// Waits for a tick: 1, plus the overruns of a periodic timer. EAGAIN nonblock, EINTR, EIDRM.
  [[nodiscard]] Result<u64> wait_tick(const OobStage& oob, Thread& self,
                                      Deadline deadline) noexcept;

 private:
  TimerFile(const Clock& clock, TimerBase& base) noexcept;
  static void on_shot(Timer& timer, const HardIrqsOff& irqs_off) noexcept;

  Timer timer_;
  WaitQueue queue_;
  bool ticked_{false};
  InPlace<OobFile> file_;
};

}  // namespace evl

#endif  // EVL_TIME_TIMER_FILE_H
