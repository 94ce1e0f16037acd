// SPDX-License-Identifier: MIT
//
// CPUs that go down and come up, as far as the core can tell: nobody is put on them, tasks that may
// run nowhere else may run anywhere, and an IPI to one of them is a failure. The CPU itself goes
// on: its idle task, and whatever the core has left there.

#pragma once

namespace sim {

/// Takes `cpu` down: what Linux does before, then the core's part on that CPU, by a task of its
/// own. 0, or what the core refuses with: then the CPU is as it was. In-band, sleeps.
int take_down(unsigned cpu);
/// Brings it up again.
void bring_up(unsigned cpu);
bool is_down(unsigned cpu) noexcept;

/// No CPU comes or goes between the two. In-band, sleeps.
void hold_cpus();
void release_cpus();

}  // namespace sim
