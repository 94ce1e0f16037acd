/* SPDX-License-Identifier: MIT */
/*
 * Cross-buffers: bytes between the two stages. See evl_xbuf(3).
 */
#ifndef _EVL_XBUF_H
#define _EVL_XBUF_H

#include <sys/types.h>
#include <evl/factory-abi.h>
#include <evl/xbuf-abi.h>

/* @__bufsz is expanded twice. */
#define evl_new_xbuf(__bufsz, __fmt, __args...) \
	evl_create_xbuf(__bufsz, __bufsz, EVL_CLONE_PRIVATE, __fmt, ##__args)

#ifdef __cplusplus
extern "C" {
#endif

int evl_create_xbuf(size_t i_bufsz, size_t o_bufsz, int flags, const char *fmt, ...);

#ifdef __cplusplus
}
#endif

#endif /* !_EVL_XBUF_H */
