// SPDX-License-Identifier: GPL-2.0
// Health monitor: tells a thread's owner what a real-time thread should not have done. Any stage,
// any irq state; no lock of rank thread or below is held.
#ifndef EVL_THREAD_HM_H
#define EVL_THREAD_HM_H

#include <evl/signal.h>
#include <evl/thread-abi.h>

#include "base/types.h"

namespace evl {

class Thread;

enum class HmCode : u8 {
  sigdemote = EVL_HMDIAG_SIGDEMOTE,
  sysdemote = EVL_HMDIAG_SYSDEMOTE,
  exdemote = EVL_HMDIAG_EXDEMOTE,
  watchdog = EVL_HMDIAG_WATCHDOG,
  lkdepend = EVL_HMDIAG_LKDEPEND,
  lkimbalance = EVL_HMDIAG_LKIMBALANCE,
  lksleep = EVL_HMDIAG_LKSLEEP,
  stagex = EVL_HMDIAG_STAGEX,
  overrun = EVL_HMDIAG_OVERRUN,
};

/// Sends `code` through the channels in the thread's mode: HMSIG queues SIGDEBUG, HMOBS posts a
/// notice with tag `code` and `value` to its observable. Neither: nothing. Kernel threads: nothing.
/// Cost: O(1). The signal goes by irq_work, in a record of the thread's own: reports of one code
/// that come before the first was delivered are merged.
void report(Thread& thread, HmCode code, u64 value = 0) noexcept;

// Queues `signo` to a user thread, from any stage; merged like reports.
void signal_thread(Thread& thread, int signo) noexcept;

}  // namespace evl

#endif  // EVL_THREAD_HM_H
