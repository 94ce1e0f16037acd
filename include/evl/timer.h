/* SPDX-License-Identifier: MIT */
/*
 * Timers read through a file descriptor. See evl_timer(3).
 */
#ifndef _EVL_TIMER_H
#define _EVL_TIMER_H

#include <time.h>
#include <evl/clock.h>

#ifdef __cplusplus
extern "C" {
#endif

int evl_new_timer(int clockfd);
int evl_set_timer(int efd, const struct itimerspec *value, struct itimerspec *ovalue);
int evl_get_timer(int efd, struct itimerspec *value);

#ifdef __cplusplus
}
#endif

#endif /* !_EVL_TIMER_H */
