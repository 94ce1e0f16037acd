// SPDX-License-Identifier: GPL-2.0
/*
 * x86: state of the CPU that a task switch by a companion core has to carry,
 * besides what __switch_to() does.
 *
 * In-band code defers some of that to the return to user mode: FPU registers,
 * I/O permissions. The oob stage returns by itself, so what comes late there
 * is done here. In-band code that was preempted may return without looking
 * again: it gets back exactly what it had.
 */
#include <linux/dovetail.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <asm/io_bitmap.h>
#include <asm/oob_debugreg.h>
#include <asm/tlbflush.h>

/* Hard irqs off. In the context that is left. */
void arch_dovetail_switch_prepare(bool leave_inband)
{
	WARN_ON_ONCE(irq_pipeline_debug() &&
		     this_cpu_read(cpu_tlbstate.loaded_mm) ==
		     LOADED_MM_SWITCHING);

	if (!leave_inband) {
		oob_breakpoints_suspend();
		return;
	}

	fpu_leave_inband();
	oob_breakpoints_leave_inband();
}

/* Hard irqs off. In the context that was resumed. */
void arch_dovetail_switch_finish(bool leave_inband)
{
	if (leave_inband) {
		fpu_return_inband();
		oob_breakpoints_return_inband();
	} else {
		fpu_resume_oob();
		oob_breakpoints_resume();
	}

	if (unlikely(test_thread_flag(TIF_IO_BITMAP)))
		tss_update_io_bitmap();
}

/*
 * The memory context of the CPU, which in-band code need not agree with: it
 * may be anywhere in a switch, or use a temporary one.
 */
struct mm_struct *arch_dovetail_loaded_mm(bool *lazy)
{
	*lazy = this_cpu_read(cpu_tlbstate_shared.is_lazy);

	return this_cpu_read(cpu_tlbstate.loaded_mm);
}

/* No 32-bit code, and no state whose first use cannot be handled oob. */
bool arch_dovetail_task_allowed(struct task_struct *p)
{
	return !test_tsk_thread_flag(p, TIF_ADDR32);
}
