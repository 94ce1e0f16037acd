// SPDX-License-Identifier: MIT
/*
 * storm NAME COUNT: COUNT events of one kind hit threads that run on both stages. Prints what was done; a thread that
 * is lost makes it hang, which the board reports with backtraces.
 *
 * Last, the books of the core must balance: who attached has detached, who left has come back.
 */
#include "storms.h"

#include <sys/wait.h>

static const struct {
	const char *name;
	void (*run)(int count);
} storms[] = {
	{ "signal", storm_signal },	{ "stage", storm_stage },   { "mm", storm_mm },	      { "fork", storm_fork },
	{ "exec", storm_exec },		{ "exit", storm_exit },	    { "ptrace", storm_ptrace }, { "affinity", storm_affinity },
	{ "freeze", storm_freeze },	{ "hotplug", storm_hotplug },
};

/*
 * Objects of Linux that a lost task would keep. Caches keep some that are free, and count them as used: the limit is
 * far above that, and far below the events of a run.
 */
static const char *const slabs[] = { "task_struct", "mm_struct", "signal_cache", "files_cache" };
#define SLABS (sizeof(slabs) / sizeof(*slabs))
#define SLAB_SLACK 200

/* Has a cache give up what it holds of free objects, KASAN's quarantine included: with it, thousands stay. */
static void shrink(const char *slab)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", slab);
	file = fopen(path, "w");
	if (!file)
		return; /* A kernel that does not show its caches. */
	fputs("1", file);
	CHECK(!fclose(file), "%s: %m", path);
}

static void count_slabs(long *objects)
{
	char line[256], name[64];
	FILE *file;
	long used;

	for (size_t n = 0; n < SLABS; n++)
		shrink(slabs[n]);
	file = fopen("/proc/slabinfo", "r");
	CHECK(file, "/proc/slabinfo: %m");
	memset(objects, 0, SLABS * sizeof(*objects));
	while (fgets(line, sizeof(line), file))
		for (size_t n = 0; n < SLABS; n++)
			if (sscanf(line, "%63s %ld", name, &used) == 2 && !strcmp(name, slabs[n]))
				objects[n] = used;
	fclose(file);
}

/* What is freed after a grace period of RCU takes its time. */
static void check_slabs(const long *before)
{
	long now[SLABS];

	for (int seconds = 0;; seconds++) {
		size_t n;

		count_slabs(now);
		for (n = 0; n < SLABS && now[n] <= before[n] + SLAB_SLACK; n++)
			;
		if (n == SLABS)
			return;
		CHECK(seconds < 20, "%s: %ld objects, %ld before", slabs[n], now[n], before[n]);
		sleep(1);
	}
}

/* In a process of its own, so that all of it is gone when the books are checked. */
static void run_storm(void (*run)(int count), int count)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	CHECK(pid >= 0, "fork: %m");
	if (!pid) {
		run(count);
		fflush(NULL);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status), "the storm ended with status %#x", status);
}

int main(int argc, char **argv)
{
	int count = argc == 3 ? atoi(argv[2]) : 0;
	struct core_books books = { { 0 } };
	long objects[SLABS];

	if (argc > 1 && !strcmp(argv[1], "execed"))
		return execed(argc > 2);
	for (size_t n = 0; count > 0 && n < sizeof(storms) / sizeof(*storms); n++) {
		if (strcmp(storms[n].name, argv[1]))
			continue;
		core_count(&books);
		count_slabs(objects);
		run_storm(storms[n].run, count);
		check_slabs(objects);
		printf("storm %s: ok, %d events, ", argv[1], count);
		core_check(&books);
		return 0;
	}
	fprintf(stderr, "usage: storm signal|stage|mm|fork|exec|exit|ptrace|affinity|freeze|hotplug COUNT\n");
	return 2;
}
