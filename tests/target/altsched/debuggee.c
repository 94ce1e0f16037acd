// SPDX-License-Identifier: MIT
/*
 * What the suite gdb-toy debugs: two threads that run out-of-band and count. debuggee.gdb knows the names in it.
 */
#include "toy.h"

#include <pthread.h>

#define ROUNDS 400

volatile int watched;
volatile int ticks[2];

/* Called out-of-band. */
__attribute__((noinline)) void tick(int who, int round)
{
	ticks[who]++;
	if (who == 0)
		watched = round + 1;
}

static void *count(void *argument)
{
	int who = (int)(intptr_t)argument;

	CHECK(!toy_attach(TOY_F_RETURN), "attach: %m");
	CHECK(!toy_oob(), "oob: %m");
	for (int round = 0; round < ROUNDS; round++) {
		tick(who, round);
		while (toy_sleep(now_ns() + NS_PER_MS))
			CHECK(errno == EINTR || errno == EAGAIN, "sleep: %m");
	}
	CHECK(!toy_detach(), "detach: %m");
	return NULL;
}

int main(void)
{
	int fd = open_core();
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, count, (void *)1), "pthread_create");
	count(NULL);
	CHECK(!pthread_join(thread, NULL), "pthread_join");
	CHECK(ticks[0] == ROUNDS && ticks[1] == ROUNDS, "counted %d and %d", ticks[0], ticks[1]);
	close(fd);
	printf("debuggee: ok\n");
	return 0;
}
