// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes of the kernel objects that the core embeds, compiled to assembly only, as asm-offsets.c is.
 * An empty structure has size 0 in GNU C and 1 in C++: never less than 1.
 */
#include <linux/cache.h>
#include <linux/completion.h>
#include <linux/dovetail.h>
#include <linux/irq_work.h>
#include <linux/kbuild.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <asm/current.h>

#define EMBED(name, type)							\
	do {									\
		DEFINE(KAPI_SIZE_##name, sizeof(type) ? sizeof(type) : 1);	\
		DEFINE(KAPI_ALIGN_##name, __alignof__(type));			\
	} while (0)

int main(void)
{
	EMBED(kapi_hard_spinlock, hard_spinlock_t);
	EMBED(kapi_lock_key, struct lock_class_key);
	EMBED(kapi_irq_work, struct irq_work);
	EMBED(kapi_altsched, struct dovetail_altsched_context);
	EMBED(kapi_mutex, struct mutex);
	EMBED(kapi_completion, struct completion);
	EMBED(kapi_waitq, wait_queue_head_t);
	EMBED(kapi_work, struct work_struct);
	DEFINE(KAPI_NR_CPUS, CONFIG_NR_CPUS);
	DEFINE(KAPI_CACHE_LINE, L1_CACHE_BYTES);
	DEFINE(KAPI_HOT_PREEMPT_COUNT, offsetof(struct pcpu_hot, preempt_count));
	DEFINE(KAPI_HOT_CPU_NUMBER, offsetof(struct pcpu_hot, cpu_number));
	DEFINE(KAPI_HOT_CURRENT_TASK, offsetof(struct pcpu_hot, current_task));
	DEFINE(KAPI_TASK_OOB_STATE, offsetof(struct task_struct, thread_info.oob_state));
	DEFINE(KAPI_TASK_FLAGS, offsetof(struct task_struct, thread_info.flags));
	DEFINE(KAPI_FLAGS_SIGNAL, _TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL);
	DEFINE(KAPI_STAGE_MASK, STAGE_MASK);
#if defined(CONFIG_SMP) && defined(CONFIG_QUEUED_SPINLOCKS) && defined(CONFIG_JUMP_LABEL) &&	\
	!defined(CONFIG_PARAVIRT) && !defined(CONFIG_DEBUG_SPINLOCK) &&				\
	!defined(CONFIG_DEBUG_IRQ_PIPELINE)
	DEFINE(KAPI_HAS_FAST_PATHS, 1);	/* <kapi-platform.h> */
#endif
	return 0;
}
