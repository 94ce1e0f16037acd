/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The control device. Opening it announces that a process will host threads of the core;
 * mapping exactly shm_size bytes of it maps the shared heap.
 */
#ifndef _EVL_UAPI_CONTROL_ABI_H
#define _EVL_UAPI_CONTROL_ABI_H

#include <linux/ioctl.h>
#include <evl/types.h>
#include <evl/sched-abi.h>

/*
 * The core serves libraries which require any level in [EVL_ABI_BASE, EVL_ABI_LEVEL].
 * Scripts look for the number in this line: keep it a literal.
 */
#define EVL_ABI_LEVEL 36
#define EVL_ABI_BASE 36

#define EVL_CONTROL_DEV "/dev/evl/control"

struct evl_core_info {
	__u32 abi_base;
	__u32 abi_current;
	__u32 fpu_features; /* Bits of <asm/evl/fptest.h>. */
	__u32 __pad; /* Zero. */
	__u64 shm_size; /* Bytes; a multiple of the page size. */
};
EVL_ABI_SIZE(struct evl_core_info, 24);
EVL_ABI_OFFSET(struct evl_core_info, shm_size, 16);

struct evl_sched_ctlreq {
	__s32 policy;
	__s32 cpu;
	__u64 param_ptr;
	__u64 info_ptr;
};
EVL_ABI_SIZE(struct evl_sched_ctlreq, 24);

/* state_ptr: where the core stores a __u32, OR of EVL_CPU_*. */
struct evl_cpu_state {
	__u32 cpu;
	__u32 __pad; /* Zero. */
	__u64 state_ptr;
};
EVL_ABI_SIZE(struct evl_cpu_state, 16);
EVL_ABI_OFFSET(struct evl_cpu_state, state_ptr, 8);

#define EVL_CPU_OOB (1 << 0) /* Runs out-of-band threads. */
#define EVL_CPU_ISOL (1 << 1) /* Outside of the housekeeping domain. */
#define EVL_CPU_OFFLINE (1 << 2)

#define EVL_CONTROL_IOCBASE 'C'

#define EVL_CTLIOC_GET_COREINFO _IOR(EVL_CONTROL_IOCBASE, 0, struct evl_core_info)
#define EVL_CTLIOC_SCHEDCTL _IOWR(EVL_CONTROL_IOCBASE, 1, struct evl_sched_ctlreq)
#define EVL_CTLIOC_GET_CPUSTATE _IOR(EVL_CONTROL_IOCBASE, 2, struct evl_cpu_state)

#endif /* !_EVL_UAPI_CONTROL_ABI_H */
