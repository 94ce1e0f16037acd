// SPDX-License-Identifier: GPL-2.0
// Timer file: an anonymous file over one timer, from EVL_CLKIOC_NEW_TIMER. Setting and reading the
// setting: both stages. Waiting: oob.
#ifndef EVL_TIME_TIMER_FILE_H
#define EVL_TIME_TIMER_FILE_H

#include <evl/clock-abi.h>

#include "base/in_place.h"
#include "base/user_ptr.h"
#include "file/oob_file.h"
#include "sync/wait.h"

namespace evl {

// TF1  ticked_ is set by the handler and consumed by one reader, under queue_'s lock.
class TimerFile final : Immovable {
 public:
  // Makes one; its descriptor, close-on-exec, goes to `fd`. Sleeps. Errors: EFAULT, EMFILE, ENFILE,
  // ENOMEM.
  [[nodiscard]] static Status open(const Clock& clock, UserPtr<s32> fd,
                                   const InbandStage& inband) noexcept;
  // Handler of kapi_file_ops.
  static void release(void* object, kapi_file* file);

  /// Arms or, with a zero value, stops. An oob caller's CPU serves it. EINVAL: malformed times.
  /// `old`, and get(): what remains until the next shot, zero when it is stopped, and the interval.
  [[nodiscard]] Status set(const __evl_itimerspec& value, __evl_itimerspec* old) noexcept;
  [[nodiscard]] __evl_itimerspec get() noexcept;
  /// Waits for a tick: 1, plus the overruns of a periodic timer. EAGAIN nonblock, EINTR, EIDRM.
  [[nodiscard]] Result<u64> wait_tick(const OobStage& oob, Thread& self,
                                      Deadline deadline) noexcept;

 private:
  template <typename T, typename... Args>
  friend T* create(const InbandStage&, Args&&... args) noexcept;
  TimerFile(const Clock& clock, TimerBase& base) noexcept;
  static void on_shot(Timer& timer, const HardIrqsOff& irqs_off) noexcept;

  Timer timer_;
  WaitQueue queue_;
  bool ticked_{false};
  InPlace<OobFile> file_;
};

}  // namespace evl

#endif  // EVL_TIME_TIMER_FILE_H
