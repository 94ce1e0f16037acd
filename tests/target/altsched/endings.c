// SPDX-License-Identifier: MIT
/* The storms of processes and threads that begin and end while they, or their siblings, run out-of-band. */
#include "storms.h"
#include "threads.h"

#include <sys/wait.h>

#define PARENTS 2
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
static void expect_unattached(void)
{
	CHECK(core_yield() == -1 && errno == EPERM, "a new task is attached");
}

/* It may become a thread of the core. One in SOME does, or making and freeing elements would be most of the storm. */
#define SOME 8

static void live_a_little(void)
{
	core_begin();
	CHECK(!core_attach(CORE_RETURN), "attach: %m");
	CHECK(!core_oob(), "oob: %m");
	CHECK(!core_sleep(now_ns() + 300000), "sleep: %m");
}

int execed(bool lives)
{
	expect_unattached();
	if (lives)
		live_a_little();
	end_now(9);
	return 1;
}

static void exec_from_oob(bool lives)
{
	char *words[] = { "storm", "execed", lives ? "lives" : NULL, NULL };

	core_begin();
	CHECK(!core_attach(0) && !core_oob(), "oob: %m");
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
	CHECK(!core_attach(CORE_RR | CORE_RETURN), "attach: %m");
	for (int n = 0; n < per_parent; n++) {
		while (core_oob())
			CHECK(errno == EAGAIN, "oob: %m");
		for (int at = 0; at < WORDS; at++)
			word[at] = at + n;
		pid = fork();
		CHECK(pid >= 0, "fork: %m");
		if (!pid) {
			for (int at = 0; at < WORDS; at++)
				word[at] = ~0ULL;
			expect_unattached();
			if (exec)
				exec_from_oob(n % SOME == 0);
			if (n % SOME == 0)
				live_a_little();
			end_now(7);
		}
		while (core_oob())
			CHECK(errno == EAGAIN, "oob: %m");
		for (int at = 0; at < WORDS; at++)
			CHECK(word[at] == (uint64_t)at + n, "memory of the parent changed");
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == wanted, "a child ended with %#x", status);
	}
	CHECK(!core_detach(), "detach: %m");
	pthread_barrier_wait(&nobody_forks);
	return NULL;
}

static void run_parents(int count, int exec)
{
	pthread_t thread[PARENTS];

	core_begin();
	per_parent = (count + PARENTS - 1) / PARENTS;
	CHECK(!pthread_barrier_init(&nobody_forks, NULL, PARENTS), "barrier");
	for (int n = 0; n < PARENTS; n++)
		start_thread(&thread[n], be_parent, exec ? &per_parent : NULL);
	for (int n = 0; n < PARENTS; n++)
		CHECK(!pthread_join(thread[n], NULL), "pthread_join");
	core_end();
}

void storm_fork(int count)
{
	run_parents(count, 0);
}

void storm_exec(int count)
{
	run_parents(count, 1);
}

static atomic_int left_open;

/* A thread that ends out-of-band: by the library, or by the bare call. */
static void *end_oob(void *bare)
{
	CHECK(!core_attach(0) && !core_oob(), "oob: %m");
	atomic_store(&left_open, core_handle());
	if (bare)
		syscall(SYS_exit, 0);
	return NULL;
}

static void *sleep_long(void *unused)
{
	(void)unused;
	CHECK(!core_attach(0), "attach: %m");
	core_sleep(now_ns() + 3600 * NS_PER_S);
	fail("slept for an hour");
	return NULL;
}

static void *wait_long(void *unused)
{
	(void)unused;
	CHECK(!core_attach(CORE_RETURN), "attach: %m");
	core_wait(0);
	fail("got a token that nobody gave");
	return NULL;
}

/*
 * Mostly in user mode, where nothing but a mayday reaches it. It rests now and then: in-band code is preempted with a lock
 * held, that of its CPU's run queue even each time that a thread leaves, and whoever ends this process may want that lock.
 */
static void *spin_long(void *spinning)
{
	uint64_t end;

	pin_to(online_cpus() - 1);
	CHECK(!core_attach(0) && !core_oob(), "oob: %m");
	for (;;) {
		for (end = now_ns() + 20 * NS_PER_MS; now_ns() < end;)
			++*(volatile unsigned long *)spinning;
		core_sleep(now_ns() + 2 * NS_PER_MS);
	}
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
		core_begin();
		core_make_tokens(1);
		start_thread(&thread, sleep_long, NULL);
		start_thread(&thread, wait_long, NULL);
		if (online_cpus() > 1) {
			pin_to(0);
			start_thread(&thread, spin_long, (void *)&spinning);
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
	pthread_t thread;

	core_begin();
	for (int n = 0; n < count; n++) {
		if (n % 8 == 7) {
			end_a_process(&random);
			continue;
		}
		start_thread(&thread, end_oob, n % 2 ? &random : NULL);
		CHECK(!pthread_join(thread, NULL), "pthread_join");
		core_release(atomic_load(&left_open));
	}
	core_end();
}
