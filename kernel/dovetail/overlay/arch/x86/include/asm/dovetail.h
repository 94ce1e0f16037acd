/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86: what a task switch by a companion core adds to __switch_to().
 */
#ifndef _ASM_X86_DOVETAIL_H
#define _ASM_X86_DOVETAIL_H

#ifdef CONFIG_DOVETAIL

#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/unistd.h>

struct mm_struct;
struct task_struct;

void fpu_leave_inband(void);
void fpu_return_inband(void);
void fpu_resume_oob(void);

void arch_dovetail_switch_prepare(bool leave_inband);
void arch_dovetail_switch_finish(bool leave_inband);
struct mm_struct *arch_dovetail_loaded_mm(bool *lazy);
bool arch_dovetail_task_allowed(struct task_struct *p);

/* Numbers of prctl(2): there is no compat entry in this configuration. */
static __always_inline bool arch_dovetail_is_prctl(unsigned long nr)
{
	return nr == __NR_prctl;
}

#endif /* CONFIG_DOVETAIL */

#endif /* _ASM_X86_DOVETAIL_H */
