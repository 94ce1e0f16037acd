// SPDX-License-Identifier: GPL-2.0
// Watchdog: breaks the run of a thread that keeps Linux off its CPU for too long. Leaving in-band
// arms each Rq's timer, if it is not armed yet; coming back does not stop it: when it fires, it
// looks since when the CPU is oob, and counts on from there. So a switch costs no timer operation.
#ifndef EVL_SCHED_WATCHDOG_H
#define EVL_SCHED_WATCHDOG_H

#include "sched/rq.h"

namespace evl {

// The CPU leaves in-band now. On this CPU, irqs off.
void watchdog_arm(Rq& rq, MonoDate now) noexcept;

// The timer's handler: a user thread gets WATCHDOG and is kicked in-band; a kernel thread is
// cancelled. One line in the log either way.
void watchdog_expired(Timer& timer, const HardIrqsOff& irqs_off) noexcept;

}  // namespace evl

#endif  // EVL_SCHED_WATCHDOG_H
