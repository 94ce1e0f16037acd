/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Linux tasks and alternate scheduling: what belongs to the core in a task, stage switches, the
 * oob context switch, signals, affinity, privileges.
 */
#ifndef EVL_KAPI_TASK_H
#define EVL_KAPI_TASK_H

#include "kapi/cpu.h"

KAPI_BEGIN_DECLS

/*
 * The core's words in a task (struct oob_thread_state) and in an mm (struct oob_mm_state); zero at
 * creation, cleared in a forked child. kapi never reads them. Any stage; `thread` of another task
 * is read under the rules of Thread's invariant T5.
 */
struct kapi_task_state {
	void *thread;		/* evl::Thread, while attached */
	void *subscriptions;	/* evl::SubscriptionSet; attached or not */
};

struct kapi_mm_state {
	void *process;		/* evl::Process, from the first open of control to evl_on_mm_exit() */
};

struct kapi_task *kapi_current(void);				/* Stage: any. Irqs: any. */
struct kapi_task_state *kapi_current_state(void);		/* Never NULL. */
struct kapi_task_state *kapi_task_state(struct kapi_task *task);
struct kapi_mm_state *kapi_current_mm_state(void);		/* NULL for kernel threads. */

/* References on a task. Stage: any (get), inband with irqs any (put). */
void kapi_get_task(struct kapi_task *task);
void kapi_put_task(struct kapi_task *task);

/* Pid in the initial namespace. Stage: any. */
int kapi_task_pid(struct kapi_task *task);

/* Sets current's comm, cut to 15 characters. Stage: inband. */
void kapi_set_current_name(const char *name);

/* ---- Alternate scheduling ---- */

KAPI_OPAQUE(kapi_altsched);	/* struct dovetail_altsched_context, one per thread and per root */

/* Lets Dovetail call the core. Stage: inband. Errors: EBUSY, EAGAIN no oob stage. */
int kapi_dovetail_start(void);
void kapi_dovetail_stop(void);

/* Binds `context` to current, once, before kapi_altsched_start(). Sleeps. */
void kapi_altsched_init(struct kapi_altsched *context);

/* The placeholder of in-band on one CPU. Stage: inband, at start-up. No task is bound. */
void kapi_altsched_init_root(struct kapi_altsched *context);

/*
 * From here current may switch stages and gets upcalls; until stop. Asks once more whether it may,
 * in one step with the answer: from then on Linux refuses it a filter of system calls.
 * Stage: inband. Irqs: on. Errors: EPERM as kapi_task_allowed().
 */
int kapi_altsched_start(void);
void kapi_altsched_stop(void);

/*
 * Parks current in-band; evl_on_resume_task() is called on the same CPU, and the call returns when
 * the core has switched to it: Stage: oob, oob stalled, irqs off.
 * Entry: Stage: inband. Irqs: on. Preemptible, pinned. Errors: ERESTARTSYS a signal is pending;
 * then nothing has changed.
 */
int kapi_leave_inband(void);

/*
 * The way back, in this order: queue the irq_work that will call kapi_wake_task(), mark the thread
 * in-band, kapi_leave_oob(), reschedule, then with irqs on kapi_resume_inband() first of all.
 * kapi_leave_oob: Stage: oob. Irqs: off. kapi_resume_inband: Stage: inband. Irqs: on.
 */
void kapi_leave_oob(void);
void kapi_resume_inband(void);

/* wake_up_process(). Stage: inband, also from irq_work. */
void kapi_wake_task(struct kapi_task *task);

/*
 * Switches from `out` (the running context) to `in`. `leave_inband`: out is the root, in is not.
 * Stage: oob. Irqs: off. The run queue lock is held and passes to the incoming side.
 * Returns, in the context of `out` when it runs again: true when it has just arrived in-band (its
 * lock was released for it by the root), false when it runs oob.
 */
bool kapi_context_switch(struct kapi_altsched *out, struct kapi_altsched *in, bool leave_inband);

/* Asks for evl_on_retuser() when `task` next returns to user mode in-band. Stage: any. */
void kapi_request_retuser(struct kapi_task *task);

/*
 * Asks for evl_on_mayday() when `task` next returns to user mode oob. Only a flag: the caller kicks
 * the CPU with kapi_send_resched_ipi() when the task runs elsewhere. Stage: any.
 */
void kapi_send_mayday(struct kapi_task *task);

/* ---- Signals, debugger, exit ---- */

bool kapi_signal_pending(void);		/* For current. Stage: any. */

/*
 * Queues `signo` with siginfo {si_code: SI_QUEUE, value: `value`} to `task`; value 0 and SIGTERM
 * or SIGKILL: plain. Stage: inband, also from irq_work. A dead task: nothing happens.
 */
void kapi_send_signal(struct kapi_task *task, int signo, int value);

/* A debugger is attached and SIGINT, SIGTRAP or SIGSTOP is pending. Stage: inband, siglock held. */
bool kapi_debugger_signal_pending(struct kapi_task *task);

/* current ends here: the call does not return. Stage: inband. Irqs: on. */
void kapi_exit_current(void);

/* ---- Placement, in-band scheduling, privileges: all of them sleep ---- */

/* Errors: EINVAL `cpu` is off-line. */
int kapi_pin_current(unsigned int cpu);
void kapi_get_affinity(struct kapi_task *task, struct kapi_cpumask *cpus);	/* Does not sleep. */

/* SCHED_FIFO at 1..99, or SCHED_OTHER for 0, without any privilege check. */
void kapi_set_inband_priority(struct kapi_task *task, int priority);

/* May current become a thread? Not a worker of a kernel service, nor behind a filter of calls. */
bool kapi_task_allowed(void);

bool kapi_memory_is_locked(void);	/* mlockall(MCL_FUTURE) is in force for current's mm. */

enum kapi_capability { KAPI_CAP_SYS_NICE = 1, KAPI_CAP_IPC_LOCK = 2, KAPI_CAP_SYS_RAWIO = 4,
		       KAPI_CAP_SYS_ADMIN = 8 };
bool kapi_capable(enum kapi_capability capability);	/* Stage: any (no audit record when oob). */

/* Gives current the capabilities in `wanted` that it lacks; returns those. Errors: ENOMEM. */
int kapi_raise_capabilities(unsigned int wanted);
void kapi_drop_capabilities(unsigned int raised);

/* ---- Kernel threads ---- */

/*
 * Creates a kernel thread bound to `cpu`, in-band SCHED_FIFO at `priority` (1..99), that runs
 * body(arg) in-band and ends when it returns. *task holds a reference. Sleeps.
 * Errors: ENOMEM, EINTR, EINVAL `cpu` is off-line.
 */
int kapi_run_kthread(void (*body)(void *arg), void *arg, unsigned int cpu, int priority,
		     const char *name, struct kapi_task **task);

KAPI_END_DECLS

#endif /* EVL_KAPI_TASK_H */
