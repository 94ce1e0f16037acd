/* SPDX-License-Identifier: MIT */
/*
 * Out-of-band counterparts of read(2), write(2) and ioctl(2). See evl_syscall(3).
 */
#ifndef _EVL_SYSCALL_H
#define _EVL_SYSCALL_H

#include <sys/types.h>
#include <evl/syscall-abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Return -1 and set errno, as their in-band counterparts do. The caller is attached. */
ssize_t oob_read(int efd, void *buf, size_t count);
ssize_t oob_write(int efd, const void *buf, size_t count);
int oob_ioctl(int efd, unsigned long request, ...);

#ifdef __cplusplus
}
#endif

#endif /* !_EVL_SYSCALL_H */
