/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the toy core keeps in each task: a pointer, since every task of the
 * system pays for it. Dovetail zeroes it when the task is created.
 */
#ifndef _TOYCORE_DOVETAIL_THREAD_INFO_H
#define _TOYCORE_DOVETAIL_THREAD_INFO_H

struct toy_thread;

struct oob_thread_state {
	struct toy_thread *thread;
};

#endif /* _TOYCORE_DOVETAIL_THREAD_INFO_H */
