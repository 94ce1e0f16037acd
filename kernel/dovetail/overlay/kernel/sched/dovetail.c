// SPDX-License-Identifier: GPL-2.0
/*
 * Alternate scheduling: how a task leaves the in-band stage, is switched to
 * and from by a companion core, and comes back. Part of core.c.
 *
 * Leaving:
 *
 *	T: dovetail_leave_inband()	marks itself off stage, under pi_lock
 *	   __schedule()			takes T off the run queue, or finds a
 *					signal and takes the mark back
 *	   context_switch() to N
 *	N: inband_switch_tail()		tells the core: resume_oob_task(T)
 *	core				switches from N, which is preempted
 *					there, to T
 *	T: inband_switch_tail()		finds the mark, unwinds __schedule()
 *
 * T is in the slot oob_leaver from the moment it is off the run queue, under
 * the lock of that queue, until N takes it out. It never is there while it
 * could be picked in-band.
 *
 * Coming back:
 *
 *	T: dovetail_leave_oob()		T is in the slot oob_returner
 *	   dovetail_context_switch()	to whatever the core runs next, X
 *	X: settle_returner()		clears the mark of T: its registers are
 *					saved, in-band may wake it up
 *	N: irq_work			wakes T up, once the CPU is in-band
 *	T: dovetail_context_switch()	goes on in the middle of a switch by
 *					the in-band scheduler
 *	   dovetail_resume_inband()	does the tail of that switch
 *
 * A wake-up that comes earlier, from anywhere, is refused by
 * try_to_wake_up(), which looks for the mark under pi_lock.
 */

/* Off the run queue, not handed to the core yet. Hard irqs off, or in-band. */
static DEFINE_PER_CPU(struct task_struct *, oob_leaver);

/* Still running, about to be switched out for in-band. Hard irqs off. */
static DEFINE_PER_CPU(struct task_struct *, oob_returner);

/* Task that in-band switched from to one that came back. In-band, stalled. */
static DEFINE_PER_CPU(struct task_struct *, inband_prev);

/* Context of the preempted in-band code, while there is some. Hard irqs off. */
static DEFINE_PER_CPU(struct dovetail_altsched_context *, inband_context);

/* The registers of the last task that left the oob stage are saved. */
static void settle_returner(void)
{
	struct task_struct *p = raw_cpu_read(oob_returner);
	struct thread_info *ti;

	if (likely(!p))
		return;

	raw_cpu_write(oob_returner, NULL);
	ti = task_thread_info(p);

	/* Pairs with the acquire in task_is_off_stage(). */
	smp_store_release(&ti->status, ti->status & ~_TLF_OFFSTAGE);
}

/* @p goes to sleep: for us or for itself? rq locked, stalled. */
static int dovetail_block_flags(struct task_struct *p)
{
	if (likely(!test_ti_local_flags(task_thread_info(p), _TLF_OFFSTAGE)))
		return 0;

	raw_cpu_write(oob_leaver, p);

	/* It must not stay on the queue for its lag, as others may. */
	return DEQUEUE_SPECIAL;
}

/* @p has a signal to look at first. rq locked, stalled. */
static void dovetail_stay_inband(struct task_struct *p)
{
	clear_ti_local_flags(task_thread_info(p), _TLF_OFFSTAGE);
}

/* The CPU is masked from the first half of a switch to inband_switch_tail(). */
static void inband_switch_begin(void)
{
	hard_local_irq_disable();
}

/*
 * Hands the task that has just left to the core, which may switch to it from
 * here: the in-band tail goes on when the oob stage has nothing to do.
 * In-band, stalled, hard irqs off.
 */
