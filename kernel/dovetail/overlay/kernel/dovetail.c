// SPDX-License-Identifier: GPL-2.0
/*
 * Alternate scheduling: system calls, traps and events on their way to the
 * companion core. The task switches are in sched/dovetail.c.
 */
#include <linux/dovetail.h>
#include <linux/entry-common.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/ptrace.h>
#include <linux/sched/coredump.h>
#include <linux/seccomp.h>
#include <linux/uaccess.h>
#include <asm/syscall.h>

/* Set while a core wants events, traps and system calls. */
bool dovetail_started __read_mostly;
EXPORT_SYMBOL_GPL(dovetail_started);

/**
 * dovetail_start - let events, traps and system calls reach the core
 *
 * Context: in-band.
 *
 * Return: 0, -EBUSY if started already, -EAGAIN without an oob stage.
 */
int dovetail_start(void)
{
	check_inband_stage();

	if (!oob_stage_present())
		return -EAGAIN;

	return cmpxchg(&dovetail_started, false, true) ? -EBUSY : 0;
}
EXPORT_SYMBOL_GPL(dovetail_start);

/**
 * dovetail_stop - the reverse
 *
 * The caller has brought all tasks in-band, and stopped alternate scheduling
 * for them.
 *
 * Context: in-band.
 */
void dovetail_stop(void)
{
	check_inband_stage();
	WRITE_ONCE(dovetail_started, false);
}
EXPORT_SYMBOL_GPL(dovetail_stop);

/**
 * dovetail_task_allowed - whether a task may be scheduled out-of-band
 * @p:	the task
 *
 * The workers of kernel services have to be there for those services, and
 * cannot be replaced while they are away. A filter of system calls would be
 * passed by: it does not see the calls that are for the core. Address space
 * and calls of 32-bit tasks are not handled.
 *
 * Context: any.
 *
 * Return: false if the core should refuse the task, with -EPERM.
 */
bool dovetail_task_allowed(struct task_struct *p)
{
	if (p->flags & (PF_WQ_WORKER | PF_IO_WORKER | PF_USER_WORKER | PF_IDLE))
		return false;

	return arch_dovetail_task_allowed(p) &&
		!test_task_syscall_work(p, SECCOMP);
}
EXPORT_SYMBOL_GPL(dovetail_task_allowed);

/**
 * dovetail_init_altsched - prepare the context of current
 * @p:	context, owned by the core, for dovetail_context_switch()
 *
 * From here on, children of the process get copies of its pages when it
 * forks: it keeps its own writable, and takes no fault for that later. The
 * flag is set under the lock that fork() holds while it copies.
 *
 * Context: in-band, may sleep.
 */
void dovetail_init_altsched(struct dovetail_altsched_context *p)
{
	struct mm_struct *mm = current->mm;

	check_inband_stage();

	p->task = current;
	p->active_mm = mm;
	p->borrowed_mm = false;

	if (mm && !test_bit(MMF_DOVETAILED, &mm->flags)) {
		mmap_write_lock(mm);
		set_bit(MMF_DOVETAILED, &mm->flags);
		mmap_write_unlock(mm);
	}
}
EXPORT_SYMBOL_GPL(dovetail_init_altsched);

/**
 * dovetail_start_altsched - current may switch stages from now on
 *
 * Context: in-band.
 */
void dovetail_start_altsched(void)
{
	check_inband_stage();
	WARN_ON_ONCE(!dovetail_task_allowed(current));
	set_thread_local_flags(_TLF_DOVETAIL);
}
EXPORT_SYMBOL_GPL(dovetail_start_altsched);

/**
 * dovetail_stop_altsched - current is an ordinary task again
 *
 * Context: in-band.
 */
void dovetail_stop_altsched(void)
{
	check_inband_stage();
	clear_thread_local_flags(_TLF_DOVETAIL);
	clear_thread_flag(TIF_MAYDAY);
	clear_thread_flag(TIF_RETUSER);
}
EXPORT_SYMBOL_GPL(dovetail_stop_altsched);

/**
 * dovetail_send_mayday - have a task fall back before it returns to user mode
 * @p:	the task
 *
 * Marks the task, no more: the core makes the CPU it runs on enter the
 * kernel. No effect unless @p started alternate scheduling.
 *
 * Context: any stage.
 */
void dovetail_send_mayday(struct task_struct *p)
{
	struct thread_info *ti = task_thread_info(p);

	if (test_ti_local_flags(ti, _TLF_DOVETAIL))
		set_ti_thread_flag(ti, TIF_MAYDAY);
}
EXPORT_SYMBOL_GPL(dovetail_send_mayday);

/**
 * dovetail_request_ucall - ask for INBAND_TASK_RETUSER
 * @p:	the task
 *
 * No effect unless @p started alternate scheduling. A task other than current
 * sees the request at its next return to user mode.
 *
 * Context: any stage.
 */
void dovetail_request_ucall(struct task_struct *p)
{
	struct thread_info *ti = task_thread_info(p);

	if (test_ti_local_flags(ti, _TLF_DOVETAIL))
		set_ti_thread_flag(ti, TIF_RETUSER);
}
EXPORT_SYMBOL_GPL(dovetail_request_ucall);

