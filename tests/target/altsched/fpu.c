// SPDX-License-Identifier: MIT
/*
 * fpu SECONDS: on every CPU, threads of both stages hold values in all registers for a while and look whether they
 * are still there: general, AVX (or SSE), MXCSR, x87 control word, PKRU, bases of FS and GS. Each thread has values of
 * its own, so that those of another one are noticed. Processes are forked meanwhile: memory must stay what it was.
 *
 * kfpu.ko, if it is loaded, does the same in the kernel, on the in-band stage.
 */
#include "threads.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define MAX_CPUS 8
#define PER_CPU 3 /* Two of the core, one of Linux. */
#define SPINS 30000
#define WORDS 4096

struct registers {
	uint64_t vector[16][4];
	uint64_t general[8];
	uint32_t mxcsr;
	uint16_t control;
};

struct checker {
	pthread_t thread;
	int cpu, oob, index;
	volatile uint64_t rounds;
};

static struct checker checker[MAX_CPUS * PER_CPU];
static atomic_int stop;
static int have_avx, have_pkru;
static _Thread_local volatile uint64_t behind_fs;

static void find_features(void)
{
	unsigned int a, b, c, d;

	__cpuid(1, a, b, c, d);
	have_avx = (c & bit_AVX) && (c & bit_OSXSAVE);
	__cpuid_count(7, 0, a, b, c, d);
	have_pkru = (c >> 4) & 1; /* OSPKE */
}

