/* SPDX-License-Identifier: MIT */
/* The storms: each makes so many events, and returns when its victims have come to a good end. */
#ifndef STORMS_H
#define STORMS_H

#include "workers.h"

void storm_signal(int count);
void storm_stage(int count);
void storm_mm(int count);
void storm_fork(int count);
void storm_exec(int count);
void storm_exit(int count);
void storm_ptrace(int count);
void storm_affinity(int count);
void storm_freeze(int count);
void storm_hotplug(int count);

/* What storm_exec() executes: a new program that is not attached. If it @lives, it attaches. */
int execed(bool lives);

volatile uint64_t *victim_churn(size_t *size);

#endif /* STORMS_H */
