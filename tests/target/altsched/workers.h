/* SPDX-License-Identifier: MIT */
/*
 * The victims of the storms: a process whose threads run on both stages and keep counts that show if one of them
 * was lost, or ran twice at a time.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include "core.h"

#include <stdatomic.h>
#include <sys/types.h>

#define MAX_WORKERS 16

/* What the workers do. */
enum work {
	WORK_MIX,	/* A bit of everything. */
	WORK_STAGES,	/* To and fro between the stages. */
	WORK_MEMORY,	/* Reads memory that siblings change, checks memory that nobody may. */
};

/*
 * Of one worker, in memory that outlives it. A worker that runs twice at a time finds `inside` set; one that was
 * resumed with wrong registers or memory finds the two counters to differ.
 */
struct worker {
	atomic_int tid;
	atomic_int inside;
	volatile uint64_t rounds;
	volatile uint64_t shadow;
	atomic_ulong queued;	/* Realtime signals that it got. */
	uint64_t interrupted;	/* Calls that ended with EINTR, */
	uint64_t refused;	/* and with EAGAIN. */
};

struct arena {
	atomic_int stop;
	atomic_int ready;
	enum work work;
	int workers;
	struct worker worker[MAX_WORKERS];
};

struct random {
	uint64_t state;
};

static inline uint64_t next_random(struct random *random)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return random->state;
}

static inline unsigned int below(struct random *random, unsigned int limit)
{
	return next_random(random) % limit;
}

struct arena *new_arena(void);
pid_t start_victim(struct arena *arena, int workers, enum work work, void (*siblings)(struct arena *arena));
void await_victim(pid_t pid);
void end_victim(struct arena *arena, pid_t pid);
void await_victim(pid_t pid);
uint64_t total_rounds(struct arena *arena);
int online_cpus(void);

#endif /* WORKERS_H */
