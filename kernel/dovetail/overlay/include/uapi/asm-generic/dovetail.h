/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * How an application marks the system calls that are for a companion core.
 */
#ifndef _UAPI_ASM_GENERIC_DOVETAIL_H
#define _UAPI_ASM_GENERIC_DOVETAIL_H

/*
 * Two forms are told by this bit: a system call number that bears it, and a
 * prctl(2) whose first argument does, the rest of which is the core's number
 * of the call, followed by up to four arguments.
 */
#define __OOB_SYSCALL_BIT	0x10000000

/*
 * The third form: prctl(PR_OOB_SYSCALL, nr, arg0, arg1, arg2). The bit above
 * is clear in it, so that all forms can be accepted at a time.
 */
#define PR_OOB_SYSCALL		0x4f4f4243

#endif /* !_UAPI_ASM_GENERIC_DOVETAIL_H */
