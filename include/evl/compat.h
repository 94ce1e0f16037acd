/* SPDX-License-Identifier: MIT */
/*
 * Spellings of earlier API revisions. They warn, and are no constant expressions.
 */
#ifndef _EVL_COMPAT_H
#define _EVL_COMPAT_H

#include <evl/compiler.h>
#include <evl/thread-abi.h>

#define __EVL_OLD_BIT(__old, __new)                         \
	static inline __deprecated int __evl_compat_##__old(void) \
	{                                                   \
		return __new;                               \
	}
__EVL_OLD_BIT(T_WOSS, EVL_T_WOSS)
__EVL_OLD_BIT(T_WOLI, EVL_T_WOLI)
__EVL_OLD_BIT(T_WOSX, EVL_T_WOSX)
__EVL_OLD_BIT(T_WOSO, EVL_T_WOSO)
__EVL_OLD_BIT(T_HMSIG, EVL_T_HMSIG)
__EVL_OLD_BIT(T_HMOBS, EVL_T_HMOBS)
#undef __EVL_OLD_BIT

#define T_WOSS __evl_compat_T_WOSS()
#define T_WOLI __evl_compat_T_WOLI()
#define T_WOSX __evl_compat_T_WOSX()
#define T_WOSO __evl_compat_T_WOSO()
#define T_HMSIG __evl_compat_T_HMSIG()
#define T_HMOBS __evl_compat_T_HMOBS()

#endif /* !_EVL_COMPAT_H */
