// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt pipeline: two stages, a log for each on every CPU, and the rules
 * by which an event goes through them.
 *
 * An interrupt enters through the architecture, which brackets its flow
 * handler by handle_irq_pipelined_prepare() and _finish(). The flow handler
 * quiets the hardware, then asks handle_oob_irq() who wants the event: the
 * out-of-band handlers run at once, anything else is logged. The log is
 * played when the in-band stage runs unstalled again, by calling the flow
 * handler a second time.
 */
#include <linux/context_tracking.h>
#include <linux/cpuidle.h>
#include <linux/entry-common.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_pipeline.h>
#include <linux/irq_work.h>
#include <linux/irqdomain.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <trace/events/irq.h>

#include "internals.h"

static_assert(BITS_TO_LONGS(IRQ_LOG_MID_WORDS) == 1,
	      "one index word must cover the interrupt log");

struct irq_stage inband_stage = {
	.name = "Linux",
	.index = INBAND_STAGE_INDEX,
};
EXPORT_SYMBOL_GPL(inband_stage);

/* The index is set by enable_oob_stage(): zero means "not installed". */
struct irq_stage oob_stage;
EXPORT_SYMBOL_GPL(oob_stage);

static DEFINE_PER_CPU(struct irq_event_map [2], irq_event_maps);

/*
 * The boot CPU starts in-band and stalled, as every other one does. The log
 * pointers come with irq_pipeline_init(); hard irqs are off until then.
 */
DEFINE_PER_CPU(struct irq_stage_data [2], irq_stages) = {
	[INBAND_STAGE_INDEX] = {
		.irqflags = 0,
		.stage = &inband_stage,
	},
	[OOB_STAGE_INDEX] = {
		.irqflags = ARCH_IRQS_UNSTALLED,
		.stage = &oob_stage,
	},
};
EXPORT_PER_CPU_SYMBOL(irq_stages);

DEFINE_PER_CPU(struct irq_pipeline_data, irq_pipeline);
EXPORT_PER_CPU_SYMBOL_GPL(irq_pipeline);

struct irq_domain *synthetic_irq_domain;
EXPORT_SYMBOL_GPL(synthetic_irq_domain);

/* Set once events may be logged and synthetic interrupts exist. */
bool irq_pipeline_active __read_mostly;
EXPORT_SYMBOL_GPL(irq_pipeline_active);

bool irq_pipeline_oopsing;
EXPORT_SYMBOL_GPL(irq_pipeline_oopsing);

/* Carries irq_work from any context to the in-band stage of this CPU. */
static unsigned int inband_work_irq;

#define check_hard_irqs_off()						\
	WARN_ON_ONCE(irq_pipeline_debug() && !hard_irqs_disabled())

/*
 * The log. Hard irqs off for all of it. Setting goes upwards and pulling
 * clears an index bit only once everything below is gone, so that the words
 * agree whenever hard irqs are on. An NMI in the middle would see them
 * disagree, which is why it may not post.
 */
static void log_event(struct irq_stage_data *pd, unsigned int irq)
{
	unsigned int flat = irq / BITS_PER_LONG, mid = flat / BITS_PER_LONG;

	check_hard_irqs_off();
	if (WARN_ON_ONCE(irq >= IRQ_PIPELINE_NR_IRQS || in_nmi()))
		return;

	pd->log->flat[flat] |= BIT(irq % BITS_PER_LONG);
	pd->log->mid[mid] |= BIT(flat % BITS_PER_LONG);
	pd->pending |= BIT(mid);
}

/* Return: the lowest logged interrupt, taken off the log, or -1. */
static int pull_event(struct irq_stage_data *pd)
{
	unsigned int flat, mid, bit;

	if (!pd->pending)
		return -1;

	mid = __ffs(pd->pending);
	flat = mid * BITS_PER_LONG + __ffs(pd->log->mid[mid]);
	bit = __ffs(pd->log->flat[flat]);

	pd->log->flat[flat] &= ~BIT(bit);
	if (!pd->log->flat[flat]) {
		pd->log->mid[mid] &= ~BIT(flat % BITS_PER_LONG);
		if (!pd->log->mid[mid])
			pd->pending &= ~BIT(mid);
	}

	return flat * BITS_PER_LONG + bit;
}

