/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Clocks, and the timers made from them.
 */
#ifndef _EVL_UAPI_CLOCK_ABI_H
#define _EVL_UAPI_CLOCK_ABI_H

#include <linux/ioctl.h>
#include <evl/types.h>

#define EVL_CLOCK_DEV "clock"
#define EVL_CLOCK_MONOTONIC_DEV "monotonic"
#define EVL_CLOCK_REALTIME_DEV "realtime"

/*
 * The built-in clocks, in place of a file descriptor: -CLOCK_MONOTONIC and -CLOCK_REALTIME.
 * The second one is 0, so descriptor 0 never names a clock.
 */
#define EVL_CLOCK_MONOTONIC (-1)
#define EVL_CLOCK_REALTIME (-0)

#define EVL_CLOCK_IOCBASE 'c'

#define EVL_CLKIOC_SLEEP _IOW(EVL_CLOCK_IOCBASE, 0, struct __evl_timespec)
#define EVL_CLKIOC_GET_RES _IOR(EVL_CLOCK_IOCBASE, 1, struct __evl_timespec)
#define EVL_CLKIOC_GET_TIME _IOR(EVL_CLOCK_IOCBASE, 2, struct __evl_timespec)
#define EVL_CLKIOC_SET_TIME _IOW(EVL_CLOCK_IOCBASE, 3, struct __evl_timespec)
/* Number 4 is retired. The argument of number 5 is an int *: the timer's descriptor. */
#define EVL_CLKIOC_NEW_TIMER _IO(EVL_CLOCK_IOCBASE, 5)

/* Both point to a struct __evl_itimerspec; ovalue_ptr 0: the old setting is not wanted. */
struct evl_timerfd_setreq {
	__u64 value_ptr;
	__u64 ovalue_ptr;
};
EVL_ABI_SIZE(struct evl_timerfd_setreq, 16);

#define EVL_TIMERFD_IOCBASE 't'

#define EVL_TFDIOC_SET _IOWR(EVL_TIMERFD_IOCBASE, 0, struct evl_timerfd_setreq)
#define EVL_TFDIOC_GET _IOR(EVL_TIMERFD_IOCBASE, 1, struct __evl_itimerspec)

#endif /* !_EVL_UAPI_CLOCK_ABI_H */
