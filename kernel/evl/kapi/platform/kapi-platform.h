/* SPDX-License-Identifier: GPL-2.0 */
/* <kapi-platform.h> of the kernel: see kernel/evl/kapi/platform.md. */
#ifndef EVL_KAPI_PLATFORM_H
#define EVL_KAPI_PLATFORM_H

#include <kapi-sizes.h>		/* Generated from kapi/sizes.c. */

static inline void kapi_shared_access(const volatile void *word, bool write)
{
	(void)word;
	(void)write;
}

#if defined(__cplusplus) && defined(KAPI_HAS_FAST_PATHS)

/*
 * What the path of a wake-up calls again and again, inline for C++: a call costs as much as what it
 * does, and there are a hundred of them between an interrupt and the thread it wakes. Same names
 * and contracts as in kapi/irq.h, cpu.h, lock.h, task.h and trace.h. x86-64, without the debug
 * options that the functions of C honour; with them, those are called.
 *
 * gnu_inline: no body is emitted, the symbol is that of C.
 */
#pragma GCC visibility push(default)
extern "C" {
struct kapi_hard_spinlock;
struct kapi_task_state;

#define KAPI_FAST inline __attribute__((gnu_inline, always_inline))

/* Linux's symbols, as operands only: per-CPU data at the start of %gs, and a static key. */
extern char pcpu_hot[];
extern char kapi_events_used[];

#define KAPI_IF_FLAG 0x200UL

KAPI_FAST unsigned long kapi_hard_irq_save(void)
{
	unsigned long flags;

	asm volatile("pushf\n\tpop %0\n\tcli" : "=rm"(flags) : : "memory");
	return flags;
}

KAPI_FAST void kapi_hard_irq_restore(unsigned long flags)
{
	if (flags & KAPI_IF_FLAG)
		asm volatile("sti" : : : "memory");
}

KAPI_FAST bool kapi_running_oob(void)
{
	int count;

	asm volatile("movl %%gs:%a1, %0" : "=r"(count) : "i"(pcpu_hot + KAPI_HOT_PREEMPT_COUNT));
	return (count & KAPI_STAGE_MASK) != 0;
}

KAPI_FAST unsigned int kapi_this_cpu(void)
{
	unsigned int cpu;

	asm volatile("movl %%gs:%a1, %0" : "=r"(cpu) : "i"(pcpu_hot + KAPI_HOT_CPU_NUMBER));
	return cpu;
}

/* Not volatile: whoever runs this code is the same task before and after. */
KAPI_FAST struct kapi_task_state *kapi_current_state(void)
{
	char *task;

	asm("movq %%gs:%a1, %0" : "=r"(task) : "i"(pcpu_hot + KAPI_HOT_CURRENT_TASK));
	return (struct kapi_task_state *)(task + KAPI_TASK_OOB_STATE);
}

KAPI_FAST bool kapi_signal_pending(void)
{
	char *task;

	asm("movq %%gs:%a1, %0" : "=r"(task) : "i"(pcpu_hot + KAPI_HOT_CURRENT_TASK));
	return (__atomic_load_n((unsigned long *)(task + KAPI_TASK_FLAGS), __ATOMIC_RELAXED) &
		KAPI_FLAGS_SIGNAL) != 0;
}

/* A queued spinlock: 0 is free, 1 is taken without waiters; its lowest byte is what is released. */
void kapi_hard_spin_lock_contended(struct kapi_hard_spinlock *lock);

KAPI_FAST void kapi_hard_spin_lock(struct kapi_hard_spinlock *lock)
{
	unsigned int found = 0;

	if (!__atomic_compare_exchange_n((unsigned int *)lock, &found, 1U, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		kapi_hard_spin_lock_contended(lock);
}

KAPI_FAST void kapi_hard_spin_unlock(struct kapi_hard_spinlock *lock)
{
	__atomic_store_n((unsigned char *)lock, 0, __ATOMIC_RELEASE);
}

/* A jump that is patched in when any event is on. "?": the section joins the function's group. */
static inline __attribute__((always_inline)) bool kapi_tracing(void)
{
	asm goto("1: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t"
		 ".pushsection __jump_table, \"aw?\"\n\t"
		 ".balign 8\n\t"
		 ".long 1b - .\n\t"
		 ".long %l[traced] - .\n\t"
		 ".quad %c0 - .\n\t"
		 ".popsection"
		 : : "i"(kapi_events_used) : : traced);
	return false;
traced:
	return true;
}

/* Arguments are evaluated when an event is on only. */
#define kapi_trace(...) (__builtin_expect(kapi_tracing(), 0) ? (kapi_trace)(__VA_ARGS__) : (void)0)

}
#pragma GCC visibility pop

#endif /* __cplusplus && KAPI_HAS_FAST_PATHS */

#endif /* EVL_KAPI_PLATFORM_H */
