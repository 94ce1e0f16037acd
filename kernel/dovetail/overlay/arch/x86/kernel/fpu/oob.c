// SPDX-License-Identifier: GPL-2.0
/*
 * FPU registers across the out-of-band stage.
 *
 * In-band code is preempted anywhere: with the registers of its task live, in
 * the middle of a kernel FPU section, or between two steps that belong
 * together for it. So nothing is concluded from its books. If the registers
 * might be in use they are saved as they are, and put back before that code
 * goes on, along with the books.
 *
 * Between each other, oob tasks have theirs switched as in-band tasks do, but
 * are given them back at once rather than on return to user mode.
 */
#include <linux/cpu.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <asm/dovetail.h>
#include <asm/fpu/api.h>
#include <asm/fpu/sched.h>
#include <asm/fpu/signal.h>

#include "context.h"
#include "internal.h"
#include "legacy.h"
#include "xstate.h"

/**
 * struct inband_fpu - registers of the preempted in-band code of a CPU
 * @fpstate:	where they are saved
 * @owns:	the registers were on record as those of the preempted task
 * @saved:	@fpstate and @owns are good
 * @loaded:	TIF_NEED_FPU_LOAD was clear
 */
struct inband_fpu {
	struct fpstate *fpstate;
	bool owns;
	bool saved;
	bool loaded;
};

static DEFINE_PER_CPU(struct inband_fpu, inband_fpu);

/*
 * The registers mean nothing if the kernel does not use them, their task has
 * its values in memory, and no section that locks them is under way; such
 * sections, and some that do not care, have softirqs disabled.
 */
static bool inband_regs_in_use(bool loaded)
{
	return loaded || this_cpu_read(in_kernel_fpu) || softirq_count();
}

/**
 * fpu_leave_inband - in-band code is preempted by an oob task
 *
 * The load flag of the task is set, so that the switch does not save anything
 * to the task, whose buffer in-band code may be working on.
 *
 * Context: oob stage, hard irqs off.
 */
void fpu_leave_inband(void)
{
	struct inband_fpu *f = raw_cpu_ptr(&inband_fpu);

	f->loaded = !(current->flags & (PF_KTHREAD | PF_USER_WORKER)) &&
		!test_thread_flag(TIF_NEED_FPU_LOAD);
	f->saved = inband_regs_in_use(f->loaded);
	if (!f->saved)
		return;

	f->owns = raw_cpu_read(fpu_fpregs_owner_ctx) == &current->thread.fpu;
	if (likely(use_xsave()))
		os_xsave(f->fpstate);
	else
		fxsave(&f->fpstate->regs.fxsave);

	/* They may be half-way from one task to another, for all we know. */
	raw_cpu_write(fpu_fpregs_owner_ctx, NULL);
	set_thread_flag(TIF_NEED_FPU_LOAD);
}

/**
 * fpu_return_inband - in-band code goes on
 *
 * Context: oob stage, hard irqs off, current is the in-band task.
 */
void fpu_return_inband(void)
{
	struct inband_fpu *f = raw_cpu_ptr(&inband_fpu);
	struct fpu *owner;

	if (!f->saved)
		return;

	restore_fpregs_from_fpstate(f->fpstate, XFEATURE_MASK_FPSTATE);
	/* Another task may have got on out-of-band since it owned them. */
	owner = f->owns ? &current->thread.fpu : NULL;
	raw_cpu_write(fpu_fpregs_owner_ctx, owner);
	if (f->loaded)
		clear_thread_flag(TIF_NEED_FPU_LOAD);
}

/**
 * fpu_resume_oob - an oob task goes on
 *
 * Context: oob stage, hard irqs off, current is the task.
 */
void fpu_resume_oob(void)
{
	if (!(current->flags & (PF_KTHREAD | PF_USER_WORKER)) &&
	    test_thread_flag(TIF_NEED_FPU_LOAD))
		fpregs_restore_userregs();
}

/* Before any core can be there. */
static int __init inband_fpu_init(void)
{
	struct fpstate *fpstate;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		/* Page-sized or larger: aligned as XSAVE wants it. */
		fpstate = kzalloc_node(PAGE_ALIGN(sizeof(*fpstate) +
						  fpu_kernel_cfg.default_size),
				       GFP_KERNEL, cpu_to_node(cpu));
		if (!fpstate)
			return -ENOMEM;

		fpstate->size = fpu_kernel_cfg.default_size;
		fpstate->user_size = fpu_user_cfg.default_size;
		fpstate->xfeatures = fpu_kernel_cfg.default_features;
		fpstate->user_xfeatures = fpu_user_cfg.default_features;
		fpstate->xfd = init_fpstate.xfd;
		fpstate_init_user(fpstate);
		per_cpu(inband_fpu.fpstate, cpu) = fpstate;
	}

	return 0;
}
early_initcall(inband_fpu_init);
