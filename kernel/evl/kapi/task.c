// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks: what belongs to the core in one, alternate scheduling, signals, affinity, kernel threads.
 * Stages and interrupt states are those of kapi/task.h.
 */
#include <linux/cpumask.h>
#include <linux/dovetail.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <uapi/linux/sched/types.h>

#include "kapi/internal.h"

static_assert(sizeof(struct kapi_task_state) == sizeof(struct oob_thread_state));
static_assert(sizeof(struct kapi_mm_state) == sizeof(struct oob_mm_state));
static_assert(sizeof(struct kapi_altsched) >= sizeof(struct dovetail_altsched_context));

static struct task_struct *to_task(struct kapi_task *task)
{
	return (struct task_struct *)task;
}

static struct dovetail_altsched_context *to_context(struct kapi_altsched *context)
{
	return (struct dovetail_altsched_context *)context;
}

struct kapi_task *kapi_current(void)
{
	return (struct kapi_task *)current;
}

struct kapi_task_state *kapi_current_state(void)
{
	return (struct kapi_task_state *)dovetail_current_state();
}

struct kapi_task_state *kapi_task_state(struct kapi_task *task)
{
	return (struct kapi_task_state *)dovetail_task_state(to_task(task));
}

/* A task that exits has no mm any more; a kernel thread may have borrowed one. */
struct kapi_mm_state *kapi_current_mm_state(void)
{
	if (current->flags & PF_KTHREAD || !current->mm)
		return NULL;

	return (struct kapi_mm_state *)&current->mm->oob_state;
}

void kapi_get_task(struct kapi_task *task)
{
	get_task_struct(to_task(task));
}

void kapi_put_task(struct kapi_task *task)
{
	put_task_struct(to_task(task));
}

int kapi_task_pid(struct kapi_task *task)
{
	return task_pid_nr(to_task(task));
}

void kapi_set_current_name(const char *name)
{
	set_task_comm(current, name);
}

int kapi_dovetail_start(void)
{
	int ret = dovetail_start();

	if (!ret)
		kapi_irq_brackets(true);

	return ret;
}

void kapi_dovetail_stop(void)
{
	dovetail_stop();
}

void kapi_altsched_init(struct kapi_altsched *context)
{
	dovetail_init_altsched(to_context(context));
}

/* Dovetail fills in what was preempted when it switches from this one. */
void kapi_altsched_init_root(struct kapi_altsched *context)
{
	memset(context, 0, sizeof(*context));
}

/*
 * Under siglock, as another thread of the process that gives all of them a filter does: it has
 * either seen that this one is an oob task, and was refused, or its filter is seen here.
 */
int kapi_altsched_start(void)
{
	int ret = -EPERM;

	spin_lock_irq(&current->sighand->siglock);
	if (dovetail_task_allowed(current)) {
		dovetail_start_altsched();
		ret = 0;
	}
	spin_unlock_irq(&current->sighand->siglock);

	return ret;
}

void kapi_altsched_stop(void)
{
	dovetail_stop_altsched();
}

int kapi_leave_inband(void)
{
	int ret = dovetail_leave_inband();

	if (!ret)
		kapi_locks_arrive();

	return ret;
}

void kapi_leave_oob(void)
{
	dovetail_leave_oob();
}

void kapi_resume_inband(void)
{
	dovetail_resume_inband();
}

void kapi_wake_task(struct kapi_task *task)
{
	wake_up_process(to_task(task));
}

/*
 * The lock that is held over the switch goes to whoever arrives on this CPU; nobody else could
 * have taken it. Who comes back in-band does not hold it: the root did, and has released it.
 */
bool kapi_context_switch(struct kapi_altsched *out, struct kapi_altsched *in, bool leave_inband)
{
	bool inband;

	kapi_locks_leave();
	inband = dovetail_context_switch(to_context(out), to_context(in), leave_inband);
	if (!inband)
		kapi_locks_arrive();

	return inband;
}

void kapi_request_retuser(struct kapi_task *task)
{
	dovetail_request_ucall(to_task(task));
}

void kapi_send_mayday(struct kapi_task *task)
{
	dovetail_send_mayday(to_task(task));
}

bool kapi_signal_pending(void)
{
	return signal_pending(current);
}

/* From irq_work, current is anybody: the signal comes from the kernel, pid 0. */
void kapi_send_signal(struct kapi_task *task, int signo, int value)
{
	struct kernel_siginfo info;

	if (!value && (signo == SIGTERM || signo == SIGKILL)) {
		send_sig(signo, to_task(task), 1);
		return;
	}

	clear_siginfo(&info);
	info.si_signo = signo;
	info.si_code = SI_QUEUE;
	info.si_int = value;
	send_sig_info(signo, &info, to_task(task));
}

bool kapi_debugger_signal_pending(struct kapi_task *task)
{
	struct task_struct *p = to_task(task);
	sigset_t pending;

	if (!(p->ptrace & PT_PTRACED))
		return false;

	sigorsets(&pending, &p->pending.signal, &p->signal->shared_pending.signal);

	return sigismember(&pending, SIGINT) || sigismember(&pending, SIGTRAP) ||
		sigismember(&pending, SIGSTOP);
}

void kapi_exit_current(void)
{
	if (current->flags & PF_KTHREAD)
		kthread_exit(0);

	do_exit(0);
}

int kapi_pin_current(unsigned int cpu)
{
	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;

	return set_cpus_allowed_ptr(current, cpumask_of(cpu));
}

void kapi_get_affinity(struct kapi_task *task, struct kapi_cpumask *cpus)
{
	kapi_from_cpumask(cpus, to_task(task)->cpus_ptr);
}

void kapi_set_inband_priority(struct kapi_task *task, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	sched_setscheduler_nocheck(to_task(task), priority ? SCHED_FIFO : SCHED_NORMAL, &param);
}

bool kapi_task_allowed(void)
{
	return dovetail_task_allowed(current);
}

bool kapi_memory_is_locked(void)
{
	return current->mm && current->mm->def_flags & VM_LOCKED;
}

/* What a kernel thread of the core starts with; freed by the thread. */
struct kthread_start {
	void (*body)(void *arg);
	void *arg;
};

static int run_body(void *data)
{
	struct kthread_start start = *(struct kthread_start *)data;

	kfree(data);
	start.body(start.arg);

	return 0;
}

int kapi_run_kthread(void (*body)(void *arg), void *arg, unsigned int cpu, int priority,
		     const char *name, struct kapi_task **task)
{
	struct sched_param param = { .sched_priority = priority };
	struct kthread_start *start;
	struct task_struct *p;

	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;

	start = kmalloc(sizeof(*start), GFP_KERNEL);
	if (!start)
		return -ENOMEM;
	*start = (struct kthread_start){ body, arg };

	p = kthread_create_on_node(run_body, start, cpu_to_node(cpu), "%s", name);
	if (IS_ERR(p)) {
		kfree(start);
		return PTR_ERR(p);
	}

	kthread_bind(p, cpu);
	sched_setscheduler_nocheck(p, SCHED_FIFO, &param);
	*task = (struct kapi_task *)get_task_struct(p);
	wake_up_process(p);

	return 0;
}