/**
 * irq_post_inband - log an interrupt to the in-band stage of this CPU
 * @irq:	interrupt number
 *
 * The event is delivered when the stage is synchronised next: use this when
 * out-of-band is current, or in-band is current and stalled.
 *
 * Context: any stage, hard irqs off, not from NMI.
 */
void irq_post_inband(unsigned int irq)
{
	log_event(this_inband_staged(), irq);
}
EXPORT_SYMBOL_GPL(irq_post_inband);

/**
 * irq_post_oob - log an interrupt to the out-of-band stage of this CPU
 * @irq:	interrupt number
 *
 * Context: out-of-band stage current and stalled, hard irqs off.
 */
void irq_post_oob(unsigned int irq)
{
	if (WARN_ON_ONCE(!oob_stage_present()))
		return;

	log_event(this_oob_staged(), irq);
}
EXPORT_SYMBOL_GPL(irq_post_oob);

/* Calls the out-of-band actions of a line. Hard irqs off, stage stalled. */
static irqreturn_t call_oob_actions(struct irq_desc *desc)
{
	unsigned int irq = irq_desc_get_irq(desc);
	bool devid = irq_settings_is_per_cpu_devid(desc);
	irqreturn_t res, ret = IRQ_NONE;
	struct irqaction *action;

	/* Bound: the number of actions that share the line. */
	for_each_action_of_desc(desc, action) {
		trace_irq_handler_entry(irq, action);
		res = action->handler(irq, devid ?
				      raw_cpu_ptr(action->percpu_dev_id) :
				      action->dev_id);
		trace_irq_handler_exit(irq, action, res);
		ret |= res;

		if (irq_pipeline_debug()) {
			if (WARN_ONCE(!hard_irqs_disabled(),
				      "irq_pipeline: oob handler %pS of irq %u enabled hard irqs\n",
				      action->handler, irq))
				hard_local_irq_disable();
			WARN_ONCE(running_inband(),
				  "irq_pipeline: oob handler %pS of irq %u left the oob stage\n",
				  action->handler, irq);
			WARN_ONCE(res & IRQ_WAKE_THREAD,
				  "irq_pipeline: oob handler %pS of irq %u wants a thread\n",
				  action->handler, irq);
		}
	}

	return ret;
}

/*
 * Serialised lines. An event that comes in while the handlers run elsewhere
 * is marked, the other CPU goes round again: the bound is the number of
 * events during that time. Handlers may expect that synchronize_irq() waits
 * for them, hence the in-progress mark.
 */
static irqreturn_t run_oob_actions(struct irq_desc *desc)
{
	irqreturn_t ret = IRQ_NONE;

	/* Or else the next resend would find the last one still going on. */
	desc->istate &= ~(IRQS_REPLAY | IRQS_WAITING);

	if (unlikely(!desc->action || irqd_irq_disabled(&desc->irq_data))) {
		desc->istate |= IRQS_PENDING;
		mask_irq(desc);
		return ret;
	}

	if (unlikely(irqd_irq_inprogress(&desc->irq_data))) {
		desc->istate |= IRQS_PENDING;
		return ret;
	}

	irqd_set(&desc->irq_data, IRQD_IRQ_INPROGRESS);

	do {
		/* An edge that an in-band replay could not handle is masked. */
		if (unlikely(desc->istate & IRQS_PENDING) &&
		    !irqd_is_level_type(&desc->irq_data))
			unmask_irq(desc);

		desc->istate &= ~IRQS_PENDING;
		kstat_incr_irqs_this_cpu(desc);
		raw_spin_unlock(&desc->lock);
		ret |= call_oob_actions(desc);
		raw_spin_lock(&desc->lock);
	} while ((desc->istate & IRQS_PENDING) &&
		 desc->action && !irqd_irq_disabled(&desc->irq_data));

	irqd_clear(&desc->irq_data, IRQD_IRQ_INPROGRESS);

	return ret;
}

/**
 * handle_oob_irq - offer an event to the out-of-band stage
 * @desc:	descriptor of the interrupt
 *
 * Called by flow handlers on their first pass, once the hardware is quiet.
 * Out-of-band lines have all their actions called; any other event goes to
 * the in-band log.
 *
 * Context: pipeline entry, or in-band for the children of an in-band parent;
 * hard irqs off; @desc->lock held unless the line is per-CPU, dropped around
 * the actions.
 *
 * Return: true if the event is over and the line must be readied for the next
 * one, false if it was logged and the line has to be held.
 */
