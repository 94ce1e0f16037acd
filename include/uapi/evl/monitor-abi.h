/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Monitors: the one class behind every object that threads of user space synchronize on.
 * A gate is a mutex; an event is what waits and is signalled.
 */
#ifndef _EVL_UAPI_MONITOR_ABI_H
#define _EVL_UAPI_MONITOR_ABI_H

#include <linux/ioctl.h>
#include <evl/types.h>
#include <evl/factory-abi.h>

#define EVL_MONITOR_DEV "monitor"

/* Types, and the protocols of each. */
#define EVL_MONITOR_EVENT 0
#define EVL_EVENT_GATED 0 /* Condition variable: used with a gate. */
#define EVL_EVENT_COUNT 1 /* Counting semaphore. */
#define EVL_EVENT_MASK 2 /* Group of 32 flags. */
#define EVL_MONITOR_GATE 1
#define EVL_GATE_PI 0 /* Priority inheritance. */
#define EVL_GATE_PP 1 /* Priority protection: a ceiling. */

/* initval: gate with EVL_GATE_PP: ceiling, 1 to 99; with EVL_GATE_PI: 0; event: first value. */
struct evl_monitor_attrs {
	__u32 clockfd;
	__u32 type : 2, protocol : 4;
	__u32 initval;
};
EVL_ABI_SIZE(struct evl_monitor_attrs, 12);

/* evl_monitor_state.flags */
#define EVL_MONITOR_SIGNALED 0x1 /* Gate: release in the core. Event: was signalled. */
#define EVL_MONITOR_BROADCAST 0x2 /* Event: wake every waiter. */
#define EVL_MONITOR_TARGETED 0x4 /* Event: wake the waiters marked EVL_T_SIGNAL. */

/* evl_monitor_state.u.event.gate_offset while nobody waits. */
#define EVL_MONITOR_NOGATE 0xffffffffU

/*
 * What user space and the core share about a monitor, in the shared heap. The core trusts
 * nothing of it for its own safety. Who writes which bit, and how: abi.md.
 */
struct evl_monitor_state {
	__u32 flags;
	union {
		struct {
			__u32 owner; /* Handle of the owner, FLCLAIM and FLCEIL. */
			__u32 ceiling;
			__u32 recursive : 1, nesting : 31;
		} gate;
		struct {
			__u32 value;
			__u32 pollrefs;
			__u32 gate_offset;
		} event;
	} u;
};
EVL_ABI_SIZE(struct evl_monitor_state, 16);

/* What an existing monitor is, for who opens it by name. */
struct evl_monitor_binding {
	__u32 type : 2, protocol : 4;
	struct evl_element_ids eids;
};
EVL_ABI_SIZE(struct evl_monitor_binding, 16);

/*
 * timeout_ptr: struct __evl_timespec, 0/0 is for ever. gatefd: -1 if the event has no gate.
 * status: result of the wait itself, valid if the request succeeds or fails with EIDRM.
 * value: in and out, for the protocols COUNT and MASK.
 */
struct evl_monitor_waitreq {
	__u64 timeout_ptr;
	__s32 gatefd;
	__s32 status;
	__s32 value;
	__u32 __pad; /* Zero. */
};
EVL_ABI_SIZE(struct evl_monitor_waitreq, 24);

struct evl_monitor_unwaitreq {
	__s32 gatefd;
};
EVL_ABI_SIZE(struct evl_monitor_unwaitreq, 4);

struct evl_monitor_trywaitreq {
	__s32 value;
};
EVL_ABI_SIZE(struct evl_monitor_trywaitreq, 4);

#define EVL_MONITOR_IOCBASE 'm'

#define EVL_MONIOC_ENTER _IOW(EVL_MONITOR_IOCBASE, 0, struct __evl_timespec)
#define EVL_MONIOC_TRYENTER _IO(EVL_MONITOR_IOCBASE, 1)
#define EVL_MONIOC_EXIT _IO(EVL_MONITOR_IOCBASE, 2)
#define EVL_MONIOC_WAIT _IOWR(EVL_MONITOR_IOCBASE, 3, struct evl_monitor_waitreq)
#define EVL_MONIOC_UNWAIT _IOWR(EVL_MONITOR_IOCBASE, 4, struct evl_monitor_unwaitreq)
#define EVL_MONIOC_BIND _IOR(EVL_MONITOR_IOCBASE, 5, struct evl_monitor_binding)
#define EVL_MONIOC_SIGNAL _IOW(EVL_MONITOR_IOCBASE, 6, __s32)
#define EVL_MONIOC_BROADCAST _IOW(EVL_MONITOR_IOCBASE, 7, __s32)
#define EVL_MONIOC_WAIT_EXACT _IOWR(EVL_MONITOR_IOCBASE, 8, struct evl_monitor_waitreq)
#define EVL_MONIOC_TRYWAIT _IOWR(EVL_MONITOR_IOCBASE, 9, struct evl_monitor_trywaitreq)
#define EVL_MONIOC_TRYWAIT_EXACT _IOWR(EVL_MONITOR_IOCBASE, 10, struct evl_monitor_trywaitreq)

#endif /* !_EVL_UAPI_MONITOR_ABI_H */
