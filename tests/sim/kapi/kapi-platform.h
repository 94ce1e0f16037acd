/* SPDX-License-Identifier: MIT */
/* <kapi-platform.h> of the simulator: see kernel/evl/kapi/platform.md. */
#ifndef TESTS_SIM_KAPI_KAPI_PLATFORM_H
#define TESTS_SIM_KAPI_KAPI_PLATFORM_H

#define CONFIG_EVL 1
#ifndef SIM_COVERAGE /* An assertion's other branch is not one that a test should reach. */
#define CONFIG_EVL_DEBUG_CORE 1
#endif
#define CONFIG_EVL_RUNSTATS 1

#define KAPI_NR_CPUS 4
#define KAPI_CACHE_LINE 64

/* Inside: linux/dovetail.h and sim::SpinLock, which assert that they fit. */
#define KAPI_SIZE_kapi_hard_spinlock 16
#define KAPI_ALIGN_kapi_hard_spinlock 8
#define KAPI_SIZE_kapi_lock_key 1
#define KAPI_ALIGN_kapi_lock_key 1
#define KAPI_SIZE_kapi_irq_work 16
#define KAPI_ALIGN_kapi_irq_work 8
#define KAPI_SIZE_kapi_altsched 16
#define KAPI_ALIGN_kapi_altsched 8
#define KAPI_SIZE_kapi_mutex 8
#define KAPI_ALIGN_kapi_mutex 8
#define KAPI_SIZE_kapi_completion 8
#define KAPI_ALIGN_kapi_completion 8
#define KAPI_SIZE_kapi_waitq 8
#define KAPI_ALIGN_kapi_waitq 8
#define KAPI_SIZE_kapi_work 24
#define KAPI_ALIGN_kapi_work 8

#ifdef __cplusplus
extern "C"
#endif
    void
    sim_shared_access(const volatile void* word, bool write);

static inline void kapi_shared_access(const volatile void* word, bool write) {
  sim_shared_access(word, write);
}

#endif /* TESTS_SIM_KAPI_KAPI_PLATFORM_H */
