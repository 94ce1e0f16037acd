// SPDX-License-Identifier: GPL-2.0
/*
 * System calls of Dovetail: which of them are for the core, and their results.
 *
 * Three forms are for the core; in each, up to four arguments follow the number:
 *	prctl(PR_OOB_SYSCALL, number, ...)
 *	prctl(number | __OOB_SYSCALL_BIT, ...)
 *	number | __OOB_SYSCALL_BIT, as a system call number (if configured)
 */
#include <linux/dovetail.h>
#include <linux/irq_pipeline.h>
#include <linux/prctl.h>
#include <linux/time64.h>

#include <asm/syscall.h>

#include "kapi/internal.h"

/* Cost: O(1). Any stage. */
static void decode(struct pt_regs *regs, struct kapi_request *request)
{
	unsigned long args[6], *first = args;
	long nr = syscall_get_nr(current, regs);

	*request = (struct kapi_request){ .is_oob_call = in_oob_syscall(regs) };
	syscall_get_arguments(current, regs, args);

	if (request->is_oob_call) {
		if (nr != __NR_prctl) {
			nr &= ~__OOB_SYSCALL_BIT;
		} else if ((u32)args[0] == PR_OOB_SYSCALL) {
			nr = args[1];
			first = args + 2;
		} else {
			nr = args[0] & 0xffff;
			first = args + 1;
		}
	}

	request->nr = nr;
	memcpy(request->args, first, sizeof(request->args));
}

/* The return register, if the core has a result; what it did is the core's business. */
static int conclude(struct pt_regs *regs, const struct kapi_request *request,
		    enum kapi_verdict verdict)
{
	long result = request->result;

	if (verdict != KAPI_HANDLED)
		return 0;

	if (request->has_result)
		syscall_set_return_value(current, regs, result < 0 ? result : 0, result);

	return 1;
}

/*
 * A call of the core by one of its threads that runs out-of-band. Stage: oob; hard irqs on.
 *
 * Return: 1 if handled.
 */
int handle_oob_syscall(struct pt_regs *regs)
{
	struct kapi_request request;

	decode(regs, &request);

	return conclude(regs, &request, evl_on_oob_request(&request, true));
}

/*
 * clock_gettime() of a thread out-of-band. It comes as a call only where the vDSO cannot read the
 * clock, and reading the time is no reason to leave the stage. True: served.
 */
static bool read_clock(struct pt_regs *regs)
{
	unsigned long args[6];
	struct timespec64 now;
	int ret;

	if (syscall_get_nr(current, regs) != __NR_clock_gettime)
		return false;

	syscall_get_arguments(current, regs, args);
	if ((clockid_t)args[0] == CLOCK_MONOTONIC)
		now = ns_to_timespec64(kapi_read_monotonic());
	else if ((clockid_t)args[0] == CLOCK_REALTIME)
		now = ns_to_timespec64(kapi_read_realtime());
	else
		return false;

	static_assert(sizeof(now) == sizeof(struct __kernel_timespec));
	ret = kapi_copy_to_user((void *)args[1], &now, sizeof(now));
	syscall_set_return_value(current, regs, ret, 0);

	return true;
}

/*
 * Any other call of a thread, and calls of the core by anyone: twice, out-of-band and in-band, as
 * long as it was not handled and the caller is in-band.
 *
 * Context: as said; hard irqs on. Return: 1 if handled.
 */
int handle_pipelined_syscall(struct irq_stage *stage, struct pt_regs *regs)
{
	struct kapi_request request;
	enum kapi_verdict verdict;

	if (stage == &oob_stage && running_oob() && read_clock(regs))
		return 1;

	decode(regs, &request);

	if (running_oob())
		verdict = evl_on_oob_request(&request, stage == &oob_stage);
	else
		verdict = evl_on_inband_request(&request);

	return conclude(regs, &request, verdict);
}
