/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The toy core as kernel code sees it: for kernel threads that run
 * out-of-band. A thread has to detach before it ends.
 */
#ifndef _TOYCORE_CORE_H
#define _TOYCORE_CORE_H

#include <linux/list.h>
#include <linux/types.h>
#include <uapi/toycore/abi.h>

struct task_struct;

/**
 * struct toy_sem - a counting semaphore
 * @waiters:	threads, first come first served
 * @count:	tokens; zero if there are waiters
 * @dead:	no longer usable, waiters got -EIDRM
 */
struct toy_sem {
	struct list_head waiters;
	u32 count;
	bool dead;
};

int toy_start(void);
void toy_stop(void);

int toy_attach(u32 flags);
void toy_detach(void);
int toy_switch_oob(void);
void toy_switch_inband(enum toy_cause cause);
void toy_kick(struct task_struct *task);

int toy_sleep_until(u64 date);
int toy_yield(void);

void toy_sem_init(struct toy_sem *sem);
int toy_sem_wait(struct toy_sem *sem);
void toy_sem_post(struct toy_sem *sem);
void toy_sem_destroy(struct toy_sem *sem);

#endif /* _TOYCORE_CORE_H */
