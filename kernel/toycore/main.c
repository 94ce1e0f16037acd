// SPDX-License-Identifier: GPL-2.0
/*
 * The toy core as a whole: waking it up and putting it to sleep, CPUs that
 * come and go, and what it counted.
 */
#include <linux/cpuhotplug.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "internal.h"

atomic64_t toy_counters[TOY_NR_COUNTERS];

/* In the order of enum toy_counter. */
static const char * const counter_names[] = {
	"attach", "detach", "leave", "return", "switch",
	"trap", "mayday", "shot", "tick", "ipi",
	"evict",
	[TOY_C_EVENT] = "signal", "migration", "exit", "retuser", "ptstep",
	"ptstop", "ptcont", "cleanup",
};

static_assert(ARRAY_SIZE(counter_names) == TOY_NR_COUNTERS);

/* How many reasons there are for the core to be awake. */
static DEFINE_MUTEX(users_mutex);
static unsigned int users;
static enum cpuhp_state hotplug_state;

/* After the tick proxy of the CPU was installed, which may have failed. */
static int open_cpu(unsigned int cpu)
{
	struct toy_rq *rq = per_cpu_ptr(&toy_rqs, cpu);

	WRITE_ONCE(rq->open, toy_has_timer(rq));

	return 0;
}

/*
 * Before the tick proxy of the CPU is removed. Runs on that CPU, in-band: all
 * of its threads are blocked. Those kicked run, and go in-band, before
 * toy_unlock_resched() returns, since nothing in-band runs before them. One
 * that was about to leave finds itself kicked when it arrives. Bound of the
 * loop: the threads that are attached.
 */
static int close_cpu(unsigned int cpu)
{
	struct toy_rq *rq = per_cpu_ptr(&toy_rqs, cpu);
	struct toy_thread *t;
	unsigned long flags;

	raw_spin_lock_irqsave(&toy_lock, flags);
	WRITE_ONCE(rq->open, false);
	list_for_each_entry(t, &toy_threads, all) {
		if (!(t->blocked & TOY_INBAND) && t->cpu == cpu) {
			toy_count(TOY_C_EVICT);
			toy_kick_locked(t);
		}
	}
	toy_unlock_resched(flags);

	WARN_ON(READ_ONCE(rq->nr_oob));

	return 0;
}

/* In the order of the reference: stage, IPIs, proxy, then the tasks. */
static int awaken(void)
{
	int ret;

	ret = enable_oob_stage("toycore");
	if (ret)
		return ret;

	ret = toy_request_ipi();
	if (ret)
		goto fail_stage;

	ret = toy_install_timer();
	if (ret)
		goto fail_ipi;

	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "dovetail/toycore:cpu",
				open_cpu, close_cpu);
	if (ret < 0)
		goto fail_timer;
	hotplug_state = ret;

	ret = dovetail_start();
	if (!ret)
		return 0;

	cpuhp_remove_state(hotplug_state);
fail_timer:
	toy_uninstall_timer();
fail_ipi:
	toy_free_ipi();
fail_stage:
	disable_oob_stage();

	return ret;
}

/* And backwards. No thread is attached, none can be. */
static void fall_asleep(void)
{
	dovetail_stop();
	cpuhp_remove_state(hotplug_state);
	toy_uninstall_timer();
	toy_free_ipi();
	disable_oob_stage();
}

/**
 * toy_start - have the core awake until toy_stop()
 *
 * Context: in-band, may sleep.
 *
 * Return: 0; -EBUSY if another core has the stage; what the proxy of the tick
 * says.
 */
int toy_start(void)
{
	int ret = 0;

	guard(mutex)(&users_mutex);

	if (!users)
		ret = awaken();
	if (!ret)
		users++;

	return ret;
}
EXPORT_SYMBOL_GPL(toy_start);

/**
 * toy_stop - undo one toy_start()
 *
 * Context: in-band, may sleep.
 */
void toy_stop(void)
{
	guard(mutex)(&users_mutex);

	if (!--users)
		fall_asleep();
}
EXPORT_SYMBOL_GPL(toy_stop);

/* One line per counter; they only ever grow. */
static int show_counters(struct seq_file *m, void *unused)
{
	int n;

	for (n = 0; n < TOY_NR_COUNTERS; n++)
		seq_printf(m, "%s %lld\n", counter_names[n],
			   atomic64_read(&toy_counters[n]));

	return 0;
}

static int __init toy_init(void)
{
	struct toy_rq *rq;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		rq = per_cpu_ptr(&toy_rqs, cpu);
		rq->curr = &rq->root;
		rq->quantum_end = U64_MAX;
		rq->inband_date = U64_MAX;
		rq->sleep_date = U64_MAX;
		INIT_LIST_HEAD(&rq->ready);
		INIT_LIST_HEAD(&rq->sleepers);
	}

	toy_init_sems();
	proc_create_single("toycore", 0444, NULL, show_counters);

	return 0;
}
device_initcall(toy_init);
