// SPDX-License-Identifier: MIT
/* The storms on victims that live through them. Those that end processes are in endings.c. */
#include "storms.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct random dice = { .state = 0x5eed };

/* More threads than CPUs, so that they get into each other's way. */
static int crowd(void)
{
	int workers = 2 * online_cpus() + 2;

	return workers > MAX_WORKERS ? MAX_WORKERS : workers;
}

/* Ends only when the victims have done something: shows that they were not lost. */
static void wait_for_progress(struct arena *arena, const char *after)
{
	for (int n = 0; n < arena->workers; n++) {
		uint64_t before = arena->worker[n].rounds;

		for (int ms = 0; arena->worker[n].rounds == before; ms++) {
			CHECK(ms < 30000, "worker %d is lost after %s", n, after);
			usleep(1000);
		}
	}
}

static void expect_standstill(struct arena *arena, const char *why)
{
	uint64_t before = total_rounds(arena);

	usleep(3000);
	CHECK(total_rounds(arena) == before, "threads run although %s", why);
}

static void stop_and_continue(struct arena *arena, pid_t pid)
{
	int status;

	CHECK(!kill(pid, SIGSTOP), "kill: %m");
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status), "not stopped: %#x", status);
	expect_standstill(arena, "the process is stopped");
	CHECK(!kill(pid, SIGCONT), "kill: %m");
}

static void kill_it(pid_t pid)
{
	int status;

	usleep(below(&dice, 3000));
	CHECK(!kill(pid, SIGKILL), "kill: %m");
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "not killed: %#x", status);
}

/* A signal that is queued, and must arrive exactly once. */
static void queue_signal(struct arena *arena, pid_t pid, int index)
{
	int number = SIGRTMIN + below(&dice, SIGRTMAX - SIGRTMIN + 1), tid = atomic_load(&arena->worker[index].tid);
	siginfo_t info = { .si_signo = number, .si_code = SI_QUEUE, .si_pid = getpid() };

	while (syscall(SYS_rt_tgsigqueueinfo, pid, tid, number, &info)) {
		CHECK(errno == EAGAIN, "rt_tgsigqueueinfo: %m");
		usleep(1000);
	}
}

static void expect_arrivals(struct arena *arena, const unsigned long *sent)
{
	for (int n = 0; n < arena->workers; n++)
		for (int ms = 0; atomic_load(&arena->worker[n].queued) != sent[n]; ms++) {
			CHECK(ms < 30000, "worker %d got %lu signals of %lu", n, atomic_load(&arena->worker[n].queued), sent[n]);
			usleep(1000);
		}
}

void storm_signal(int count)
{
	struct arena *arena = new_arena();
	unsigned long sent[MAX_WORKERS] = { 0 };
	pid_t pid = start_victim(arena, crowd(), WORK_MIX, NULL);
	unsigned int what;
	int index;

	for (int n = 0; n < count; n++) {
		what = below(&dice, 1000);
		index = below(&dice, arena->workers);
		if (what < 700) {
			queue_signal(arena, pid, index);
			sent[index]++;
		} else if (what < 850) {
			syscall(SYS_tgkill, pid, atomic_load(&arena->worker[index].tid), what % 2 ? SIGUSR1 : SIGUSR2);
		} else if (what < 990) {
			CHECK(!kill(pid, what % 2 ? SIGUSR1 : SIGUSR2), "kill: %m");
		} else if (what < 998) {
			stop_and_continue(arena, pid);
		} else {
			kill_it(pid);
			memset(sent, 0, sizeof(sent));
			for (index = 0; index < arena->workers; index++)
				atomic_store(&arena->worker[index].queued, 0);
			pid = start_victim(arena, arena->workers, WORK_MIX, NULL);
		}
	}
	expect_arrivals(arena, sent);
	wait_for_progress(arena, "the signals");
	end_victim(arena, pid);
}

void storm_stage(int count)
{
	struct arena *arena = new_arena();
	pid_t pid = start_victim(arena, MAX_WORKERS, WORK_STAGES, NULL);

	/* In each round a worker leaves, and comes back. */
	while (total_rounds(arena) < (uint64_t)count)
		usleep(10000);
	wait_for_progress(arena, "all the switches");
	end_victim(arena, pid);
}

static int mm_calls;

static void change_own_memory(struct random *random)
{
	size_t size = 16 * 4096;
	volatile char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *moved;

	CHECK(at != MAP_FAILED, "mmap: %m");
	for (size_t n = 0; n < size; n += 4096)
		at[n] = 1;
	/* Pages of locked memory cannot be thrown away. */
	CHECK(!munlock((void *)at, size), "munlock: %m");
	CHECK(!mprotect((void *)at, size / 2, below(random, 2) ? PROT_NONE : PROT_READ), "mprotect: %m");
	CHECK(!madvise((void *)at, size, below(random, 2) ? MADV_DONTNEED : MADV_FREE), "madvise: %m");
	CHECK(!mprotect((void *)at, size, PROT_READ | PROT_WRITE), "mprotect: %m");
	moved = mremap((void *)at, size, 2 * size, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED, "mremap: %m");
	CHECK(!munmap(moved, 2 * size), "munmap: %m");
}

