// SPDX-License-Identifier: MIT
/* The storms of processes and threads that begin and end while they, or their siblings, run out-of-band. */
#include "storms.h"

#include <pthread.h>
#include <sys/wait.h>

#define PARENTS 4
#define WORDS 512

static int per_parent;

/*
 * Threads are only made and ended while nobody forks. The child of a process that runs out-of-band gets copies of its
 * pages, made one after the other while its threads go on; the C library's list of threads could be half of each.
 */
static pthread_barrier_t nobody_forks;

static void end_now(int status)
{
	syscall(SYS_exit_group, status);
}

/* A new process or program starts without the core, whatever its parent was. */
static void live_a_little(int status)
{
	CHECK(toy_inband() == -1 && errno == EPERM, "a new task is attached");
	CHECK(!toy_attach(TOY_F_RETURN), "attach: %m");
	CHECK(!toy_oob(), "oob: %m");
	CHECK(!toy_sleep(now_ns() + 300000), "sleep: %m");
	end_now(status);
}

int execed(void)
{
	live_a_little(9);
	return 1;
}

static void exec_from_oob(void)
{
	char *words[] = { "storm", "execed", NULL };

	CHECK(!toy_attach(0) && !toy_oob(), "oob: %m");
	execv("/proc/self/exe", words);
	fail("exec: %m");
}

/* Forks out-of-band, many times, and looks after its own memory meanwhile. */
static void *be_parent(void *exec)
{
	volatile uint64_t word[WORDS];
	int status, wanted = exec ? 9 : 7;
	pid_t pid;

	pthread_barrier_wait(&nobody_forks);
	CHECK(!toy_attach(TOY_F_RR | TOY_F_RETURN), "attach: %m");
	for (int n = 0; n < per_parent; n++) {
		while (toy_oob())
			CHECK(errno == EAGAIN, "oob: %m");
		for (int at = 0; at < WORDS; at++)
			word[at] = at + n;
		pid = fork();
		CHECK(pid >= 0, "fork: %m");
		if (!pid) {
			for (int at = 0; at < WORDS; at++)
				word[at] = ~0ULL;
			if (exec)
				exec_from_oob();
			live_a_little(7);
		}
		while (toy_oob())
			CHECK(errno == EAGAIN, "oob: %m");
		for (int at = 0; at < WORDS; at++)
			CHECK(word[at] == (uint64_t)at + n, "memory of the parent changed");
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == wanted, "a child ended with %#x", status);
	}
	CHECK(!toy_detach(), "detach: %m");
	pthread_barrier_wait(&nobody_forks);
	return NULL;
}

static void run_parents(int count, int exec)
{
	pthread_t thread[PARENTS];
	int fd = open_core();

	per_parent = (count + PARENTS - 1) / PARENTS;
	CHECK(!pthread_barrier_init(&nobody_forks, NULL, PARENTS), "barrier");
	for (int n = 0; n < PARENTS; n++)
		CHECK(!pthread_create(&thread[n], NULL, be_parent, exec ? &per_parent : NULL), "pthread_create");
	for (int n = 0; n < PARENTS; n++)
		CHECK(!pthread_join(thread[n], NULL), "pthread_join");
	close(fd);
}

void storm_fork(int count)
{
	run_parents(count, 0);
}

void storm_exec(int count)
{
	run_parents(count, 1);
}

/* A thread that ends out-of-band: by the library, or by the bare call. */
static void *end_oob(void *bare)
{
	CHECK(!toy_attach(0) && !toy_oob(), "oob: %m");
	if (bare)
		syscall(SYS_exit, 0);
	return NULL;
}

static void *sleep_long(void *unused)
{
	(void)unused;
	CHECK(!toy_attach(0), "attach: %m");
	toy_sleep(now_ns() + 3600 * NS_PER_S);
	fail("slept for an hour");
	return NULL;
}

static void *wait_long(void *unused)
{
	(void)unused;
	CHECK(!toy_attach(TOY_F_RETURN), "attach: %m");
	toy_wait(TOY_NR_SEMS - 1);
	fail("got a token that nobody gave");
	return NULL;
}

/* Never enters the kernel once it is out-of-band. Has a CPU of its own, or would keep the others from ending it. */
static void *spin_long(void *spinning)
{
	pin_to(online_cpus() - 1);
	CHECK(!toy_attach(0) && !toy_oob(), "oob: %m");
	for (;;)
		++*(volatile unsigned long *)spinning;
	return NULL;
}

/* exit_group() while siblings sleep, wait and spin out-of-band. */
static void end_a_process(struct random *random)
{
	volatile unsigned long spinning = 0;
	pthread_t thread;
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0, "fork: %m");
	if (!pid) {
		CHECK(!pthread_create(&thread, NULL, sleep_long, NULL), "pthread_create");
		CHECK(!pthread_create(&thread, NULL, wait_long, NULL), "pthread_create");
		if (online_cpus() > 1) {
			pin_to(0);
			CHECK(!pthread_create(&thread, NULL, spin_long, (void *)&spinning), "pthread_create");
			while (!spinning)
				sched_yield();
		}
		usleep(below(random, 2000));
		end_now(3);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 3, "a process ended with %#x", status);
}

void storm_exit(int count)
{
	struct random random = { .state = 0xe817 };
	int fd = open_core();
	pthread_t thread;

	for (int n = 0; n < count; n++) {
		if (n % 8 == 7) {
			end_a_process(&random);
			continue;
		}
		CHECK(!pthread_create(&thread, NULL, end_oob, n % 2 ? &random : NULL), "pthread_create");
		CHECK(!pthread_join(thread, NULL), "pthread_join");
	}
	close(fd);
}
