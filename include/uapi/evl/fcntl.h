/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Asks open(2) and socket(2) for out-of-band service on an ordinary file.
 */
#ifndef _EVL_UAPI_FCNTL_H
#define _EVL_UAPI_FCNTL_H

#define O_OOB 010000000000

#endif /* !_EVL_UAPI_FCNTL_H */
