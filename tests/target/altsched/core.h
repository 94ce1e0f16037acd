/* SPDX-License-Identifier: MIT */
/*
 * What the programs here want of a core: the smallest set of calls that both the toy core (core_toy.c) and the EVL core
 * (core_evl.c) have. Each program is built once for each of them. After it: dates, pinning, messages.
 *
 * Calls return 0, or -1 with errno, whatever the core's own convention is. EINTR and EAGAIN may come from any of them that
 * goes out-of-band: a signal came, or the CPU takes nobody now.
 */
#ifndef CORE_H
#define CORE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

/* Once per process, before its first thread attaches; a forked child is a process of its own. In-band. */
void core_begin(void);
void core_end(void);

/* Flags of core_attach(). */
#define CORE_RR 0x1	/* Shares the CPU with its equals. */
#define CORE_RETURN 0x2 /* Goes back out-of-band by itself after a signal, if the core can do that. */

/* Makes the caller a thread of the core; which stage it is on afterwards is the core's choice. */
int core_attach(unsigned int flags);
/* Leaves the caller in-band. */
int core_detach(void);
/*
 * A thread that ends without detaching leaves something open, which keeps its object: siblings close it by its handle, once
 * the thread is gone. In-band.
 */
int core_handle(void);
void core_release(int handle);
int core_oob(void);
int core_inband(void);
int core_yield(void);
/* Until a date of CLOCK_MONOTONIC, in ns. Out-of-band at the end, unless it failed. */
int core_sleep(uint64_t date);
/* How much too early a sleep may end, in ns: a core may make up for the way from the timer to the thread. Reads a file. */
uint64_t core_early_ns(void);

/* Semaphores of this process, made once, in-band. Who posts is attached. */
void core_make_tokens(int count);
int core_wait(unsigned int index);
int core_post(unsigned int index);

/* For core_echo(), once per process, in-band. */
void core_make_echo(void);

/*
 * Has the core read @words from user memory out-of-band, and write them back, each greater by one. EFAULT: it cannot;
 * nothing is written then.
 */
#define CORE_ECHO_WORDS 4
int core_echo(uint64_t *words);

/* Of the calling thread, which stays on its stage. */
struct core_stats {
	uint64_t faults; /* Times that it was moved in-band for an exception: the cause is the core's word. */
	uint64_t forced; /* Times that it was moved in-band without asking for it, exceptions included. */
	bool oob;
};

/* From now on these are counted for the calling thread, which is attached. */
void core_watch(void);
void core_stats(struct core_stats *stats);
/* Whether CORE_RETURN means anything. */
extern const bool core_returns;

/* The caller, attached and in-band, fails if the core's books about it do not balance. */
void core_check_thread(const char *who);

/*
 * The books of the whole core. Nobody is attached at core_count() and core_check(), and what lived between is gone:
 * each thread has detached, came back in-band as often as it left, and no object is left. Waits for what is freed late.
 */
struct core_books {
	long long entry[8];
};
void core_count(struct core_books *books);
void core_check(const struct core_books *before);

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

#endif /* CORE_H */
