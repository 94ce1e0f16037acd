/* SPDX-License-Identifier: MIT */
/*
 * The calls of the toy core, and what every program here needs: dates, pinning, messages.
 */
#ifndef TOY_H
#define TOY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <toycore/abi.h>
#include <unistd.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

/* A call of the core. Returns -1 and sets errno, as any system call does. */
static inline long toy_call(int number, unsigned long a, unsigned long b, unsigned long c)
{
	return syscall(SYS_prctl, TOY_CALL(number), a, b, c, 0UL);
}

static inline long toy_attach(unsigned int flags)
{
	return toy_call(TOY_SYS_ATTACH, flags, 0, 0);
}

static inline long toy_detach(void)
{
	return toy_call(TOY_SYS_DETACH, 0, 0, 0);
}

static inline long toy_oob(void)
{
	return toy_call(TOY_SYS_OOB, 0, 0, 0);
}

static inline long toy_inband(void)
{
	return toy_call(TOY_SYS_INBAND, 0, 0, 0);
}

static inline long toy_sleep(uint64_t date)
{
	return toy_call(TOY_SYS_SLEEP, date, 0, 0);
}

static inline long toy_wait(unsigned int sem)
{
	return toy_call(TOY_SYS_WAIT, sem, 0, 0);
}

static inline long toy_post(unsigned int sem)
{
	return toy_call(TOY_SYS_POST, sem, 0, 0);
}

static inline long toy_yield(void)
{
	return toy_call(TOY_SYS_YIELD, 0, 0, 0);
}

/* Of the calling thread, without leaving its stage. `fd` is /dev/toycore. */
static inline long toy_stats(int fd, struct toy_stats *stats)
{
	return toy_call(TOY_SYS_IOCTL, fd, TOY_IOC_STATS, (unsigned long)stats);
}

/* CLOCK_MONOTONIC by the vDSO: legal on both stages. */
static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static inline void fail(const char *format, ...)
{
	va_list list;

	printf("FAILED ");
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	fflush(NULL);
	_exit(1);
}

#define CHECK(condition, ...)				\
	do {						\
		if (!(condition))			\
			fail(__VA_ARGS__);		\
	} while (0)

static inline void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK(!sched_setaffinity(0, sizeof(set), &set), "cannot run on CPU %d: %m", cpu);
}

/* Wakes the core up, for as long as the descriptor is open. */
static inline int open_core(void)
{
	int fd = open("/dev/toycore", O_RDWR);

	CHECK(fd >= 0, "/dev/toycore: %m");
	return fd;
}

/* A counter of /proc/toycore. */
static inline long long core_counter(const char *name)
{
	long long value, found = -1;
	char line[64];
	FILE *file = fopen("/proc/toycore", "r");

	CHECK(file, "/proc/toycore: %m");
	while (found < 0 && fscanf(file, "%63s %lld", line, &value) == 2)
		if (!strcmp(line, name))
			found = value;
	fclose(file);
	CHECK(found >= 0, "/proc/toycore has no %s", name);
	return found;
}

#endif /* TOY_H */
