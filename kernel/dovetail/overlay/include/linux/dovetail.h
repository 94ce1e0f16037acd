/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Alternate scheduling: what a companion core calls, what it may define, and
 * the calls that in-band code makes to tell it what happens to its tasks.
 *
 * A task belongs to one scheduler at a time. In-band, Linux runs it, and the
 * core keeps it blocked. Out-of-band, the core runs it or has it asleep, and
 * Linux sees it sleeping interruptibly. Documentation/dovetail in the
 * project's tree draws both transitions.
 */
#ifndef _LINUX_DOVETAIL_H
#define _LINUX_DOVETAIL_H

#ifdef CONFIG_DOVETAIL

#include <linux/irq_pipeline.h>
#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/thread_info.h>
#include <asm-generic/dovetail.h>
#include <asm/dovetail.h>

struct pt_regs;
struct file;
struct files_struct;

/* What handle_inband_event() is called for. */
enum inband_event_type {
	INBAND_TASK_SIGNAL,	/* struct task_struct *target */
	INBAND_TASK_MIGRATION,	/* struct dovetail_migration_data * */
	INBAND_TASK_EXIT,	/* NULL: current */
	INBAND_TASK_RETUSER,	/* NULL: current */
	INBAND_TASK_PTSTEP,	/* struct task_struct *target */
	INBAND_TASK_PTSTOP,	/* NULL: current */
	INBAND_TASK_PTCONT,	/* NULL: current */
	INBAND_PROCESS_CLEANUP,	/* struct mm_struct * */
};

/**
 * struct dovetail_migration_data - argument of INBAND_TASK_MIGRATION
 * @task:	the task whose affinity changes
 * @dest_cpu:	a CPU it may go to
 */
struct dovetail_migration_data {
	struct task_struct *task;
	int dest_cpu;
};

/**
 * struct dovetail_altsched_context - a context the core switches to and from
 * @task:	task of the context; for the placeholder of the in-band stage,
 *		the task that was preempted last
 * @active_mm:	memory context to load; NULL for one that borrows
 * @borrowed_mm: @active_mm was taken over from whoever ran before
 */
struct dovetail_altsched_context {
	struct task_struct *task;
	struct mm_struct *active_mm;
	bool borrowed_mm;
};

/*
 * Codes of syscall_enter_from_user_mode() for a call that was taken by the
 * core. Outside of the range of int: nothing that user mode, a tracer or
 * seccomp puts into a system call number can be mistaken for one of them.
 */
#define EXIT_SYSCALL_OOB	(1L << 32)	/* leave at once, hard irqs off */
#define EXIT_SYSCALL_TAIL	(2L << 32)	/* in-band: exit work, no more */

static inline struct oob_thread_state *
dovetail_task_state(struct task_struct *p)
{
	return &task_thread_info(p)->oob_state;
}

/* Any stage. Never NULL. */
static inline struct oob_thread_state *dovetail_current_state(void)
{
	return &current_thread_info()->oob_state;
}

/* Any stage. NULL for kernel threads. */
static inline struct oob_mm_state *dovetail_mm_state(void)
{
	if (current->flags & PF_KTHREAD)
		return NULL;

	return &current->mm->oob_state;
}

/* Whether current started alternate scheduling. Any stage. */
static inline bool dovetailing(void)
{
	return test_thread_local_flags(_TLF_DOVETAIL);
}

/* Whether @p started alternate scheduling. Any stage. */
static inline bool task_is_dovetailed(struct task_struct *p)
{
	return test_ti_local_flags(task_thread_info(p), _TLF_DOVETAIL);
}

/*
 * Whether @p is off the in-band stage, or about to leave it. Who sees the flag
 * clear may run @p: its registers are saved.
 */
static inline bool task_is_off_stage(struct task_struct *p)
{
	/* Pairs with the release in settle_returner(). */
	return smp_load_acquire(&task_thread_info(p)->status) & _TLF_OFFSTAGE;
}

/* Calls of the core. */
int dovetail_start(void);
void dovetail_stop(void);
void dovetail_init_altsched(struct dovetail_altsched_context *p);
void dovetail_start_altsched(void);
void dovetail_stop_altsched(void);
int dovetail_leave_inband(void);
void dovetail_leave_oob(void);
void dovetail_resume_inband(void);
bool dovetail_context_switch(struct dovetail_altsched_context *out,
			     struct dovetail_altsched_context *in,
			     bool leave_inband);
void dovetail_send_mayday(struct task_struct *p);
void dovetail_request_ucall(struct task_struct *p);
void dovetail_clear_ucall(void);
bool dovetail_task_allowed(struct task_struct *p);

/* Hooks of the core, with weak defaults. */
void resume_oob_task(struct task_struct *p);
int handle_oob_syscall(struct pt_regs *regs);
int handle_pipelined_syscall(struct irq_stage *stage, struct pt_regs *regs);
void handle_oob_trap_entry(unsigned int trapnr, struct pt_regs *regs);
void handle_oob_trap_exit(unsigned int trapnr, struct pt_regs *regs);
void handle_oob_mayday(struct pt_regs *regs);
void handle_inband_event(enum inband_event_type event, void *data);
void inband_clock_was_set(void);
void install_inband_fd(unsigned int fd, struct file *file,
		       struct files_struct *files);
void uninstall_inband_fd(unsigned int fd, struct file *file,
			 struct files_struct *files);
void replace_inband_fd(unsigned int fd, struct file *file,
		       struct files_struct *files);
void arch_inband_task_init(struct task_struct *p);

/* Calls of in-band code. */
extern bool dovetail_started;

void inband_task_init(struct task_struct *p);
void inband_event_notify(enum inband_event_type event, void *data);
bool inband_switch_tail(void);

