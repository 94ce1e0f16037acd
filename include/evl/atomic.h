/* SPDX-License-Identifier: MIT */
/*
 * Atomic integers, the same in C and in C++. C also gets <stdatomic.h>; in C++ its types
 * would be others than in C.
 */
#ifndef _EVL_ATOMIC_H
#define _EVL_ATOMIC_H

#ifndef __cplusplus
#include <stdatomic.h>
#endif

typedef int atomic_t;
typedef unsigned int uatomic_t;

/* Acquire load. */
#define atomic_read(__ptr) __atomic_load_n(__ptr, __ATOMIC_ACQUIRE)

/* Sequentially consistent; yields the value before, which is @__old if the swap was done. */
#define atomic_cmpxchg(__ptr, __old, __new)                                        \
	({                                                                         \
		__typeof__(*(__ptr)) __evl_expected = (__old);                     \
		__atomic_compare_exchange_n(__ptr, &__evl_expected, __new, 0,      \
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);   \
		__evl_expected;                                                    \
	})

/* The same, and may fail without a reason: for loops. */
#define atomic_cmpxchg_weak(__ptr, __old, __new)                                   \
	({                                                                         \
		__typeof__(*(__ptr)) __evl_expected = (__old);                     \
		__atomic_compare_exchange_n(__ptr, &__evl_expected, __new, 1,      \
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);   \
		__evl_expected;                                                    \
	})

#endif /* !_EVL_ATOMIC_H */
