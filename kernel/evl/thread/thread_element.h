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
// TE2  The task exits, execs or detaches: owned mutexes released, handle withdrawn, alternate
//      scheduling stopped, ZOMBIE, the task forgets it (T5), window freed, capabilities dropped,
//      timers destroyed, works idle, joined_ completed, reference dropped; in this order, in-band,
//      in the context of the task itself.
class ThreadElement final : public Element {
 public:
  ThreadElement(Factory& factory, u32 clone_flags, const Thread::Setup& setup) noexcept;
  ~ThreadElement();

  /// Handlers of the class. build() makes an element for the calling task, commit() attaches it:
  /// weak 0, in-band, pinned to the present CPU or the first of its affinity that is open.
  /// Errors: EBUSY attached already; EPERM control not opened; EINVAL memory not locked for the
  /// future, or no open CPU in its affinity; ENOMEM.
  [[nodiscard]] static Result<Element*> build(Factory& factory, UserBytes attrs, u32 clone_flags,
                                              u32& state_offset,
                                              const InbandStage& inband) noexcept;
  [[nodiscard]] static Status commit(Element& element, const InbandStage& inband) noexcept;
  static void dispose(Element& element, const InbandStage& inband) noexcept;
  [[nodiscard]] static Status undo(Element& element, unsigned cmd,
                                   const InbandStage& inband) noexcept;

  // Ends the thread of the calling task. Sleeps. From exit and exec upcalls, and DETACH_SELF.
  static void detach_current(const InbandStage& inband) noexcept;

  /// Waits for the end of the thread. Sleeps. EDEADLK self; ERESTARTSYS.
  [[nodiscard]] Status join(const InbandStage& inband) noexcept;

  // Requests on the file: in thread/thread_requests.cc. ESTALE zombie, EPERM self-only ones.
  // Switching may end the proof: the callers return to kapi at once.
  [[nodiscard]] Status oob_request(const OobStage& oob, unsigned cmd, unsigned long arg) noexcept;
  [[nodiscard]] Status inband_request(const InbandStage& inband, unsigned cmd,
                                      unsigned long arg) noexcept;

  [[nodiscard]] evl_thread_state snapshot() noexcept;  // Any stage.
  [[nodiscard]] Thread& thread() noexcept { return thread_; }
  // The caller knows that there is a reference.
  [[nodiscard]] Ref<ThreadElement> take_ref() noexcept {
    get();
    return Ref<ThreadElement>::adopt(*this);
  }

  // Attributes in sysfs: thread/thread_attributes.cc. Text into `buf`; -errno.
  [[nodiscard]] long show_sched(char* buf, size_t capacity) noexcept;
  [[nodiscard]] long show_timeout(char* buf, size_t capacity) noexcept;
  [[nodiscard]] long show_stats(char* buf, size_t capacity) noexcept;
  [[nodiscard]] long show_pid(char* buf, size_t capacity) noexcept;
  [[nodiscard]] long show_wchan(char* buf, size_t capacity) noexcept;

 private:
  friend class KernelThread;
  // Of both kinds of threads: the calling task becomes this thread. ENXIO: the core was stopped;
  // EPERM: it may not, any more.
  [[nodiscard]] Status attach(const InbandStage& inband) noexcept;
  // The core knows the thread from here on. False: it is being stopped.
  [[nodiscard]] bool enlist() noexcept;
  // Binds the calling task to the CPU that was chosen for it, or the next best. Sleeps. EINVAL:
  // none.
  [[nodiscard]] Status pin() noexcept;
  [[nodiscard]] u64 oob_time_ns(const ThreadGuard& locked) noexcept;
  [[nodiscard]] bool is_self() noexcept { return current_thread() == &thread_; }
  [[nodiscard]] Status common_request(unsigned cmd, unsigned long arg) noexcept;

  Thread thread_;
  kapi_completion joined_{};
  Atomic<s64> stats_read_at_ns_{0};  // When show_stats() was asked last, and what it found.
  Atomic<u64> stats_read_time_ns_{0};
  unsigned raised_capabilities_{0};
};

extern const ElementClass kThreadClass;
extern const kapi_attribute kThreadAttributes[];
extern const kapi_file_ops kThreadFileOps;

// Kernel thread of the core: an element with a kthread. Created and stopped in-band.
class KernelThread final : Immovable {
 public:
  // The body runs oob; it ends when it returns, which it must once should_stop() is true.
  using Body = void (*)(const OobStage& oob, void* argument);

  /// Creates and starts: returns when the thread is attached and on its way oob, or failed. FIFO at
  /// `prio`, 0..101. Sleeps. Errors: EINVAL prio, cpu, or it is off-line; ENXIO core not running;
  /// EEXIST, ENOMEM, EAGAIN.
  [[nodiscard]] Status run(Body body, void* argument, Cpu cpu, int prio, const char* name,
                           const InbandStage& inband) noexcept;
  // Cancels and waits for its end. Sleeps. Not the thread itself.
  void stop(const InbandStage& inband) noexcept;
  [[nodiscard]] static bool should_stop() noexcept;  // The thread itself.

  /// Periodic release of the calling kernel thread. EINVAL: period below
  /// Clock::shortest_period().
  [[nodiscard]] static Status set_period(const OobStage& oob, const Clock& clock, Date first,
                                         Duration period) noexcept;
  /// Waits for the next release; `overruns`: those missed. EAGAIN no period; EINTR; ETIMEDOUT with
  /// overruns.
  [[nodiscard]] static Status wait_period(const OobStage& oob, u64& overruns) noexcept;

  [[nodiscard]] Thread* thread() noexcept { return element_ ? &element_->thread() : nullptr; }

 private:
  static void trampoline(void* self);
  [[nodiscard]] Status enter(const InbandStage& inband) noexcept;  // The new task itself.
  Ref<ThreadElement> element_;
  const char* name_{nullptr};
  int prio_{0};
  Body body_{nullptr};
  void* argument_{nullptr};
  kapi_completion started_{};
  Status start_status_{kOk};
};

}  // namespace evl

#endif  // EVL_THREAD_THREAD_ELEMENT_H
