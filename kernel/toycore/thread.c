// SPDX-License-Identifier: GPL-2.0
/*
 * Toy threads: how a task joins the core and parts from it, and how it moves
 * from one stage to the other.
 *
 *  in-band -> out-of-band		out-of-band -> in-band
 *
 *  T: toy_switch_oob()			T: toy_switch_inband()
 *     dovetail_leave_inband()		   TOY_INBAND set, irq_work queued
 *       Linux puts T to sleep,		   dovetail_leave_oob()
 *       picks N			   toy_schedule(): root has the CPU
 *  N: switch tail			in-band: the irq_work wakes T up,
 *     resume_oob_task(T)			 Linux switches to T
 *       TOY_INBAND cleared, T ready	T: toy_schedule() returns true
 *       toy_schedule(): T has the CPU	   dovetail_resume_inband()
 *  T: dovetail_leave_inband() returns	   in-band, as ever
 *     out-of-band
 *
 * A request to come back (a kick) may hit any point of this. T clears
 * t->kicked before it looks for signals and leaves; whoever sends a signal
 * makes it pending first and kicks then; T looks at t->kicked as soon as it
 * is out-of-band. So one of them sees the other:
 *
 *  T: kicked = false; signal pending? leave;      ...; kicked? -> comes back
 *  S:                   signal pending = true; kicked = true
 *
 * From the moment TOY_INBAND is cleared, a kick wakes T up as well if it
 * sleeps in the core, and sends a mayday, which brings T back from user mode.
 */
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "internal.h"

/* Attached threads, for /proc/toycore and evictions. Under toy_lock. */
LIST_HEAD(toy_threads);

/* In-band, hardirq context, on the CPU that the thread left. */
static void come_back(struct irq_work *work)
{
	struct toy_thread *t = container_of(work, struct toy_thread, comeback);

	wake_up_process(t->ctx.task);
}

/**
 * toy_attach - make the current task a thread of the core
 * @flags:	TOY_F_*
 *
 * The task stays in-band until it calls toy_switch_oob(). It has to detach
 * before it ends; user tasks that do not are detached by their exit event, or
 * when they become another program.
 *
 * Context: in-band, may sleep. The core runs as long as the thread is attached.
 *
 * Return: 0; -EBUSY if it is attached; -EINVAL for unknown flags; -EPERM if it
 * is a task that must not leave; -ENOMEM; or what toy_start() says.
 */
int toy_attach(u32 flags)
{
	struct toy_thread *t;
	unsigned long hard;
	int ret;

	if (toy_self())
		return -EBUSY;
	if (flags & ~TOY_F_ALL)
		return -EINVAL;
	if (!dovetail_task_allowed(current))
		return -EPERM;

	ret = toy_start();
	if (ret)
		return ret;

	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t) {
		toy_stop();
		return -ENOMEM;
	}

	init_irq_work(&t->comeback, come_back);
	t->blocked = TOY_INBAND;
	t->flags = flags;

	dovetail_init_altsched(&t->ctx);

	raw_spin_lock_irqsave(&toy_lock, hard);
	dovetail_current_state()->thread = t;
	list_add_tail(&t->all, &toy_threads);
	raw_spin_unlock_irqrestore(&toy_lock, hard);

	dovetail_start_altsched();
	toy_count(TOY_C_ATTACH);

	return 0;
}
EXPORT_SYMBOL_GPL(toy_attach);

/**
 * toy_detach - part the current task from the core
 *
 * Kicks find a thread through its task, under toy_lock: none does once the
 * pointer is gone. The irq_work may still be on its way out on another CPU.
 *
 * Context: in-band, may sleep.
 */
void toy_detach(void)
{
	struct toy_thread *t = toy_self();
	unsigned long flags;

	if (!t)
		return;

	dovetail_stop_altsched();

	raw_spin_lock_irqsave(&toy_lock, flags);
	WARN_ON_ONCE(!(t->blocked & TOY_INBAND));
	dovetail_current_state()->thread = NULL;
	list_del(&t->all);
	raw_spin_unlock_irqrestore(&toy_lock, flags);

	irq_work_sync(&t->comeback);
	kfree(t);
	toy_count(TOY_C_DETACH);
	toy_stop();
}
EXPORT_SYMBOL_GPL(toy_detach);

/**
 * toy_switch_oob - continue out-of-band
 *
 * Context: in-band, may sleep; nothing to do if the caller is out-of-band.
 *
 * Return: 0, out-of-band; or in-band: -EPERM if not attached; -EAGAIN if the
 * CPU does not take threads; -ERESTARTSYS if the thread was called back: if no
 * signal is pending, it may try again.
 */
