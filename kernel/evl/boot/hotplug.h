// SPDX-License-Identifier: GPL-2.0
// CPUs that come and go. A CPU is open while it takes threads and serves timers: it is an oob CPU,
// on-line, and its tick device is the core's. Called by kapi's upcalls only; everybody else asks
// Rq::is_open() or choose_open_cpu().
//
// What follows when a CPU closes, in this order:
//
//     closed           its timers are not served any more; a thread that arrives goes back
//     free timers      move to another CPU, one by one
//     user threads     are kicked, and are in-band before in-band code has the CPU again; Linux
//                      moves them, lifting their affinity if it must, and switch_oob() pins them
//     kernel threads   stay asleep, with their timers, until the CPU opens; one that is cancelled
//                      before that ends on another CPU
//
// No thread is current there meanwhile, since in-band code is running: who was ready has run
// before.
#ifndef EVL_BOOT_HOTPLUG_H
#define EVL_BOOT_HOTPLUG_H

#include "base/cpus.h"
#include "base/proof.h"
#include "base/result.h"

namespace evl {

/// `cpu` came up. Nothing happens if it is no oob CPU; without a tick of the core's it stays
/// closed. Kernel threads that waited for it go on.
/// Stage: inband, on that CPU, or (before anything of the core runs there) on another one.
void open_cpu(Cpu cpu, bool has_tick, const InbandStage& inband) noexcept;

/// `cpu` goes down. Nothing happens if it is not open.
/// Stage:  inband, on that CPU. Irqs are off for one timer, or for a pass over the attached threads
///         that kicks a few of them, at a time.
/// Errors: EBUSY it is the last one that is open, and threads are attached.
[[nodiscard]] Status close_cpu(Cpu cpu, const InbandStage& inband) noexcept;

}  // namespace evl

#endif  // EVL_BOOT_HOTPLUG_H