static void change_shared_memory(struct random *random)
{
	size_t size;
	void *at = (void *)victim_churn(&size);

	CHECK(!mprotect(at, size, PROT_READ), "mprotect: %m");
	CHECK(!mprotect(at, size, PROT_READ | PROT_WRITE), "mprotect: %m");
	CHECK(!munlock(at, size), "munlock: %m");
	if (below(random, 4) == 0)
		CHECK(!madvise(at, size, below(random, 2) ? MADV_DONTNEED : MADV_FREE), "madvise: %m");
}

/* The calls, and as many more as it takes until every worker has met some of them. */
static void change_memory(struct arena *arena)
{
	struct random random = { .state = 0xfeed };
	uint64_t enough[MAX_WORKERS];
	int slowest = 0;

	for (int n = 0; n < arena->workers; n++)
		enough[n] = arena->worker[n].rounds + 20;
	for (int calls = 0; calls < mm_calls || slowest < arena->workers; calls += 8) {
		change_own_memory(&random);
		change_shared_memory(&random);
		while (slowest < arena->workers && arena->worker[slowest].rounds >= enough[slowest])
			slowest++;
	}
	atomic_store(&arena->stop, 1);
}

void storm_mm(int count)
{
	struct arena *arena = new_arena();

	mm_calls = count;
	/* It stops its workers itself, once they have met enough. */
	await_victim(start_victim(arena, crowd(), WORK_MEMORY, change_memory));
}

static void wait_for_stop(int tid)
{
	int status;

	CHECK(waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status), "no stop of %d: %#x", tid, status);
}

void storm_ptrace(int count)
{
	struct arena *arena = new_arena();
	pid_t pid = start_victim(arena, crowd(), WORK_MIX, NULL);
	char registers[1024];
	int tid, steps;

	for (int n = 0; n < count; n++) {
		tid = atomic_load(&arena->worker[below(&dice, arena->workers)].tid);
		if (n % 2) {
			CHECK(!ptrace(PTRACE_SEIZE, tid, 0, 0), "seize: %m");
			CHECK(!ptrace(PTRACE_INTERRUPT, tid, 0, 0), "interrupt: %m");
		} else {
			CHECK(!ptrace(PTRACE_ATTACH, tid, 0, 0), "attach: %m");
		}
		wait_for_stop(tid);
		CHECK(!ptrace(PTRACE_GETREGS, tid, 0, registers), "registers: %m");
		for (steps = below(&dice, 4); steps > 0; steps--) {
			CHECK(!ptrace(PTRACE_SINGLESTEP, tid, 0, 0), "step: %m");
			wait_for_stop(tid);
		}
		CHECK(!ptrace(PTRACE_DETACH, tid, 0, 0), "detach: %m");
	}
	wait_for_progress(arena, "the debugger");
	end_victim(arena, pid);
}

void storm_affinity(int count)
{
	struct arena *arena = new_arena();
	pid_t pid = start_victim(arena, crowd(), WORK_MIX, NULL);
	int cpus = online_cpus();
	cpu_set_t set;

	for (int n = 0; n < count; n++) {
		CPU_ZERO(&set);
		CPU_SET(below(&dice, cpus), &set);
		if (below(&dice, 4) == 0)
			CPU_SET(below(&dice, cpus), &set);
		CHECK(!sched_setaffinity(atomic_load(&arena->worker[below(&dice, arena->workers)].tid), sizeof(set), &set), "affinity: %m");
		if (n % 16 == 0)
			usleep(1000);
	}
	wait_for_progress(arena, "the moves");
	end_victim(arena, pid);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK(fd >= 0, "%s: %m", path);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %s: %m", path, text);
	close(fd);
}

#define GROUP "/sys/fs/cgroup/storm"

static void wait_until_frozen(const char *wanted)
{
	char text[256];
	int fd, size;

	for (int ms = 0;; ms++) {
		fd = open(GROUP "/cgroup.events", O_RDONLY);
		size = read(fd, text, sizeof(text) - 1);
		close(fd);
		CHECK(size > 0, "cgroup.events: %m");
		text[size] = 0;
		if (strstr(text, wanted))
			return;
		CHECK(ms < 30000, "it does not become `%s`", wanted);
		usleep(1000);
	}
}

void storm_freeze(int count)
{
	struct arena *arena = new_arena();
	pid_t pid = start_victim(arena, crowd(), WORK_MIX, NULL);
	char number[16];

	CHECK(!mkdir(GROUP, 0755), GROUP ": %m");
	snprintf(number, sizeof(number), "%d", pid);
	write_file(GROUP "/cgroup.procs", number);
	for (int n = 0; n < count; n++) {
		write_file(GROUP "/cgroup.freeze", "1");
		wait_until_frozen("frozen 1");
		expect_standstill(arena, "the group is frozen");
		write_file(GROUP "/cgroup.freeze", "0");
		wait_until_frozen("frozen 0");
	}
	wait_for_progress(arena, "the thaw");
	end_victim(arena, pid);
	CHECK(!rmdir(GROUP), GROUP ": %m");
}

void storm_hotplug(int count)
{
	struct arena *arena = new_arena();
	pid_t pid = start_victim(arena, crowd(), WORK_MIX, NULL);
	int cpus = online_cpus();
	char path[64];

	CHECK(cpus > 1, "there is no CPU to take down");
	for (int n = 0; n < count; n++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", 1 + (int)below(&dice, cpus - 1));
		write_file(path, "0");
		if (n % 2)
			wait_for_progress(arena, "a CPU went down");
		write_file(path, "1");
	}
	wait_for_progress(arena, "the CPUs are back");
	end_victim(arena, pid);
}
