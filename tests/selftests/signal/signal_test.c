// SPDX-License-Identifier: GPL-2.0
/*
 * Signals, as a program sees them: what the kernel's selftests leave out. Runs in the guest, output in TAP.
 *
 * Each test runs in a process of its own with a limit of its own, so that a lost signal is a failed test and
 * not a hang. Delivery happens on the way out of the kernel, which is what an interrupt pipeline rewrites: hence the
 * tests under a timer's fire, with floating-point state in flight and with system calls that restart.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define LIMIT_S 30

static volatile sig_atomic_t hits;

static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
	_exit(1);
}

#define CHECK(what) do { if (!(what)) fail("%s:%d: %s (errno %d)", __func__, __LINE__, #what, errno); } while (0)

static void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&action.sa_mask);
	CHECK(!sigaction(number, &action, NULL));
}

static void mask(int how, int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	CHECK(!sigprocmask(how, &set, NULL));
}

static void count(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	hits++;
}

static void sleep_ns(long ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&ts, NULL);
}

/* Delivery */

static void raise_is_synchronous(void)
{
	int i;

	handle(SIGUSR1, count, 0);
	for (i = 1; i <= 1000; i++) {
		CHECK(!raise(SIGUSR1));
		CHECK(hits == i);
	}
}

static void kill_self_is_delivered_before_it_returns(void)
{
	int i;

	handle(SIGUSR1, count, 0);
	for (i = 1; i <= 1000; i++) {
		CHECK(!kill(getpid(), SIGUSR1));
		CHECK(hits == i);
	}
}

static void every_signal_can_be_handled(void)
{
	int number;

	for (number = 1; number <= SIGRTMAX; number++) {
		if (number == SIGKILL || number == SIGSTOP || (number >= 32 && number < SIGRTMIN))
			continue;
		hits = 0;
		handle(number, count, 0);
		CHECK(!raise(number));
		CHECK(hits == 1);
	}
}

