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
// PR2  in_stop_ counts the threads between evl_on_ptrace_stop() and their return to the barrier.
class Process final : Immovable {
 public:
  Process() noexcept;
  ~Process();  // No thread of the mm is attached.

  // Of the calling task; nullptr: control was not opened.
  [[nodiscard]] static Process* current() noexcept;

  [[nodiscard]] bool stopping() const noexcept { return in_stop_.load_acquire() != 0; }
  void enter_stop(Thread& self, const InbandStage& inband) noexcept;
  // On the way back to user mode, oob: waits until all are back.
  void join_barrier(const OobStage& oob, Thread& self) noexcept;
  void leave_stop(Thread& self) noexcept;

 private:
  WaitQueue barrier_;
  Atomic<s32> in_stop_{0};  // Release in leave_stop() pairs with the acquire in stopping().
};

}  // namespace evl

#endif  // EVL_THREAD_PROCESS_H