/* Entry code. */
void syscall_exit_taken(struct pt_regs *regs);
void dovetail_check_exit(void);
bool in_oob_syscall(struct pt_regs *regs);
long dovetail_syscall(struct pt_regs *regs, long nr);
int pipeline_syscall(unsigned long nr, struct pt_regs *regs);
bool __in_oob_syscall(struct pt_regs *regs, unsigned long nr);
void dovetail_call_mayday(struct pt_regs *regs);
void dovetail_call_retuser(struct pt_regs *regs);
void dovetail_exit_to_user(struct pt_regs *regs);
void oob_trap_notify(unsigned int trapnr, struct pt_regs *regs);
void oob_trap_unwind(unsigned int trapnr, struct pt_regs *regs);

/*
 * Whether a call of an in-band task is for dovetail_syscall(). One that has a
 * filter cannot attach, and its calls are for the filter to judge.
 */
static __always_inline bool dovetail_wants_syscall(struct pt_regs *regs,
						   unsigned long nr)
{
	if (unlikely(dovetailing()))
		return true;

	return unlikely(nr > 0xffff || arch_dovetail_is_prctl(nr)) &&
		!test_syscall_work(SECCOMP) && __in_oob_syscall(regs, nr);
}

static __always_inline bool syscall_was_taken(long route)
{
	return route == EXIT_SYSCALL_OOB || route == EXIT_SYSCALL_TAIL;
}

static __always_inline bool dovetail_wants_retuser(unsigned long ti_work)
{
	return unlikely(ti_work & _TIF_RETUSER);
}

/* End of a trap on the oob stage, hard irqs off. */
static __always_inline void dovetail_exit_trap(struct pt_regs *regs)
{
	if (user_mode(regs))
		dovetail_exit_to_user(regs);
}

static inline bool dovetail_debug(void)
{
	return IS_ENABLED(CONFIG_DEBUG_DOVETAIL) && !irq_pipeline_oopsing;
}

static inline void inband_migration_notify(struct task_struct *p, int cpu)
{
	struct dovetail_migration_data d = { .task = p, .dest_cpu = cpu };

	if (test_ti_local_flags(task_thread_info(p), _TLF_DOVETAIL))
		inband_event_notify(INBAND_TASK_MIGRATION, &d);
}

static inline void inband_exit_notify(void)
{
	if (!(current->flags & PF_KTHREAD) || dovetailing())
		inband_event_notify(INBAND_TASK_EXIT, NULL);
}

/* Its old program is over, there is no event of its own for that. */
static inline void inband_exec_notify(void)
{
	if (dovetailing())
		inband_event_notify(INBAND_TASK_EXIT, NULL);
}

static inline void inband_cleanup_notify(struct mm_struct *mm)
{
	inband_event_notify(INBAND_PROCESS_CLEANUP, mm);
}

static inline void inband_ptstop_notify(void)
{
	if (dovetailing())
		inband_event_notify(INBAND_TASK_PTSTOP, NULL);
}

static inline void inband_ptcont_notify(void)
{
	if (dovetailing())
		inband_event_notify(INBAND_TASK_PTCONT, NULL);
}

static inline void inband_ptstep_notify(struct task_struct *p)
{
	if (test_ti_local_flags(task_thread_info(p), _TLF_DOVETAIL))
		inband_event_notify(INBAND_TASK_PTSTEP, p);
}

#else /* !CONFIG_DOVETAIL */

struct task_struct;
struct mm_struct;
struct pt_regs;
struct file;
struct files_struct;

static inline bool dovetailing(void) { return false; }
static inline bool task_is_dovetailed(struct task_struct *p) { return false; }
static inline bool task_is_off_stage(struct task_struct *p) { return false; }
static inline void inband_task_init(struct task_struct *p) { }
static inline bool inband_switch_tail(void) { return false; }
static inline void inband_migration_notify(struct task_struct *p, int cpu) { }
static inline void inband_exit_notify(void) { }
static inline void inband_exec_notify(void) { }
static inline void dovetail_check_exit(void) { }
static inline void inband_cleanup_notify(struct mm_struct *mm) { }
static inline void inband_ptstop_notify(void) { }
static inline void inband_ptcont_notify(void) { }
static inline void inband_ptstep_notify(struct task_struct *p) { }
static inline void inband_clock_was_set(void) { }
static inline void install_inband_fd(unsigned int fd, struct file *file,
				     struct files_struct *files) { }
static inline void uninstall_inband_fd(unsigned int fd, struct file *file,
				       struct files_struct *files) { }
static inline void replace_inband_fd(unsigned int fd, struct file *file,
				     struct files_struct *files) { }

#define EXIT_SYSCALL_TAIL	0L

static __always_inline bool dovetail_wants_syscall(struct pt_regs *regs,
						   unsigned long nr)
{
	return false;
}

static __always_inline bool syscall_was_taken(long route)
{
	return false;
}

static __always_inline bool dovetail_wants_retuser(unsigned long ti_work)
{
	return false;
}

static inline long dovetail_syscall(struct pt_regs *regs, long nr)
{
	return nr;
}

static inline void syscall_exit_taken(struct pt_regs *regs) { }
static inline void dovetail_call_retuser(struct pt_regs *regs) { }
static __always_inline void dovetail_exit_trap(struct pt_regs *regs) { }
static __always_inline void dovetail_exit_to_user(struct pt_regs *regs) { }

static inline void oob_trap_notify(unsigned int trapnr,
				   struct pt_regs *regs) { }
static inline void oob_trap_unwind(unsigned int trapnr,
				   struct pt_regs *regs) { }

#endif /* !CONFIG_DOVETAIL */

#endif /* !_LINUX_DOVETAIL_H */
