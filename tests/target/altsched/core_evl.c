// SPDX-License-Identifier: MIT
/* The calls of core.h on the EVL core, by the library. */
#include "core.h"

#include <dirent.h>
#include <evl/evl.h>
#include <evl/signal.h>
#include <evl/xbuf.h>
#include <signal.h>

#define MAX_TOKENS 64
#define PRIORITY 10
#define QUANTUM_NS NS_PER_MS

/* A thread that was moved in-band stays there until it asks for the other stage. */
const bool core_returns = false;

static struct token {
	struct evl_mutex mutex;
	struct evl_event event;
	int count;
} token[MAX_TOKENS];

static struct evl_mutex echo_mutex;
static int echo_fd = -1;

static _Thread_local int self_fd = -1;
static _Thread_local volatile uint64_t faults, forced;

static int as_errno(int status)
{
	if (status >= 0)
		return 0;
	errno = -status;
	return -1;
}

void core_begin(void)
{
	int status = evl_init();

	CHECK(status == 0, "evl_init: %s", strerror(-status));
}

/* One echo at a time: all threads use the same xbuf, which there are few of. */
void core_make_echo(void)
{
	int status = evl_new_mutex(&echo_mutex, NULL);

	CHECK(status >= 0, "evl_new_mutex: %s", strerror(-status));
	echo_fd = evl_new_xbuf(1024, NULL);
	CHECK(echo_fd >= 0, "evl_new_xbuf: %s", strerror(-echo_fd));
}

void core_end(void)
{
	if (echo_fd < 0)
		return;
	evl_close_mutex(&echo_mutex);
	close(echo_fd);
	echo_fd = -1;
}

int core_attach(unsigned int flags)
{
	struct evl_sched_attrs attrs = { .sched_policy = flags & CORE_RR ? SCHED_RR : SCHED_FIFO, .sched_priority = PRIORITY };
	int status;

	if (flags & CORE_RR)
		attrs.sched_rr_quantum = (struct __evl_timespec){ .tv_nsec = QUANTUM_NS };
	self_fd = evl_attach_self(NULL);
	if (self_fd < 0)
		return as_errno(self_fd);
	/* The storms make threads go in-band wherever they are, with a mutex as well. A debug kernel would have that reported. */
	status = evl_clear_thread_mode(self_fd, EVL_T_WOLI, NULL);
	CHECK(status == 0, "evl_clear_thread_mode: %s", strerror(-status));
	return as_errno(evl_set_schedattr(self_fd, &attrs));
}

int core_detach(void)
{
	const struct sched_param none = { 0 };
	int status = evl_detach_self();

	self_fd = -1;
	if (status == 0)
		CHECK(!sched_setscheduler(0, SCHED_OTHER, &none), "SCHED_OTHER: %m");
	return as_errno(status);
}

int core_handle(void)
{
	return self_fd;
}

void core_release(int handle)
{
	CHECK(!close(handle), "close of a thread: %m");
}

int core_oob(void)
{
	return as_errno(evl_switch_oob());
}

int core_inband(void)
{
	return as_errno(evl_switch_inband());
}

int core_yield(void)
{
	return as_errno(evl_yield());
}

int core_sleep(uint64_t date)
{
	const struct timespec until = { .tv_sec = (time_t)(date / NS_PER_S), .tv_nsec = (long)(date % NS_PER_S) };

	return as_errno(evl_sleep_until(EVL_CLOCK_MONOTONIC, &until));
}

/* The clock's gravity, for user threads: the last of three. */
uint64_t core_early_ns(void)
{
	unsigned long long irq, kernel, user;
	FILE *file = fopen("/sys/class/clock/monotonic/gravity", "r");

	CHECK(file, "gravity: %m");
	CHECK(fscanf(file, "%llui %lluk %lluu", &irq, &kernel, &user) == 3, "gravity has not three values");
	fclose(file);
	return user;
}

void core_make_tokens(int count)
{
	CHECK(count <= MAX_TOKENS, "only %d semaphores", MAX_TOKENS);
	for (int n = 0; n < count; n++) {
		int status = evl_new_mutex(&token[n].mutex, NULL);

		CHECK(status >= 0, "evl_new_mutex: %s", strerror(-status));
		status = evl_new_event(&token[n].event, NULL);
		CHECK(status >= 0, "evl_new_event: %s", strerror(-status));
		token[n].count = 0;
	}
}

int core_wait(unsigned int index)
{
	struct token *this = &token[index];
	int status = evl_lock_mutex(&this->mutex), unlocked;

	if (status)
		return as_errno(status);
	while (!this->count && !status)
		status = evl_wait_event(&this->event, &this->mutex);
	if (!status)
		this->count--;
	unlocked = evl_unlock_mutex(&this->mutex);
	CHECK(!unlocked, "evl_unlock_mutex after a wait (%d): %s", status, strerror(-unlocked));
	return as_errno(status);
}

