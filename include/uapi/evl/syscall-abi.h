/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Out-of-band requests: prctl(PR_OOB_SYSCALL, number, a0, a1, a2), see
 * <asm-generic/dovetail.h>. Each returns an int: zero or a count, or a negated errno.
 */
#ifndef _EVL_UAPI_SYSCALL_ABI_H
#define _EVL_UAPI_SYSCALL_ABI_H

#define sys_evl_read 0 /* fd, buffer, bytes */
#define sys_evl_write 1 /* fd, buffer, bytes */
#define sys_evl_ioctl 2 /* fd, request, argument */

#define NR_EVL_SYSCALLS 3

#endif /* !_EVL_UAPI_SYSCALL_ABI_H */
