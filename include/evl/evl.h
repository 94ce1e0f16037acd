/* SPDX-License-Identifier: MIT */
/*
 * The umbrella header: version, initialization, and what most applications use.
 * See evl_init(3).
 */
#ifndef _EVL_EVL_H
#define _EVL_EVL_H

#include <signal.h>
#include <stdint.h>
#include <sys/poll.h>
#include <evl/clock.h>
#include <evl/mutex.h>
#include <evl/event.h>
#include <evl/syscall.h>
#include <evl/thread.h>
#include <evl/sched.h>
#include <evl/xbuf.h>
#include <evl/proxy.h>
#include <evl/control-abi.h>
#include <evl/signal.h>

/* Revision of the API, and the level of the ABI which the library requires. */
#define __EVL__ 27
#define EVL_ABI_PREREQ 36

#if EVL_ABI_PREREQ > EVL_ABI_LEVEL
#error "the kernel headers are older than the library: EVL_ABI_LEVEL < EVL_ABI_PREREQ"
#endif

struct evl_version {
	int api_level; /* __EVL__ */
	int abi_level; /* EVL_ABI_PREREQ */
	const char *version_string;
};

#ifdef __cplusplus
extern "C" {
#endif

int evl_init(void);
struct evl_version evl_get_version(void);
void evl_sigdebug_handler(int sig, siginfo_t *si, void *ctxt);

#ifdef __cplusplus
}
#endif

#endif /* !_EVL_EVL_H */