static void default_actions_end_stop_and_ignore(void)
{
	static const struct { int number, ends; } cases[] = {
		{ SIGTERM, 1 }, { SIGHUP, 1 }, { SIGUSR1, 1 }, { SIGALRM, 1 }, { SIGKILL, 1 }, { SIGPIPE, 1 },
		{ SIGCHLD, 0 }, { SIGURG, 0 }, { SIGWINCH, 0 }, { SIGCONT, 0 },
	};
	unsigned int i;
	int status;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (!pid) {
			kill(getpid(), cases[i].number);
			_exit(7);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		if (cases[i].ends)
			CHECK(WIFSIGNALED(status) && WTERMSIG(status) == cases[i].number);
		else
			CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
}

static void stop_and_continue_are_seen_by_the_parent(void)
{
	int status, i;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid)
		for (;;)
			pause();
	for (i = 0; i < 20; i++) {
		CHECK(!kill(pid, SIGSTOP));
		CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
		CHECK(!kill(pid, SIGCONT));
		CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	}
	CHECK(!kill(pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_signal_to_a_spinning_process_arrives(void)
{
	int status, i;

	/* It makes no system call: only an interrupt's way out of the kernel can deliver. */
	for (i = 0; i < 50; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (!pid)
			for (;;)
				__asm__ volatile("pause");
		sleep_ns(1000000);
		CHECK(!kill(pid, SIGTERM));
		CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	}
}

static void resethand_restores_the_default(void)
{
	struct sigaction after;

	handle(SIGUSR1, count, SA_RESETHAND);
	CHECK(!raise(SIGUSR1));
	CHECK(hits == 1);
	CHECK(!sigaction(SIGUSR1, NULL, &after));
	CHECK(after.sa_handler == SIG_DFL);
}

/* Masks */

static void a_blocked_signal_is_pending_and_comes_when_unblocked(void)
{
	sigset_t pending;

	handle(SIGUSR1, count, 0);
	mask(SIG_BLOCK, SIGUSR1);
	CHECK(!raise(SIGUSR1));
	CHECK(hits == 0);
	CHECK(!sigpending(&pending));
	CHECK(sigismember(&pending, SIGUSR1) == 1);
	mask(SIG_UNBLOCK, SIGUSR1);
	CHECK(hits == 1);
	CHECK(!sigpending(&pending));
	CHECK(sigismember(&pending, SIGUSR1) == 0);
}

static void standard_signals_coalesce_while_blocked(void)
{
	int i;

	handle(SIGUSR1, count, 0);
	mask(SIG_BLOCK, SIGUSR1);
	for (i = 0; i < 10; i++)
		CHECK(!raise(SIGUSR1));
	mask(SIG_UNBLOCK, SIGUSR1);
	CHECK(hits == 1);
}

static volatile sig_atomic_t depth, depth_max;

static void nest(int number, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	if (++depth > depth_max)
		depth_max = depth;
	if (hits++ < 3)
		raise(number);
	depth--;
}

static void a_handler_blocks_its_own_signal_unless_nodefer(void)
{
	handle(SIGUSR1, nest, 0);
	CHECK(!raise(SIGUSR1));
	CHECK(hits == 4 && depth_max == 1);
	hits = depth_max = 0;
	handle(SIGUSR1, nest, SA_NODEFER);
	CHECK(!raise(SIGUSR1));
	CHECK(hits == 4 && depth_max == 4);
}

static volatile sig_atomic_t usr2_inside;

static void raise_usr2(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	raise(SIGUSR2);
	usr2_inside = hits;
}

static void sa_mask_holds_during_the_handler_only(void)
{
	struct sigaction action = { .sa_sigaction = raise_usr2, .sa_flags = SA_SIGINFO };
	sigset_t now;

	handle(SIGUSR2, count, 0);
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGUSR2);
	CHECK(!sigaction(SIGUSR1, &action, NULL));
	CHECK(!raise(SIGUSR1));
	CHECK(usr2_inside == 0 && hits == 1);
	CHECK(!sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(!sigismember(&now, SIGUSR2) && !sigismember(&now, SIGUSR1));
}

static void kill_and_stop_cannot_be_blocked_or_handled(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN };
	sigset_t set, now;

	CHECK(sigaction(SIGKILL, &action, NULL) == -1 && errno == EINVAL);
	CHECK(sigaction(SIGSTOP, &action, NULL) == -1 && errno == EINVAL);
	sigfillset(&set);
	CHECK(!sigprocmask(SIG_SETMASK, &set, NULL));
	CHECK(!sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(!sigismember(&now, SIGKILL) && !sigismember(&now, SIGSTOP));
}

static void sigsuspend_swaps_the_mask_atomically(void)
{
	sigset_t none;
	int i;

	/* A signal that comes between unblocking and sleeping would be lost, and this would hang. */
	sigemptyset(&none);
	handle(SIGUSR1, count, 0);
	mask(SIG_BLOCK, SIGUSR1);
	for (i = 1; i <= 300; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (!pid) {
			kill(getppid(), SIGUSR1);
			_exit(0);
		}
		while (hits < i)
			CHECK(sigsuspend(&none) == -1 && errno == EINTR);
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
}

/* siginfo and realtime signals */

static siginfo_t seen[64];

static void record(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	if (hits < 64)
		seen[hits] = *info;
	hits++;
}

static void siginfo_tells_who_and_what(void)
{
	union sigval value = { .sival_int = 0x1234abcd };
	struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1 };
	timer_t timer;

	handle(SIGRTMIN, record, 0);
	handle(SIGRTMIN + 1, record, 0);
	CHECK(!kill(getpid(), SIGRTMIN));
	CHECK(hits == 1 && seen[0].si_code == SI_USER && seen[0].si_pid == getpid() && seen[0].si_uid == getuid());
	CHECK(!sigqueue(getpid(), SIGRTMIN, value));
	CHECK(hits == 2 && seen[1].si_code == SI_QUEUE && seen[1].si_value.sival_int == 0x1234abcd);
	CHECK(!syscall(SYS_tgkill, getpid(), gettid(), SIGRTMIN));
	CHECK(hits == 3 && seen[2].si_code == SI_TKILL && seen[2].si_pid == getpid());
	event.sigev_value.sival_int = 77;
	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	CHECK(!timer_settime(timer, 0, &soon, NULL));
	while (hits < 4)
		sleep_ns(1000000);
	CHECK(seen[3].si_code == SI_TIMER && seen[3].si_value.sival_int == 77 && seen[3].si_overrun == 0);
}

static void sigchld_tells_how_the_child_ended(void)
{
	pid_t pid;

	handle(SIGCHLD, record, 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		_exit(42);
	while (hits < 1)
		sleep_ns(1000000);
	CHECK(seen[0].si_pid == pid && seen[0].si_code == CLD_EXITED && seen[0].si_status == 42);
	CHECK(waitpid(pid, NULL, 0) == pid);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		for (;;)
			pause();
	CHECK(!kill(pid, SIGTERM));
	while (hits < 2)
		sleep_ns(1000000);
	CHECK(seen[1].si_pid == pid && seen[1].si_code == CLD_KILLED && seen[1].si_status == SIGTERM);
}

static void realtime_signals_queue_in_order(void)
{
	int i;

	handle(SIGRTMIN + 3, record, 0);
	mask(SIG_BLOCK, SIGRTMIN + 3);
	for (i = 0; i < 50; i++) {
		union sigval value = { .sival_int = i };

		CHECK(!sigqueue(getpid(), SIGRTMIN + 3, value));
	}
	CHECK(hits == 0);
	mask(SIG_UNBLOCK, SIGRTMIN + 3);
	CHECK(hits == 50);
	for (i = 0; i < 50; i++)
		CHECK(seen[i].si_value.sival_int == i);
}

static void lower_realtime_numbers_come_first(void)
{
	sigset_t set;
	siginfo_t info;
	int i, number;

	sigemptyset(&set);
	for (number = SIGRTMIN; number <= SIGRTMIN + 5; number++)
		sigaddset(&set, number);
	sigaddset(&set, SIGUSR1);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	for (number = SIGRTMIN + 5; number >= SIGRTMIN; number--)
		for (i = 0; i < 3; i++) {
			union sigval value = { .sival_int = i };

			CHECK(!sigqueue(getpid(), number, value));
		}
	CHECK(!raise(SIGUSR1));
	CHECK(sigwaitinfo(&set, &info) == SIGUSR1);
	for (number = SIGRTMIN; number <= SIGRTMIN + 5; number++)
		for (i = 0; i < 3; i++) {
			CHECK(sigwaitinfo(&set, &info) == number);
			CHECK(info.si_value.sival_int == i);
		}
}

static void sigtimedwait_times_out_and_receives(void)
{
	struct timespec limit = { 0, 20000000 }, before, after;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	clock_gettime(CLOCK_MONOTONIC, &before);
	CHECK(sigtimedwait(&set, &info, &limit) == -1 && errno == EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec >= 20000000);
	CHECK(!raise(SIGRTMIN));
	CHECK(sigtimedwait(&set, &info, &limit) == SIGRTMIN);
}

static void signalfd_reads_what_was_queued(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd, i;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 2);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	CHECK(fd >= 0);
	CHECK(read(fd, &info, sizeof(info)) == -1 && errno == EAGAIN);
	for (i = 0; i < 10; i++) {
		union sigval value = { .sival_int = i };

		CHECK(!sigqueue(getpid(), SIGRTMIN + 2, value));
	}
	for (i = 0; i < 10; i++) {
		CHECK(read(fd, &info, sizeof(info)) == sizeof(info));
		CHECK(info.ssi_signo == (uint32_t)(SIGRTMIN + 2) && info.ssi_int == i);
	}
	CHECK(read(fd, &info, sizeof(info)) == -1 && errno == EAGAIN);
}

static void the_queue_limit_is_reported_as_eagain(void)
{
	union sigval value = { .sival_int = 0 };
	long sent = 0;

	mask(SIG_BLOCK, SIGRTMIN);
	while (sent < 1000000 && !sigqueue(getpid(), SIGRTMIN, value))
		sent++;
	CHECK(sent > 32 && sent < 1000000 && errno == EAGAIN);
}

/* Faults */

static sigjmp_buf back;
static void *fault_address;
static int fault_code;

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)context;
	fault_address = info->si_addr;
	fault_code = info->si_code;
	siglongjmp(back, number);
}

static void faults_name_address_and_reason(void)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = 0;
	int i;

	CHECK(page != MAP_FAILED);
	handle(SIGSEGV, on_fault, 0);
	handle(SIGFPE, on_fault, 0);
	handle(SIGILL, on_fault, 0);
	handle(SIGTRAP, on_fault, 0);
	for (i = 0; i < 200; i++) {
		int got = sigsetjmp(back, 1);

		if (!got)
			*(volatile char *)(page + 17) = 1;
		CHECK(got == SIGSEGV && fault_address == page + 17 && fault_code == SEGV_ACCERR);
	}
	munmap(page, 4096);
	i = sigsetjmp(back, 1);
	if (!i)
		*(volatile char *)page = 1;
	CHECK(i == SIGSEGV && fault_address == page && fault_code == SEGV_MAPERR);
	i = sigsetjmp(back, 1);
	if (!i)
		__asm__ volatile("cltd; idivl %1" :: "a"(1), "r"(zero) : "edx", "cc"); /* a compiler may know 1 / x */
	CHECK(i == SIGFPE && fault_code == FPE_INTDIV);
	i = sigsetjmp(back, 1);
	if (!i)
		__asm__ volatile("ud2");
	CHECK(i == SIGILL && fault_code == ILL_ILLOPN);
	i = sigsetjmp(back, 1);
	if (!i)
		__asm__ volatile("int3");
	CHECK(i == SIGTRAP);
}

