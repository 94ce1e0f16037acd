// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the kernel misbehave on request, to test what scripts/board makes of it:
 *
 *	insmod board_faults.ko fault=warn|bug|oops|atomic|hang|hang_all|rcu
 *
 * In-band, from a process; `hang` never returns, with hard irqs off.
 */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/smp.h>

static char *fault = "warn";
module_param(fault, charp, 0);

static noinline void board_faults_spin(void *unused)
{
	/* Not local_irq_disable(): under the pipeline that one only stalls the in-band stage. */
	asm volatile("cli" ::: "memory");
	for (;;)
		cpu_relax();
}

static int __init board_faults_init(void)
{
	if (!strcmp(fault, "warn")) {
		WARN(1, "board_faults: as asked\n");
	} else if (!strcmp(fault, "bug")) {
		BUG();
	} else if (!strcmp(fault, "oops")) {
		*(volatile int *)8 = 1;
	} else if (!strcmp(fault, "atomic")) {
		preempt_disable();
		msleep(20);
		preempt_enable();
	} else if (!strcmp(fault, "hang")) {
		board_faults_spin(NULL);
	} else if (!strcmp(fault, "hang_all")) {
		smp_call_function(board_faults_spin, NULL, 0);
		board_faults_spin(NULL);
	} else if (!strcmp(fault, "rcu")) {
		preempt_disable();
		mdelay(60000);
		preempt_enable();
	} else {
		return -EINVAL;
	}
	return 0;
}

static void __exit board_faults_exit(void)
{
}

module_init(board_faults_init);
module_exit(board_faults_exit);
MODULE_DESCRIPTION("Deliberate kernel faults for the tests of scripts/board");
MODULE_LICENSE("GPL");
