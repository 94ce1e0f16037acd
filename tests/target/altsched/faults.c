// SPDX-License-Identifier: MIT
/*
 * Faults of a thread that runs out-of-band: each must have the outcome that it has in-band, after the thread was moved
 * in-band once, with the core told that it was for an exception; and the thread goes on out-of-band afterwards.
 *
 * Each case runs in-band first: what the emulator does not raise there is not asked for.
 */
#include "threads.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100

struct outcome {
	int signal, code;
};

static sigjmp_buf after;
static struct outcome caught;

static void catch_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	caught = (struct outcome){ number, info->si_code };
	user->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
	/* Traps report what is done, faults what would be done again. */
	if (number != SIGTRAP)
		siglongjmp(after, 1);
}

/* Not there, even in a process that locks its memory. */
static char *fresh_page(int protection)
{
	char *at = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED, "mmap: %m");
	CHECK(!munlock(at, 4096) && !madvise(at, 4096, MADV_DONTNEED), "a page that is not there: %m");
	return at;
}

static char *page;
/* Addresses the compiler does not know. */
static char *volatile nowhere = (char *)16;
static char *volatile outside = (char *)0x8000000000000000ULL;

static void no_page(void)
{
	*(volatile char *)page = 1;
}

static void no_memory(void)
{
	*(volatile char *)nowhere = 1;
}

static void no_right(void)
{
	*(volatile char *)page = 1;
}