static void fix_register(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)number, (void)info;
	hits++;
	uc->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 is two bytes long */
	uc->uc_mcontext.gregs[REG_RAX] = 0x5555;
}

static void a_handler_can_change_the_interrupted_context(void)
{
	unsigned long result;
	int i;

	handle(SIGILL, fix_register, 0);
	for (i = 1; i <= 100; i++) {
		__asm__ volatile("ud2" : "=a"(result) : "a"(1UL));
		CHECK(result == 0x5555 && hits == i);
	}
}

/* Alternate stack */

static volatile uintptr_t handler_stack;

static void note_stack(int number, siginfo_t *info, void *context)
{
	int here;

	(void)number, (void)info, (void)context;
	handler_stack = (uintptr_t)&here;
	hits++;
}

static void altstack_is_used_and_left(void)
{
	size_t size = 64 * 1024;
	stack_t stack = { .ss_sp = malloc(size), .ss_size = size }, now;
	int i;

	CHECK(stack.ss_sp);
	CHECK(!sigaltstack(&stack, NULL));
	handle(SIGUSR1, note_stack, SA_ONSTACK);
	handle(SIGUSR2, note_stack, 0);
	for (i = 0; i < 100; i++) {
		CHECK(!raise(SIGUSR1));
		CHECK(handler_stack >= (uintptr_t)stack.ss_sp && handler_stack < (uintptr_t)stack.ss_sp + size);
		CHECK(!raise(SIGUSR2));
		CHECK(!(handler_stack >= (uintptr_t)stack.ss_sp && handler_stack < (uintptr_t)stack.ss_sp + size));
	}
	CHECK(!sigaltstack(NULL, &now));
	CHECK(!(now.ss_flags & SS_ONSTACK) && now.ss_sp == stack.ss_sp);
}

