// SPDX-License-Identifier: MIT
/*
 * What the suites gdb and gdb-toy debug: two threads that run out-of-band and count. debuggee.gdb knows the names in it.
 */
#include "threads.h"


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

	CHECK(!core_attach(CORE_RETURN), "attach: %m");
	CHECK(!core_oob(), "oob: %m");
	for (int round = 0; round < ROUNDS; round++) {
		tick(who, round);
		while (core_sleep(now_ns() + NS_PER_MS))
			CHECK(errno == EINTR || errno == EAGAIN, "sleep: %m");
	}
	CHECK(!core_detach(), "detach: %m");
	return NULL;
}

int main(void)
{
	pthread_t thread;

	core_begin();
	start_thread(&thread, count, (void *)1);
	count(NULL);
	CHECK(!pthread_join(thread, NULL), "pthread_join");
	CHECK(ticks[0] == ROUNDS && ticks[1] == ROUNDS, "counted %d and %d", ticks[0], ticks[1]);
	core_end();
	printf("debuggee: ok\n");
	return 0;
}
