// SPDX-License-Identifier: GPL-2.0
/*
 * Planted mistakes of alternate scheduling: what a companion core, or a thread
 * of it, must not do. The `debug` configuration has to report each of them
 * once, naming the caller, which is the function planted_<mistake>() here. One
 * mistake per boot; mistakes.txt lists what to expect.
 *
 * The thread that makes the mistake is a kernel thread on the toy core.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dovetail.h>
#include <linux/irq_pipeline.h>
#include <linux/kthread.h>
#include <linux/spinlock.h>
#include <toycore/core.h>

#include "mistake.h"

MODULE_DESCRIPTION("Mistakes that alternate scheduling has to report");
MODULE_LICENSE("GPL");

static DEFINE_RAW_SPINLOCK(inband_lock);
static DECLARE_COMPLETION(made);
static struct task_struct *bystander;

/* What a wake-up would begin with, which would go on to spin for ever. */
static noinline void planted_guard(void)
{
	guard(raw_spinlock_irqsave)(&inband_lock);
	barrier();
}

/* A task that Linux still runs, or is about to: one of them would be lost. */
static noinline int planted_still_inband(void *unused)
{
	static struct dovetail_altsched_context root, wrong;

	wrong.task = bystander;
	wrong.active_mm = NULL;
	dovetail_context_switch(&root, &wrong, true);
	barrier();

	return 0;
}

static void make_still_inband(void)
{
	toy_switch_inband(TOY_CAUSE_ASKED);
	run_oob_call(planted_still_inband, NULL);
}

/* The thread returns without going in-band first. The report names its stack. */
static noinline int planted_exit_oob(void *unused)
{
	if (toy_attach(0) || toy_switch_oob())
		pr_err("cannot leave\n");

	kthread_exit(0);
}

static const struct plant {
	const char *name;
	void (*make)(void);
	int (*thread)(void *unused);
} plants[] = {
	{ "none",		planted_none },
	{ "kmalloc",		planted_kmalloc },
	{ "mutex",		planted_mutex },
	{ "guard",		planted_guard },
	{ "still_inband",	make_still_inband },
	{ "exit_oob",		NULL,	planted_exit_oob },
};

static const struct plant *plant;

static int make_mistake(void *unused)
{
	int ret = toy_attach(0);

	if (!ret)
		ret = toy_switch_oob();
	if (ret)
		pr_err("cannot leave: %d\n", ret);
	else
		plant->make();

	toy_switch_inband(TOY_CAUSE_ASKED);
	toy_detach();
	kthread_complete_and_exit(&made, 0);
}

static int stand_by(void *unused)
{
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule_timeout(HZ);
	}

	return 0;
}

static int __init toyplant_init(void)
{
	struct task_struct *task;
	int ret;

	plant = find_mistake(plants);
	if (!plant)
		return -EINVAL;

	ret = toy_start();
	if (ret)
		return ret;

	bystander = kthread_run(stand_by, NULL, "bystander");
	if (IS_ERR(bystander)) {
		toy_stop();
		return PTR_ERR(bystander);
	}

	task = kthread_create(plant->thread ?: make_mistake, NULL, "planted");
	if (IS_ERR(task)) {
		ret = PTR_ERR(task);
	} else {
		get_task_struct(task);
		wake_up_process(task);
		/* A thread that forgets to come back forgets to tell us, too. */
		while (plant->thread && !(READ_ONCE(task->flags) & PF_EXITING))
			msleep(20);
		if (!plant->thread)
			wait_for_completion(&made);
		put_task_struct(task);
	}
	pr_info("survived mistake %s\n", mistake);

	kthread_stop(bystander);
	toy_stop();

	return ret;
}

static void __exit toyplant_exit(void)
{
}

module_init(toyplant_init);
module_exit(toyplant_exit);
