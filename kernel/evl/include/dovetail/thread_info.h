/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the EVL core keeps in each task: two pointers, since every task of the
 * system pays for them. Dovetail zeroes them when the task is created. Same
 * layout as struct kapi_task_state, which kapi/task.c asserts.
 */
#ifndef _EVL_DOVETAIL_THREAD_INFO_H
#define _EVL_DOVETAIL_THREAD_INFO_H

struct oob_thread_state {
	void *thread;
	void *subscriptions;
};

#endif /* _EVL_DOVETAIL_THREAD_INFO_H */
