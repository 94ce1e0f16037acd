// SPDX-License-Identifier: GPL-2.0
/*
 * Counting semaphores: how toy threads wait for each other, and for in-band
 * code. A token that is given goes to the first waiter directly, so that none
 * is lost or taken twice when that thread is called back at the same time.
 */
#include "internal.h"

void toy_sem_init(struct toy_sem *sem)
{
	INIT_LIST_HEAD(&sem->waiters);
	sem->count = 0;
	sem->dead = false;
}

/**
 * toy_sem_wait - take a token, wait for one if there is none
 * @sem:	the semaphore
 *
 * Context: out-of-band, attached. O(1).
 *
 * Return: 0; -ERESTARTSYS if the thread is asked to come back in-band before
 * it got a token; -EIDRM if the semaphore is destroyed.
 */
int toy_sem_wait(struct toy_sem *sem)
{
	struct toy_thread *t = toy_self();
	unsigned long flags;
	int ret = 0;

	raw_spin_lock_irqsave(&toy_lock, flags);

	if (sem->dead) {
		ret = -EIDRM;
	} else if (t->kicked) {
		ret = -ERESTARTSYS;
	} else if (sem->count) {
		sem->count--;
	} else {
		toy_block_locked(t, TOY_WAITING, &sem->waiters);
		return toy_wait_unlock(t, flags);
	}

	raw_spin_unlock_irqrestore(&toy_lock, flags);

	return ret;
}

/**
 * toy_sem_post - give a token
 * @sem:	the semaphore
 *
 * Context: either stage, any interrupt state. O(1).
 */
void toy_sem_post(struct toy_sem *sem)
{
	struct toy_thread *t;
	unsigned long flags;

	raw_spin_lock_irqsave(&toy_lock, flags);

	t = list_first_entry_or_null(&sem->waiters, struct toy_thread, link);
	if (t)
		toy_wake_locked(t, 0);
	else if (!sem->dead && sem->count < U32_MAX)
		sem->count++;

	toy_unlock_resched(flags);
}

/**
 * toy_sem_destroy - send all waiters away, and whoever comes later
 * @sem:	the semaphore
 *
 * The waiters still look at it when this returns: the caller waits for them
 * before it frees it. Bound of the loop: the threads that wait.
 *
 * Context: either stage, any interrupt state.
 */
void toy_sem_destroy(struct toy_sem *sem)
{
	struct toy_thread *t, *tmp;
	unsigned long flags;

	raw_spin_lock_irqsave(&toy_lock, flags);

	sem->dead = true;
	list_for_each_entry_safe(t, tmp, &sem->waiters, link)
		toy_wake_locked(t, -EIDRM);

	toy_unlock_resched(flags);
}
