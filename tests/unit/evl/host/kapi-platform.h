/* SPDX-License-Identifier: MIT */
/* <kapi-platform.h> of the unit tests: see kernel/evl/kapi/platform.md. */
#ifndef TESTS_UNIT_EVL_HOST_KAPI_PLATFORM_H
#define TESTS_UNIT_EVL_HOST_KAPI_PLATFORM_H

#define CONFIG_EVL 1
#define CONFIG_EVL_DEBUG_CORE 1
#define CONFIG_EVL_RUNSTATS 1

#define KAPI_NR_CPUS 8
#define KAPI_CACHE_LINE 64

#define KAPI_SIZE_kapi_hard_spinlock 16
#define KAPI_ALIGN_kapi_hard_spinlock 8
#define KAPI_SIZE_kapi_lock_key 1
#define KAPI_ALIGN_kapi_lock_key 1
#define KAPI_SIZE_kapi_irq_work 32
#define KAPI_ALIGN_kapi_irq_work 8
#define KAPI_SIZE_kapi_altsched 32
#define KAPI_ALIGN_kapi_altsched 8
#define KAPI_SIZE_kapi_mutex 64
#define KAPI_ALIGN_kapi_mutex 8
#define KAPI_SIZE_kapi_completion 32
#define KAPI_ALIGN_kapi_completion 8
#define KAPI_SIZE_kapi_waitq 32
#define KAPI_ALIGN_kapi_waitq 8
#define KAPI_SIZE_kapi_work 64
#define KAPI_ALIGN_kapi_work 8

static inline void kapi_shared_access(const volatile void *word, bool write)
{
	(void)word;
	(void)write;
}

#endif /* TESTS_UNIT_EVL_HOST_KAPI_PLATFORM_H */
