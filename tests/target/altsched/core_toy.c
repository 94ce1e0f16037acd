// SPDX-License-Identifier: MIT
/* The calls of core.h on the toy core. */
#include "core.h"

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <toycore/abi.h>

const bool core_returns = true;

/* Keeps the core awake. */
static int core_fd = -1;

static int call(int number, unsigned long a, unsigned long b, unsigned long c)
{
	return (int)syscall(SYS_prctl, TOY_CALL(number), a, b, c, 0UL);
}

void core_begin(void)
{
	core_fd = open("/dev/toycore", O_RDWR | O_CLOEXEC);
	CHECK(core_fd >= 0, "/dev/toycore: %m");
}

/* Needs nothing. */
void core_make_echo(void)
{
}

void core_end(void)
{
	close(core_fd);
}

int core_attach(unsigned int flags)
{
	return call(TOY_SYS_ATTACH, (flags & CORE_RR ? TOY_F_RR : 0) | (flags & CORE_RETURN ? TOY_F_RETURN : 0), 0, 0);
}

int core_detach(void)
{
	return call(TOY_SYS_DETACH, 0, 0, 0);
}

int core_handle(void)
{
	return -1;
}

void core_release(int handle)
{
	CHECK(handle == -1, "nothing is left open");
}

int core_oob(void)
{
	return call(TOY_SYS_OOB, 0, 0, 0);
}

int core_inband(void)
{
	return call(TOY_SYS_INBAND, 0, 0, 0);
}

int core_yield(void)
{
	return call(TOY_SYS_YIELD, 0, 0, 0);
}

int core_sleep(uint64_t date)
{
	return call(TOY_SYS_SLEEP, date, 0, 0);
}

uint64_t core_early_ns(void)
{
	return 0;
}

/*
 * The core has them ready, for all processes, and what a process that was killed had posted is still there. A process with one
 * only waits for it, until it ends: it has the last of them, which nobody posts.
 */
static unsigned int first_token;

void core_make_tokens(int count)
{
	CHECK(count < TOY_NR_SEMS, "only %d semaphores", TOY_NR_SEMS);
	first_token = count == 1 ? TOY_NR_SEMS - 1 : 0;
}

int core_wait(unsigned int index)
{
	return call(TOY_SYS_WAIT, first_token + index, 0, 0);
}

int core_post(unsigned int index)
{
	return call(TOY_SYS_POST, first_token + index, 0, 0);
}

int core_echo(uint64_t *words)
{
	_Static_assert(sizeof(struct toy_echo) == CORE_ECHO_WORDS * sizeof(*words), "they are the same memory");
	return call(TOY_SYS_IOCTL, core_fd, TOY_IOC_ECHO, (unsigned long)words);
}

static struct toy_stats own_stats(void)
{
	struct toy_stats stats;

	CHECK(!call(TOY_SYS_IOCTL, core_fd, TOY_IOC_STATS, (unsigned long)&stats), "stats: %m");
	return stats;
}

void core_watch(void)
{
}

void core_stats(struct core_stats *stats)
{
	struct toy_stats own = own_stats();

	stats->faults = own.returns[TOY_CAUSE_TRAP];
	stats->forced = own.returns[TOY_CAUSE_SYSCALL] + own.returns[TOY_CAUSE_TRAP] + own.returns[TOY_CAUSE_MAYDAY] +
			own.returns[TOY_CAUSE_KICK];
	stats->oob = own.oob;
}

void core_check_thread(const char *who)
{
	struct toy_stats stats;
	uint64_t returns = 0;

	CHECK(!ioctl(core_fd, TOY_IOC_STATS, &stats), "stats: %m");
	for (int n = 0; n < TOY_NR_CAUSES; n++)
		returns += stats.returns[n];
	CHECK(!stats.oob && stats.leaves == returns, "%s: left %llu times, came back %llu times", who, (unsigned long long)stats.leaves,
	      (unsigned long long)returns);
}

static const char *const names[] = { "attach", "detach", "leave", "return" };

void core_count(struct core_books *books)
{
	long long value;
	char name[64];
	FILE *file = fopen("/proc/toycore", "r");
	int found = 0;

	CHECK(file, "/proc/toycore: %m");
	while (fscanf(file, "%63s %lld", name, &value) == 2)
		for (int n = 0; n < 4; n++)
			if (!strcmp(name, names[n])) {
				books->entry[n] = value;
				found++;
			}
	fclose(file);
	CHECK(found == 4, "/proc/toycore has %d of 4 counters", found);
}

void core_check(const struct core_books *before)
{
	struct core_books now;

	core_count(&now);
	CHECK(now.entry[0] == now.entry[1], "%lld attached, %lld detached", now.entry[0], now.entry[1]);
	CHECK(now.entry[2] == now.entry[3], "left %lld times, came back %lld times", now.entry[2], now.entry[3]);
	printf("%lld threads, off the in-band stage %lld times\n", now.entry[0] - before->entry[0], now.entry[2] - before->entry[2]);
}
