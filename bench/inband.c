// SPDX-License-Identifier: GPL-2.0
/*
 * Fixed in-band workloads, counted in guest instructions. Runs in the guest, on one virtual CPU under `-icount
 * shift=0`: there the TSC counts one per instruction, so that a difference of its readings is a number of
 * instructions, kernel and user, interrupts included. Anywhere else the figures mean nothing, and it says so.
 *
 *	inband [HACKBENCH]
 *
 * prints, for each workload, `inband: NAME instructions N operations N entries N`, where entries are the kernel
 * entries by system call that the workload makes. HACKBENCH is the path of that program; without it, it is left out.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self, *hackbench;

static uint64_t instructions(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) :: "memory");
	return (uint64_t)high << 32 | low;
}

static void require(int true, const char *what)
{
	if (!true) {
		perror(what);
		exit(1);
	}
}

static void null_syscall(long operations)
{
	while (operations--)
		syscall(SYS_getppid);
}

static void pipe_ping_pong(long operations)
{
	int there[2], back[2];
	char byte = 'x';
	pid_t pid;

	require(!pipe(there) && !pipe(back), "pipe");
	pid = fork();
	require(pid >= 0, "fork");
	if (!pid) {
		/* The other end's closing ends it. */
		close(there[1]);
		while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	while (operations--) {
		require(write(there[1], &byte, 1) == 1, "write");
		require(read(back[0], &byte, 1) == 1, "read");
	}
	close(there[1]);
	require(waitpid(pid, NULL, 0) == pid, "waitpid");
	close(there[0]);
	close(back[0]);
	close(back[1]);
}

static void fork_exec(long operations)
{
	while (operations--) {
		int status;
		pid_t pid = fork();

		require(pid >= 0, "fork");
		if (!pid) {
			execl(self, self, "--nothing", (char *)NULL);
			_exit(1);
		}
		require(waitpid(pid, &status, 0) == pid && status == 0, "exec");
	}
}

static void page_faults(long operations)
{
	const long pages = 1024;
	char *memory;
	long page;

	while (operations > 0) {
		memory = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		require(memory != MAP_FAILED, "mmap");
		madvise(memory, pages * 4096, MADV_NOHUGEPAGE);
		for (page = 0; page < pages && operations > 0; page++, operations--)
			*(volatile char *)(memory + page * 4096) = 1;
		munmap(memory, pages * 4096);
	}
}

static void run_hackbench(long operations)
{
	char loops[16];
	int status;
	pid_t pid;

	snprintf(loops, sizeof(loops), "%ld", operations);
	pid = fork();
	require(pid >= 0, "fork");
	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		execl(hackbench, "hackbench", "-g", "1", "-f", "5", "-s", "256", "-l", loops, (char *)NULL);
		_exit(1);
	}
	require(waitpid(pid, &status, 0) == pid && status == 0, "hackbench");
}

/*
 * hackbench is long because it is chaotic: one instruction more in one place, and another task is preempted. Over 200 loops
 * that alone made 1 % between two kernels with the same code; over 3,000 it evens out, to 0.1 %.
 */
static const struct workload {
	const char *name;
	void (*run)(long operations);
	long warm_up, operations, entries; /* entries per operation, 0 where they are not counted */
} workloads[] = {
	{ "null-syscall", null_syscall, 2000, 100000, 1 },
	{ "pipe-ping-pong", pipe_ping_pong, 200, 5000, 4 },
	{ "fork-exec", fork_exec, 20, 200, 0 },
	{ "page-faults", page_faults, 2048, 20480, 0 },
	{ "hackbench", run_hackbench, 100, 3000, 0 },
};

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc == 2 && !strcmp(argv[1], "--nothing"))
		return 0;
	self = "/proc/self/exe";
	hackbench = argc > 1 ? argv[1] : NULL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		const struct workload *one = &workloads[i];
		uint64_t before, after;

		if (one->run == run_hackbench && !hackbench)
			continue;
		one->run(one->warm_up);
		before = instructions();
		one->run(one->operations);
		after = instructions();
		printf("inband: %s instructions %llu operations %ld entries %ld\n", one->name,
		       (unsigned long long)(after - before), one->operations, one->operations * one->entries);
	}
	return 0;
}
