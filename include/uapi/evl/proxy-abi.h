/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * File proxies: out-of-band input and output on a file which only in-band code can use.
 */
#ifndef _EVL_UAPI_PROXY_ABI_H
#define _EVL_UAPI_PROXY_ABI_H

#include <evl/types.h>

#define EVL_PROXY_DEV "proxy"

/*
 * bufsz: bytes per direction, up to 2^30; 0: the proxy only maps its target.
 * granularity: bytes per transfer with the target, bufsz is a multiple; 0 and 1: any number.
 */
struct evl_proxy_attrs {
	__u32 fd;
	__u32 bufsz;
	__u32 granularity;
};
EVL_ABI_SIZE(struct evl_proxy_attrs, 12);

#endif /* !_EVL_UAPI_PROXY_ABI_H */
