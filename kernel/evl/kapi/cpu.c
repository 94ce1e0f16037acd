// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs, and the configuration of the core: boot parameters and limits of Kconfig.
 *
 * Stage: any, but for the configuration, which is made once, in-band.
 */
#include <linux/cpumask.h>
#include <linux/moduleparam.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "kapi/internal.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX	"evl."

/* Gravity of user threads on x86, in nanoseconds, unless configured. */
#define DEFAULT_GRAVITY_NS	3000

static_assert(sizeof(struct kapi_cpumask) == sizeof(struct cpumask));

static struct kapi_config config = {
	.sysheap_bytes		= CONFIG_EVL_COREMEM_SIZE * 1024U,
#ifdef CONFIG_EVL_WATCHDOG
	.watchdog_s		= CONFIG_EVL_WATCHDOG_TIMEOUT,
#endif
	.nr_threads		= CONFIG_EVL_NR_THREADS,
	.nr_monitors		= CONFIG_EVL_NR_MONITORS,
	.nr_clocks		= CONFIG_EVL_NR_CLOCKS,
	.nr_xbufs		= CONFIG_EVL_NR_XBUFS,
	.nr_proxies		= CONFIG_EVL_NR_PROXIES,
	.nr_observables		= CONFIG_EVL_NR_OBSERVABLES,
	.latency_user_ns	= CONFIG_EVL_LATENCY_USER ?: DEFAULT_GRAVITY_NS,
	.latency_kernel_ns	= CONFIG_EVL_LATENCY_KERNEL ?:
				  (CONFIG_EVL_LATENCY_USER ?: DEFAULT_GRAVITY_NS),
	.latency_irq_ns		= CONFIG_EVL_LATENCY_IRQ,
	.debug_woli		= IS_ENABLED(CONFIG_EVL_DEBUG_WOLI),
};

static char *oobcpus;
module_param(oobcpus, charp, 0444);

static char *state = "enabled";
module_param(state, charp, 0444);

module_param_named(sysheap_size, config.sysheap_bytes, uint, 0444);

#ifdef CONFIG_EVL_WATCHDOG
/* One aligned word, which the core reads whenever it arms the watchdog. */
static int set_watchdog(const char *text, const struct kernel_param *param)
{
	return param_set_uint_minmax(text, param, 1, 60);
}

static const struct kernel_param_ops watchdog_ops = {
	.set = set_watchdog,
	.get = param_get_uint,
};

module_param_cb(watchdog_timeout, &watchdog_ops, &config.watchdog_s, 0644);
#endif

const struct cpumask *kapi_to_cpumask(const struct kapi_cpumask *cpus)
{
	return (const struct cpumask *)cpus;
}

void kapi_from_cpumask(struct kapi_cpumask *cpus, const struct cpumask *mask)
{
	cpumask_copy((struct cpumask *)cpus, mask);
}

unsigned int kapi_this_cpu(void)
{
	return raw_smp_processor_id();
}

void kapi_get_cpus(enum kapi_cpu_set set, struct kapi_cpumask *cpus)
{
	switch (set) {
	case KAPI_CPUS_POSSIBLE:
		kapi_from_cpumask(cpus, cpu_possible_mask);
		break;
	case KAPI_CPUS_ONLINE:
		kapi_from_cpumask(cpus, cpu_online_mask);
		break;
	case KAPI_CPUS_ISOLATED:
		cpumask_andnot((struct cpumask *)cpus, cpu_possible_mask,
			       housekeeping_cpumask(HK_TYPE_DOMAIN));
		break;
	}
}

const struct kapi_config *kapi_get_config(void)
{
	return &config;
}

/* Of an unknown word: enabled, so that a typing error does not take the core away. */
static void parse_state(void)
{
	if (!strcmp(state, "disabled")) {
		config.state = KAPI_BOOT_DISABLED;
	} else if (!strcmp(state, "stopped")) {
		config.state = KAPI_BOOT_STOPPED;
	} else {
		config.state = KAPI_BOOT_ENABLED;
		if (strcmp(state, "enabled"))
			pr_warn("EVL: evl.state=%s is unknown, enabled\n", state);
	}
}

/* All on-line CPUs if the list cannot be used. */
static void parse_oobcpus(void)
{
	struct cpumask *cpus = (struct cpumask *)&config.oob_cpus;

	if (oobcpus && *oobcpus) {
		if (!cpulist_parse(oobcpus, cpus) && cpumask_and(cpus, cpus, cpu_online_mask))
			return;
		pr_warn("EVL: evl.oobcpus=%s names no CPU that is on-line, taking all\n",
			oobcpus);
	}

	cpumask_copy(cpus, cpu_online_mask);
}

/* In-band, before the core is started. */
void kapi_config_init(void)
{
	parse_state();
	parse_oobcpus();
}
