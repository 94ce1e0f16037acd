/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Scheduling policies and attributes. SCHED_OTHER, SCHED_FIFO, SCHED_RR are those of POSIX.
 */
#ifndef _EVL_UAPI_SCHED_ABI_H
#define _EVL_UAPI_SCHED_ABI_H

#include <evl/types.h>

/* The numbers 44 and 45 are those of SCHED_QUOTA and SCHED_TP. */
#define SCHED_WEAK 43

#define EVL_WEAK_MIN_PRIO 0
#define EVL_WEAK_MAX_PRIO 99
#define EVL_FIFO_MIN_PRIO 1
#define EVL_FIFO_MAX_PRIO 99

/* Zero: keep the current slice. */
struct __evl_rr_param {
	struct __evl_timespec __sched_rr_quantum;
};

struct __evl_quota_param {
	__s32 __sched_group;
};

struct __evl_tp_param {
	__s32 __sched_partition;
};

/* SCHED_FIFO and SCHED_RR take priorities 1 to 99, SCHED_WEAK 0 to 99, SCHED_OTHER only 0. */
struct evl_sched_attrs {
	__s32 sched_policy;
	__s32 sched_priority;
	union {
		struct __evl_rr_param rr;
		struct __evl_quota_param quota;
		struct __evl_tp_param tp;
	} sched_u;
};
EVL_ABI_SIZE(struct evl_sched_attrs, 24);
EVL_ABI_OFFSET(struct evl_sched_attrs, sched_u, 8);

#define sched_rr_quantum sched_u.rr.__sched_rr_quantum
#define sched_quota_group sched_u.quota.__sched_group
#define sched_tp_partition sched_u.tp.__sched_partition

#endif /* !_EVL_UAPI_SCHED_ABI_H */