static volatile int go_on = 1; /* Tells the compiler that the recursion may end; it does not. */

static int overflow(volatile char *above)
{
	volatile char room[4096];

	room[0] = above ? above[0] : 1;
	return go_on ? overflow(room) + room[0] : 0;
}

static void on_overflow(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	_exit(0);
}

static void a_stack_overflow_is_handled_on_the_altstack(void)
{
	stack_t stack = { .ss_sp = malloc(64 * 1024), .ss_size = 64 * 1024 };

	CHECK(!sigaltstack(&stack, NULL));
	handle(SIGSEGV, on_overflow, SA_ONSTACK);
	overflow(NULL);
	fail("no SIGSEGV");
}

/* System calls */

static void interrupt_after(long ns)
{
	struct itimerval timer = { .it_value.tv_usec = ns / 1000 };

	CHECK(!setitimer(ITIMER_REAL, &timer, NULL));
}

static void a_read_is_interrupted_without_restart(void)
{
	char byte;
	int ends[2];

	CHECK(!pipe(ends));
	handle(SIGALRM, count, 0);
	interrupt_after(10000000);
	CHECK(read(ends[0], &byte, 1) == -1 && errno == EINTR && hits == 1);
}

static int restart_pipe[2];

static void write_on_second(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	if (++hits < 5)
		interrupt_after(5000000);
	else if (write(restart_pipe[1], "x", 1) != 1)
		_exit(1);
}

