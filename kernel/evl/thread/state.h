// SPDX-License-Identifier: GPL-2.0
// The words that say what a thread is doing, and why. One strong type per word: bits of different
// words do not mix. Values are those of the ABI.
#ifndef EVL_THREAD_STATE_H
#define EVL_THREAD_STATE_H

#include <evl/thread-abi.h>

#include "base/flags.h"

namespace evl {

enum class ThreadState : u32 {
  susp = EVL_T_SUSP,
  pend = EVL_T_PEND,
  delay = EVL_T_DELAY,
  wait = EVL_T_WAIT,
  ready = EVL_T_READY,
  dormant = EVL_T_DORMANT,
  zombie = EVL_T_ZOMBIE,
  inband = EVL_T_INBAND,
  halt = EVL_T_HALT,
  boost = EVL_T_BOOST,
  ptsync = EVL_T_PTSYNC,
  rrb = EVL_T_RRB,
  root = EVL_T_ROOT,
  weak = EVL_T_WEAK,
  user = EVL_T_USER,
  woss = EVL_T_WOSS,
  woli = EVL_T_WOLI,
  wosx = EVL_T_WOSX,
  ptrace = EVL_T_PTRACE,
  observ = EVL_T_OBSERV,
  hmsig = EVL_T_HMSIG,
  hmobs = EVL_T_HMOBS,
  woso = EVL_T_WOSO,
};
EVL_FLAG_OPERATORS(ThreadState)
using StateFlags = Flags<ThreadState>;

// A thread with any of these cannot run oob.
inline constexpr StateFlags kBlocked =
    ThreadState::susp | ThreadState::pend | ThreadState::delay | ThreadState::wait |
    ThreadState::dormant | ThreadState::inband | ThreadState::halt | ThreadState::ptsync;
// What wake_up() ends. Pend implies delay: a timed wait ends as a whole.
inline constexpr StateFlags kSleeping = ThreadState::pend | ThreadState::delay | ThreadState::wait;
inline constexpr StateFlags kModeMask = StateFlags::from_word(EVL_T_MODE_MASK);

enum class ThreadInfo : u32 {
  timeo = EVL_T_TIMEO,
  rmid = EVL_T_RMID,
  brk = EVL_T_BREAK,
  kicked = EVL_T_KICKED,
  wchan = EVL_T_WCHAN,
  canceld = EVL_T_CANCELD,
  pialert = EVL_T_PIALERT,
  schedp = EVL_T_SCHEDP,
  bcast = EVL_T_BCAST,
  signal = EVL_T_SIGNAL,
  sxalert = EVL_T_SXALERT,
  ptsig = EVL_T_PTSIG,
  ptstop = EVL_T_PTSTOP,
  ptjoin = EVL_T_PTJOIN,
  nomem = EVL_T_NOMEM,
};
EVL_FLAG_OPERATORS(ThreadInfo)
using InfoFlags = Flags<ThreadInfo>;

// Reasons why the last sleep ended; cleared when a new one starts, and when going in-band.
inline constexpr InfoFlags kWakeReasons = ThreadInfo::timeo | ThreadInfo::rmid | ThreadInfo::brk |
                                          ThreadInfo::kicked | ThreadInfo::bcast |
                                          ThreadInfo::nomem;

// A thread with any of these runs although its process is in a debugger's stop: it is on its way
// into the stop, or has a signal to look at first.
inline constexpr InfoFlags kRunsInStop =
    ThreadInfo::kicked | ThreadInfo::ptsig | ThreadInfo::ptstop | ThreadInfo::canceld;

enum class LocalInfo : u32 {
  sysrst = EVL_T_SYSRST,
  ignovr = EVL_T_IGNOVR,
  infault = EVL_T_INFAULT,
  norst = EVL_T_NORST,
};
EVL_FLAG_OPERATORS(LocalInfo)
using LocalFlags = Flags<LocalInfo>;

}  // namespace evl

#endif  // EVL_THREAD_STATE_H
