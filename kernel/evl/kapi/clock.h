/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading clocks, and the tick device of each oob CPU behind Dovetail's tick proxy: the core owns
 * the real device, Linux sees a synthetic one whose requests arrive as evl_on_proxy_program().
 */
#ifndef EVL_KAPI_CLOCK_H
#define EVL_KAPI_CLOCK_H

#include "kapi/cpu.h"

KAPI_BEGIN_DECLS

/* ns since boot, respectively since the epoch. Stage: any. Irqs: any. Wait-free (NMI-safe). */
__s64 kapi_read_monotonic(void);
__s64 kapi_read_realtime(void);

/* Resolution of both clocks in ns, at least 1. Stage: any. */
__s64 kapi_clock_resolution(void);

/*
 * Takes over the tick devices of `cpus`. From here evl_on_tick() gets each shot, and Linux's
 * requests arrive through evl_on_proxy_program()/evl_on_proxy_stop(). Sleeps. All CPUs or none.
 * Errors: EAGAIN installed already, ENODEV a CPU has no fit device.
 */
int kapi_tick_install(const struct kapi_cpumask *cpus);

/* Gives them back. Sleeps. No upcall of the tick runs or comes after the return. */
void kapi_tick_uninstall(const struct kapi_cpumask *cpus);

/*
 * Programs this CPU's device for one shot at `date_ns` (absolute, monotonic). Stage: any. Irqs: off.
 * A date in the past, or too near, fires as soon as the device can; too far, at the device's limit:
 * an early shot is legal and the core reprograms. Replaces the shot programmed before.
 */
void kapi_tick_program(__s64 date_ns);

/* Stops this CPU's device until the next program. Stage: any. Irqs: off. */
void kapi_tick_stop(void);

/* Logs one in-band tick on this CPU for Linux. Stage: oob. Irqs: off. Merges while pending. */
void kapi_tick_notify_proxy(void);

KAPI_END_DECLS

#endif /* EVL_KAPI_CLOCK_H */
