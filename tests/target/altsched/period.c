// SPDX-License-Identifier: MIT
/*
 * Keeps a period of 1 ms while a sibling thread on the same CPU has in-band interrupts stalled for 50 ms at a time:
 * by local_irq_disable(), and by holding a spinlock that was taken with spin_lock_irqsave(). See stall.ko.
 *
 *	period oob ROUNDS	a thread of the core
 *	period fifo ROUNDS	SCHED_FIFO, priority 99: what one has without a core
 *
 * Prints key=value pairs; the suite judges them.
 */
#include "core.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define PERIOD_NS NS_PER_MS
#define STALL_MS 50

static atomic_int stop;

static void stall(const char *how, int rounds)
{
	int fd = open("/proc/stall", O_WRONLY);

	CHECK(fd >= 0, "/proc/stall (is stall.ko loaded?): %m");
	for (int n = 0; n < rounds; n++) {
		CHECK(dprintf(fd, "%s %d", how, STALL_MS) > 0, "/proc/stall: %m");
		/* An odd length, which moves the stalls over the phase of the period. */
		usleep(3300);
	}
	close(fd);
}

static void *stall_both(void *rounds)
{
	stall("irq", *(int *)rounds);
	stall("lock", *(int *)rounds);
	atomic_store(&stop, 1);
	return NULL;
}

static int sleep_oob(uint64_t date)
{
	return core_sleep(date);
}

static int sleep_inband(uint64_t date)
{
	struct timespec until = { .tv_sec = date / NS_PER_S, .tv_nsec = date % NS_PER_S };

	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

struct result {
	uint64_t shots, missed, late_sum, late_max, early_max;
};

/* Touches no memory that it did not touch before it got here, and calls nothing but the sleep and the clock. */
static struct result keep_period(int (*sleep_until)(uint64_t date), uint64_t early_ns)
{
	struct result result = { 0 };
	uint64_t date = now_ns() + PERIOD_NS, now, late;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		CHECK(!sleep_until(date), "sleep: %m");
		now = now_ns();
		CHECK(now + early_ns >= date, "woken up %llu ns early", (unsigned long long)(date - now));
		late = now > date ? now - date : 0;
		if (now < date && date - now > result.early_max)
			result.early_max = date - now;
		result.late_sum += late;
		result.late_max = late > result.late_max ? late : result.late_max;
		result.shots++;
		result.missed += late / PERIOD_NS;
		date += (late / PERIOD_NS + 1) * PERIOD_NS;
	}
	return result;
}

static void print_result(const struct result *result)
{
	printf("shots=%llu missed=%llu late_ns_avg=%llu late_ns_max=%llu early_ns_max=%llu\n", (unsigned long long)result->shots,
	       (unsigned long long)result->missed, (unsigned long long)(result->late_sum / (result->shots ? result->shots : 1)),
	       (unsigned long long)result->late_max, (unsigned long long)result->early_max);
}

static void run_oob(void)
{
	struct core_stats before, then;
	struct result result;
	uint64_t early_ns;

	core_begin();
	early_ns = core_early_ns();
	CHECK(!core_attach(0), "attach: %m");
	core_watch();
	CHECK(!core_oob(), "oob: %m");
	core_stats(&before);
	result = keep_period(sleep_oob, early_ns);
	core_stats(&then);
	print_result(&result);
	printf("oob=%d forced=%llu\n", before.oob && then.oob, (unsigned long long)(then.forced - before.forced));
	CHECK(!core_detach(), "detach: %m");
	core_end();
}

static void run_fifo(void)
{
	struct sched_param param = { .sched_priority = 99 };
	struct result result;

	CHECK(!sched_setscheduler(0, SCHED_FIFO, &param), "SCHED_FIFO: %m");
	result = keep_period(sleep_inband, 0);
	print_result(&result);
}

int main(int argc, char **argv)
{
	int oob = argc == 3 && !strcmp(argv[1], "oob"), rounds = argc == 3 ? atoi(argv[2]) : 0;
	pthread_t staller;

	if (rounds < 1 || (!oob && strcmp(argv[1], "fifo"))) {
		fprintf(stderr, "usage: period oob|fifo ROUNDS\n");
		return 2;
	}
	CHECK(!mlockall(MCL_CURRENT | MCL_FUTURE), "mlockall: %m");
	/* The page of the clock is mapped by its first reader. */
	now_ns();
	pin_to(0);
	printf("mode=%s rounds=%d stall_ms=%d\n", argv[1], rounds, STALL_MS);
	fflush(stdout);
	/* The staller inherits the CPU, not the policy: it is made first. */
	CHECK(!pthread_create(&staller, NULL, stall_both, &rounds), "pthread_create: %m");
	if (oob)
		run_oob();
	else
		run_fifo();
	CHECK(!pthread_join(staller, NULL), "pthread_join");
	printf("period: ok\n");
	return 0;
}
