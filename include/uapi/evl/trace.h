/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The trace device, /dev/evl/trace. Writing to it from either stage logs up to
 * EVL_TRACE_MAXLEN bytes as one evl_trace event.
 */
#ifndef _EVL_UAPI_TRACE_H
#define _EVL_UAPI_TRACE_H

#include <linux/ioctl.h>
#include <evl/types.h>

#define EVL_TRACE_DEV "trace"
#define EVL_TRACE_MAXLEN 127

#define EVL_TRACE_IOCBASE 'O'

/* Takes a snapshot of the ftrace buffer. */
#define EVL_TRCIOC_SNAPSHOT _IO(EVL_TRACE_IOCBASE, 0)

#endif /* !_EVL_UAPI_TRACE_H */
