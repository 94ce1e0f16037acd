/* SPDX-License-Identifier: MIT */
/*
 * File proxies, and formatted output through them. See evl_proxy(3).
 */
#ifndef _EVL_PROXY_H
#define _EVL_PROXY_H

#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>
#include <evl/factory-abi.h>
#include <evl/proxy-abi.h>

#define evl_new_proxy(__targetfd, __bufsz, __fmt, __args...) \
	evl_create_proxy(__targetfd, __bufsz, 0, EVL_CLONE_PRIVATE, __fmt, ##__args)

#ifdef __cplusplus
extern "C" {
#endif

int evl_create_proxy(int targetfd, size_t bufsz, size_t granularity, int flags, const char *fmt,
		     ...);
ssize_t evl_write_proxy(int proxyfd, const void *buf, size_t count);
ssize_t evl_read_proxy(int proxyfd, void *buf, size_t count);
ssize_t evl_vprint_proxy(int proxyfd, const char *fmt, va_list ap)
	__attribute__((__format__(__printf__, 2, 0)));
ssize_t evl_print_proxy(int proxyfd, const char *fmt, ...)
	__attribute__((__format__(__printf__, 2, 3)));
ssize_t evl_printf(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));
ssize_t evl_eprintf(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));
int evl_stdout(void);
int evl_stderr(void);

#ifdef __cplusplus
}
#endif

#endif /* !_EVL_PROXY_H */