static void a_read_restarts_with_sa_restart(void)
{
	char byte = 0;

	CHECK(!pipe(restart_pipe));
	handle(SIGALRM, write_on_second, SA_RESTART);
	interrupt_after(5000000);
	CHECK(read(restart_pipe[0], &byte, 1) == 1 && byte == 'x' && hits == 5);
}

static void wait_restarts_with_sa_restart(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		sleep_ns(60000000);
		_exit(3);
	}
	handle(SIGALRM, count, SA_RESTART);
	interrupt_after(10000000);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3 && hits == 1);
}

static void nanosleep_tells_the_time_that_is_left(void)
{
	struct timespec request = { 1, 0 }, left = { 0, 0 };

	handle(SIGALRM, count, SA_RESTART);
	interrupt_after(20000000);
	CHECK(nanosleep(&request, &left) == -1 && errno == EINTR && hits == 1);
	CHECK(left.tv_sec == 0 && left.tv_nsec > 0 && left.tv_nsec <= 990000000);
}

static void a_stopped_sleep_goes_on_after_continue(void)
{
	struct timespec before, after;
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		/* Restarted by the kernel through restart_syscall(), with the time that is left. */
		struct timespec request = { 0, 300000000 };

		clock_gettime(CLOCK_MONOTONIC, &before);
		if (nanosleep(&request, NULL))
			_exit(1);
		clock_gettime(CLOCK_MONOTONIC, &after);
		_exit((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec < 300000000L ? 2 : 0);
	}
	sleep_ns(50000000);
	CHECK(!kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	CHECK(!kill(pid, SIGCONT));
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void errno_and_result_survive_a_handler(void)
{
	struct itimerval fast = { { 0, 1000 }, { 0, 1000 } };
	int i;

	handle(SIGALRM, count, SA_RESTART);
	CHECK(!setitimer(ITIMER_REAL, &fast, NULL));
	for (i = 0; i < 200000 || hits < 20; i++) {
		CHECK(getppid() > 0);
		CHECK(close(-1) == -1 && errno == EBADF);
	}
}

/* State under fire */

static void dirty_fpu(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	__asm__ volatile("fninit; fldpi; fld1; pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm5, %%xmm5; "
			 "pcmpeqd %%xmm10, %%xmm10; pcmpeqd %%xmm15, %%xmm15; fninit" ::: "memory");
	hits++;
}

static void vector_registers_survive_handlers(void)
{
	struct itimerval fast = { { 0, 1000 }, { 0, 1000 } };
	uint64_t in[4][2], out[4][2];
	unsigned long round;

	handle(SIGALRM, dirty_fpu, SA_RESTART);
	CHECK(!setitimer(ITIMER_REAL, &fast, NULL));
	for (round = 1; hits < 300; round++) {
		int i;

		for (i = 0; i < 4; i++)
			in[i][0] = round * 0x9e3779b97f4a7c15ULL + i, in[i][1] = ~in[i][0];
		__asm__ volatile("movdqu (%0), %%xmm0; movdqu 16(%0), %%xmm5; movdqu 32(%0), %%xmm10; "
				 "movdqu 48(%0), %%xmm15; mov $20000, %%rcx; 1: dec %%rcx; jnz 1b; "
				 "movdqu %%xmm0, (%1); movdqu %%xmm5, 16(%1); movdqu %%xmm10, 32(%1); movdqu %%xmm15, 48(%1)"
				 :: "r"(in), "r"(out)
				 : "rcx", "xmm0", "xmm5", "xmm10", "xmm15", "memory");
		CHECK(!memcmp(in, out, sizeof(in)));
	}
}

static void x87_and_control_words_survive_handlers(void)
{
	struct itimerval fast = { { 0, 1000 }, { 0, 1000 } };
	uint32_t mxcsr = 0x7f80, mxcsr_now; /* all masked, round towards zero */
	uint16_t word = 0x0f7f, word_now;   /* all masked, extended, round towards zero */
	double value = 1.0 / 3.0, now;

	handle(SIGALRM, dirty_fpu, SA_RESTART);
	__asm__ volatile("ldmxcsr %0; fldcw %1" :: "m"(mxcsr), "m"(word));
	CHECK(!setitimer(ITIMER_REAL, &fast, NULL));
	while (hits < 300) {
		__asm__ volatile("fldl %1; mov $20000, %%rcx; 1: dec %%rcx; jnz 1b; fstpl %0; stmxcsr %2; fnstcw %3"
				 : "=m"(now), "+m"(value), "=m"(mxcsr_now), "=m"(word_now) :: "rcx", "memory");
		CHECK(!memcmp(&now, &value, sizeof(now)));
		CHECK((mxcsr_now & ~0x3fu) == (mxcsr & ~0x3fu) && word_now == word);
	}
}

static void general_registers_and_flags_survive_handlers(void)
{
	struct itimerval fast = { { 0, 1000 }, { 0, 1000 } };

	handle(SIGALRM, dirty_fpu, SA_RESTART);
	CHECK(!setitimer(ITIMER_REAL, &fast, NULL));
	while (hits < 300) {
		unsigned long bad;

		__asm__ volatile("mov $0x1111, %%rbx; mov $0x2222, %%rdx; mov $0x3333, %%rsi; mov $0x4444, %%r8\n"
				 "mov $0x5555, %%r11; mov $0x6666, %%r15; mov $20000, %%rcx; std; stc\n"
				 "1: lea -1(%%rcx), %%rcx; jrcxz 2f; jmp 1b\n" /* leaves the flags alone */
				 "2: pushfq; pop %%rax; cld; and $0x401, %%rax; xor $0x401, %%rax\n"
				 "xor $0x1111, %%rbx; xor $0x2222, %%rdx; xor $0x3333, %%rsi; xor $0x4444, %%r8\n"
				 "xor $0x5555, %%r11; xor $0x6666, %%r15; or %%rbx, %%rax; or %%rdx, %%rax\n"
				 "or %%rsi, %%rax; or %%r8, %%rax; or %%r11, %%rax; or %%r15, %%rax"
				 : "=a"(bad) :: "rbx", "rcx", "rdx", "rsi", "r8", "r11", "r15", "cc", "memory");
		CHECK(!bad);
	}
}

/* Load */

static void a_fast_timer_loses_nothing(void)
{
	struct itimerspec every = { { 0, 500000 }, { 0, 500000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct timespec start, now;
	long expected, total = 0;
	siginfo_t info;
	sigset_t set;
	timer_t timer;

	/* Signals plus overruns account for each period. */
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	clock_gettime(CLOCK_MONOTONIC, &start);
	CHECK(!timer_settime(timer, 0, &every, NULL));
	do {
		CHECK(sigwaitinfo(&set, &info) == SIGRTMIN);
		total += 1 + info.si_overrun;
		clock_gettime(CLOCK_MONOTONIC, &now);
		expected = ((now.tv_sec - start.tv_sec) * 1000000000L + now.tv_nsec - start.tv_nsec) / 500000;
		CHECK(total <= expected);
	} while (total < 2000);
}

enum { SENDERS = 4, EACH = 2000 };
static volatile int received[SENDERS];
static volatile sig_atomic_t out_of_order;

static void in_order(int number, siginfo_t *info, void *context)
{
	int sender = info->si_value.sival_int >> 16, at = info->si_value.sival_int & 0xffff;

	(void)number, (void)context;
	if (received[sender]++ != at)
		out_of_order = 1;
}

static void *send_many(void *argument)
{
	long sender = (long)argument;
	int i;

	for (i = 0; i < EACH; i++) {
		union sigval value = { .sival_int = (int)(sender << 16) | i };

		while (sigqueue(getpid(), SIGRTMIN + 4, value)) {
			if (errno != EAGAIN)
				_exit(1);
			sched_yield();
		}
	}
	return NULL;
}

static void queued_signals_of_many_threads_all_arrive_in_order(void)
{
	pthread_t threads[SENDERS];
	sigset_t set, old;
	long i;

	handle(SIGRTMIN + 4, in_order, SA_RESTART);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 4);
	/* The senders inherit the blocked mask: only this thread receives. */
	CHECK(!pthread_sigmask(SIG_BLOCK, &set, &old));
	for (i = 0; i < SENDERS; i++)
		CHECK(!pthread_create(&threads[i], NULL, send_many, (void *)i));
	CHECK(!pthread_sigmask(SIG_SETMASK, &old, NULL));
	for (i = 0; i < SENDERS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	for (i = 0; i < SENDERS; i++)
		CHECK(received[i] == EACH);
	CHECK(!out_of_order);
}

static volatile pid_t got_by;

static void note_thread(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	got_by = gettid();
	hits++;
}

static volatile pid_t thread_id;
static volatile int thread_done;

static void *spin(void *argument)
{
	(void)argument;
	thread_id = gettid();
	while (!thread_done)
		__asm__ volatile("pause" ::: "memory");
	return NULL;
}

static void a_directed_signal_reaches_its_thread(void)
{
	pthread_t thread;
	int i;

	handle(SIGUSR1, note_thread, 0);
	CHECK(!pthread_create(&thread, NULL, spin, NULL));
	while (!thread_id)
		sleep_ns(1000000);
	for (i = 1; i <= 50; i++) {
		CHECK(!pthread_kill(thread, SIGUSR1));
		while (hits < i)
			sched_yield();
		CHECK(got_by == thread_id);
	}
	thread_done = 1;
	CHECK(!pthread_join(thread, NULL));
}

static void a_process_signal_reaches_a_thread_that_lets_it(void)
{
	pthread_t thread;
	int i;

	handle(SIGUSR1, note_thread, 0);
	CHECK(!pthread_create(&thread, NULL, spin, NULL));
	while (!thread_id)
		sleep_ns(1000000);
	mask(SIG_BLOCK, SIGUSR1); /* of this thread only */
	for (i = 1; i <= 50; i++) {
		CHECK(!kill(getpid(), SIGUSR1));
		while (hits < i)
			sched_yield();
		CHECK(got_by == thread_id);
	}
	thread_done = 1;
	CHECK(!pthread_join(thread, NULL));
}

static void ping_pong_between_processes(void)
{
	sigset_t set;
	int i, number;
	pid_t pid, other;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	pid = fork();
	CHECK(pid >= 0);
	other = pid ? pid : getppid();
	for (i = 0; i < 2000; i++) {
		if (pid)
			CHECK(!kill(other, SIGUSR1));
		CHECK(!sigwait(&set, &number) && number == SIGUSR1);
		if (!pid)
			CHECK(!kill(other, SIGUSR1));
	}
	if (!pid)
		_exit(0);
	CHECK(waitpid(pid, &i, 0) == pid && WIFEXITED(i) && WEXITSTATUS(i) == 0);
}

static void signals_to_forking_processes(void)
{
	struct itimerval fast = { { 0, 1000 }, { 0, 1000 } };
	int i, status;

	/* fork() restarts when a signal is pending: it must neither fail nor be done twice. */
	handle(SIGALRM, count, SA_RESTART);
	CHECK(!setitimer(ITIMER_REAL, &fast, NULL));
	for (i = 0; i < 300; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (!pid)
			_exit(i & 0x7f);
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == (i & 0x7f));
	}
	fast = (struct itimerval){ { 0, 0 }, { 0, 0 } };
	CHECK(!setitimer(ITIMER_REAL, &fast, NULL));
	CHECK(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD);
}

static void exec_keeps_ignored_resets_handled_keeps_mask(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		handle(SIGUSR1, count, 0);
		signal(SIGUSR2, SIG_IGN);
		mask(SIG_BLOCK, SIGTERM);
		execl("/proc/self/exe", "signal_test", "--after-exec", (char *)NULL);
		_exit(9);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status))
		fail("after exec: %d", WEXITSTATUS(status));
}

static int after_exec(void)
{
	struct sigaction one, two;
	sigset_t now;

	if (sigaction(SIGUSR1, NULL, &one) || sigaction(SIGUSR2, NULL, &two) || sigprocmask(SIG_BLOCK, NULL, &now))
		return 1;
	if (one.sa_handler != SIG_DFL)
		return 2;
	if (two.sa_handler != SIG_IGN)
		return 3;
	return sigismember(&now, SIGTERM) == 1 ? 0 : 4;
}

#define TEST(function) { #function, function }
static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	TEST(raise_is_synchronous),
	TEST(kill_self_is_delivered_before_it_returns),
	TEST(every_signal_can_be_handled),
	TEST(default_actions_end_stop_and_ignore),
	TEST(stop_and_continue_are_seen_by_the_parent),
	TEST(a_signal_to_a_spinning_process_arrives),
	TEST(resethand_restores_the_default),
	TEST(a_blocked_signal_is_pending_and_comes_when_unblocked),
	TEST(standard_signals_coalesce_while_blocked),
	TEST(a_handler_blocks_its_own_signal_unless_nodefer),
	TEST(sa_mask_holds_during_the_handler_only),
	TEST(kill_and_stop_cannot_be_blocked_or_handled),
	TEST(sigsuspend_swaps_the_mask_atomically),
	TEST(siginfo_tells_who_and_what),
	TEST(sigchld_tells_how_the_child_ended),
	TEST(realtime_signals_queue_in_order),
	TEST(lower_realtime_numbers_come_first),
	TEST(sigtimedwait_times_out_and_receives),
	TEST(signalfd_reads_what_was_queued),
	TEST(the_queue_limit_is_reported_as_eagain),
	TEST(faults_name_address_and_reason),
	TEST(a_handler_can_change_the_interrupted_context),
	TEST(altstack_is_used_and_left),
	TEST(a_stack_overflow_is_handled_on_the_altstack),
	TEST(a_read_is_interrupted_without_restart),
	TEST(a_read_restarts_with_sa_restart),
	TEST(wait_restarts_with_sa_restart),
	TEST(nanosleep_tells_the_time_that_is_left),
	TEST(a_stopped_sleep_goes_on_after_continue),
	TEST(errno_and_result_survive_a_handler),
	TEST(vector_registers_survive_handlers),
	TEST(x87_and_control_words_survive_handlers),
	TEST(general_registers_and_flags_survive_handlers),
	TEST(a_fast_timer_loses_nothing),
	TEST(queued_signals_of_many_threads_all_arrive_in_order),
	TEST(a_directed_signal_reaches_its_thread),
	TEST(a_process_signal_reaches_a_thread_that_lets_it),
	TEST(ping_pong_between_processes),
	TEST(signals_to_forking_processes),
	TEST(exec_keeps_ignored_resets_handled_keeps_mask),
};

