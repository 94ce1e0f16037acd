/* SPDX-License-Identifier: MIT */
/*
 * Scheduling attributes of threads. See evl_sched(3).
 */
#ifndef _EVL_SCHED_H
#define _EVL_SCHED_H

#include <sched.h>
#include <sys/types.h>
#include <evl/sched-abi.h>
#include <evl/control-abi.h>

#ifdef __cplusplus
extern "C" {
#endif

int evl_set_schedattr(int efd, const struct evl_sched_attrs *attrs);
int evl_get_schedattr(int efd, struct evl_sched_attrs *attrs);
int evl_get_cpustate(int cpu, int *state_r);
int evl_yield(void);

#ifdef __cplusplus
}
#endif

#endif /* !_EVL_SCHED_H */
