/* SPDX-License-Identifier: GPL-2.0 */
/* <kapi-platform.h> of the kernel: see kernel/evl/kapi/platform.md. */
#ifndef EVL_KAPI_PLATFORM_H
#define EVL_KAPI_PLATFORM_H

#include <kapi-sizes.h>		/* Generated from kapi/sizes.c. */

#if defined(__cplusplus) && defined(KAPI_HAS_FAST_PATHS)
#include <kapi-fast.h>
#endif

static inline void kapi_shared_access(const volatile void *word, bool write)
{
	(void)word;
	(void)write;
}

#endif /* EVL_KAPI_PLATFORM_H */
