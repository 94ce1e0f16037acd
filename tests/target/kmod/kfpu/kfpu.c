// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel code that uses vector registers: on each CPU a thread holds values
 * in them, inside of kernel_fpu_begin(), and looks whether they are still
 * there. Threads of a companion core that preempt it must not be noticed.
 *
 * /proc/kfpu shows rounds and mismatches. Plain Linux.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include <asm/fpu/api.h>

MODULE_DESCRIPTION("Holds values in vector registers in the kernel");
MODULE_LICENSE("GPL");

#define SPINS	20000

struct vectors {
	u64 word[16][2];
} __aligned(16);

static DEFINE_PER_CPU(struct task_struct *, threads);
static atomic_long_t rounds, mismatches;

/* The assembler repeats a line for each register. */
#define EACH(line)	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n" \
			line "\n.endr\n"
#define LOAD		"movdqa 16*\\n(%[in]), %%xmm\\n"
#define SAVE		"movdqa %%xmm\\n, 16*\\n(%[out])"

static noinline void hold(const struct vectors *in, struct vectors *out)
{
	unsigned long spins = SPINS;

	asm volatile(EACH(LOAD)
		     "1: dec %[spins]\n"
		     "jnz 1b\n"
		     EACH(SAVE)
		     : [spins] "+r" (spins)
		     : [in] "r" (in), [out] "r" (out)
		     : "memory", "cc");
}

static int run(void *unused)
{
	struct vectors in, out;
	unsigned long n, seed;
	int at;

	for (n = 0; !kthread_should_stop(); n++) {
		seed = (unsigned long)current + n;
		for (at = 0; at < 16; at++) {
			in.word[at][0] = seed += 0x9e3779b97f4a7c15UL;
			in.word[at][1] = seed += 0x9e3779b97f4a7c15UL;
		}

		kernel_fpu_begin();
		hold(&in, &out);
		kernel_fpu_end();

		if (memcmp(&in, &out, sizeof(in)))
			atomic_long_inc(&mismatches);
		atomic_long_inc(&rounds);
		usleep_range(100, 200);
	}

	return 0;
}

static int show(struct seq_file *m, void *unused)
{
	seq_printf(m, "rounds %ld\nmismatches %ld\n",
		   atomic_long_read(&rounds), atomic_long_read(&mismatches));

	return 0;
}

static void stop_all(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		if (per_cpu(threads, cpu))
			kthread_stop(per_cpu(threads, cpu));
}

static int __init kfpu_init(void)
{
	struct task_struct *task;
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		task = kthread_run_on_cpu(run, NULL, cpu, "kfpu/%u");
		if (IS_ERR(task)) {
			stop_all();
			return PTR_ERR(task);
		}
		per_cpu(threads, cpu) = task;
	}
	proc_create_single("kfpu", 0444, NULL, show);

	return 0;
}

static void __exit kfpu_exit(void)
{
	remove_proc_entry("kfpu", NULL);
	stop_all();
}

module_init(kfpu_init);
module_exit(kfpu_exit);