bool handle_oob_irq(struct irq_desc *desc)
{
	unsigned int irq = irq_desc_get_irq(desc);
	int stalled;
	irqreturn_t ret;

	if (!irq_settings_is_oob(desc) || !oob_stage_present()) {
		irq_post_inband(irq);
		return false;
	}

	/*
	 * A chained parent is required above an out-of-band line. An entry that
	 * began when there was no stage yet may see it by now, though.
	 */
	if (unlikely(running_inband())) {
		WARN_ONCE(!in_pipeline(),
			  "irq_pipeline: oob irq %u reached from in-band context\n",
			  irq);
		irq_post_inband(irq);
		return false;
	}

	/* The parent of a cascade, or an injector, may have stalled it. */
	stalled = test_and_stall_oob();

	if (irq_settings_is_per_cpu_devid(desc) ||
	    irq_settings_is_per_cpu(desc)) {
		__kstat_incr_irqs_this_cpu(desc);
		ret = call_oob_actions(desc);
	} else {
		ret = run_oob_actions(desc);
	}

	if (!stalled)
		unstall_oob();

	if (unlikely(ret & IRQ_FORWARD))
		irq_post_inband(irq);

	return true;
}
EXPORT_SYMBOL_GPL(handle_oob_irq);

/* First pass of a logged or injected event that needs no hardware care. */
static void deliver_oob_event(struct irq_desc *desc)
{
	if (irq_settings_is_per_cpu_devid(desc) ||
	    irq_settings_is_per_cpu(desc)) {
		handle_oob_irq(desc);
	} else {
		raw_spin_lock(&desc->lock);
		handle_oob_irq(desc);
		raw_spin_unlock(&desc->lock);
	}
}

/*
 * Plays the out-of-band log. Out-of-band stage current and unstalled, hard
 * irqs off all along. Bound: one round per distinct interrupt injected while
 * the stage was stalled.
 */
static void play_oob_log(void)
{
	struct irq_desc *desc;
	int irq;

	for (;;) {
		irq = pull_event(this_oob_staged());
		if (irq < 0)
			return;
		desc = irq_to_desc(irq);
		if (desc)
			deliver_oob_event(desc);
	}
}

/**
 * play_inband_log - deliver the logged events to the in-band stage
 *
 * Hard irqs are on while handlers run. What comes in meanwhile finds the
 * stage stalled and is logged, the loop picks it up.
 *
 * Context: in-band stage, stalled, hard irqs off on entry and on return.
 */
void play_inband_log(void)
{
	struct irq_desc *desc;
	int irq;

	check_hard_irqs_off();

	for (;;) {
		irq = pull_event(this_inband_staged());
		if (irq < 0)
			return;

		/* The descriptor may have gone since the event was logged. */
		desc = irq_to_desc(irq);
		if (unlikely(!desc))
			continue;

		raw_cpu_write(irq_pipeline.replay, desc);
		hard_local_irq_enable();
		arch_do_IRQ_pipelined(desc);
		hard_local_irq_disable();

		/* Flow handlers of chained parents do not consume the mark. */
		raw_cpu_write(irq_pipeline.replay, NULL);

		WARN_ONCE(irq_pipeline_debug() && !inband_irqs_disabled(),
			  "irq_pipeline: handler of irq %d returned unstalled\n",
			  irq);
	}
}

/*
 * What the in-band stage would have seen, had the CPU been masked until now:
 * an interrupt, at this very place. In-band, unstalled, hard irqs off.
 */
static void sync_inband_stage(void)
{
	bool idle = !IS_ENABLED(CONFIG_TINY_RCU) && is_idle_task(current);
	bool traced;

	do {
		/* Without lockdep nobody knows, but tracers do not care. */
		traced = !IS_ENABLED(CONFIG_PROVE_LOCKING) ||
			 lockdep_hardirqs_enabled();
		stall_inband_nocheck();

		/* As irqentry_enter() from kernel mode does. */
		lockdep_hardirqs_off(CALLER_ADDR0);
		if (idle)
			ct_irq_enter();
		else
			rcu_irq_enter_check_tick();
		trace_hardirqs_off_finish();

		play_inband_log();

		/* As irqentry_exit() does. */
		if (!idle && IS_ENABLED(CONFIG_PREEMPTION))
			irqentry_exit_cond_resched();
		if (traced) {
			trace_hardirqs_on_prepare();
			lockdep_hardirqs_on_prepare();
		}
		if (idle)
			ct_irq_exit();
		if (traced)
			lockdep_hardirqs_on(CALLER_ADDR0);

		unstall_inband_nocheck();
	} while (inband_irq_pending());
}