enum { COUNT = sizeof(tests) / sizeof(tests[0]) };

/* A test that has not ended after LIMIT_S is killed with all it has started; returns its wait status. */
static int run_bounded(void (*run)(void), int *late)
{
	int waited, status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("fork: errno %d", errno);
	if (!pid) {
		setpgid(0, 0);
		run();
		_exit(0);
	}
	setpgid(pid, pid);
	*late = 0;
	for (waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited++) {
		if (waited >= LIMIT_S * 200) {
			*late = 1;
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			break;
		}
		sleep_ns(5000000);
	}
	kill(-pid, SIGKILL); /* what it has left behind */
	return status;
}

int main(int argc, char **argv)
{
	int failed = 0, i;

	if (argc == 2 && !strcmp(argv[1], "--after-exec"))
		return after_exec();
	printf("TAP version 13\n1..%d\n", COUNT);
	for (i = 0; i < COUNT; i++) {
		int late, status = run_bounded(tests[i].run, &late);
		int good = !late && WIFEXITED(status) && WEXITSTATUS(status) == 0;

		if (late)
			printf("# no end within %d s\n", LIMIT_S);
		else if (WIFSIGNALED(status))
			printf("# ended by signal %d\n", WTERMSIG(status));
		printf("%s %d %s\n", good ? "ok" : "not ok", i + 1, tests[i].name);
		failed += !good;
	}
	return failed ? 1 : 0;
}
