// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt pipeline: refuses to put the system to sleep.
 *
 * Wake-up interrupts are detected by the flow handlers, which take in-band
 * locks for that under irq_desc::lock, and timers that belong to a core would
 * have to stop first. Until that is done a kernel may have CONFIG_SUSPEND, as
 * that of a distribution does, and says no.
 */
#include <linux/init.h>
#include <linux/irq_pipeline.h>
#include <linux/limits.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/suspend.h>

/* In-band, may sleep. Before anything is frozen or stopped. */
static int refuse_sleep(struct notifier_block *nb, unsigned long event,
			void *unused)
{
	if (event != PM_SUSPEND_PREPARE && event != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;

	pr_err("irq_pipeline: suspend is refused: CONFIG_IRQ_PIPELINE cannot sleep and wake up\n");

	return notifier_from_errno(-EOPNOTSUPP);
}

/* First of all, so that nobody prepares for nothing. */
static struct notifier_block sleep_notifier = {
	.notifier_call	= refuse_sleep,
	.priority	= INT_MAX,
};

static int __init irq_pipeline_pm_init(void)
{
	return register_pm_notifier(&sleep_notifier);
}
core_initcall(irq_pipeline_pm_init);