int core_post(unsigned int index)
{
	struct token *this = &token[index];
	int status = evl_lock_mutex(&this->mutex);

	if (status)
		return as_errno(status);
	this->count++;
	status = evl_signal_event(&this->event);
	CHECK(!status, "evl_signal_event: %s", strerror(-status));
	status = evl_unlock_mutex(&this->mutex);
	CHECK(!status, "evl_unlock_mutex: %s", strerror(-status));
	return 0;
}

/* Through an xbuf: from @words out-of-band, to this function in-band, and the same way back. */
static int echo(uint64_t *words)
{
	const ssize_t size = CORE_ECHO_WORDS * sizeof(*words);
	uint64_t copy[CORE_ECHO_WORDS];
	ssize_t done = oob_write(echo_fd, words, size);
	bool bad;

	if (done < 0 && errno != EFAULT)
		return -1;
	bad = done < 0;
	CHECK(bad || done == size, "oob_write: %zd bytes", done);
	/* What could not be read from user memory is zeroes in the xbuf: the room was taken already. */
	do
		done = read(echo_fd, copy, size);
	while (done < 0 && errno == EINTR);
	CHECK(done == size, "read of an xbuf: %zd: %m", done);
	if (bad) {
		errno = EFAULT;
		return -1;
	}
	for (int n = 0; n < CORE_ECHO_WORDS; n++)
		copy[n]++;
	do
		done = write(echo_fd, copy, size);
	while (done < 0 && errno == EINTR);
	CHECK(done == size, "write to an xbuf: %zd: %m", done);
	do
		done = oob_read(echo_fd, words, size);
	while (done < 0 && errno == EINTR);
	CHECK(done == size, "oob_read: %zd: %m", done);
	return 0;
}

int core_echo(uint64_t *words)
{
	int status = evl_lock_mutex(&echo_mutex), error;

	if (status)
		return as_errno(status);
	status = echo(words);
	error = errno;
	CHECK(!evl_unlock_mutex(&echo_mutex), "evl_unlock_mutex after an echo");
	errno = error;
	return status;
}

static void count_cause(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	CHECK(sigdebug_marked(info), "a SIGDEBUG that is not the core's");
	forced++;
	if (sigdebug_cause(info) == EVL_HMDIAG_EXDEMOTE)
		faults++;
	else
		CHECK(sigdebug_cause(info) <= EVL_HMDIAG_EXDEMOTE, "the core complains: %d", sigdebug_cause(info));
}

/* The core sends a signal for each. */
void core_watch(void)
{
	struct sigaction action = { .sa_sigaction = count_cause, .sa_flags = SA_SIGINFO | SA_RESTART };
	int status;

	CHECK(!sigaction(SIGDEBUG, &action, NULL), "sigaction: %m");
	status = evl_set_thread_mode(self_fd, EVL_T_WOSS | EVL_T_HMSIG, NULL);
	CHECK(status == 0, "evl_set_thread_mode: %s", strerror(-status));
}

void core_stats(struct core_stats *stats)
{
	stats->faults = faults;
	stats->forced = forced;
	stats->oob = !evl_is_inband();
}

void core_check_thread(const char *who)
{
	struct evl_thread_state state;

	CHECK(evl_is_inband(), "%s: not in-band", who);
	CHECK(!evl_get_state(self_fd, &state), "%s: no state", who);
	CHECK(state.eattrs.sched_priority == PRIORITY, "%s: priority %d", who, state.eattrs.sched_priority);
}

static const char *const classes[] = { "thread", "monitor", "xbuf", "proxy" };
#define CLASSES (int)(sizeof(classes) / sizeof(*classes))

static int elements_of(const char *class)
{
	char path[64];
	struct dirent *entry;
	int count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/sys/class/%s", class);
	folder = opendir(path);
	CHECK(folder, "%s: %m", path);
	while ((entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

void core_count(struct core_books *books)
{
	for (int n = 0; n < CLASSES; n++)
		books->entry[n] = elements_of(classes[n]);
}

/* Elements are disposed of by a worker of Linux, some time after their last descriptor is closed. */
void core_check(const struct core_books *before)
{
	for (int n = 0; n < CLASSES; n++)
		for (int ms = 0; elements_of(classes[n]) != before->entry[n]; ms += 100) {
			CHECK(ms < 20000, "%d elements in /sys/class/%s, %lld before", elements_of(classes[n]), classes[n], before->entry[n]);
			usleep(100000);
		}
	printf("no element left\n");
}
