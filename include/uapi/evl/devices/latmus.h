/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/latmus: measures how late the answer to a timer is, and tunes the clock's gravity.
 * All times are in nanoseconds.
 */
#ifndef _EVL_UAPI_DEVICES_LATMUS_H
#define _EVL_UAPI_DEVICES_LATMUS_H

#include <linux/ioctl.h>
#include <evl/types.h>

/* Who answers. */
#define EVL_LAT_IRQ 0 /* The timer's handler. */
#define EVL_LAT_KERN 1 /* A kernel thread. */
#define EVL_LAT_USER 2 /* A thread of user space, through EVL_LATIOC_PULSE. */
#define EVL_LAT_SIRQ 3 /* An in-band synthetic interrupt. */

/*
 * tune.verbosity: 0 to 2. measure.xfd: xbuf for the records; measure.hcells: 0 to 1000.
 * cell_ns: width of a cell of the histogram, 1 to 1000000; 0 means 1000. Zero for TUNE.
 */
struct latmus_setup {
	__u32 type;
	__u32 cell_ns; /* Padding, and zero, in the programs of libevl. */
	__u64 period;
	__s32 priority;
	__u32 cpu;
	union {
		struct {
			__u32 verbosity;
		} tune;
		struct {
			__u32 xfd;
			__u32 hcells;
		} measure;
	} u;
};
EVL_ABI_SIZE(struct latmus_setup, 32);
EVL_ABI_OFFSET(struct latmus_setup, period, 8);

/* One record per second of samples; through the xbuf, and the last, partial one by RUN. */
struct latmus_measurement {
	__s64 sum_lat;
	__s32 min_lat;
	__s32 max_lat;
	__u32 overruns;
	__u32 samples;
};
EVL_ABI_SIZE(struct latmus_measurement, 24);

/*
 * last_ptr: struct latmus_measurement; histogram_ptr: __s32 cells, len bytes of them. Cell n
 * counts the samples whose absolute value is in [n * cell_ns, (n + 1) * cell_ns), the last
 * cell also those above.
 */
struct latmus_measurement_result {
	__u64 last_ptr;
	__u64 histogram_ptr;
	__u32 len;
	__u32 __pad; /* Zero. */
};
EVL_ABI_SIZE(struct latmus_measurement_result, 24);

/* data_ptr: after TUNE an __s32, the gravity; after MEASURE the descriptor above. len: its size. */
struct latmus_result {
	__u64 data_ptr;
	__u32 len;
	__u32 __pad; /* Zero. */
};
EVL_ABI_SIZE(struct latmus_result, 16);

#define EVL_LATMUS_IOCBASE 'L'

#define EVL_LATIOC_TUNE _IOWR(EVL_LATMUS_IOCBASE, 0, struct latmus_setup)
#define EVL_LATIOC_MEASURE _IOWR(EVL_LATMUS_IOCBASE, 1, struct latmus_setup)
/*
 * Blocks, out-of-band. A MEASURE ends when a signal is sent to the caller, or by
 * evl_unblock_thread(): that is success, and stores the last record and the histogram. The same
 * ends a TUNE with EINTR, and changes nothing. EINTR of a MEASURE: the signal was there before the
 * run has begun, nothing was measured.
 */
#define EVL_LATIOC_RUN _IOR(EVL_LATMUS_IOCBASE, 2, struct latmus_result)
/*
 * The responder's last timestamp, 0 the first time and after EINTR. Blocks until the next
 * shot. Any other error means that the run is over.
 */
#define EVL_LATIOC_PULSE _IOW(EVL_LATMUS_IOCBASE, 3, __u64)
#define EVL_LATIOC_RESET _IO(EVL_LATMUS_IOCBASE, 4)

#endif /* !_EVL_UAPI_DEVICES_LATMUS_H */
