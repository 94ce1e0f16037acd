/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Fills the FPU registers of x86 with a value, and finds out later which of them still have
 * it. The code between the two calls must not use the FPU: no floating point, no vectorized
 * copy. Kernel code brackets all of it with kernel_fpu_begin() and kernel_fpu_end().
 */
#ifndef _EVL_UAPI_ASM_FPTEST_H
#define _EVL_UAPI_ASM_FPTEST_H

#include <linux/types.h>

/* Features, as the core reports them in evl_core_info.fpu_features. The x87 is always there. */
#define evl_x86_xmm2 0x1 /* SSE2 */
#define evl_x86_avx 0x2 /* AVX, and the kernel saves its state. */

/* Registers are numbered: 0 to 7 are st(0) to st(7), 8 to 23 xmm0 to xmm15 or ymm0 to ymm15. */
#define EVL_FPTEST_NR_X87 8
#define EVL_FPTEST_NR_SSE 16

/* Kernel code is built without these registers: it cannot name them, and does not need to. */
#ifdef __SSE__
#define __EVL_FPTEST_CLOBBERS                                                           \
	"memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", \
		"xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#else
#define __EVL_FPTEST_CLOBBERS "memory"
#endif

/* Leaves the x87 stack full: __evl_check_fpregs() empties it, as the calling convention asks. */
static inline void __evl_set_fpregs(__u32 features, __u32 val)
{
	__asm__ volatile("fninit\n\t"
			 ".rept 8\n\t"
			 "fildl %0\n\t"
			 ".endr"
			 :
			 : "m"(val)
			 : "memory");
	if (features & evl_x86_avx)
		__asm__ volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
				 "vbroadcastss %0, %%ymm\\n\n\t"
				 ".endr"
				 :
				 : "m"(val)
				 : __EVL_FPTEST_CLOBBERS);
	else if (features & evl_x86_xmm2)
		__asm__ volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
				 "movd %0, %%xmm\\n\n\t"
				 "pshufd $0, %%xmm\\n, %%xmm\\n\n\t"
				 ".endr"
				 :
				 : "m"(val)
				 : __EVL_FPTEST_CLOBBERS);
}

/*
 * Returns @val if each register has it; else the value found in the first one which has
 * not, whose number goes to @bad.
 */
static inline __u32 __evl_check_fpregs(__u32 features, __u32 val, __u32 *bad)
{
	__u32 x87[EVL_FPTEST_NR_X87];
	__u32 sse[EVL_FPTEST_NR_SSE][8];
	__u32 n, lane, lanes = 0;

	/* Save everything first: the comparisons are compiled code. */
	if (features & evl_x86_avx) {
		lanes = 8;
		__asm__ volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
				 "vmovups %%ymm\\n, 32*\\n(%0)\n\t"
				 ".endr\n\t"
				 "vzeroupper"
				 :
				 : "r"(sse)
				 : __EVL_FPTEST_CLOBBERS);
	} else if (features & evl_x86_xmm2) {
		lanes = 4;
		__asm__ volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
				 "movups %%xmm\\n, 32*\\n(%0)\n\t"
				 ".endr"
				 :
				 : "r"(sse)
				 : "memory");
	}
	__asm__ volatile(".irp n,0,1,2,3,4,5,6,7\n\t"
			 "fistpl 4*\\n(%0)\n\t"
			 ".endr"
			 :
			 : "r"(x87)
			 : "memory");

	for (n = 0; n < EVL_FPTEST_NR_X87; n++) {
		if (x87[n] != val) {
			*bad = n;
			return x87[n];
		}
	}
	for (n = 0; lanes && n < EVL_FPTEST_NR_SSE; n++) {
		for (lane = 0; lane < lanes; lane++) {
			if (sse[n][lane] != val) {
				*bad = EVL_FPTEST_NR_X87 + n;
				return sse[n][lane];
			}
		}
	}
	return val;
}

#define evl_set_fpregs(__features, __val) __evl_set_fpregs(__features, __val)
/* @__bad is an lvalue, written only if a register is bad. */
#define evl_check_fpregs(__features, __val, __bad)                                      \
	({                                                                              \
		__u32 __evl_bad = 0, __evl_found;                                       \
		__evl_found = __evl_check_fpregs(__features, __val, &__evl_bad);        \
		if (__evl_found != (__u32)(__val))                                      \
			(__bad) = __evl_bad;                                            \
		__evl_found;                                                            \
	})

#endif /* !_EVL_UAPI_ASM_FPTEST_H */
