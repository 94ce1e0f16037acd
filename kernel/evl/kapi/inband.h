/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting and deferring on the in-band side. Nothing here may be called oob; an oob caller goes
 * through kapi_irq_work first.
 */
#ifndef EVL_KAPI_INBAND_H
#define EVL_KAPI_INBAND_H

#include "kapi/lock.h"

KAPI_BEGIN_DECLS

/*
 * In-band task context that may sleep, outside a workqueue worker. Stage: any. Irqs: any. Decides
 * whether the last reference on an element disposes of it at once (element/reference.h).
 */
bool kapi_may_dispose(void);

/* Sleeping mutex (struct mutex). Sleeps. Taken before any hard lock. */
KAPI_OPAQUE(kapi_mutex);
void kapi_mutex_init(struct kapi_mutex *mutex, struct kapi_lock_class *lock_class);
void kapi_mutex_lock(struct kapi_mutex *mutex);
void kapi_mutex_unlock(struct kapi_mutex *mutex);

/* One-shot or counted gate (struct completion). */
KAPI_OPAQUE(kapi_completion);
void kapi_completion_init(struct kapi_completion *completion);
void kapi_complete(struct kapi_completion *completion);		/* inband, irq_work too */
void kapi_complete_all(struct kapi_completion *completion);	/* the same; stays open */
void kapi_wait_completion(struct kapi_completion *completion);	/* Sleeps. */
/* Sleeps. Errors: ERESTARTSYS a signal is pending. */
int kapi_wait_completion_interruptible(struct kapi_completion *completion);

/* Queue of in-band tasks (wait_queue_head_t). */
KAPI_OPAQUE(kapi_waitq);
void kapi_waitq_init(struct kapi_waitq *queue);
void kapi_waitq_wake_all(struct kapi_waitq *queue);		/* inband, irq_work too */

/*
 * Sleeps until ready(arg), which is asked before each sleep and after each wake-up, with irqs on
 * and no lock. Errors: ERESTARTSYS.
 */
int kapi_waitq_wait(struct kapi_waitq *queue, bool (*ready)(void *arg), void *arg);

/* From a poll handler: current wants to know when `queue` is woken. */
void kapi_poll_wait(struct kapi_file *file, struct kapi_waitq *queue,
		    struct kapi_poll_table *table);

/* What poll() on another file says (proxy). */
unsigned int kapi_poll_forward(struct kapi_file *file, struct kapi_poll_table *table);

/*
 * Up to `at_once` works run at a time, each by itself; with 1, in the order of queueing. Sleeps.
 * NULL: out of memory.
 */
struct kapi_workqueue *kapi_workqueue_create(const char *name, unsigned int at_once);
void kapi_workqueue_destroy(struct kapi_workqueue *queue);	/* After what is queued has run. */

KAPI_OPAQUE(kapi_work);
/* Stage: inband, irq_work too: debugging of objects takes locks of Linux. */
void kapi_work_init(struct kapi_work *work, void (*handler)(struct kapi_work *work));
/* Stage: inband, irq_work too. False: queued already. The handler may free its work. */
bool kapi_work_queue(struct kapi_workqueue *queue, struct kapi_work *work);
/* Sleeps until it is neither queued nor running. */
void kapi_work_flush(struct kapi_work *work);

KAPI_END_DECLS

#endif /* EVL_KAPI_INBAND_H */
