/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Cross-buffers: a byte ring to in-band, and one from it.
 */
#ifndef _EVL_UAPI_XBUF_ABI_H
#define _EVL_UAPI_XBUF_ABI_H

#include <evl/types.h>

#define EVL_XBUF_DEV "xbuf"

/* Bytes, up to 2^30; 0: no such direction. Inbound is towards in-band. Not both 0. */
struct evl_xbuf_attrs {
	__u32 i_bufsz;
	__u32 o_bufsz;
};
EVL_ABI_SIZE(struct evl_xbuf_attrs, 8);

#endif /* !_EVL_UAPI_XBUF_ABI_H */
