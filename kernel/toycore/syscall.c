// SPDX-License-Identifier: GPL-2.0
/*
 * System calls of the toy core, and what becomes of those of Linux that a
 * thread makes out-of-band.
 */
#include <linux/nospec.h>
#include <linux/prctl.h>
#include <linux/sched/signal.h>

#include <asm/syscall.h>

#include "internal.h"

static_assert(TOY_OOB_BIT == __OOB_SYSCALL_BIT);

static struct toy_sem sems[TOY_NR_SEMS];

struct toy_request {
	unsigned int nr;
	unsigned long arg[4];
};

/* Reads any of the three forms of a call. Return: whether it is for us. */
static bool decode(struct pt_regs *regs, struct toy_request *req)
{
	unsigned long args[6], *first;
	int nr;

	if (!in_oob_syscall(regs))
		return false;

	nr = syscall_get_nr(current, regs);
	syscall_get_arguments(current, regs, args);

	if (nr != __NR_prctl) {
		req->nr = nr & ~__OOB_SYSCALL_BIT;
		first = args;
	} else if (args[0] == PR_OOB_SYSCALL) {
		req->nr = args[1];
		first = args + 2;
	} else {
		req->nr = args[0] & ~__OOB_SYSCALL_BIT;
		first = args + 1;
	}
	memcpy(req->arg, first, sizeof(req->arg));

	return true;
}

static struct toy_sem *find_sem(unsigned long n)
{
	return n < TOY_NR_SEMS ? &sems[array_index_nospec(n, TOY_NR_SEMS)] : NULL;
}

/* Calls that are made out-of-band. Return: -ERESTARTSYS if called back. */
static long run_there(const struct toy_request *req)
{
	struct toy_sem *sem;

	switch (req->nr) {
	case TOY_SYS_OOB:
		return 0;
	case TOY_SYS_SLEEP:
		return toy_sleep_until(req->arg[0]);
	case TOY_SYS_WAIT:
		sem = find_sem(req->arg[0]);
		return sem ? toy_sem_wait(sem) : -EINVAL;
	case TOY_SYS_YIELD:
		return toy_yield();
	case TOY_SYS_READ:
	case TOY_SYS_WRITE:
	case TOY_SYS_IOCTL:
		return toy_file_call(req->nr, req->arg[0], req->arg[1],
				     req->arg[2]);
	default:
		return -EINVAL;
	}
}

/*
 * A thread that is called back goes in-band, whatever the reason, then tries
 * again unless a signal has to be handled first: the restart of the call is
 * made by Linux, which alone can rewind the instruction pointer.
 */
static long run_oob(const struct toy_request *req)
{
	long ret;

	do {
		ret = toy_switch_oob();
		if (!ret)
			ret = run_there(req);
		if (ret == -ERESTARTSYS)
			toy_switch_inband(TOY_CAUSE_KICK);
	} while (ret == -ERESTARTSYS && !signal_pending(current));

	return ret;
}

static long run(const struct toy_request *req)
{
	struct toy_sem *sem;

	switch (req->nr) {
	case TOY_SYS_NOP:
		return 0;
	case TOY_SYS_POST:
		sem = find_sem(req->arg[0]);
		if (!sem)
			return -EINVAL;
		toy_sem_post(sem);
		return 0;
	case TOY_SYS_ATTACH:
		/* Fails if out-of-band: then it is attached. */
		return toy_attach(req->arg[0]);
	}

	if (!toy_self())
		return -EPERM;

	switch (req->nr) {
	case TOY_SYS_DETACH:
	case TOY_SYS_INBAND:
		toy_switch_inband(TOY_CAUSE_ASKED);
		if (req->nr == TOY_SYS_DETACH)
			toy_detach();
		return 0;
	default:
		return run_oob(req);
	}
}

/*
 * The fast path: a thread that runs out-of-band makes a call of the core.
 *
 * Context: out-of-band, or from below; hard irqs on. Return: 1 handled, 0 not
 * for us.
 */
int handle_oob_syscall(struct pt_regs *regs)
{
	struct toy_request req;
	long ret;

	if (!decode(regs, &req))
		return 0;

	ret = run(&req);
	syscall_set_return_value(current, regs, ret < 0 ? ret : 0, ret);

	return 1;
}

/*
 * All other calls of threads, and calls of the core by any task. Dovetail
 * asks twice: out-of-band first, and then, as long as nobody cared and the
 * task belongs to Linux, in-band.
 *
 * Context: as said; hard irqs on. Return: 1 handled, 0 go on.
 */
int handle_pipelined_syscall(struct irq_stage *stage, struct pt_regs *regs)
{
	/* A task of Linux that is asked about out-of-band: too early. */
	if (running_oob() && !toy_self_is_oob())
		return 0;

	/* A call of Linux: this is where a thread goes to make it. */
	toy_switch_inband(TOY_CAUSE_SYSCALL);

	return handle_oob_syscall(regs);
}

void __init toy_init_sems(void)
{
	int n;

	for (n = 0; n < TOY_NR_SEMS; n++)
		toy_sem_init(&sems[n]);
}