static void release_leaver(void)
{
	struct task_struct *p = raw_cpu_read(oob_leaver);

	if (likely(!p))
		return;

	raw_cpu_write(oob_leaver, NULL);

	WARN_ONCE(dovetail_debug() && task_on_rq_queued(p),
		  "dovetail: %s[%d] leaves in-band, but is on the run queue\n",
		  p->comm, task_pid_nr(p));

	stall_oob();
	resume_oob_task(p);
	hard_local_irq_disable();
	unstall_oob();
	if (unlikely(stage_irqs_pending(this_oob_staged())))
		oob_irq_enable();
}

/**
 * inband_switch_tail - first thing after a switch of registers
 *
 * Context: hard irqs off. In-band and stalled, or out-of-band.
 *
 * Return: true if current was switched to by the core and is on the oob stage
 * with hard irqs off: there is no in-band switch to finish, all callers up to
 * dovetail_leave_inband() return. False, with hard irqs on, otherwise.
 */
bool inband_switch_tail(void)
{
	if (unlikely(test_thread_local_flags(_TLF_OFFSTAGE))) {
		preempt_count_set(STAGE_OFFSET);
		settle_returner();
		return true;
	}

	release_leaver();
	hard_local_irq_enable();

	return false;
}

/* A uprobe has hit current, and is handled on the way to user mode. */
static bool uprobe_pending(void)
{
	return IS_ENABLED(CONFIG_UPROBES) && test_thread_flag(TIF_UPROBE);
}

/**
 * dovetail_leave_inband - move current to the oob stage
 *
 * The core has the task blocked on some in-band condition, which it drops in
 * resume_oob_task(), and does not move it to another CPU meanwhile.
 *
 * A signal that comes too late to be seen here raised INBAND_TASK_SIGNAL for a
 * task that the core might still have taken for an in-band one. The task gets
 * a mayday in that case, which brings it back before it runs user code; a core
 * that puts it to sleep before that tests signal_pending() first.
 *
 * Context: in-band, preemptible. Out-of-band on success, with hard irqs off
 * and the oob stage stalled.
 *
 * Return: 0, or -ERESTARTSYS if a signal or a uprobe is pending.
 */
int dovetail_leave_inband(void)
{
	struct task_struct *p = current;
	unsigned long flags;

	if (WARN_ONCE(running_oob() || !dovetailing() || !preemptible(),
		      "dovetail: %s[%d] cannot leave in-band from here\n",
		      p->comm, task_pid_nr(p)))
		return -EPERM;

	if (signal_pending(p) || uprobe_pending())
		return -ERESTARTSYS;

	sched_submit_work(p);

	preempt_disable();
	raw_spin_lock_irqsave(&p->pi_lock, flags);
	WRITE_ONCE(p->__state, TASK_INTERRUPTIBLE);
	set_thread_local_flags(_TLF_OFFSTAGE);
	raw_spin_unlock_irqrestore(&p->pi_lock, flags);

	__schedule(SM_NONE);

	if (!test_thread_local_flags(_TLF_OFFSTAGE)) {
		preempt_enable();
		return -ERESTARTSYS;
	}

	stall_oob();
	set_thread_local_flags(_TLF_OOB);
	arch_dovetail_switch_finish(false);

	if (unlikely(signal_pending(p)))
		dovetail_send_mayday(p);

	return 0;
}
EXPORT_SYMBOL_GPL(dovetail_leave_inband);

/**
 * dovetail_leave_oob - current is about to leave the oob stage
 *
 * The core has queued an irq_work that will wake the task up in-band, has
 * blocked it, and switches from it next, with hard irqs off all along. The
 * work was idle: one that is pending on another CPU since an earlier return,
 * which some other wake-up overtook, might be played too early.
 *
 * Context: oob stage, hard irqs off.
 */
void dovetail_leave_oob(void)
{
	struct task_struct *p = current;

	WARN_ON_ONCE(dovetail_debug() && !hard_irqs_disabled());

	clear_thread_local_flags(_TLF_OOB);
	clear_thread_flag(TIF_MAYDAY);
	raw_cpu_write(oob_returner, p);
}
EXPORT_SYMBOL_GPL(dovetail_leave_oob);

