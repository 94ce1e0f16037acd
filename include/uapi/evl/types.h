/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Types that several classes of elements share. Words which user space and the core both
 * write are listed, bit by bit, in Documentation/library/abi.md.
 */
#ifndef _EVL_UAPI_TYPES_H
#define _EVL_UAPI_TYPES_H

#include <linux/types.h>

/* A structure of the ABI has one size, whatever the language and the width of a pointer. */
#ifdef __cplusplus
#define EVL_ABI_ASSERT(__cond) static_assert(__cond, "EVL ABI: " #__cond)
#else
#define EVL_ABI_ASSERT(__cond) __extension__ _Static_assert(__cond, "EVL ABI: " #__cond)
#endif
#define EVL_ABI_SIZE(__type, __size) EVL_ABI_ASSERT(sizeof(__type) == (__size))
#define EVL_ABI_OFFSET(__type, __member, __offset) \
	EVL_ABI_ASSERT(__builtin_offsetof(__type, __member) == (__offset))

/*
 * Handle of an element: 30 bits, unique in its class. The two upper bits belong to the
 * word of a mutex, see <evl/monitor-abi.h>.
 */
typedef __u32 fundle_t;

#define EVL_NO_HANDLE ((fundle_t)0x00000000)

/* The owner waits or is waited for in the core: release through EVL_MONIOC_EXIT. */
#define EVL_MUTEX_FLCLAIM ((fundle_t)0x80000000)
/* The core has applied the ceiling: release through EVL_MONIOC_EXIT. */
#define EVL_MUTEX_FLCEIL ((fundle_t)0x40000000)
/* The bits which are not part of the handle. */
#define EVL_HANDLE_INDEX_MASK (EVL_MUTEX_FLCLAIM | EVL_MUTEX_FLCEIL)

static inline fundle_t evl_get_index(fundle_t handle)
{
	return handle & ~EVL_HANDLE_INDEX_MASK;
}

/* Seconds and nanoseconds; tv_nsec is in [0, 999999999]. Two 64-bit words everywhere. */
struct __evl_timespec {
	__s64 tv_sec;
	__s64 tv_nsec;
};
EVL_ABI_SIZE(struct __evl_timespec, 16);

struct __evl_itimerspec {
	struct __evl_timespec it_interval;
	struct __evl_timespec it_value;
};
EVL_ABI_SIZE(struct __evl_itimerspec, 32);

/* A value which the core carries and never looks into. */
union evl_value {
	__s32 val;
	__s64 lval;
	void *ptr;
};
EVL_ABI_SIZE(union evl_value, 8);

#define evl_intval(__val) ((union evl_value){ .lval = (__val) })
#define evl_ptrval(__ptr) ((union evl_value){ .ptr = (__ptr) })
#define evl_nil evl_intval(0)

#endif /* !_EVL_UAPI_TYPES_H */
