// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps in-band interrupts of the writer's CPU off for a while:
 *
 *	echo "irq 50" > /proc/stall	local_irq_disable(), 50 ms
 *	echo "lock 50" > /proc/stall	inside of spin_lock_irqsave()
 *
 * Plain Linux: the same module is loaded into kernels without a pipeline.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include <asm/tsc.h>

MODULE_DESCRIPTION("Stalls in-band interrupts on request");
MODULE_LICENSE("GPL");

#define LONGEST_MS	1000

static DEFINE_SPINLOCK(lock);

static void spin(unsigned int ms)
{
	u64 end = rdtsc_ordered() + (u64)ms * tsc_khz;

	while (rdtsc_ordered() < end)
		cpu_relax();
}

static ssize_t stall_write(struct file *file, const char __user *buf,
			   size_t size, loff_t *pos)
{
	unsigned long flags;
	unsigned int ms;
	char text[32], how[8];

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, size))
		return -EFAULT;
	text[size] = 0;
	if (sscanf(text, "%7s %u", how, &ms) != 2 || ms > LONGEST_MS)
		return -EINVAL;

	if (!strcmp(how, "irq")) {
		local_irq_disable();
		spin(ms);
		local_irq_enable();
	} else if (!strcmp(how, "lock")) {
		spin_lock_irqsave(&lock, flags);
		spin(ms);
		spin_unlock_irqrestore(&lock, flags);
	} else {
		return -EINVAL;
	}

	return size;
}

static const struct proc_ops stall_ops = {
	.proc_write	= stall_write,
};

static int __init stall_init(void)
{
	return proc_create("stall", 0200, NULL, &stall_ops) ? 0 : -ENOMEM;
}

static void __exit stall_exit(void)
{
	remove_proc_entry("stall", NULL);
}

module_init(stall_init);
module_exit(stall_exit);
