// SPDX-License-Identifier: GPL-2.0
// Moving the current thread between the stages. The life of both moves, drawn in columns, is in
// Documentation/core/architecture.md.
#ifndef EVL_SCHED_STAGE_H
#define EVL_SCHED_STAGE_H

#include "thread/hm.h"
#include "thread/thread.h"

namespace evl {

// What becomes of a thread that is cancelled.
enum class OnCancel : bool { end, go_on };

/// Moves the calling thread to the oob stage. On success mint a new proof: OobStage::at_entry().
/// Stage:    in-band task context, attached; irqs on, preemptible.
/// Errors:   EPERM not attached; ERESTARTSYS a signal is pending (still in-band; nothing changed).
///           ENXIO cancelled, with `on_cancel` go_on: Linux has put the thread on a CPU that is not
///           open, and its affinity allows none that is. With `end`, the thread ends.
/// A CPU that is not open sends the thread back, and it tries again, from one that is. It sleeps
/// for as long as a CPU is coming or going. After it: a signal or a cancellation during the move
/// has set KICKED. Who is cancelled ends here
///           (the call then does not return), or, in the middle of a request, at its end: what the
///           request holds is given back first.
[[nodiscard]] Status switch_oob(InbandStage&& here, OnCancel on_cancel = OnCancel::end) noexcept;

// Why a thread goes in-band. `none` is silent: requested, weak, mayday.
enum class SwitchCause : u8 {
  none = 0,
  signal = EVL_HMDIAG_SIGDEMOTE,
  syscall = EVL_HMDIAG_SYSDEMOTE,
  exception = EVL_HMDIAG_EXDEMOTE,
};

/// Moves the calling thread to the in-band stage, ends the proof, and returns the new one. Reports
/// the cause if the thread has WOSS, and LKDEPEND if it has WOLI and owns a mutex.
/// Stage:    oob; irqs on (or off, from a trap); no lock held.
/// `detail`: for the report; the program counter of a fault, else 0.
[[nodiscard]] InbandStage switch_inband(OobStage&& here, SwitchCause cause,
                                        u64 detail = 0) noexcept;

// The far end of switch_oob(): the task is parked in-band. From evl_on_resume_task().
// Stage: inband, irqs off. Migrates, clears INBAND. Whether the CPU is open is looked at by the
// thread, once it is oob: closing it later kicks the thread.
void finish_park(Thread& thread, const HardIrqsOff& irqs_off) noexcept;

}  // namespace evl

#endif  // EVL_SCHED_STAGE_H
