/* SPDX-License-Identifier: MIT */
/*
 * Shorthands for what the compilers offer. Each attribute is defined only if it is not yet:
 * the C library and other packages use some of these names too.
 */
#ifndef _EVL_COMPILER_H
#define _EVL_COMPILER_H

#include <stddef.h>
#include <stdint.h>
#include <limits.h>

#ifndef container_of
#define container_of(__ptr, __type, __member)                                              \
	({                                                                                 \
		const __typeof__(((__type *)0)->__member) *__evl_mptr = (__ptr);           \
		(__type *)(void *)((char *)(uintptr_t)__evl_mptr -                         \
				   offsetof(__type, __member));                            \
	})
#endif

#ifndef __stringify
#define __stringify_1(__x...) #__x
#define __stringify(__x...) __stringify_1(__x)
#endif

#ifndef __noreturn
#define __noreturn __attribute__((__noreturn__))
#endif

#ifndef __must_check
#define __must_check __attribute__((__warn_unused_result__))
#endif

#ifndef __weak
#define __weak __attribute__((__weak__))
#endif

#ifndef __maybe_unused
#define __maybe_unused __attribute__((__unused__))
#endif

#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif

#ifndef __aligned
#define __aligned(__n) __attribute__((__aligned__(__n)))
#endif

#ifndef __deprecated
#define __deprecated __attribute__((__deprecated__))
#endif

#ifndef __packed
#define __packed __attribute__((__packed__))
#endif

#ifndef __fallthrough
#define __fallthrough __attribute__((__fallthrough__))
#endif

#ifndef __alloc_size
#define __alloc_size(__n) __attribute__((__alloc_size__(__n)))
#endif

/* Rounds up to a multiple of a power of two. */
#define __align_to(__size, __al) (((__size) + (__al)-1) & (~((__al)-1)))

/* Leading and trailing zero bits of an integer that is not zero. */
#define __lzcount(__x)                                                                     \
	(sizeof(__x) > sizeof(unsigned int) ? __builtin_clzll((unsigned long long)(__x)) : \
					      __builtin_clz((unsigned int)(__x)))
#define __tzcount(__x)                                                                     \
	(sizeof(__x) > sizeof(unsigned int) ? __builtin_ctzll((unsigned long long)(__x)) : \
					      __builtin_ctz((unsigned int)(__x)))

/* Reads a variable for the sake of touching its page. */
#define __force_read_access(__var)                                                         \
	({                                                                                 \
		__typeof__(__var) __evl_val = *(volatile __typeof__(__var) *)&(__var);     \
		__evl_val;                                                                 \
	})

#define compiler_barrier() __asm__ __volatile__("" : : : "memory")

/* Byte offset of an address from a base, and back. */
#define __memoff(__base, __addr) ((size_t)((const char *)(__addr) - (const char *)(__base)))
#define __memptr(__base, __off) ((void *)((char *)(__base) + (__off)))

#endif /* !_EVL_COMPILER_H */