static uint32_t read_pkru(void)
{
	uint32_t low, high;

	__asm__ volatile("rdpkru" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static void write_pkru(uint32_t value)
{
	__asm__ volatile("wrpkru" : : "a"(value), "c"(0), "d"(0) : "memory");
}

#define EACH_VECTOR(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)
#define STRING(text) #text
#define LOAD_YMM(n) "vmovdqu 32*" STRING(n) "(%[in]), %%ymm" STRING(n) "\n"
#define SAVE_YMM(n) "vmovdqu %%ymm" STRING(n) ", 32*" STRING(n) "(%[out])\n"
#define LOAD_XMM(n) "movdqu 32*" STRING(n) "(%[in]), %%xmm" STRING(n) "\n"
#define SAVE_XMM(n) "movdqu %%xmm" STRING(n) ", 32*" STRING(n) "(%[out])\n"
#define EACH_GENERAL(op) op(8, 0) op(9, 1) op(10, 2) op(11, 3) op(12, 4) op(13, 5) op(14, 6) op(15, 7)
#define LOAD_GENERAL(n, at) "mov 512+8*" STRING(at) "(%[in]), %%r" STRING(n) "\n"
#define SAVE_GENERAL(n, at) "mov %%r" STRING(n) ", 512+8*" STRING(at) "(%[out])\n"
#define CLOBBERED "memory", "cc", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", \
		  "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#define HOLD(load, save, end)								\
	__asm__ volatile("ldmxcsr 576(%[in])\nfldcw 580(%[in])\n"			\
			 EACH_VECTOR(load) EACH_GENERAL(LOAD_GENERAL)			\
			 "1: dec %[spins]\njnz 1b\n"					\
			 EACH_VECTOR(save) EACH_GENERAL(SAVE_GENERAL)			\
			 "stmxcsr 576(%[out])\nfnstcw 580(%[out])\n" end		\
			 : [spins] "+c"(spins) : [in] "D"(in), [out] "S"(out) : CLOBBERED)

_Static_assert(__builtin_offsetof(struct registers, general) == 512 && __builtin_offsetof(struct registers, mxcsr) == 576,
	       "the assembly knows these offsets");

/* Loads all registers, lets time pass, and reads them back. */
static void hold(const struct registers *in, struct registers *out, unsigned long spins)
{
	if (have_avx)
		HOLD(LOAD_YMM, SAVE_YMM, "vzeroupper\n");
	else
		HOLD(LOAD_XMM, SAVE_XMM, "");
}

static void fill(struct registers *registers, uint64_t seed)
{
	memset(registers, 0, sizeof(*registers));
	for (int n = 0; n < 16; n++)
		for (int word = 0; word < (have_avx ? 4 : 2); word++)
			registers->vector[n][word] = (seed += 0x9e3779b97f4a7c15ULL);
	for (int n = 0; n < 8; n++)
		registers->general[n] = (seed += 0x9e3779b97f4a7c15ULL);
	/* All exceptions masked; the rounding mode, and the precision of x87, are the thread's. */
	registers->mxcsr = 0x1f80 | (seed & 3) << 13;
	registers->control = 0x033f | (seed & 3) << 10;
}

static void check_registers(const struct checker *self, const uint64_t *behind_gs, uint32_t pkru)
{
	struct registers in, out;
	uint64_t gs;

	fill(&in, self->index * 0x100000001ULL + self->rounds);
	memset(&out, 0, sizeof(out));
	hold(&in, &out, SPINS);
	/* Sticky exception flags are not ours. */
	out.mxcsr &= ~0x3fU;
	CHECK(!memcmp(&in, &out, sizeof(in)), "checker %d (%s, CPU %d): registers changed", self->index, self->oob ? "oob" : "in-band",
	      self->cpu);
	__asm__ volatile("mov %%gs:0, %0" : "=r"(gs));
	CHECK(gs == *behind_gs, "checker %d: the base of GS changed", self->index);
	CHECK(behind_fs == (uint64_t)self->index, "checker %d: the base of FS changed", self->index);
	CHECK(!have_pkru || read_pkru() == pkru, "checker %d: PKRU changed: %#x, not %#x", self->index, read_pkru(), pkru);
}

static void check_memory(const struct checker *self, volatile uint64_t *memory)
{
	unsigned int at = (self->rounds * 64) % WORDS;

	for (int n = 0; n < 64; n++) {
		CHECK(memory[at + n] == at + n + (uint64_t)self->index, "checker %d: memory changed", self->index);
		memory[at + n] = at + n + (uint64_t)self->index;
	}
}

static void *check(void *argument)
{
	struct checker *self = argument;
	uint64_t behind_gs = 0xabcd0000ULL + self->index;
	volatile uint64_t *memory = malloc(WORDS * sizeof(*memory));
	uint64_t spent = 0, start;
	uint32_t pkru = 0;

	behind_fs = self->index;
	pin_to(self->cpu);
	CHECK(!syscall(SYS_arch_prctl, ARCH_SET_GS, &behind_gs), "arch_prctl: %m");
	for (unsigned int n = 0; n < WORDS; n++)
		memory[n] = n + self->index;
	if (have_pkru) {
		/* The topmost key is not in use: its two bits are free to differ. */
		pkru = (read_pkru() & 0x3fffffffU) | (uint32_t)(self->index & 3) << 30;
		write_pkru(pkru);
	}
	if (self->oob)
		CHECK(!core_attach(CORE_RR | CORE_RETURN), "attach: %m");
	while (!atomic_load(&stop)) {
		if (self->oob) {
			/*
			 * Mostly out-of-band; now and then the same thread checks in-band. Threads of the core must leave
			 * most of the CPU to Linux, however slow it is.
			 */
			if (self->rounds % 16 == 15)
				core_inband();
			else
				CHECK(!core_sleep(now_ns() + 200000 + self->index * 17000 + 6 * spent), "sleep: %m");
		}
		start = now_ns();
		check_registers(self, &behind_gs, pkru);
		check_memory(self, memory);
		self->rounds++;
		spent = now_ns() - start;
	}
	if (self->oob)
		CHECK(!core_detach(), "detach: %m");
	return NULL;
}

/* Copy-on-write traffic: the child changes what it shares with the checkers. */
static void fork_once(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0, "fork: %m");
	if (!pid) {
		for (int n = 0; n < MAX_CPUS * PER_CPU; n++)
			checker[n].rounds = ~0ULL;
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && !status, "a child ended with %#x", status);
}

int main(int argc, char **argv)
{
	int seconds = argc == 2 ? atoi(argv[1]) : 0, cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), forks = 0, count;
	uint64_t end, rounds[2] = { 0, 0 };

	if (seconds < 1) {
		fprintf(stderr, "usage: fpu SECONDS\n");
		return 2;
	}
	find_features();
	core_begin();
	count = (cpus > MAX_CPUS ? MAX_CPUS : cpus) * PER_CPU;
	for (int n = 0; n < count; n++) {
		checker[n] = (struct checker){ .cpu = n / PER_CPU, .oob = n % PER_CPU != 0, .index = n + 1 };
		start_thread(&checker[n].thread, check, &checker[n]);
	}
	for (end = now_ns() + seconds * NS_PER_S; now_ns() < end; forks++) {
		fork_once();
		usleep(5000);
	}
	atomic_store(&stop, 1);
	for (int n = 0; n < count; n++) {
		CHECK(!pthread_join(checker[n].thread, NULL), "pthread_join");
		CHECK(checker[n].rounds > 0, "checker %d never ran", checker[n].index);
		rounds[checker[n].oob] += checker[n].rounds;
	}
	printf("fpu: ok, %s%s, %llu rounds oob, %llu in-band, %d forks\n", have_avx ? "AVX" : "SSE", have_pkru ? ", PKRU" : "",
	       (unsigned long long)rounds[1], (unsigned long long)rounds[0], forks);
	core_end();
	return 0;
}
