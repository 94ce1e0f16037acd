// SPDX-License-Identifier: GPL-2.0
/*
 * Planted mistakes: what code on the out-of-band stage must not do. The
 * `debug` configuration has to report each of them once, naming the caller,
 * which is the function planted_<mistake>() here. One mistake per boot: the
 * first report silences the checks. mistakes.txt lists what to expect.
 *
 * The mistakes are made in a handler that runs while this module is being
 * loaded: nothing is preempted that holds a lock, so that the system survives
 * the mistake and the report is what is tested.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/console.h>
#include <linux/interrupt.h>
#include <linux/irq_pipeline.h>
#include <linux/irqdomain.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "mistake.h"

MODULE_DESCRIPTION("Mistakes that the interrupt pipeline has to report");
MODULE_LICENSE("GPL");

static DEFINE_SPINLOCK(inband_lock);
static DEFINE_RAW_SPINLOCK(inband_raw_lock);
static DEFINE_PER_CPU(int, cookie);

static noinline void planted_lock(void)
{
	spin_lock(&inband_lock);
	spin_unlock(&inband_lock);
}

static noinline void planted_raw_lock(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&inband_raw_lock, flags);
	raw_spin_unlock_irqrestore(&inband_raw_lock, flags);
}

/* Does not sleep, has its fast path without a lock, and is as wrong. */
static noinline void planted_kmalloc_atomic(void)
{
	kfree(kmalloc(64, GFP_ATOMIC));
}

static noinline void planted_might_sleep(void)
{
	might_sleep();
	/* No tail call: the backtrace has to show this function. */
	barrier();
}

static noinline void planted_schedule(void)
{
	schedule();
	barrier();
}

/* The part of printk() that sleeps, which the deferred path avoids. */
static noinline void planted_console(void)
{
	console_lock();
	console_unlock();
}

/* A handler of its own: found out when it returns, it is the one that is named. */
static irqreturn_t planted_hard_irqs(int irq, void *dev_id)
{
	hard_local_irq_enable();

	return IRQ_HANDLED;
}

static noinline void planted_restore(void)
{
	unsigned long flags;

	local_irq_save(flags);
	local_irq_restore(flags);
	local_irq_restore(flags);
}

static noinline void planted_oob_restore(void)
{
	unsigned long stalled;

	stalled = oob_irq_save();
	oob_irq_restore(stalled);
	oob_irq_restore(stalled);
	barrier();
}

/* A hard lock that leaves the CPU unmasked: its holder may be preempted. */
static noinline void planted_hard_lock(void)
{
	static DEFINE_HARD_SPINLOCK(lock);

	raw_spin_lock(&lock);
	raw_spin_unlock(&lock);
}

/* Not for mistakes.txt: nobody survives this one. See tests/boot/paths. */
static noinline void planted_oops(void)
{
	WRITE_ONCE(*(int *)8, 1);
	barrier();
}

static const struct plant {
	const char *name;
	void (*make)(void);
	bool oob;
	irq_handler_t handler;
} plants[] = {
	{ "none",		planted_none,		true },
	{ "lock",		planted_lock,		true },
	{ "raw_lock",		planted_raw_lock,	true },
	{ "kmalloc",		planted_kmalloc,	true },
	{ "kmalloc_atomic",	planted_kmalloc_atomic,	true },
	{ "might_sleep",	planted_might_sleep,	true },
	{ "schedule",		planted_schedule,	true },
	{ "mutex",		planted_mutex,		true },
	{ "console",		planted_console,	true },
	{ "oops",		planted_oops,		true },
	{ "hard_irqs",		planted_none,		true,	planted_hard_irqs },
	{ "restore",		planted_restore,	false },
	{ "oob_restore",	planted_oob_restore,	false },
	{ "hard_lock",		planted_hard_lock,	false },
};

static const struct plant *plant;

static irqreturn_t planted_handler(int irq, void *dev_id)
{
	plant->make();

	return IRQ_HANDLED;
}

static int make_oob(void)
{
	unsigned int irq;
	int ret;

	ret = enable_oob_stage("planted");
	if (ret)
		return ret;

	ret = -ENOMEM;
	irq = irq_create_direct_mapping(synthetic_irq_domain);
	if (!irq)
		goto out_stage;

	ret = __request_percpu_irq(irq, plant->handler ?: planted_handler,
				   IRQF_OOB, "planted", &cookie);
	if (ret)
		goto out_irq;

	irq_inject_pipeline(irq);

	free_percpu_irq(irq, &cookie);
out_irq:
	irq_dispose_mapping(irq);
out_stage:
	disable_oob_stage();

	return ret;
}

static int __init planted_init(void)
{
	int ret = 0;

	plant = find_mistake(plants);
	if (!plant)
		return -EINVAL;

	if (plant->oob)
		ret = make_oob();
	else
		plant->make();
	pr_info("survived mistake %s\n", mistake);

	return ret;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);
