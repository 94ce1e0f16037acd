/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kapi calls in the core: declared here, defined in C++ (boot/upcalls.cc and the places that file
 * names). Dovetail's hooks are in kapi's .c files, decode what is Linux's, and call these. None is
 * called before evl_on_boot(), none of the others before the service that causes it was asked for.
 */
#ifndef EVL_KAPI_UPCALL_H
#define EVL_KAPI_UPCALL_H

#include "kapi/irq.h"
#include "kapi/task.h"

KAPI_BEGIN_DECLS

/* device_initcall. Sleeps. An error leaves the core disabled and Linux running. */
int evl_on_boot(void);

/* late_initcall, when a driver is configured. Sleeps. The core may be disabled. */
void evl_on_drivers(void);

/* ---- Interrupts: Stage: oob. Irqs: off. ---- */

/* Brackets of each interrupt that has an oob handler; exit may reschedule, thus switch contexts. */
void evl_on_irq_enter(void);
void evl_on_irq_exit(void);

void evl_on_resched_ipi(void);	/* Between the brackets; all it does is to cause them. */
void evl_on_timer_ipi(void);	/* Between the brackets: a timer was armed here from elsewhere. */
void evl_on_tick(void);		/* Between the brackets: the device fired; perhaps early. */

/*
 * Linux programs, or stops, its (proxy) tick device of this CPU. Stage: any, mostly inband.
 * Irqs: off. `date_ns` is absolute, monotonic, perhaps in the past. Must not reschedule.
 */
void evl_on_proxy_program(__s64 date_ns);
void evl_on_proxy_stop(void);

/* The wall clock was set. Stage: inband. Irqs: off. In-band timekeeping locks are held. */
void evl_on_clock_was_set(void);

/*
 * ---- CPUs that come and go: Stage: inband, on the CPU itself, in a task that stays there. Irqs: on.
 * One at a time. Sleeps. ----
 */

/* `cpu` runs in-band work soon. `has_tick`: its tick device is the core's. */
void evl_on_cpu_online(unsigned int cpu, bool has_tick);

/*
 * Linux puts nobody on `cpu` any more; this task, and others that stay, still run there. Errors:
 * EBUSY, the CPU has to stay; not from kapi_cpus_unwatch(), which the core calls without threads.
 */
int evl_on_cpu_offline(unsigned int cpu);

/* ---- Requests ---- */

struct kapi_request {
	bool is_oob_call;	/* For the core: nr and args are its own. Else a Linux call. */
	long nr;		/* Of evl/syscall-abi.h, respectively Linux's system call number. */
	unsigned long args[4];
	bool has_result;	/* Out: kapi writes `result` to the return register. */
	long result;		/* Out: a value or -errno; -ERESTARTSYS only when left in-band. */
};

enum kapi_verdict {
	KAPI_PASS_DOWN,		/* Not for the core: in-band handler next. */
	KAPI_HANDLED,		/* The stage the caller is on now selects the exit path. */
};

/*
 * First probe, for every call of an attached task, and for oob calls of anyone. Entered on the
 * stage of the CPU: oob. Irqs: on. `caller_oob`: where the caller was. The handler may change the
 * caller's stage.
 */
enum kapi_verdict evl_on_oob_request(struct kapi_request *request, bool caller_oob);

/* Second probe when the first passed and the caller is in-band. Stage: inband. Irqs: on. */
enum kapi_verdict evl_on_inband_request(struct kapi_request *request);

/* ---- Faults, and leaving to user mode ---- */

struct kapi_trap {
	unsigned int nr;	/* Intel vector, or the enum of <asm/dovetail.h> */
	bool from_user;
	bool debugger;		/* breakpoint or step of a debugger: no diagnosis */
	__u64 pc;
};

/*
 * current (a thread of the core) trapped while oob. Entry: Stage: oob. Irqs: off. It must return
 * in-band with irqs on. Exit, after the in-band handler: Stage: inband. Irqs: off; returns on the
 * stage it found possible, irqs off.
 */
void evl_on_trap_entry(const struct kapi_trap *trap);
void evl_on_trap_exit(const struct kapi_trap *trap);

/* About to return to user mode oob after kapi_send_mayday(). Stage: oob (or inband by now). */
void evl_on_mayday(void);

/* About to return to user mode in-band after kapi_request_retuser(). Stage: inband. Irqs: on. */
void evl_on_retuser(void);

/* ---- Life of tasks ---- */

/* `task`'s move to the oob stage is complete, on this CPU. Stage: inband. Irqs: off, oob stalled. */
void evl_on_resume_task(struct kapi_task *task);

/* A signal was queued for `task`. Stage: inband. siglock is held: may not sleep nor signal. */
void evl_on_task_signal(struct kapi_task *task);

/* `task` will be moved to `cpu`. Stage: inband. Linux's run queue lock is held. */
void evl_on_task_migration(struct kapi_task *task, unsigned int cpu);

/* current is exiting (or replacing its mm by exec). Stage: inband. Sleeps. Any task. */
void evl_on_task_exit(void);

/* The last task of an mm is gone. Stage: inband. Sleeps. `state` is that mm's; any mm. */
void evl_on_mm_exit(struct kapi_mm_state *state);

/* current enters, leaves a ptrace stop; `task` will be single-stepped. Stage: inband. */
void evl_on_ptrace_stop(void);
void evl_on_ptrace_continue(void);
void evl_on_ptrace_step(struct kapi_task *task);

/* ---- Descriptors of files with oob data. Stage: inband. The table's lock may be held. ---- */

/* `fd` of `files` now is `file`; an older meaning of the pair is replaced. May not sleep. */
void evl_on_fd_install(const struct kapi_files *files, unsigned int fd, struct kapi_file *file);

/* `fd` is closed, perhaps by another process. May not sleep. */
void evl_on_fd_uninstall(const struct kapi_files *files, unsigned int fd, struct kapi_file *file);

KAPI_END_DECLS

#endif /* EVL_KAPI_UPCALL_H */
