// SPDX-License-Identifier: GPL-2.0
/*
 * x86: hardware breakpoints across task switches by a companion core.
 *
 * In-band, perf owns the breakpoint registers: it loads those of a task when
 * Linux switches to it. A switch by the core does not pass by there, so what a
 * debugger set in a task by ptrace(2) is loaded here, for as long as the task
 * runs out-of-band. The in-band code that was preempted gets its own back.
 *
 * cpu_dr7 always says what the CPU has, or would have if the breakpoints were
 * not off for a moment: NMIs go by it.
 *
 * A task whose breakpoint hits in user mode comes in-band, where it is handled
 * as ever. In the kernel, where the core reads or writes user memory on the
 * oob stage, it has no effect: nobody could be told from there.
 *
 * All with hard irqs off, on the oob stage. Cost when there is no breakpoint:
 * a test each.
 */
#include <linux/hw_breakpoint.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <asm/oob_debugreg.h>
#include <asm/processor.h>

DEFINE_PER_CPU(bool, oob_breakpoints);

/*
 * What the preempted in-band code had, to the letter: it may be in the middle
 * of changing it.
 */
struct inband_breakpoints {
	unsigned long dr7;
	unsigned long cpu_dr7;
	unsigned long address[HBP_NUM];
	bool address_saved;	/* The registers hold others. */
};

static DEFINE_PER_CPU(struct inband_breakpoints, inband_breakpoints);

/* In-band code is preempted: its breakpoints are nobody else's. */
void oob_breakpoints_leave_inband(void)
{
	if (unlikely(hw_breakpoint_active()))
		raw_cpu_write(inband_breakpoints.dr7, local_db_save());
}

/* Bound here and below: HBP_NUM, 4. */
static void save_addresses(struct inband_breakpoints *inband)
{
	if (inband->address_saved)
		return;

	get_debugreg(inband->address[0], 0);
	get_debugreg(inband->address[1], 1);
	get_debugreg(inband->address[2], 2);
	get_debugreg(inband->address[3], 3);
	inband->address_saved = true;
}

/* It goes on. */
void oob_breakpoints_return_inband(void)
{
	struct inband_breakpoints *inband = raw_cpu_ptr(&inband_breakpoints);
	int i;

	if (unlikely(inband->address_saved)) {
		inband->address_saved = false;
		for (i = 0; i < HBP_NUM; i++)
			set_debugreg(inband->address[i], i);
	}

	if (unlikely(inband->dr7)) {
		local_db_restore(inband->dr7);
		inband->dr7 = 0;
	}
}

static void load_breakpoints(struct thread_struct *t)
{
	struct inband_breakpoints *inband = raw_cpu_ptr(&inband_breakpoints);
	unsigned long dr7 = 0;
	int i;

	save_addresses(inband);

	/* A debugger writes here while the task is in-band. */
	for (i = 0; i < HBP_NUM; i++) {
		struct perf_event *bp = t->ptrace_bps[i];

		if (!bp || bp->attr.disabled)
			continue;

		set_debugreg(counter_arch_bp(bp)->address, i);
		dr7 |= encode_dr7(i, counter_arch_bp(bp)->len,
				  counter_arch_bp(bp)->type);
	}

	if (!dr7)
		return;

	inband->cpu_dr7 = raw_cpu_read(cpu_dr7);
	raw_cpu_write(oob_breakpoints, true);
	raw_cpu_write(cpu_dr7, dr7);
	barrier(); /* An NMI never finds breakpoints that cpu_dr7 denies. */
	set_debugreg(dr7, 7);
}

/* The core has switched to current, on the oob stage. */
void oob_breakpoints_resume(void)
{
	if (unlikely(current->thread.ptrace_dr7))
		load_breakpoints(&current->thread);
}

/* The core switches from current. */
void oob_breakpoints_suspend(void)
{
	if (likely(!raw_cpu_read(oob_breakpoints)))
		return;

	set_debugreg(DR7_FIXED_1, 7);
	barrier(); /* As above. */
	raw_cpu_write(cpu_dr7, raw_cpu_read(inband_breakpoints.cpu_dr7));
	raw_cpu_write(oob_breakpoints, false);
}

/*
 * A breakpoint hit current out-of-band, where each is in the register that the
 * debugger gave it. It has come in-band since: there perf used whatever
 * registers were free.
 *
 * Context: in-band, hard irqs off.
 *
 * Return: @dr6 as perf expects it.
 */
unsigned long oob_breakpoints_inband_dr6(unsigned long dr6)
{
	unsigned long inband = dr6 & ~DR_TRAP_BITS;
	int i, j;

	for (i = 0; i < HBP_NUM; i++) {
		struct perf_event *bp = current->thread.ptrace_bps[i];

		if (!bp || !(dr6 & (DR_TRAP0 << i)))
			continue;

		for (j = 0; j < HBP_NUM; j++) {
			if (hw_breakpoint_in_reg(j) == bp)
				inband |= DR_TRAP0 << j;
		}
	}

	return inband;
}
