// SPDX-License-Identifier: MIT
/* See workers.h. */
#include "workers.h"
#include "threads.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define KEPT_WORDS 2048

static struct arena *arena;
static _Thread_local struct worker *self;
/* When it was to wake up last. */
static _Thread_local uint64_t awake_since;

/* Written by nobody once it is filled; read by siblings while its pages come and go. */
static volatile uint64_t *churn;

struct arena *new_arena(void)
{
	void *at = mmap(NULL, sizeof(struct arena), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED, "mmap: %m");
	return at;
}

int online_cpus(void)
{
	return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

uint64_t total_rounds(struct arena *of)
{
	uint64_t sum = 0;

	for (int n = 0; n < of->workers; n++)
		sum += of->worker[n].rounds;
	return sum;
}

static void count_signal(int number)
{
	if (number >= SIGRTMIN)
		atomic_fetch_add(&self->queued, 1);
}

/* Whatever a call of the core may answer to a thread that is being stormed at. */
static int expected(int result)
{
	if (result >= 0)
		return result;
	if (errno == EINTR) {
		self->interrupted++;
	} else if (errno == EAGAIN) {
		self->refused++;
		usleep(1000);
	} else {
		fail("worker %d: a call of the core: %m", (int)(self - arena->worker));
	}
	return -1;
}

/* The part that must never run twice at a time, nor with another's registers. */
static void count_round(void)
{
	CHECK(!atomic_exchange(&self->inside, 1), "worker %d runs twice", (int)(self - arena->worker));
	CHECK(self->rounds == self->shadow, "worker %d: its counters differ", (int)(self - arena->worker));
	self->rounds++;
	self->shadow++;
	atomic_store(&self->inside, 0);
}

static void spin_us(unsigned int us)
{
	uint64_t end = now_ns() + us * 1000ULL;

	while (now_ns() < end)
		;
}

static void echo(void)
{
	uint64_t word[CORE_ECHO_WORDS] = { 1, 2, 3, self->rounds };

	if (expected(core_echo(word)) == 0)
		CHECK(word[0] == 2 && word[1] == 3 && word[2] == 4 && word[3] == self->rounds + 1, "echo: wrong data");
}

/*
 * Sleeps out-of-band: for @ns, and for twenty times as long as it was awake, but not for ever. Threads of the core that are
 * busy all the time leave nothing to Linux, which makes the storm; on a slow host, where each lock takes its time, they
 * easily are.
 */
static int rest(uint64_t ns)
{
	uint64_t now = now_ns(), pause = 20 * (now - awake_since);

	awake_since = now + ns + (pause > 50 * NS_PER_MS ? 50 * NS_PER_MS : pause);
	return expected(core_sleep(awake_since));
}

/* A token for a token: at the end of the run each worker gives one away, so nobody waits for ever. */
static void exchange_tokens(int index)
{
	core_post((index + 1) % arena->workers);
	while (expected(core_wait(index)) < 0 && !atomic_load(&arena->stop))
		;
}

static void mixed_round(int index, struct random *random)
{
	unsigned int dice = below(random, 100);

	if (dice < 55) {
		rest(200000 + below(random, 1000000));
	} else if (dice < 65) {
		if (expected(core_oob()) == 0)
			spin_us(below(random, 40));
	} else if (dice < 75) {
		expected(core_yield());
	} else if (dice < 83) {
		exchange_tokens(index);
	} else if (dice < 88) {
		echo();
	} else if (dice < 92) {
		core_inband();
		spin_us(below(random, 40));
	} else {
		/* A call of Linux, wherever we are. */
		CHECK(getppid() > 0, "getppid");
	}
}

static void stage_round(int index, struct random *random)
{
	if (expected(core_oob()) == 0 && index % 2)
		spin_us(below(random, 20));
	if (index % 3)
		core_inband();
	else
		CHECK(getppid() > 0, "getppid");
	if (below(random, 4) == 0)
		rest(below(random, 300000));
}

static void memory_round(struct random *random, uint64_t *kept)
{
	unsigned int at = below(random, KEPT_WORDS);

	if (rest(200000 + below(random, 500000)))
		return;
	for (int n = 0; n < 64; n++, at = (at + 1) % KEPT_WORDS) {
		CHECK(kept[at] == at * 0x9e3779b97f4a7c15ULL + self->rounds / KEPT_WORDS, "worker %d: memory changed",
		      (int)(self - arena->worker));
		/* Zero once its page was thrown away. */
		CHECK(!churn[at] || churn[at] == at, "worker %d: shared memory is wrong", (int)(self - arena->worker));
	}
	if ((self->rounds + 1) % KEPT_WORDS == 0)
		for (unsigned int n = 0; n < KEPT_WORDS; n++)
			kept[n] = n * 0x9e3779b97f4a7c15ULL + (self->rounds + 1) / KEPT_WORDS;
}

static void *run_worker(void *argument)
{
	int index = (int)(intptr_t)argument;
	struct random random = { .state = 0x1234567ULL * (index + 1) + getpid() };
	uint64_t *kept = malloc(KEPT_WORDS * sizeof(*kept));
	char name[32];

	self = &arena->worker[index];
	awake_since = now_ns();
	for (unsigned int n = 0; n < KEPT_WORDS; n++)
		kept[n] = n * 0x9e3779b97f4a7c15ULL + self->rounds / KEPT_WORDS;
	CHECK(!core_attach(index % 2 ? CORE_RETURN : CORE_RETURN | CORE_RR), "attach: %m");
	atomic_store(&self->tid, (int)syscall(SYS_gettid));
	atomic_fetch_add(&arena->ready, 1);
	while (!atomic_load(&arena->stop)) {
		if (arena->work == WORK_MIX)
			mixed_round(index, &random);
		else if (arena->work == WORK_STAGES)
			stage_round(index, &random);
		else
			memory_round(&random, kept);
		count_round();
	}
	core_post((index + 1) % arena->workers);
	core_inband();
	snprintf(name, sizeof(name), "worker %d", index);
	core_check_thread(name);
	CHECK(!core_detach(), "detach: %m");
	free(kept);
	return NULL;
}

/* Half of the signals restart what they interrupt. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = count_signal };

	for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
		action.sa_flags = number % 2 ? SA_RESTART : 0;
		CHECK(!sigaction(number, &action, NULL), "sigaction: %m");
	}
	CHECK(!sigaction(SIGUSR1, &action, NULL), "sigaction: %m");
	action.sa_flags = SA_RESTART;
	CHECK(!sigaction(SIGUSR2, &action, NULL), "sigaction: %m");
}

static void map_churn(void)
{
	churn = mmap(NULL, KEPT_WORDS * sizeof(*churn), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(churn != MAP_FAILED, "mmap: %m");
	for (unsigned int n = 0; n < KEPT_WORDS; n++)
		churn[n] = n;
}

static void be_victim(void (*siblings)(struct arena *arena))
{
	pthread_t thread[MAX_WORKERS];
	sigset_t all;

	core_begin();
	core_make_tokens(arena->workers);
	core_make_echo();
	map_churn();
	catch_signals();
	for (int n = 0; n < arena->workers; n++)
		start_thread(&thread[n], run_worker, (void *)(intptr_t)n);
	/* Signals to the process are for the workers. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	if (siblings)
		siblings(arena);
	for (int n = 0; n < arena->workers; n++)
		CHECK(!pthread_join(thread[n], NULL), "pthread_join");
	fflush(NULL);
	_exit(0);
}

/* Memory that the siblings of a WORK_MEMORY victim may treat as they like, save that it stays readable. */
volatile uint64_t *victim_churn(size_t *size)
{
	*size = KEPT_WORDS * sizeof(*churn);
	return churn;
}

pid_t start_victim(struct arena *of, int workers, enum work work, void (*siblings)(struct arena *arena))
{
	pid_t pid;

	atomic_store(&of->stop, 0);
	atomic_store(&of->ready, 0);
	of->work = work;
	of->workers = workers;
	for (int n = 0; n < workers; n++) {
		/* The last victim may have been killed anywhere. */
		atomic_store(&of->worker[n].inside, 0);
		of->worker[n].shadow = of->worker[n].rounds;
		atomic_store(&of->worker[n].tid, 0);
	}
	fflush(NULL);
	pid = fork();
	CHECK(pid >= 0, "fork: %m");
	if (!pid) {
		arena = of;
		be_victim(siblings);
	}
	while (atomic_load(&of->ready) < workers) {
		CHECK(waitpid(pid, NULL, WNOHANG) == 0, "the victim ended too early");
		usleep(1000);
	}
	return pid;
}

/* The victim comes to its end, which shows that no worker is lost. */
void await_victim(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid, "waitpid: %m");
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "the victim ended with status %#x", status);
}

void end_victim(struct arena *of, pid_t pid)
{
	atomic_store(&of->stop, 1);
	await_victim(pid);
}