/* Takes the request of current back. Any stage. */
void dovetail_clear_ucall(void)
{
	clear_thread_flag(TIF_RETUSER);
}
EXPORT_SYMBOL_GPL(dovetail_clear_ucall);

/*
 * Events.
 */

/* @p is called back to in-band work. In-band, siglock may be held. */
void inband_signal_notify(struct task_struct *p)
{
	if (test_ti_local_flags(task_thread_info(p), _TLF_DOVETAIL))
		inband_event_notify(INBAND_TASK_SIGNAL, p);
}
EXPORT_SYMBOL_GPL(inband_signal_notify);

/**
 * inband_task_init - clear what a child inherited from a task of the core
 * @p:	child, not visible to anybody yet
 */
void inband_task_init(struct task_struct *p)
{
	struct thread_info *ti = task_thread_info(p);

	clear_ti_local_flags(ti, _TLF_DOVETAIL | _TLF_OOB | _TLF_OFFSTAGE |
			     _TLF_OOBTRAP);
	clear_ti_thread_flag(ti, TIF_MAYDAY);
	clear_ti_thread_flag(ti, TIF_RETUSER);
	memset(&ti->oob_state, 0, sizeof(ti->oob_state));
	arch_inband_task_init(p);
}

/**
 * inband_event_notify - tell the core of an event
 * @event:	what happened
 * @data:	argument, by event
 *
 * Context: in-band. SIGNAL comes with siglock held, MIGRATION with the
 * scheduler's locks, PTSTOP with the task state set: the core takes notes.
 */
void inband_event_notify(enum inband_event_type event, void *data)
{
	check_inband_stage();

	if (READ_ONCE(dovetail_started))
		handle_inband_event(event, data);
}

/**
 * dovetail_check_exit - is the task that exits in-band?
 *
 * A thread of the core that returns from its function out-of-band is a bug of
 * the core, which gets a chance to mend it.
 *
 * Context: any stage.
 */
void dovetail_check_exit(void)
{
	if (likely(running_inband()))
		return;

	WARN_ONCE(1, "dovetail: %s[%d] exits on the oob stage\n",
		  current->comm, task_pid_nr(current));

	hard_local_irq_disable();
	if (test_thread_local_flags(_TLF_OOB))
		handle_oob_mayday(task_pt_regs(current));
	if (running_oob())
		panic("dovetail: exit on the oob stage\n");
	hard_local_irq_enable();
}

/*
 * Traps.
 */

/**
 * oob_trap_notify - tell the core of a trap that hit one of its tasks
 * @trapnr:	number of the trap
 * @regs:	registers of the task
 *
 * In-band when this returns if the core moved the task, out-of-band still if
 * it could not: then only the exception table may help.
 *
 * A task can be moved if it held nothing that the core would miss: from user
 * mode, or with hard irqs on. Interrupt handlers and escalated calls cannot.
 *
 * Context: oob stage, early in a trap handler, hard irqs off.
 */
void oob_trap_notify(unsigned int trapnr, struct pt_regs *regs)
{
	if (!READ_ONCE(dovetail_started) || in_pipeline() ||
	    !test_thread_local_flags(_TLF_OOB) ||
	    (!user_mode(regs) &&
	     (regs_irqs_disabled(regs) || pagefault_disabled())))
		return;

	WARN_ON_ONCE(dovetail_debug() &&
		     test_thread_local_flags(_TLF_OOBTRAP));

	set_thread_local_flags(_TLF_OOBTRAP);
	handle_oob_trap_entry(trapnr, regs);

	/* Handled or not, in-band code may not run from here. */
	if (running_oob())
		panic("dovetail: the core left %s[%d] oob with trap %u\n",
		      current->comm, task_pid_nr(current), trapnr);

	/* As any trap handler is entered in-band. */
	local_irq_disable_full();
}

/* The end of a trap that was notified. In-band, stalled, hard irqs off. */
void oob_trap_unwind(unsigned int trapnr, struct pt_regs *regs)
{
	clear_thread_local_flags(_TLF_OOBTRAP);

	if (!READ_ONCE(dovetail_started) || !dovetailing())
		return;

	local_irq_enable_full();
	hard_local_irq_disable();
	handle_oob_trap_exit(trapnr, regs);
	hard_local_irq_disable();

	if (running_inband())
		local_irq_disable_full();
}

/*
 * System calls.
 */

/**
 * in_oob_syscall - whether current's call is for the core, in any form
 * @regs:	registers of the caller
 *
 * Context: any stage.
 */
bool in_oob_syscall(struct pt_regs *regs)
{
	return __in_oob_syscall(regs, syscall_get_nr(current, regs));
}
EXPORT_SYMBOL_GPL(in_oob_syscall);

