// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs that come and go, as the core sees it. In-band, in the hotplug thread of the CPU.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>

#include "kapi/internal.h"

/*
 * A state by number, the last of those that are given away in turn: whichever of them the tick
 * proxy has, it comes before this one on the way up, and after it on the way down. So a CPU has its
 * proxy for as long as the core uses it. All of them are below CPUHP_AP_ACTIVE: Linux puts tasks on
 * a CPU after the core has opened it, and none any more when it is to be closed.
 */
#define KAPI_CPUHP_STATE	CPUHP_AP_ONLINE_DYN_END

static int open_cpu(unsigned int cpu)
{
	evl_on_cpu_online(cpu, kapi_tick_is_ours());

	return 0;
}

static int close_cpu(unsigned int cpu)
{
	return evl_on_cpu_offline(cpu);
}

int kapi_cpus_watch(void)
{
	return cpuhp_setup_state(KAPI_CPUHP_STATE, "evl:cpu", open_cpu, close_cpu);
}

void kapi_cpus_unwatch(void)
{
	cpuhp_remove_state(KAPI_CPUHP_STATE);
}

void kapi_cpus_hold(void)
{
	cpus_read_lock();
}

void kapi_cpus_release(void)
{
	cpus_read_unlock();
}
