// SPDX-License-Identifier: GPL-2.0
// Process: what the threads of one mm share: the right to attach, and the barrier of a debugger's
// stop. Lives from the first open of control until evl_on_mm_exit().
#ifndef EVL_THREAD_PROCESS_H
#define EVL_THREAD_PROCESS_H

#include "sync/wait.h"

namespace evl {

// PR1  stopping() is true from the first thread that enters a ptrace stop until the last one of
//      the barrier is back; while it is, the scheduler freezes (PTSYNC) what it picks of this
//      process, unless it is kicked, signalled or stopping itself.
// PR2  in_stop_ counts the threads with PTSTOP: from evl_on_ptrace_stop() to their return to the
//      barrier, to a single step, or to their end.
// PR3  threads_ lists the attached threads; under the barrier's lock.
class Process final : Immovable {
 public:
  Process() noexcept;
  ~Process();  // No thread of the mm is attached.

  // Of the calling task; nullptr: control was not opened.
  [[nodiscard]] static Process* current() noexcept;

  /// Makes one for the mm of the calling task, unless it has one. Sleeps.
  /// Errors: EPERM no user memory; ENOMEM.
  [[nodiscard]] static Status open_current(const InbandStage& inband) noexcept;

  // Of the thread itself, in-band.
  void add(Thread& self) noexcept;
  void remove(Thread& self) noexcept;

  [[nodiscard]] bool stopping() const noexcept { return in_stop_.load_acquire() != 0; }
  // The thread itself; its siblings are frozen when they are picked next. Cost: O(threads).
  void enter_stop(Thread& self, const InbandStage& inband) noexcept;
  // The stop is over for it: it is to join the barrier.
  void will_join(Thread& self) noexcept;
  // On the way back to user mode, oob: waits until all are back, or for a signal.
  void join_barrier(const OobStage& oob, Thread& self) noexcept;
  // Any stage, any thread; nothing when it is not in the stop. The last one out frees the frozen
  // ones. Cost: O(threads) for that one.
  void leave_stop(Thread& thread) noexcept;

 private:
  // True: it had PTSTOP and is counted out.
  bool count_out(Thread& thread, const HardIrqsOff& irqs_off) noexcept;

  WaitQueue barrier_;
  Thread::ProcessList threads_;  // PR3.
  Atomic<s32> in_stop_{0};       // Release in leave_stop() pairs with the acquire in stopping().
};

}  // namespace evl

#endif  // EVL_THREAD_PROCESS_H
