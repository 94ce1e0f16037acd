// SPDX-License-Identifier: GPL-2.0
// Watchdog: breaks the run of a thread that keeps Linux off its CPU for too long. Each Rq's timer
// is armed when the CPU leaves in-band and stopped when it is back.
#ifndef EVL_SCHED_WATCHDOG_H
#define EVL_SCHED_WATCHDOG_H

#include "sched/rq.h"

namespace evl {

void watchdog_arm(Rq& rq, const HardIrqsOff& irqs_off) noexcept;
void watchdog_disarm(Rq& rq, const HardIrqsOff& irqs_off) noexcept;

// The timer's handler: a user thread gets WATCHDOG and is kicked in-band; a kernel thread is
// cancelled. One line in the log either way.
void watchdog_expired(Timer& timer, const HardIrqsOff& irqs_off) noexcept;

}  // namespace evl

#endif  // EVL_SCHED_WATCHDOG_H