/**
 * sync_current_irq_stage - play the log of the current stage
 *
 * Context: stage unstalled, hard irqs off, not from pipeline entry.
 */
void sync_current_irq_stage(void)
{
	check_hard_irqs_off();

	if (running_oob())
		play_oob_log();
	else if (inband_irq_pending())
		sync_inband_stage();
}

/*
 * Slow path of local_irq_enable() and _restore(): the stage was unstalled
 * with events in its log.
 *
 * With hard irqs off the caller is in a section that must not be opened: the
 * events wait for the next occasion, an interrupt at the latest. The same
 * goes for an NMI, which may have hit anything.
 */
noinstr void __inband_irq_enable(void)
{
	if (unlikely(in_nonmaskable() || hard_irqs_disabled()))
		return;

	hard_local_irq_disable();
	instrumentation_begin();
	if (inband_irq_pending())
		sync_inband_stage();
	instrumentation_end();
	hard_local_irq_enable();
}
EXPORT_SYMBOL(__inband_irq_enable);

/*
 * Leaves hard irqs on. From in-band, hops to the out-of-band stage for the
 * time it takes to play its log.
 */
void oob_irq_enable(void)
{
	bool hop;

	hard_local_irq_disable();
	unstall_oob();

	if (unlikely(stage_irqs_pending(this_oob_staged()))) {
		hop = running_inband();
		if (hop)
			switch_oob();
		play_oob_log();
		if (hop && running_oob())
			switch_inband();
	}

	hard_local_irq_enable();
}
EXPORT_SYMBOL_GPL(oob_irq_enable);

