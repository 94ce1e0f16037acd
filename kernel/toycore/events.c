// SPDX-License-Identifier: GPL-2.0
/*
 * What Dovetail tells the toy core: in-band events, exceptions of threads
 * that run out-of-band, and the mayday that calls them back from user mode.
 */
#include <linux/ptrace.h>
#include <linux/sched.h>

#include "internal.h"

/*
 * Goes out-of-band on the way back from a hook. Hooks on an exit path are
 * called with the stage stalled, the CPU masked, or both; a task that leaves
 * must have neither, and one that stays finds the stage as it was.
 */
static int leave_from_hook(void)
{
	bool stalled = irqs_disabled();
	int ret;

	hard_local_irq_enable();
	if (stalled)
		local_irq_enable();

	ret = toy_switch_oob();

	if (stalled && running_inband())
		local_irq_disable();

	return ret;
}

/* The reason of the last demotion is dealt with. In-band, maybe stalled. */
static void handle_retuser(void)
{
	/* A signal comes first; then we are called again. */
	if (toy_self() && leave_from_hook() == -ERESTARTSYS)
		dovetail_request_ucall(current);
}

/*
 * Context: in-band, hard irqs on. SIGNAL, MIGRATION and PTSTEP come with locks
 * held and must not sleep: they kick, no more. The others are about current.
 */
void handle_inband_event(enum inband_event_type event, void *data)
{
	struct dovetail_migration_data *move;

	toy_count(TOY_C_EVENT + event);

	switch (event) {
	case INBAND_TASK_SIGNAL:
		toy_kick(data);
		break;
	case INBAND_TASK_MIGRATION:
		/* Where it may run next is only known to Linux: back to it. */
		move = data;
		toy_kick(move->task);
		break;
	case INBAND_TASK_EXIT:
		/* Or exec: either way no thread of the core any more. */
		toy_detach();
		break;
	case INBAND_TASK_RETUSER:
		handle_retuser();
		break;
	default:
		/* The rest is for cores that keep more: counted, no more. */
		break;
	}
}

/*
 * An exception hit out-of-band code. A thread of ours continues in-band,
 * where Linux handles it; interrupt handlers have nowhere to go.
 *
 * Context: hard irqs off, also on return.
 */
void handle_oob_trap_entry(unsigned int trapnr, struct pt_regs *regs)
{
	if (!toy_self() || toy_this_rq()->irq_depth)
		return;

	toy_count(TOY_C_TRAP);
	toy_switch_inband(TOY_CAUSE_TRAP);
	hard_local_irq_disable();
}

/*
 * Linux is done with the exception. If it was one of the core's own calls
 * that touched user memory, it goes on where it belongs; if it cannot, the
 * call copes, since it touches user memory last.
 *
 * Context: in-band, hard irqs off, also on return.
 */
void handle_oob_trap_exit(unsigned int trapnr, struct pt_regs *regs)
{
	struct toy_thread *t = toy_self();

	if (!t || user_mode(regs))
		return;

	if (!leave_from_hook())
		t->stats.kept++;
	hard_local_irq_disable();
}

/*
 * The thread was called back, and is about to return to user mode.
 *
 * Context: out-of-band, or in-band if it is back already; hard irqs off, also
 * on return.
 */
void handle_oob_mayday(struct pt_regs *regs)
{
	toy_count(TOY_C_MAYDAY);
	toy_switch_inband(TOY_CAUSE_MAYDAY);
	hard_local_irq_disable();
}
