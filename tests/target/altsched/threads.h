/* SPDX-License-Identifier: MIT */
/*
 * Threads with small stacks. A process of the EVL core locks its memory: stacks of the usual 8 MB would be there as a whole,
 * and be copied by each fork.
 */
#ifndef THREADS_H
#define THREADS_H

#include "core.h"

#include <pthread.h>

#define STACK_BYTES (128 * 1024)

static inline void start_thread(pthread_t *thread, void *(*body)(void *), void *argument)
{
	pthread_attr_t attributes;

	CHECK(!pthread_attr_init(&attributes) && !pthread_attr_setstacksize(&attributes, STACK_BYTES), "pthread_attr");
	CHECK(!pthread_create(thread, &attributes, body, argument), "pthread_create");
	pthread_attr_destroy(&attributes);
}

#endif /* THREADS_H */
