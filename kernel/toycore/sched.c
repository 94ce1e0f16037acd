// SPDX-License-Identifier: GPL-2.0
/*
 * The toy scheduler: on each CPU, threads run in the order in which they
 * became ready, until they block. Round-robin threads have to share.
 *
 * Whatever needs another thread to run says so in rq->resched. The switch
 * itself is made by toy_schedule(), on the out-of-band stage: called directly
 * by a thread that blocks, when an interrupt ends, or by in-band code that
 * woke somebody up.
 */
#include <linux/interrupt.h>
#include <linux/smp.h>

#include "internal.h"

DEFINE_HARD_SPINLOCK(toy_lock);
DEFINE_PER_CPU(struct toy_rq, toy_rqs);

static DEFINE_PER_CPU(int, ipi_cookie);

/*
 * Who is next? No priorities: the current thread stays unless it blocked or
 * its turn is over. The root is last, and always there. toy_lock held.
 */
static struct toy_thread *elect(struct toy_rq *rq)
{
	struct toy_thread *curr = rq->curr, *next;

	if (curr != &rq->root && !curr->blocked) {
		if (!rq->rotate || list_empty(&rq->ready))
			return curr;
		list_add_tail(&curr->ready, &rq->ready);
	}

	next = list_first_entry_or_null(&rq->ready, struct toy_thread, ready);
	if (!next)
		return &rq->root;

	list_del(&next->ready);

	return next;
}

/*
 * Gives the CPU to the next thread. Returns in the context of the one that
 * called this, when it has the CPU again: maybe much later, maybe in-band, and
 * then maybe on another CPU. Hence nothing is looked at after the switch.
 *
 * The lock can be dropped before: prev is on no list or on one of this CPU's,
 * and only this CPU takes it from there.
 *
 * Context: out-of-band, stalled, hard irqs off.
 *
 * Return: true if the context came back in-band.
 */
static int switch_threads(void *unused)
{
	struct toy_thread *prev, *next;
	struct toy_rq *rq;

	raw_spin_lock(&toy_lock);

	rq = toy_this_rq();
	prev = rq->curr;
	next = elect(rq);
	rq->resched = false;
	rq->rotate = false;

	if (next == prev) {
		raw_spin_unlock(&toy_lock);
		return false;
	}

	WARN_ON_ONCE(next != &rq->root &&
		     (next->blocked || next->cpu != raw_smp_processor_id()));

	rq->curr = next;
	next->stats.switches++;
	toy_count(TOY_C_SWITCH);

	/* The turn of a round-robin thread starts if somebody else waits. */
	rq->quantum_end = U64_MAX;
	if (next->flags & TOY_F_RR && !list_empty(&rq->ready)) {
		rq->quantum_end = toy_now() + TOY_QUANTUM_NS;
		toy_program(rq);
	}

	raw_spin_unlock(&toy_lock);

	return dovetail_context_switch(&prev->ctx, &next->ctx,
				       prev == &rq->root);
}

/*
 * toy_schedule - let the best thread of this CPU run
 *
 * While an interrupt is being handled, nothing happens: its end does it.
 *
 * Context: either stage, hard irqs off, toy_lock not held.
 *
 * Return: true if the calling thread comes back on the in-band stage, which
 * the end of toy_switch_inband() expects and nobody else does.
 */
bool toy_schedule(void)
{
	if (toy_this_rq()->irq_depth)
		return false;

	return run_oob_call(switch_threads, NULL);
}

/* Has the CPU of @rq elect again. toy_lock held. */
static void request_resched(struct toy_rq *rq, unsigned int cpu)
{
	rq->resched = true;
	if (cpu != raw_smp_processor_id())
		irq_send_oob_ipi(RESCHEDULE_OOB_IPI, cpumask_of(cpu));
}

/*
 * toy_ready_locked - a thread can run again
 *
 * If it is still the current one of its run queue, it had set its block bit
 * and not switched yet: it goes on. toy_lock held; the caller reschedules.
 */
void toy_ready_locked(struct toy_thread *t)
{
	struct toy_rq *rq = per_cpu_ptr(&toy_rqs, t->cpu);

	t->blocked = 0;
	if (rq->curr == t)
		return;

	list_add_tail(&t->ready, &rq->ready);

	/* Those who share have to know that there is somebody now. */
	if (rq->curr == &rq->root ||
	    (rq->curr->flags & TOY_F_RR && rq->quantum_end == U64_MAX)) {
		rq->rotate = rq->curr != &rq->root;
		request_resched(rq, t->cpu);
	}
}

/* Ends the sleep or the wait of a thread. toy_lock held. */
void toy_wake_locked(struct toy_thread *t, int status)
{
	list_del(&t->link);
	t->status = status;
	toy_ready_locked(t);
}

/*
 * toy_block_locked - the calling thread is going to wait for something
 * @bit:	what for
 * @pos:	where its link goes in front of
 *
 * Nothing happens until it calls toy_wait_unlock(). toy_lock held.
 */
void toy_block_locked(struct toy_thread *t, unsigned int bit,
		      struct list_head *pos)
{
	t->blocked |= bit;
	t->stats.waits++;
	list_add_tail(&t->link, pos);
}

/*
 * toy_wait_unlock - drop toy_lock and wait
 *
 * Context: out-of-band, toy_lock held.
 *
 * Return: what toy_wake_locked() was given.
 */
int toy_wait_unlock(struct toy_thread *t, unsigned long flags)
{
	raw_spin_unlock(&toy_lock);
	toy_schedule();
	hard_local_irq_restore(flags);

	return READ_ONCE(t->status);
}

/*
 * toy_unlock_resched - drop toy_lock after threads may have become ready
 *
 * Context: either stage. From in-band, threads that were woken up run, and
 * have blocked again, before this returns.
 */
void toy_unlock_resched(unsigned long flags)
{
	bool resched = toy_this_rq()->resched;

	raw_spin_unlock(&toy_lock);
	if (resched)
		toy_schedule();
	hard_local_irq_restore(flags);
}

/*
 * toy_yield - let the next thread in the queue run
 *
 * Context: out-of-band, attached.
 *
 * Return: 0.
 */
int toy_yield(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&toy_lock, flags);
	toy_this_rq()->rotate = true;
	raw_spin_unlock(&toy_lock);
	toy_schedule();
	hard_local_irq_restore(flags);

	return 0;
}

/* Around each interrupt, by way of <dovetail/irq.h>. Hard irqs off. */
void toy_irq_enter(void)
{
	toy_this_rq()->irq_depth++;
}

/* The one place where a thread is preempted. */
void toy_irq_exit(void)
{
	struct toy_rq *rq = toy_this_rq();

	if (!--rq->irq_depth && READ_ONCE(rq->resched))
		toy_schedule();
}

/* Another CPU set our resched mark, or wants the timer looked at. */
static irqreturn_t handle_ipi(int irq, void *dev_id)
{
	toy_count(TOY_C_IPI);

	return IRQ_HANDLED;
}

int toy_request_ipi(void)
{
	return __request_percpu_irq(RESCHEDULE_OOB_IPI, handle_ipi, IRQF_OOB,
				    "toycore", &ipi_cookie);
}

void toy_free_ipi(void)
{
	free_percpu_irq(RESCHEDULE_OOB_IPI, &ipi_cookie);
}
