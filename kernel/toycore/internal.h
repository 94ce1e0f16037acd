/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The toy core, inside.
 *
 * One hard spinlock, toy_lock, protects all of it: threads, run queues,
 * timers, semaphores, descriptors. It is innermost: nothing is locked under
 * it, and it is never held across a switch of threads. A real core would have
 * a lock per CPU; here everything fits into the head of the reader instead.
 *
 * Invariants, whenever toy_lock is free:
 *
 *  T1  A thread with no block bit is the current one of its run queue, or on
 *      the ready list of it.
 *  T2  A thread with TOY_INBAND set is on no list of the core but all_threads:
 *      it belongs to Linux. Without, it belongs to the core, Linux has it
 *      asleep, and it cannot leave its CPU.
 *  T3  The current thread of a run queue is the root exactly as long as the
 *      in-band stage has the CPU, but for the time of a run_oob_call() or of
 *      an interrupt.
 *  T4  rq->nr_oob counts the threads of this CPU without TOY_INBAND.
 */
#ifndef _TOYCORE_INTERNAL_H
#define _TOYCORE_INTERNAL_H

#include <linux/atomic.h>
#include <linux/dovetail.h>
#include <linux/irq_pipeline.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <toycore/core.h>

struct clock_event_device;

/* Block bits: why a thread does not run. */
#define TOY_INBAND	0x1	/* Belongs to Linux. */
#define TOY_SLEEPING	0x2	/* On rq->sleepers. */
#define TOY_WAITING	0x4	/* On the list of a semaphore. */

/**
 * struct toy_thread - a task that may run out-of-band
 * @ctx:	what Dovetail needs to switch to it
 * @ready:	link in rq->ready
 * @link:	link in rq->sleepers, or toy_sem.waiters
 * @all:	link in all_threads
 * @comeback:	wakes the task up in-band, once it has left the other stage
 * @blocked:	block bits
 * @cpu:	the CPU that it left the in-band stage on
 * @kicked:	asked to come back since it last meant to leave
 * @status:	what the blocking call returns
 * @date:	when to wake up, if sleeping
 * @flags:	TOY_F_*
 * @stats:	counters
 */
struct toy_thread {
	struct dovetail_altsched_context ctx;
	struct list_head ready;
	struct list_head link;
	struct list_head all;
	struct irq_work comeback;
	unsigned int blocked;
	unsigned int cpu;
	bool kicked;
	int status;
	u64 date;
	u32 flags;
	struct toy_stats stats;
};

/**
 * struct toy_rq - the core on one CPU
 * @root:	stands for the whole in-band stage; always runnable
 * @curr:	the thread that has the CPU
 * @ready:	threads that could have it, in order of arrival
 * @sleepers:	threads that wait for a date, the earliest first
 * @nr_oob:	threads that belong to the core
 * @open:	takes threads; cleared when the CPU goes down
 * @rotate:	@curr has to go to the end of the queue
 * @resched:	elect again as soon as possible
 *
 * The rest is the CPU's own: it alone writes it, with hard irqs off.
 *
 * @irq_depth:	interrupts on their way
 * @quantum_end: when the turn of @curr ends
 * @sleep_date:	not after the first date in @sleepers
 * @inband_date: when Linux wants its tick
 * @real:	the timer device
 */
struct toy_rq {
	struct toy_thread root;
	struct toy_thread *curr;
	struct list_head ready;
	struct list_head sleepers;
	unsigned int nr_oob;
	bool open;
	bool rotate;
	bool resched;
	int irq_depth;
	u64 quantum_end;
	u64 sleep_date;
	u64 inband_date;
	struct clock_event_device *real;
};

/*
 * What the core has seen since it was built; /proc/toycore shows it. Those from
 * TOY_C_EVENT on are the in-band events, in the order of Dovetail.
 */
enum toy_counter {
	TOY_C_ATTACH, TOY_C_DETACH, TOY_C_LEAVE, TOY_C_RETURN, TOY_C_SWITCH,
	TOY_C_TRAP, TOY_C_MAYDAY, TOY_C_SHOT, TOY_C_TICK, TOY_C_IPI,
	TOY_C_EVICT, TOY_C_EVENT,
	TOY_NR_COUNTERS = TOY_C_EVENT + INBAND_PROCESS_CLEANUP + 1,
};

extern atomic64_t toy_counters[TOY_NR_COUNTERS];
extern hard_spinlock_t toy_lock;
extern struct list_head toy_threads;
DECLARE_PER_CPU(struct toy_rq, toy_rqs);

static inline void toy_count(enum toy_counter counter)
{
	atomic64_inc(&toy_counters[counter]);
}

/* The thread that the current task is, or NULL. Either stage. */
static inline struct toy_thread *toy_self(void)
{
	return dovetail_current_state()->thread;
}

/* Whether the current task belongs to the core now. Either stage. */
static inline bool toy_self_is_oob(void)
{
	return test_thread_local_flags(_TLF_OOB);
}

/* CPU-local: hard irqs off, or out-of-band. */
static inline struct toy_rq *toy_this_rq(void)
{
	return raw_cpu_ptr(&toy_rqs);
}

/* sched.c */
bool toy_schedule(void);
void toy_ready_locked(struct toy_thread *t);
void toy_wake_locked(struct toy_thread *t, int status);
void toy_block_locked(struct toy_thread *t, unsigned int bit,
		      struct list_head *pos);
int toy_wait_unlock(struct toy_thread *t, unsigned long flags);
void toy_unlock_resched(unsigned long flags);
int toy_request_ipi(void);
void toy_free_ipi(void);

/* timer.c */
u64 toy_now(void);
void toy_program(struct toy_rq *rq);
bool toy_has_timer(struct toy_rq *rq);
int toy_install_timer(void);
void toy_uninstall_timer(void);

/* thread.c */
void toy_kick_locked(struct toy_thread *t);

/* syscall.c */
void toy_init_sems(void);

/* file.c */
long toy_file_call(unsigned int nr, unsigned int fd, unsigned long a,
		   unsigned long b);

#endif /* _TOYCORE_INTERNAL_H */
