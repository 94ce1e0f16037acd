// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting and deferring in-band.
 */
#include <linux/completion.h>
#include <linux/hash.h>
#include <linux/irq_pipeline.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "kapi/internal.h"

static_assert(sizeof(struct kapi_mutex) >= sizeof(struct mutex));
static_assert(sizeof(struct kapi_completion) >= sizeof(struct completion));
static_assert(sizeof(struct kapi_waitq) >= sizeof(wait_queue_head_t));
static_assert(sizeof(struct kapi_work) >= sizeof(struct work_struct));

static struct mutex *to_mutex(struct kapi_mutex *mutex)
{
	return (struct mutex *)mutex;
}

static struct completion *to_completion(struct kapi_completion *completion)
{
	return (struct completion *)completion;
}

static wait_queue_head_t *to_waitq(struct kapi_waitq *queue)
{
	return (wait_queue_head_t *)queue;
}

static struct work_struct *to_work(struct kapi_work *work)
{
	return (struct work_struct *)work;
}

bool kapi_may_dispose(void)
{
	return running_inband() && !hard_irqs_disabled() && preemptible() &&
		!rcu_preempt_depth() && !(current->flags & PF_WQ_WORKER);
}

void kapi_mutex_init(struct kapi_mutex *mutex, struct kapi_lock_class *lock_class)
{
	__mutex_init(to_mutex(mutex), lock_class->name,
		     (struct lock_class_key *)&lock_class->key);
}

void kapi_mutex_lock(struct kapi_mutex *mutex)
{
	mutex_lock(to_mutex(mutex));
}

void kapi_mutex_unlock(struct kapi_mutex *mutex)
{
	mutex_unlock(to_mutex(mutex));
}

void kapi_completion_init(struct kapi_completion *completion)
{
	init_completion(to_completion(completion));
}

void kapi_complete(struct kapi_completion *completion)
{
	complete(to_completion(completion));
}

void kapi_complete_all(struct kapi_completion *completion)
{
	complete_all(to_completion(completion));
}

void kapi_wait_completion(struct kapi_completion *completion)
{
	wait_for_completion(to_completion(completion));
}

int kapi_wait_completion_interruptible(struct kapi_completion *completion)
{
	return wait_for_completion_interruptible(to_completion(completion));
}

void kapi_waitq_init(struct kapi_waitq *queue)
{
	init_waitqueue_head(to_waitq(queue));
}

void kapi_waitq_wake_all(struct kapi_waitq *queue)
{
	wake_up_all(to_waitq(queue));
}

int kapi_waitq_wait(struct kapi_waitq *queue, bool (*ready)(void *arg), void *arg)
{
	return wait_event_interruptible(*to_waitq(queue), ready(arg));
}

void kapi_poll_wait(struct kapi_file *file, struct kapi_waitq *queue,
		    struct kapi_poll_table *table)
{
	poll_wait((struct file *)file, to_waitq(queue), (struct poll_table_struct *)table);
}

unsigned int kapi_poll_forward(struct kapi_file *file, struct kapi_poll_table *table)
{
	return (__force unsigned int)vfs_poll((struct file *)file,
					      (struct poll_table_struct *)table);
}

struct kapi_workqueue *kapi_workqueue_create(const char *name, unsigned int at_once)
{
	struct workqueue_struct *queue;

	if (at_once == 1)
		queue = alloc_ordered_workqueue("%s", 0, name);
	else
		queue = alloc_workqueue("%s", WQ_UNBOUND, min_t(unsigned int, at_once, WQ_MAX_ACTIVE), name);

	return (struct kapi_workqueue *)queue;
}

void kapi_workqueue_destroy(struct kapi_workqueue *queue)
{
	destroy_workqueue((struct workqueue_struct *)queue);
}

/*
 * Handlers flush works of other kinds, which lockdep would take for a recursion if all of them were
 * of one class. It wants static keys: some, found by handler; two kinds may fall together.
 */
#ifdef CONFIG_LOCKDEP
static struct lock_class_key work_keys[64];

static void set_work_class(struct work_struct *work, const void *handler)
{
	lockdep_init_map(&work->lockdep_map, "EVL work",
			 &work_keys[hash_ptr(handler, ilog2(ARRAY_SIZE(work_keys)))], 0);
}
#else
static inline void set_work_class(struct work_struct *work, const void *handler) { }
#endif

void kapi_work_init(struct kapi_work *work, void (*handler)(struct kapi_work *work))
{
	INIT_WORK(to_work(work), (void (*)(struct work_struct *))handler);
	set_work_class(to_work(work), handler);
}

bool kapi_work_queue(struct kapi_workqueue *queue, struct kapi_work *work)
{
	return queue_work((struct workqueue_struct *)queue, to_work(work));
}

void kapi_work_flush(struct kapi_work *work)
{
	flush_work(to_work(work));
}
