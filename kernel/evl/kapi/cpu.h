/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPUs and sets of them, boot parameters. Per-CPU data of the core is an array of pointers indexed
 * by CPU number (base/percpu.h), so kapi has no per-CPU allocator.
 */
#ifndef EVL_KAPI_CPU_H
#define EVL_KAPI_CPU_H

#include "kapi/base.h"

KAPI_BEGIN_DECLS

#define KAPI_CPUMASK_WORDS ((KAPI_NR_CPUS + 63) / 64)

/* CPU n is bit n % 64 of word n / 64; the C side asserts that this is the layout of cpumask_t. */
struct kapi_cpumask {
	__u64 words[KAPI_CPUMASK_WORDS];
};

/* Number of this CPU. Stage: any. Irqs: off, or the caller is pinned; else stale at return. */
unsigned int kapi_this_cpu(void);

/* Fills `cpus`. Stage: inband. Irqs: on. A CPU may go off-line right after. */
enum kapi_cpu_set {
	KAPI_CPUS_POSSIBLE,
	KAPI_CPUS_ONLINE,
	KAPI_CPUS_ISOLATED,	/* outside the housekeeping domain (isolcpus=) */
};
void kapi_get_cpus(enum kapi_cpu_set set, struct kapi_cpumask *cpus);

/*
 * From here evl_on_cpu_online() comes for each CPU that is on-line, at once, and for each that comes
 * up; evl_on_cpu_offline() for each that goes down. A CPU gets its tick before, and loses it after.
 * unwatch: evl_on_cpu_offline() for each CPU that is on-line. Between kapi_tick_install() and
 * kapi_tick_uninstall(). Sleeps. Errors: of cpuhp_setup_state().
 */
int kapi_cpus_watch(void);
void kapi_cpus_unwatch(void);

/* Between the two no CPU comes or goes. Sleeps until one that does is done. */
void kapi_cpus_hold(void);
void kapi_cpus_release(void);

enum kapi_boot_state { KAPI_BOOT_ENABLED, KAPI_BOOT_STOPPED, KAPI_BOOT_DISABLED };

/* Boot parameters evl.* and Kconfig limits, read once at start-up; checked by the C side. */
struct kapi_config {
	enum kapi_boot_state state;		/* evl.state= */
	struct kapi_cpumask oob_cpus;		/* evl.oobcpus=, all on-line CPUs by default */
	unsigned int sysheap_bytes;		/* evl.sysheap_size= or EVL_COREMEM_SIZE KB */
	unsigned int watchdog_s;		/* evl.watchdog_timeout=, 1..60; 0: not built */
	unsigned int nr_threads;		/* EVL_NR_THREADS, 1..4096 */
	unsigned int nr_monitors;		/* EVL_NR_MONITORS, 1..16384 */
	unsigned int nr_clocks;
	unsigned int nr_xbufs;
	unsigned int nr_proxies;
	unsigned int nr_observables;		/* without those of threads */
	unsigned int latency_user_ns;		/* preset gravities; never 0 for user */
	unsigned int latency_kernel_ns;
	unsigned int latency_irq_ns;
	bool debug_woli;			/* WOLI is on by default for user threads */
};

/* Stage: any. Irqs: any. The structure is constant, except watchdog_s (one aligned word). */
const struct kapi_config *kapi_get_config(void);

KAPI_END_DECLS

#endif /* EVL_KAPI_CPU_H */
