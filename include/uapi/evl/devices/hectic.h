/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/hectic: switches contexts between threads of every kind on one CPU, and checks the
 * FPU registers across the switches. The direction bits of some codes do not match the
 * flow of data; the numbers are what counts.
 *
 * A file holds a fixed number of tasks, which pass the CPU on to each other: at any time one
 * of them runs, the others sleep in PEND or SWITCH_TO. A call which comes out-of-band sleeps
 * out-of-band, one which comes through ioctl(2) in-band; the driver remembers which it was.
 */
#ifndef _EVL_UAPI_DEVICES_HECTIC_H
#define _EVL_UAPI_DEVICES_HECTIC_H

#include <linux/ioctl.h>
#include <evl/types.h>

/* hectic_task_index.flags of REGISTER_UTASK: where the task waits first. */
#define HECTIC_INBAND_WAIT 0x0
#define HECTIC_OOB_WAIT 0x10000

struct hectic_task_index {
	__u32 index;
	__u32 flags;
};
EVL_ABI_SIZE(struct hectic_task_index, 8);

struct hectic_switch_req {
	__u32 from;
	__u32 to;
};
EVL_ABI_SIZE(struct hectic_switch_req, 8);

struct hectic_error {
	struct hectic_switch_req last_switch;
	__u32 fp_val;
};
EVL_ABI_SIZE(struct hectic_error, 12);

#define EVL_HECTIC_IOCBASE 'H'

/* The argument of SET_TASKS_COUNT, SET_CPU and SET_PAUSE is the value itself. */
#define EVL_HECIOC_SET_TASKS_COUNT _IOW(EVL_HECTIC_IOCBASE, 0, __u32)
#define EVL_HECIOC_SET_CPU _IOW(EVL_HECTIC_IOCBASE, 1, __u32)
#define EVL_HECIOC_REGISTER_UTASK _IOW(EVL_HECTIC_IOCBASE, 2, struct hectic_task_index)
#define EVL_HECIOC_CREATE_KTASK _IOWR(EVL_HECTIC_IOCBASE, 3, struct hectic_task_index)
/* Sleeps until the task .index is switched to; also how to go on sleeping after EINTR. */
#define EVL_HECIOC_PEND _IOR(EVL_HECTIC_IOCBASE, 4, struct hectic_task_index)
/*
 * Lets .to run, and sleeps until .from is switched to. The same number twice stands for the
 * task which switched to .from. Returns 0; 1 if a check in the kernel found a bad register.
 */
#define EVL_HECIOC_SWITCH_TO _IOR(EVL_HECTIC_IOCBASE, 5, struct hectic_switch_req)
#define EVL_HECIOC_GET_SWITCHES_COUNT _IOR(EVL_HECTIC_IOCBASE, 6, __u32)
#define EVL_HECIOC_GET_LAST_ERROR _IOR(EVL_HECTIC_IOCBASE, 7, struct hectic_error)
#define EVL_HECIOC_SET_PAUSE _IOW(EVL_HECTIC_IOCBASE, 8, __u32)
#define EVL_HECIOC_LOCK_STAX _IO(EVL_HECTIC_IOCBASE, 9)
#define EVL_HECIOC_UNLOCK_STAX _IO(EVL_HECTIC_IOCBASE, 10)

#endif /* !_EVL_UAPI_DEVICES_HECTIC_H */
