// SPDX-License-Identifier: GPL-2.0
// Thread element: attaching a Linux task, its requests, its sysfs attributes, its end.
#ifndef EVL_THREAD_THREAD_ELEMENT_H
#define EVL_THREAD_THREAD_ELEMENT_H

#include <evl/thread-abi.h>

#include "base/in_place.h"
#include "element/factory.h"
#include "thread/thread.h"

namespace evl {

// TE1  While the thread runs, it holds one reference of its own: it lives without any open file.
// TE2  The task exits, execs or detaches: subscriptions dropped, owned mutexes released, handle
//      withdrawn, window freed, capabilities dropped, ZOMBIE, timers destroyed, joined_ completed,
//      reference dropped; in this order, in-band, in the context of the task itself.
class ThreadElement final : public Element {
 public:
  ThreadElement(Factory& factory, u32 clone_flags, const Thread::Setup& setup) noexcept;

  /// Attaches the calling task: build handler of the class. Starts in weak 0, in-band, pinned to
  /// the present CPU or the first of its affinity that is an oob CPU.
  /// Errors: EBUSY attached already; EPERM control not opened; EINVAL memory not locked for the
  /// future, or no oob CPU in its affinity; ENOMEM, EAGAIN.
  [[nodiscard]] static Result<Element*> attach(Factory& factory, UserBytes attrs, u32 clone_flags,
                                               u32& state_offset,
                                               const InbandStage& inband) noexcept;

  // Ends the thread of the calling task. Sleeps. From exit and exec upcalls, and DETACH_SELF.
  static void detach_current(const InbandStage& inband) noexcept;

  /// Waits for the end of the thread. Sleeps. EDEADLK self; ERESTARTSYS.
  [[nodiscard]] Status join(const InbandStage& inband) noexcept;

  // Requests on the file, both stages; -errno or 0. ESTALE zombie, EPERM self-only ones.
  [[nodiscard]] long oob_request(const OobStage& oob, unsigned cmd, unsigned long arg) noexcept;
  [[nodiscard]] long inband_request(const InbandStage& inband, unsigned cmd,
                                    unsigned long arg) noexcept;

  [[nodiscard]] evl_thread_state snapshot() noexcept;  // Any stage.
  [[nodiscard]] Thread& thread() noexcept { return thread_; }

 private:
  friend class KernelThread;
  Thread thread_;
  kapi_completion joined_{};
  unsigned raised_capabilities_{0};
};

extern const ElementClass kThreadClass;

// Kernel thread of the core: an element with a kthread. Created and stopped in-band.
class KernelThread final : Immovable {
 public:
  // The body runs oob; it ends when it returns, which it must once should_stop() is true.
  using Body = void (*)(const OobStage& oob, void* argument);

  /// Creates and starts: returns when the thread runs oob, or failed. FIFO at `prio`, 0..101.
  /// Sleeps. Errors: EINVAL prio, cpu; EEXIST, ENOMEM, EAGAIN.
  [[nodiscard]] Status run(Body body, void* argument, Cpu cpu, int prio, const char* name,
                           const InbandStage& inband) noexcept;
  // Cancels and waits for its end. Sleeps. Not the thread itself.
  void stop(const InbandStage& inband) noexcept;
  [[nodiscard]] static bool should_stop() noexcept;  // The thread itself.

  /// Periodic release of the calling kernel thread. EINVAL: period below the kernel gravity.
  [[nodiscard]] static Status set_period(const OobStage& oob, const Clock& clock, Date first,
                                         Duration period) noexcept;
  /// Waits for the next release; `overruns`: those missed. EAGAIN no period; EINTR; ETIMEDOUT with
  /// overruns.
  [[nodiscard]] static Status wait_period(const OobStage& oob, u64& overruns) noexcept;

  [[nodiscard]] Thread* thread() noexcept { return element_ ? &element_->thread() : nullptr; }

 private:
  static void trampoline(void* self);
  Ref<ThreadElement> element_;
  Body body_{nullptr};
  void* argument_{nullptr};
  kapi_completion started_{};
  Status start_status_{kOk};
};

}  // namespace evl

#endif  // EVL_THREAD_THREAD_ELEMENT_H