int toy_switch_oob(void)
{
	struct toy_thread *t = toy_self();
	int ret;

	if (!t)
		return -EPERM;
	if (toy_self_is_oob())
		return 0;

	WRITE_ONCE(t->kicked, false);
	/* Pairs with the order of the sender: pending first, then the kick. */
	smp_mb();
	if (signal_pending(current))
		return -ERESTARTSYS;
	if (!READ_ONCE(raw_cpu_ptr(&toy_rqs)->open))
		return -EAGAIN;

	ret = dovetail_leave_inband();
	if (ret)
		return ret;

	oob_irq_enable();
	/* Wherever the last return was to end, we are there. */
	dovetail_clear_ucall();

	/* If the CPU was closed in between, we were not seen. */
	if (READ_ONCE(t->kicked) || !READ_ONCE(toy_this_rq()->open)) {
		toy_switch_inband(TOY_CAUSE_KICK);
		return -ERESTARTSYS;
	}

	return 0;
}
EXPORT_SYMBOL_GPL(toy_switch_oob);

/*
 * resume_oob_task - the task has left the in-band stage
 *
 * Called by Dovetail from the switch tail of the task that comes next on this
 * CPU. This is where a thread gets its CPU: the one it happened to be on.
 *
 * Context: in-band stage, stalled, oob stalled too, hard irqs off.
 */
void resume_oob_task(struct task_struct *task)
{
	struct toy_thread *t;

	raw_spin_lock(&toy_lock);

	t = dovetail_task_state(task)->thread;
	if (WARN_ON_ONCE(!t || t->blocked != TOY_INBAND)) {
		raw_spin_unlock(&toy_lock);
		return;
	}

	t->cpu = raw_smp_processor_id();
	t->stats.cpu = t->cpu;
	t->stats.oob = true;
	t->stats.leaves++;
	toy_count(TOY_C_LEAVE);
	toy_this_rq()->nr_oob++;
	toy_ready_locked(t);

	raw_spin_unlock(&toy_lock);

	toy_schedule();
}

/**
 * toy_switch_inband - continue in-band
 * @cause:	why, for the statistics
 *
 * Context: out-of-band, any hard irq state; nothing to do if the caller is
 * in-band. Returns in-band, unstalled, hard irqs on, maybe on another CPU.
 */
void toy_switch_inband(enum toy_cause cause)
{
	struct toy_thread *t = toy_self();

	if (!t || !toy_self_is_oob())
		return;

	hard_local_irq_disable();
	raw_spin_lock(&toy_lock);

	t->blocked = TOY_INBAND;
	t->stats.oob = false;
	t->stats.returns[cause]++;
	toy_count(TOY_C_RETURN);
	toy_this_rq()->nr_oob--;

	raw_spin_unlock(&toy_lock);

	/* Played by this CPU once nothing runs out-of-band on it any more. */
	irq_work_queue(&t->comeback);
	/* From here on the wake-up is not refused. */
	dovetail_leave_oob();
	WARN_ON_ONCE(!toy_schedule());

	hard_local_irq_enable();
	dovetail_resume_inband();

	/*
	 * Another wake-up may have come first. Do not leave again before ours
	 * is over: the next return would find it pending on another CPU, for as
	 * long as that one is out-of-band.
	 */
	irq_work_sync(&t->comeback);

	/* Back as soon as the reason is dealt with, before user code runs. */
	if (t->flags & TOY_F_RETURN && cause >= TOY_CAUSE_TRAP)
		dovetail_request_ucall(current);
}
EXPORT_SYMBOL_GPL(toy_switch_inband);

/*
 * toy_kick_locked - have a thread come back in-band soon
 *
 * In the core, it is woken up. In user mode, the mayday catches it when it
 * gets there or, if it is there, when an interrupt returns to it. In-band, it
 * finds the mark if it is about to leave. toy_lock held.
 */
void toy_kick_locked(struct toy_thread *t)
{
	t->stats.kicks++;
	WRITE_ONCE(t->kicked, true);

	if (t->blocked & TOY_INBAND)
		return;

	dovetail_send_mayday(t->ctx.task);

	if (t->blocked)
		toy_wake_locked(t, -ERESTARTSYS);
	else if (per_cpu_ptr(&toy_rqs, t->cpu)->curr == t &&
		 t->cpu != raw_smp_processor_id())
		irq_send_oob_ipi(RESCHEDULE_OOB_IPI, cpumask_of(t->cpu));
}

/**
 * toy_kick - have a task come back in-band soon
 * @task:	the task; nothing happens if it is not attached
 *
 * A kernel thread notices by the result of its next blocking call.
 *
 * Context: either stage, any interrupt state.
 */
void toy_kick(struct task_struct *task)
{
	struct toy_thread *t;
	unsigned long flags;

	raw_spin_lock_irqsave(&toy_lock, flags);
	t = dovetail_task_state(task)->thread;
	if (t)
		toy_kick_locked(t);
	toy_unlock_resched(flags);
}