/* See uapi/asm-generic/dovetail.h. Numbers of the core have 16 bits. */
bool __in_oob_syscall(struct pt_regs *regs, unsigned long nr)
{
	u32 arg0;

	if (IS_ENABLED(CONFIG_DOVETAIL_LEGACY_SYSCALL_RANGE) &&
	    (nr & ~0xffffUL) == __OOB_SYSCALL_BIT)
		return true;

	if (!arch_dovetail_is_prctl(nr))
		return false;

	arg0 = syscall_get_arg0(regs);

	/* Not just the bit: some prctl options are four letters. */
	return arg0 == PR_OOB_SYSCALL ||
		(arg0 & ~0xffffU) == __OOB_SYSCALL_BIT;
}

/**
 * pipeline_syscall - offer a system call to both stages, oob first
 * @nr:		number of the call
 * @regs:	registers of the caller
 *
 * Context: the stage of the caller, hard irqs on; in-band unstalled if that
 * is the one.
 *
 * Return: positive if the caller is out-of-band in the end and has to leave
 * at once, negative if the call was handled and in-band exit work is due, 0
 * if it is for the regular handler.
 */
int pipeline_syscall(unsigned long nr, struct pt_regs *regs)
{
	struct irq_stage *stage = current_irq_stage();
	bool hop = running_inband();
	int ret;

	/* The first look is taken from the oob stage in any case. */
	if (hop) {
		hard_local_irq_disable();
		switch_oob();
		hard_local_irq_enable();
	}

	ret = handle_pipelined_syscall(stage, regs);

	if (hop) {
		hard_local_irq_disable();
		if (running_oob() && !test_thread_local_flags(_TLF_OOB)) {
			switch_inband();
			sync_current_irq_stage();
		}
		hard_local_irq_enable();
	}

	if (!ret && running_inband())
		ret = handle_pipelined_syscall(stage, regs);

	if (running_oob())
		return 1;

	return ret ? -1 : 0;
}

/*
 * The last thing before user mode on the oob stage, hard irqs off: nothing
 * may come between the look at the flag and the return. The core may move the
 * task in-band.
 */
void dovetail_call_mayday(struct pt_regs *regs)
{
	clear_thread_flag(TIF_MAYDAY);
	handle_oob_mayday(regs);
	WARN_ON_ONCE(running_oob() && !hard_irqs_disabled());
}

static long leave_syscall(struct pt_regs *regs)
{
	if (running_inband())
		return EXIT_SYSCALL_TAIL;

	hard_local_irq_disable();
	if (unlikely(test_thread_flag(TIF_MAYDAY)))
		dovetail_call_mayday(regs);

	return running_oob() ? EXIT_SYSCALL_OOB : EXIT_SYSCALL_TAIL;
}

/**
 * dovetail_syscall - route a call of an oob task, or of one that knows the core
 * @regs:	registers of the caller
 * @nr:		number of the call
 *
 * Context: as for pipeline_syscall().
 *
 * Return: EXIT_SYSCALL_OOB with hard irqs off, EXIT_SYSCALL_TAIL in-band, or
 * a number for the regular handler.
 */
long dovetail_syscall(struct pt_regs *regs, long nr)
{
	if (running_oob()) {
		if (__in_oob_syscall(regs, nr) && handle_oob_syscall(regs))
			return leave_syscall(regs);
	} else if (!READ_ONCE(dovetail_started)) {
		return syscall_enter_from_user_mode_work(regs, nr);
	}

	if (pipeline_syscall(nr, regs))
		return leave_syscall(regs);

	/* Only now: what attached to the task did so while it was away. */
	return syscall_enter_from_user_mode_work(regs, nr);
}

/**
 * syscall_exit_taken - return of a call that in-band code knows nothing about
 * @regs:	registers of user mode
 *
 * Signals and the like are due, what belongs to a call of the kernel is not:
 * its entry was not traced or audited either.
 *
 * Context: in-band, unstalled.
 */
noinstr void syscall_exit_taken(struct pt_regs *regs)
{
	instrumentation_begin();
	local_irq_disable_full();
	instrumentation_end();
	irqentry_exit_to_user_mode(regs);
}

/**
 * dovetail_exit_to_user - last look of an interrupt or trap that hit user mode
 * @regs:	registers of user mode
 *
 * Context: oob stage, hard irqs off.
 */
noinstr void dovetail_exit_to_user(struct pt_regs *regs)
{
	if (likely(!(read_thread_flags() & _TIF_MAYDAY)))
		return;

	instrumentation_begin();
	dovetail_call_mayday(regs);
	if (running_oob()) {
		instrumentation_end();
		return;
	}

	/* A regular return to user mode is due. */
	local_irq_disable_full();
	instrumentation_end();
	irqentry_exit_to_user_mode(regs);
}

/**
 * dovetail_call_retuser - the request of dovetail_request_ucall()
 * @regs:	registers of user mode
 *
 * Context: in-band, stalled, hard irqs off. The same, or the oob stage with
 * hard irqs off, on return.
 */
void dovetail_call_retuser(struct pt_regs *regs)
{
	clear_thread_flag(TIF_RETUSER);
	local_irq_enable_full();

	inband_event_notify(INBAND_TASK_RETUSER, NULL);

	if (running_oob()) {
		hard_local_irq_disable();
		if (unlikely(test_thread_flag(TIF_MAYDAY)))
			dovetail_call_mayday(regs);
	}

	if (running_inband())
		local_irq_disable_full();
}
