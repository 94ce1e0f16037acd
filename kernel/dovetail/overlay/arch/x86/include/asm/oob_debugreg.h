/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86: the breakpoint registers while a task with hardware breakpoints runs
 * out-of-band. See kernel/oob_debugreg.c.
 */
#ifndef _ASM_X86_OOB_DEBUGREG_H
#define _ASM_X86_OOB_DEBUGREG_H

#include <linux/percpu.h>
#include <asm/debugreg.h>

struct perf_event;

#ifdef CONFIG_DOVETAIL

/* The breakpoint registers of this CPU are those of the oob task. */
DECLARE_PER_CPU(bool, oob_breakpoints);

void oob_breakpoints_leave_inband(void);
void oob_breakpoints_return_inband(void);
void oob_breakpoints_resume(void);
void oob_breakpoints_suspend(void);
unsigned long oob_breakpoints_inband_dr6(unsigned long dr6);

/* In hw_breakpoint.c. */
struct perf_event *hw_breakpoint_in_reg(int reg);

/* A trap that was raised in the kernel. Any context, hard irqs off. */
static __always_inline unsigned long
oob_breakpoints_kernel_dr6(unsigned long dr6)
{
	return raw_cpu_read(oob_breakpoints) ? dr6 & ~DR_TRAP_BITS : dr6;
}

#else

static __always_inline unsigned long
oob_breakpoints_kernel_dr6(unsigned long dr6)
{
	return dr6;
}

static __always_inline unsigned long
oob_breakpoints_inband_dr6(unsigned long dr6)
{
	return dr6;
}

#endif /* CONFIG_DOVETAIL */

#endif /* _ASM_X86_OOB_DEBUGREG_H */