/**
 * dovetail_resume_inband - finish the in-band switch that brought current back
 *
 * The core calls this as soon as dovetail_context_switch() returned true.
 *
 * Context: in-band, stalled, hard irqs on. Unstalled and preemptible on
 * return.
 */
void dovetail_resume_inband(void)
{
	struct task_struct *prev = raw_cpu_read(inband_prev);

	if (WARN_ONCE(!prev, "dovetail: %s[%d] did not come back in-band\n",
		      current->comm, task_pid_nr(current)))
		return;

	raw_cpu_write(inband_prev, NULL);

	/* The one we were switched to from may have left for the oob stage. */
	hard_local_irq_disable();
	release_leaver();
	hard_local_irq_enable();

	finish_task_switch(prev);
	preempt_enable();
}
EXPORT_SYMBOL_GPL(dovetail_resume_inband);

/* Return: false for a switch that would corrupt a run queue. */
static bool context_switch_is_sane(struct dovetail_altsched_context *in,
				   bool leave_inband)
{
	if (!dovetail_debug())
		return true;

	WARN_ONCE(on_pipeline_entry() || running_inband() ||
		  !hard_irqs_disabled(),
		  "dovetail: task switch in the wrong context\n");

	if (!leave_inband && in == raw_cpu_read(inband_context))
		return true;

	return !WARN_ONCE(!task_is_off_stage(in->task) ||
		  task_on_rq_queued(in->task),
		  "dovetail: core switches to %s[%d], which is in-band\n",
		  in->task->comm, task_pid_nr(in->task));
}

/**
 * dovetail_context_switch - switch from one context of the core to another
 * @out:	context to leave: that of current, or the placeholder
 * @in:		context to resume
 * @leave_inband: in-band code is preempted: @out is the placeholder
 *
 * Any in-band code may be preempted, in the middle of whatever it does with
 * memory contexts and FPU: it finds the CPU as it was.
 *
 * RCU watches until that in-band code goes on, even if it was idle: see
 * handle_irq_pipelined_finish().
 *
 * Context: oob stage, stalled, hard irqs off.
 *
 * Return: true if current was resumed by the in-band scheduler, in-band; the
 * core then calls dovetail_resume_inband(). False if it was by the core.
 */
bool dovetail_context_switch(struct dovetail_altsched_context *out,
			     struct dovetail_altsched_context *in,
			     bool leave_inband)
{
	struct task_struct *prev, *next, *last;
	bool lazy = false;
	int pc;

	if (!context_switch_is_sane(in, leave_inband))
		return false;

	if (leave_inband) {
		out->task = current;
		out->active_mm = arch_dovetail_loaded_mm(&lazy);
		raw_cpu_write(inband_context, out);
	}

	arch_dovetail_switch_prepare(leave_inband);

	prev = out->task;
	next = in->task;

	if (!in->active_mm) {
		in->active_mm = out->active_mm;
		in->borrowed_mm = true;
		enter_lazy_tlb(in->active_mm, next);
	} else {
		switch_oob_mm(out->active_mm, in->active_mm, next);
	}

	if (out->borrowed_mm) {
		out->borrowed_mm = false;
		out->active_mm = NULL;
	}

	pc = preempt_count();
	switch_to(prev, next, last);
	barrier();

	if (!leave_inband && !test_thread_local_flags(_TLF_OOB)) {
		/* From context_switch(), in-band. */
		preempt_count_set(FORK_PREEMPT_COUNT);
		raw_cpu_write(inband_prev, last);
		return true;
	}

	preempt_count_set(pc);
	settle_returner();
	arch_dovetail_switch_finish(leave_inband);

	if (leave_inband) {
		raw_cpu_write(inband_context, NULL);
		if (lazy)
			enter_lazy_tlb(out->active_mm, current);
	}

	return false;
}
EXPORT_SYMBOL_GPL(dovetail_context_switch);
