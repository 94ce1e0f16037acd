/* SPDX-License-Identifier: MIT */
/*
 * Attaching threads to the core, and what can be done with them. See evl_thread(3).
 */
#ifndef _EVL_THREAD_H
#define _EVL_THREAD_H

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <evl/factory-abi.h>
#include <evl/thread-abi.h>
#include <evl/sched.h>

/* Bytes of stack that suffice for a thread which calls little of the C library. */
#define EVL_STACK_DEFAULT                                              \
	({                                                             \
		size_t __evl_stacksz = PTHREAD_STACK_MIN;              \
		if (__evl_stacksz < 65536)                             \
			__evl_stacksz = 65536;                         \
		__evl_stacksz;                                         \
	})

#define evl_attach_self(__fmt, __args...) \
	evl_attach_thread(EVL_CLONE_PRIVATE, __fmt, ##__args)

#ifdef __cplusplus
extern "C" {
#endif

int evl_attach_thread(int flags, const char *fmt, ...);
int evl_detach_thread(int flags);
int evl_detach_self(void);
int evl_get_self(void);
int evl_switch_oob(void);
int evl_switch_inband(void);
bool evl_is_inband(void);
int evl_get_state(int efd, struct evl_thread_state *statebuf);
int evl_unblock_thread(int efd);
int evl_demote_thread(int efd);
int evl_set_thread_mode(int efd, int mask, int *oldmask);
int evl_clear_thread_mode(int efd, int mask, int *oldmask);

#ifdef __cplusplus
}
#endif

#include <evl/compat.h>

#endif /* !_EVL_THREAD_H */
