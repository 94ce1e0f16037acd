/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The signal by which the health monitor reports to a thread that has EVL_T_HMSIG set.
 * It is queued (SI_QUEUE); its value is the marker and a code EVL_HMDIAG_*.
 */
#ifndef _EVL_UAPI_SIGNAL_H
#define _EVL_UAPI_SIGNAL_H

#include <evl/types.h>

#define SIGDEBUG SIGXCPU

#define sigdebug_marker 0xfccf0000
#define sigdebug_code(__si) ((__si)->si_value.sival_int)
#define sigdebug_cause(__si) (sigdebug_code(__si) & 0xff)
/* Is this SIGXCPU ours? The kernel sends it for CPU time limits too. */
#define sigdebug_marked(__si) \
	(((__u32)sigdebug_code(__si) & 0xffff0000U) == (__u32)sigdebug_marker)

#endif /* !_EVL_UAPI_SIGNAL_H */
