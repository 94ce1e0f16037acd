/* SPDX-License-Identifier: MIT */
/*
 * Clocks and sleeping. See evl_clock(3).
 */
#ifndef _EVL_CLOCK_H
#define _EVL_CLOCK_H

#include <time.h>
#include <unistd.h>
#include <sys/types.h>
#include <sys/ioctl.h>
#include <evl/clock-abi.h>

#ifdef __cplusplus
extern "C" {
#endif

int evl_read_clock(int clockfd, struct timespec *tp);
int evl_set_clock(int clockfd, const struct timespec *tp);
int evl_get_clock_resolution(int clockfd, struct timespec *tp);
int evl_sleep_until(int clockfd, const struct timespec *timeout);
int evl_usleep(useconds_t usecs);

#ifdef __cplusplus
}
#endif

#endif /* !_EVL_CLOCK_H */