static void no_instruction(void)
{
	__asm__ volatile("ud2");
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void single_step(void)
{
	/* Not on the red zone. */
	__asm__ volatile("lea -128(%%rsp), %%rsp\npushf\norl $0x100, (%%rsp)\npopf\nnop\nlea 128(%%rsp), %%rsp" ::: "memory", "cc");
}

static void divide(void)
{
	__asm__ volatile("xor %%edx, %%edx\nmov $1, %%eax\nxor %%ecx, %%ecx\ndiv %%ecx" ::: "eax", "ecx", "edx", "cc");
}

static void privileged(void)
{
	__asm__ volatile("hlt");
}

static void not_canonical(void)
{
	*(volatile char *)outside = 1;
}

static void x87_divide(void)
{
	unsigned short unmasked = 0x037b;

	__asm__ volatile("fninit\nfldcw %0\nfld1\nfldz\nfdivrp\nfwait\nfninit" ::"m"(unmasked));
}

static const struct {
	const char *name;
	void (*run)(void);
	int protection; /* Of a page that was never touched; 0: not needed. */
} cases[] = {
	{ "no page", no_page, PROT_READ | PROT_WRITE },
	{ "no memory", no_memory, 0 },
	{ "no right", no_right, PROT_READ },
	{ "no instruction", no_instruction, 0 },
	{ "breakpoint", breakpoint, 0 },
	{ "single step", single_step, 0 },
	{ "divide", divide, 0 },
	{ "privileged", privileged, 0 },
	{ "not canonical", not_canonical, 0 },
	{ "x87 divide", x87_divide, 0 },
};

static struct outcome run_case(int n)
{
	caught = (struct outcome){ 0, 0 };
	if (!sigsetjmp(after, 0))
		cases[n].run();
	__asm__ volatile("fninit");
	return caught;
}

static void prepare_page(int n)
{
	if (page)
		munmap(page, 4096);
	page = cases[n].protection ? fresh_page(cases[n].protection) : NULL;
}

static struct core_stats stats_now(void)
{
	struct core_stats stats;

	core_stats(&stats);
	return stats;
}

static void compare_stages(int n)
{
	struct outcome inband, oob;
	struct core_stats before, then;

	prepare_page(n);
	inband = run_case(n);
	if (!inband.signal && !cases[n].protection) {
		printf("%s: not raised here\n", cases[n].name);
		return;
	}
	prepare_page(n);
	CHECK(!core_attach(CORE_RETURN), "attach: %m");
	core_watch();
	CHECK(!core_oob(), "oob: %m");
	before = stats_now();
	oob = run_case(n);
	then = stats_now();
	CHECK(oob.signal == inband.signal && oob.code == inband.code, "%s: signal %d code %d out-of-band, %d code %d in-band",
	      cases[n].name, oob.signal, oob.code, inband.signal, inband.code);
	CHECK(before.oob && then.faults - before.faults == 1, "%s: moved in-band %llu times for an exception", cases[n].name,
	      (unsigned long long)(then.faults - before.faults));
	if (core_returns) {
		CHECK(then.oob, "%s: it did not go back out-of-band", cases[n].name);
	} else {
		CHECK(!then.oob && then.forced - before.forced == 1, "%s: moved in-band %llu times in all", cases[n].name,
		      (unsigned long long)(then.forced - before.forced));
		CHECK(!core_oob() && stats_now().oob, "%s: it cannot go back out-of-band: %m", cases[n].name);
	}
	printf("%s: signal %d code %d, on both stages\n", cases[n].name, oob.signal, oob.code);
	CHECK(!core_detach(), "detach: %m");
}

/* The core's own calls touch user memory: the fault is transparent, or an error. */
static void fault_in_the_core(void)
{
	uint64_t *word = (void *)fresh_page(PROT_READ | PROT_WRITE);
	struct core_stats before, then;

	CHECK(!core_attach(0), "attach: %m");
	CHECK(!core_oob(), "oob: %m");
	CHECK(!core_echo(word), "echo on a page that is not there: %m");
	CHECK(stats_now().oob, "the call did not go back out-of-band");
	CHECK(word[0] == 1 && word[3] == 1, "echo: wrong data");
	/* Only now: being told may take a signal, which moves the thread as well. */
	core_watch();
	word = (void *)fresh_page(PROT_READ | PROT_WRITE);
	before = stats_now();
	CHECK(!core_echo(word), "echo on a page that is not there: %m");
	then = stats_now();
	CHECK(then.faults > before.faults, "there was no fault in the core");
	CHECK(core_echo((uint64_t *)16) == -1 && errno == EFAULT, "echo at a bad address: %m");
	CHECK(core_echo((uint64_t *)0xffffffff81000000UL) == -1 && errno == EFAULT, "echo into the kernel: %m");
	CHECK(!core_echo(word), "echo after the errors: %m");
	CHECK(word[0] == 2 && word[3] == 2, "echo after the errors: %#llx %#llx", (unsigned long long)word[0], (unsigned long long)word[3]);
	CHECK(!core_detach(), "detach: %m");
	printf("fault in the core: ok\n");
}

static void *sleep_oob(void *unused)
{
	(void)unused;
	CHECK(!core_attach(0), "attach: %m");
	core_sleep(now_ns() + 3600 * NS_PER_S);
	return NULL;
}

/* Nobody handles the signal: the process ends, siblings asleep out-of-band included, and leaves a core dump. */
static void unhandled(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	pthread_t thread;
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0, "fork: %m");
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		setrlimit(RLIMIT_CORE, &unlimited);
		CHECK(!chdir("/tmp"), "chdir: %m");
		core_begin();
		for (int n = 0; n < 3; n++)
			start_thread(&thread, sleep_oob, NULL);
		CHECK(!core_attach(CORE_RETURN) && !core_oob(), "oob: %m");
		no_memory();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "ended with %#x", status);
	CHECK(WCOREDUMP(status), "no core dump");
	printf("unhandled: core dump\n");
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = catch_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE };

	for (size_t n = 0; n < sizeof(signals) / sizeof(*signals); n++)
		CHECK(!sigaction(signals[n], &action, NULL), "sigaction: %m");
	core_begin();
	core_make_echo();
	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++)
		compare_stages((int)n);
	fault_in_the_core();
	unhandled();
	core_end();
	printf("faults: ok\n");
	return 0;
}