void oob_irq_restore(unsigned long stalled)
{
	if (stalled)
		oob_irq_disable();
	else if (oob_irqs_disabled())
		oob_irq_enable();
	else
		WARN_ONCE(irq_pipeline_debug(),
			  "irq_pipeline: %s() called with the oob stage unstalled by %pS\n",
			  __func__, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(oob_irq_restore);

/**
 * handle_irq_pipelined_prepare - open a pipeline entry section
 * @regs:	registers of the preempted context
 *
 * From here on the context is out-of-band if a core is installed, and a
 * pseudo-NMI for RCU: it may have hit an idle CPU, or the middle of a
 * virtually masked section.
 *
 * Context: any stage, hard irqs off.
 *
 * Return: data of the preempted stage, for handle_irq_pipelined_finish().
 */
noinstr struct irq_stage_data *
handle_irq_pipelined_prepare(struct pt_regs *regs)
{
	struct irq_stage_data *prevd = NULL;

	if (running_oob()) {
		prevd = raw_cpu_ptr(&irq_stages[OOB_STAGE_INDEX]);
	} else {
		prevd = raw_cpu_ptr(&irq_stages[INBAND_STAGE_INDEX]);
		if (oob_stage_present())
			switch_oob();
	}

	instrumentation_begin();
	irq_enter_pipeline();
	instrumentation_end();

	__preempt_count_add(PIPELINE_OFFSET);
	ct_nmi_enter();

	return prevd;
}

/**
 * handle_irq_pipelined_finish - close a pipeline entry section
 * @prevd:	what handle_irq_pipelined_prepare() returned
 * @regs:	registers of the preempted context
 *
 * The core may switch tasks from its exit hook: nothing that was computed
 * before may be used after it, save that a context that entered in-band comes
 * back to this CPU, on the out-of-band stage, and leaves it now.
 *
 * The in-band log is left to the caller, who knows how to enter the kernel.
 *
 * Context: hard irqs off.
 *
 * Return: non-zero if the in-band stage is current and unstalled, so that its
 * log may be played and the in-band epilogue may run.
 */
noinstr int handle_irq_pipelined_finish(struct irq_stage_data *prevd,
					struct pt_regs *regs)
{
	bool preempts_inband;

	/* What a handler injected: RCU has to watch, the core may reschedule. */
	instrumentation_begin();
	if (running_oob() && unlikely(stage_irqs_pending(this_oob_staged())) &&
	    !oob_irqs_disabled())
		play_oob_log();
	instrumentation_end();

	/*
	 * RCU goes on watching while the core runs its tasks on top of in-band
	 * code, even if that was idle: the bracket closes when it goes on. What
	 * preempts an oob task has one around it that way.
	 */
	preempts_inband = running_oob() && prevd->stage == &inband_stage;
	if (!preempts_inband)
		ct_nmi_exit();
	__preempt_count_sub(PIPELINE_OFFSET);

	instrumentation_begin();
	irq_exit_pipeline();
	instrumentation_end();

	if (preempts_inband) {
		ct_nmi_exit();
		switch_inband();
	}

	return running_inband() && !inband_irqs_disabled();
}

/**
 * generic_pipeline_irq_desc - feed one interrupt to the pipeline
 * @desc:	descriptor of the interrupt
 *
 * Context: pipeline entry, hard irqs off.
 *
 * Return: 0, or -EINVAL without a descriptor.
 */
int generic_pipeline_irq_desc(struct irq_desc *desc)
{
	if (unlikely(!desc))
		return -EINVAL;

	generic_handle_irq_desc(desc);

	return 0;
}
EXPORT_SYMBOL_GPL(generic_pipeline_irq_desc);

/*
 * Whether the flow handler of @desc is called for the second time, by
 * play_inband_log(), as opposed to an event that just came in: from the
 * hardware, or from an in-band parent that decodes its children.
 *
 * A mark per CPU rather than per descriptor: the same interrupt may be logged
 * on two CPUs when its affinity changes, and each log has its own replay.
 */
bool irq_flow_replays(struct irq_desc *desc)
{
	if (in_pipeline() || raw_cpu_read(irq_pipeline.replay) != desc)
		return false;

	raw_cpu_write(irq_pipeline.replay, NULL);

	return true;
}

/**
 * irq_inject_pipeline - pretend that an interrupt was received
 * @irq:	interrupt number
 *
 * As if the hardware had spoken to this CPU, less the flow handler: there is
 * nothing to acknowledge. Delivery happens before the return if the stage
 * that handles the interrupt is not stalled.
 *
 * Context: any stage, any interrupt state, which is preserved.
 *
 * Return: 0, or -EINVAL if there is no such interrupt.
 */
int irq_inject_pipeline(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);
	unsigned long flags;
	bool oob, hop;

	if (!desc)
		return -EINVAL;

	flags = hard_local_irq_save();

	oob = oob_stage_present() && irq_settings_is_oob(desc);
	if (!oob) {
		irq_post_inband(irq);
	} else if (oob_irqs_disabled()) {
		irq_post_oob(irq);
	} else {
		hop = running_inband();
		if (hop)
			switch_oob();
		irq_enter_pipeline();
		deliver_oob_event(desc);
		irq_exit_pipeline();
		if (hop && running_oob())
			switch_inband();
	}

	hard_local_irq_restore(flags);

	if (running_inband() && !inband_irqs_disabled() && inband_irq_pending())
		__inband_irq_enable();

	return 0;
}
EXPORT_SYMBOL_GPL(irq_inject_pipeline);

/**
 * run_oob_call - run a function on the out-of-band stage
 * @fn:		function, called with the stage stalled and hard irqs off
 * @arg:	its argument
 *
 * The task does not change schedulers: only the stage of the CPU is switched
 * for the time of the call. @fn may itself cause the task to change stages,
 * in which case the new one is kept.
 *
 * Context: any stage, any interrupt state, which is preserved.
 *
 * Return: what @fn returns.
 */
int run_oob_call(int (*fn)(void *arg), void *arg)
{
	bool inband, stalled;
	unsigned long flags;
	int ret;

	flags = hard_local_irq_save();

	inband = running_inband();
	if (inband)
		switch_oob();

	stalled = test_and_stall_oob();
	ret = fn(arg);
	WARN_ON_ONCE(irq_pipeline_debug() && !hard_irqs_disabled());
	if (!stalled)
		unstall_oob();

	if (running_oob()) {
		if (!stalled && stage_irqs_pending(this_oob_staged()))
			play_oob_log();
		if (inband && running_oob())
			switch_inband();
	}

	hard_local_irq_restore(flags);

	if (running_inband() && !inband_irqs_disabled() && inband_irq_pending())
		__inband_irq_enable();

	return ret;
}
EXPORT_SYMBOL_GPL(run_oob_call);

/* Gives the arch a veto, or a place to get ready. Non-zero aborts. */
int __weak arch_enable_oob_stage(void)
{
	return 0;
}

static DEFINE_MUTEX(oob_stage_mutex);

/**
 * enable_oob_stage - install the out-of-band stage
 * @name:	for messages
 *
 * Lines that were requested with IRQF_OOB become out-of-band from here on.
 *
 * Context: in-band, may sleep.
 *
 * Return: 0, -EBUSY if a stage is installed already, or what the arch says.
 */
int enable_oob_stage(const char *name)
{
	int ret;

	guard(mutex)(&oob_stage_mutex);

	if (oob_stage_present())
		return -EBUSY;

	ret = arch_enable_oob_stage();
	if (ret)
		return ret;

	oob_stage.name = name;
	/* Whoever sees the stage sees its name. */
	smp_wmb();
	WRITE_ONCE(oob_stage.index, OOB_STAGE_INDEX);

	/* Interrupts that began without it are over when we return. */
	synchronize_rcu();

	pr_info("IRQ pipeline: high-priority %s stage added.\n", name);

	return 0;
}
EXPORT_SYMBOL_GPL(enable_oob_stage);

/**
 * disable_oob_stage - remove the out-of-band stage
 *
 * The caller guarantees that no CPU runs out-of-band code or may enter any:
 * lines freed, tick proxies uninstalled, IPIs stopped.
 *
 * Context: in-band, may sleep.
 */
void disable_oob_stage(void)
{
	const char *name = oob_stage.name;

	guard(mutex)(&oob_stage_mutex);

	if (WARN_ON(!oob_stage_present()))
		return;

	WRITE_ONCE(oob_stage.index, 0);

	pr_info("IRQ pipeline: %s stage removed.\n", name);
}
EXPORT_SYMBOL_GPL(disable_oob_stage);

/**
 * handle_synthetic_irq - flow handler of software interrupts
 * @desc:	descriptor of the interrupt
 *
 * Per-CPU, no hardware, no lock.
 */
void handle_synthetic_irq(struct irq_desc *desc)
{
	unsigned int irq = irq_desc_get_irq(desc);
	struct irqaction *action;
	irqreturn_t res;

	if (!irq_flow_replays(desc)) {
		handle_oob_irq(desc);
		return;
	}

	action = desc->action;
	if (!action) {
		pr_err_once("synthetic irq %u has no action\n", irq);
		return;
	}

	__kstat_incr_irqs_this_cpu(desc);
	trace_irq_handler_entry(irq, action);
	res = action->handler(irq, raw_cpu_ptr(action->percpu_dev_id));
	trace_irq_handler_exit(irq, action, res);
}
EXPORT_SYMBOL_GPL(handle_synthetic_irq);

static void synthetic_irq_noop(struct irq_data *data)
{
}

static struct irq_chip synthetic_irq_chip = {
	.name		= "SIRQC",
	.irq_startup	= NULL,
	.irq_ack	= synthetic_irq_noop,
	.irq_mask	= synthetic_irq_noop,
	.irq_unmask	= synthetic_irq_noop,
	.flags		= IRQCHIP_PIPELINE_SAFE | IRQCHIP_SKIP_SET_WAKE,
};

static int synthetic_irq_map(struct irq_domain *d, unsigned int irq,
			     irq_hw_number_t hwirq)
{
	irq_set_percpu_devid(irq);
	irq_set_chip_and_handler(irq, &synthetic_irq_chip,
				 handle_synthetic_irq);

	return 0;
}

static const struct irq_domain_ops synthetic_irq_domain_ops = {
	.map	= synthetic_irq_map,
};

/*
 * irq_work is the sanctioned way from out-of-band to in-band code. Lists are
 * NMI-safe already; an NMI cannot post to the log though, it sends itself an
 * IPI, as does everybody before the pipeline is up.
 */
void irq_local_work_raise(void)
{
	unsigned long flags;

	if (unlikely(in_nmi() || !irq_pipeline_active)) {
		arch_irq_work_raise();
		return;
	}

	flags = hard_local_irq_save();
	irq_post_inband(inband_work_irq);
	hard_local_irq_restore(flags);

	if (!in_nonmaskable() && !inband_irqs_disabled())
		__inband_irq_enable();
}

static irqreturn_t inband_work_interrupt(int irq, void *dev_id)
{
	irq_work_run();

	return IRQ_HANDLED;
}

static struct irqaction inband_work = {
	.handler = inband_work_interrupt,
	.name = "in-band work",
	.flags = IRQF_NO_THREAD,
};

/**
 * irq_pipeline_can_idle - last look at the log before the CPU sleeps
 *
 * Context: in-band, stalled, hard irqs on.
 *
 * Return: true with hard irqs off if there is nothing to do; false with the
 * log played, unstalled, hard irqs on, if the idle loop should go round.
 */
bool irq_pipeline_can_idle(void)
{
	hard_local_irq_disable();
	if (likely(!inband_irq_pending()))
		return true;

	local_irq_enable_full();

	return false;
}

/**
 * irq_cpuidle_control - let the core refuse an idle state
 * @dev:	CPU idle device
 * @state:	state about to be entered
 *
 * Context: in-band, stalled, hard irqs off.
 *
 * Return: false if the state must not be entered; the default idle routine is
 * then used instead.
 */
bool __weak irq_cpuidle_control(struct cpuidle_device *dev,
				struct cpuidle_state *state)
{
	return true;
}

/* As irq_pipeline_can_idle(), with the core's opinion on a deeper state. */
bool irq_cpuidle_enter(struct cpuidle_device *dev, struct cpuidle_state *state)
{
	return irq_cpuidle_control(dev, state);
}

/**
 * irq_pipeline_init - bring the pipeline up
 *
 * Context: boot CPU, right after init_IRQ(), hard irqs off since power-on.
 */
void __init irq_pipeline_init(void)
{
	struct irq_event_map *map;
	struct irq_stage_data *pd;
	int cpu;

	for_each_possible_cpu(cpu) {
		pd = per_cpu_ptr(irq_stages, cpu);
		map = per_cpu_ptr(irq_event_maps, cpu);
		pd[INBAND_STAGE_INDEX].log = &map[INBAND_STAGE_INDEX];
		pd[OOB_STAGE_INDEX].log = &map[OOB_STAGE_INDEX];
	}

	synthetic_irq_domain = irq_domain_add_nomap(NULL, SYNTHETIC_IRQ_MAX,
						    &synthetic_irq_domain_ops,
						    NULL);
	inband_work_irq = irq_create_direct_mapping(synthetic_irq_domain);
	if (WARN_ON(!inband_work_irq) ||
	    WARN_ON(setup_percpu_irq(inband_work_irq, &inband_work)))
		return;

	arch_irq_pipeline_init();
	irq_pipeline_active = true;

	pr_info("IRQ pipeline enabled\n");
}

#ifdef CONFIG_DEBUG_IRQ_PIPELINE

/*
 * Complains about in-band services used from the out-of-band stage. Reported
 * once, then the checks are silenced: what follows would be noise.
 */
notrace void __check_inband_stage(unsigned long ip)
{
	unsigned long flags;

	if (likely(running_inband() && !in_pipeline() && !oob_irqs_disabled()))
		return;

	if (in_nmi() || irq_pipeline_oopsing || !irq_pipeline_active)
		return;

	flags = hard_local_irq_save();
	irq_pipeline_oopsing = true;
	hard_local_irq_restore(flags);

	pr_err("irq_pipeline: in-band service used from %s context\n",
	       in_pipeline() ? "pipeline entry" : "out-of-band");
	pr_err("irq_pipeline: caller %pS, stage %s, hard irqs %s, in-band %s, oob %s\n",
	       (void *)ip, running_oob() ? "oob" : "in-band",
	       hard_irqs_disabled() ? "off" : "on",
	       inband_irqs_disabled() ? "stalled" : "open",
	       oob_irqs_disabled() ? "stalled" : "open");
	dump_stack();
}
EXPORT_SYMBOL(__check_inband_stage);
NOKPROBE_SYMBOL(__check_inband_stage);

#endif /* CONFIG_DEBUG_IRQ_PIPELINE */
