// SPDX-License-Identifier: GPL-2.0
/*
 * x86 side of the interrupt pipeline: entry from the IDT, system vectors as
 * genirq interrupts, in-band dispatch, out-of-band IPIs.
 */
#include <linux/cpumask.h>
#include <linux/dovetail.h>
#include <linux/entry-common.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_pipeline.h>
#include <linux/irqdomain.h>

#include <asm/apic.h>
#include <asm/hw_irq.h>
#include <asm/idtentry.h>
#include <asm/irq_regs.h>
#include <asm/irq_stack.h>

/*
 * In-band handlers of the system vectors, on the interrupt stack: what the
 * FRED event dispatcher calls on hardware that has it. A vector without an
 * entry is spurious.
 */
#define SYSVEC(__vector, __name)					\
	[(__vector) - FIRST_SYSTEM_VECTOR] = fred_sysvec_##__name

static void (*sysvec_handlers[NR_SYSTEM_VECTORS])(struct pt_regs *regs)
	__ro_after_init = {
	SYSVEC(ERROR_APIC_VECTOR,		error_interrupt),
	SYSVEC(SPURIOUS_APIC_VECTOR,		spurious_apic_interrupt),
	SYSVEC(LOCAL_TIMER_VECTOR,		apic_timer_interrupt),
	SYSVEC(X86_PLATFORM_IPI_VECTOR,		x86_platform_ipi),
#ifdef CONFIG_SMP
	SYSVEC(RESCHEDULE_VECTOR,		reschedule_ipi),
	SYSVEC(CALL_FUNCTION_SINGLE_VECTOR,	call_function_single),
	SYSVEC(CALL_FUNCTION_VECTOR,		call_function),
	SYSVEC(REBOOT_VECTOR,			reboot),
#endif
	SYSVEC(THRESHOLD_APIC_VECTOR,		threshold),
	SYSVEC(DEFERRED_ERROR_VECTOR,		deferred_error),
	SYSVEC(THERMAL_APIC_VECTOR,		thermal),
	SYSVEC(IRQ_WORK_VECTOR,			irq_work),
	SYSVEC(TIMER_OOB_VECTOR,		timer_oob),
	SYSVEC(RESCHEDULE_OOB_VECTOR,		reschedule_oob),
	SYSVEC(CALL_FUNCTION_OOB_VECTOR,	call_function_oob),
};

/* Descriptors by vector: the entry path does not search. */
static struct irq_desc *sysvec_descs[NR_SYSTEM_VECTORS] __ro_after_init;

/* Vectors that are installed at run time, by sysvec_install(). */
void __init arch_pipeline_install_sysvec(unsigned int vector,
					 void (*handler)(struct pt_regs *regs))
{
	sysvec_handlers[vector - FIRST_SYSTEM_VECTOR] = handler;
}

/*
 * The out-of-band IPIs have out-of-band handlers or none: the event is
 * dropped if no core asked for it.
 */
DEFINE_IDTENTRY_SYSVEC_SIMPLE(sysvec_timer_oob)
{
}

DEFINE_IDTENTRY_SYSVEC_SIMPLE(sysvec_reschedule_oob)
{
}

DEFINE_IDTENTRY_SYSVEC_SIMPLE(sysvec_call_function_oob)
{
}

/* The part of a register frame that the tick and the profilers look at. */
void arch_save_timer_regs(struct pt_regs *dst, struct pt_regs *src)
{
	dst->flags = src->flags;
	dst->cs = src->cs;
	dst->ip = src->ip;
	dst->bp = src->bp;
	dst->ss = src->ss;
	dst->sp = src->sp;
}

/*
 * First pass of a system vector. These are edges from the local APIC: the
 * EOI is due here, handler bodies see a conditional apic_eoi() that does
 * nothing. The APIC does not expect any for its spurious vector, nor for
 * what it did not set in service.
 */
static void handle_sysvec_irq(struct irq_desc *desc)
{
	unsigned int vector = apicm_irq_vector(irq_desc_get_irq(desc));

	if (likely(sysvec_handlers[vector - FIRST_SYSTEM_VECTOR] &&
		   vector != SPURIOUS_APIC_VECTOR) ||
	    apic_read(APIC_ISR + (vector / 32) * 0x10) & BIT(vector % 32))
		__apic_eoi();

	handle_oob_irq(desc);
}

static void handle_system_vector(struct pt_regs *regs, unsigned int vector)
{
	struct irq_desc *desc = sysvec_descs[vector - FIRST_SYSTEM_VECTOR];
	struct pt_regs *old_regs;

	if (vector == LOCAL_TIMER_VECTOR)
		arch_save_timer_regs(raw_cpu_ptr(&irq_pipeline.tick_regs), regs);

	old_regs = set_irq_regs(regs);
	generic_pipeline_irq_desc(desc);
	set_irq_regs(old_regs);
}

/**
 * arch_pipeline_entry - entry point of all maskable interrupts
 * @regs:	registers of the preempted context
 * @vector:	interrupt vector
 *
 * The pipeline comes first, whatever was preempted. In-band code is told of
 * an interrupt only if there is one for it, and if it accepts interrupts: an
 * event that was handled out-of-band costs it nothing.
 *
 * Context: any, hard irqs off.
 */
noinstr void arch_pipeline_entry(struct pt_regs *regs, u8 vector)
{
	struct irq_stage_data *prevd;
	irqentry_state_t state;

	prevd = handle_irq_pipelined_prepare(regs);

	kvm_set_cpu_l1tf_flush_l1d();
	instrumentation_begin();
	if (vector >= FIRST_SYSTEM_VECTOR)
		handle_system_vector(regs, vector);
	else
		__common_interrupt(regs, vector);
	instrumentation_end();

	if (!handle_irq_pipelined_finish(prevd, regs) || !inband_irq_pending()) {
		if (IS_ENABLED(CONFIG_DOVETAIL) && unlikely(running_oob()))
			dovetail_exit_trap(regs);
		return;
	}

	state = irqentry_enter(regs);
	instrumentation_begin();
	play_inband_log();
	instrumentation_end();
	irqentry_exit(regs, state);
}

static void run_desc_handler(struct irq_desc *desc)
{
	generic_handle_irq_desc(desc);
}

/* As the entry code does for the other handlers, with another argument. */
static void run_desc_on_irqstack(struct irq_desc *desc, struct pt_regs *regs)
{
	call_on_irqstack_cond(run_desc_handler, regs, ASM_CALL_SYSVEC,
			      IRQSTACK_ARG1(desc), desc);
}

/**
 * arch_do_IRQ_pipelined - deliver a logged event to the in-band stage
 * @desc:	descriptor of the interrupt
 *
 * The register frame is that of the last timer interrupt: the tick is the
 * only one that looks at it. It does not describe the current stack, so the
 * stack is chosen by the in-use mark alone.
 *
 * Context: in-band, stalled, hard irqs on.
 */
void arch_do_IRQ_pipelined(struct irq_desc *desc)
{
	struct pt_regs *regs = raw_cpu_ptr(&irq_pipeline.tick_regs);
	struct pt_regs *old_regs = set_irq_regs(regs);
	unsigned int irq = irq_desc_get_irq(desc);
	void (*handler)(struct pt_regs *regs);
	u32 vector;

	if (irq - FIRST_SYSTEM_IRQ < NR_SYSTEM_VECTORS) {
		vector = apicm_irq_vector(irq);
		handler = sysvec_handlers[vector - FIRST_SYSTEM_VECTOR];
		if (likely(handler))
			handler(regs);
		else
			run_irq_on_irqstack_cond(__spurious_interrupt, regs,
						 vector);
	} else {
		run_desc_on_irqstack(desc, regs);
	}

	set_irq_regs(old_regs);
}

/**
 * irq_send_oob_ipi - send an out-of-band IPI
 * @ipi:	TIMER_OOB_IPI, RESCHEDULE_OOB_IPI or CALL_FUNCTION_OOB_IPI
 * @cpumask:	receivers, the sender may be one
 *
 * Context: any stage, any interrupt state.
 */
void irq_send_oob_ipi(unsigned int ipi, const struct cpumask *cpumask)
{
	unsigned long flags;

	if (WARN_ON_ONCE(ipi < CALL_FUNCTION_OOB_IPI || ipi > TIMER_OOB_IPI))
		return;

	/* The per-CPU scratch masks of the APIC drivers, and the ICR. */
	flags = hard_local_irq_save();
	__apic_send_IPI_mask(cpumask, apicm_irq_vector(ipi));
	hard_local_irq_restore(flags);
}
EXPORT_SYMBOL_GPL(irq_send_oob_ipi);

static void sysvec_noop(struct irq_data *data)
{
}

static struct irq_chip sysvec_chip = {
	.name		= "SYSVEC",
	.irq_ack	= sysvec_noop,
	.irq_mask	= sysvec_noop,
	.irq_unmask	= sysvec_noop,
	.flags		= IRQCHIP_PIPELINE_SAFE | IRQCHIP_SKIP_SET_WAKE,
};

static int sysvec_map(struct irq_domain *d, unsigned int irq,
		      irq_hw_number_t hwirq)
{
	irq_set_percpu_devid(irq);
	irq_set_chip_and_handler(irq, &sysvec_chip, handle_sysvec_irq);

	return 0;
}

static const struct irq_domain_ops sysvec_domain_ops = {
	.map	= sysvec_map,
};

/*
 * One interrupt number per system vector, since this is what the log holds.
 * Fixed numbers above everything that genirq may hand out.
 */
void __init arch_irq_pipeline_init(void)
{
	struct irq_domain *domain;
	int base, n;

	BUILD_BUG_ON(FIRST_SYSTEM_IRQ + NR_SYSTEM_VECTORS >
		     IRQ_PIPELINE_NR_IRQS);
	BUILD_BUG_ON(TIMER_OOB_VECTOR >= POSTED_MSI_NOTIFICATION_VECTOR);

	base = irq_alloc_descs(FIRST_SYSTEM_IRQ, FIRST_SYSTEM_IRQ,
			       NR_SYSTEM_VECTORS, 0);
	if (base != FIRST_SYSTEM_IRQ)
		panic("irq_pipeline: no descriptors for the system vectors\n");

	domain = irq_domain_add_legacy(NULL, NR_SYSTEM_VECTORS,
				       FIRST_SYSTEM_IRQ, 0,
				       &sysvec_domain_ops, NULL);
	if (!domain)
		panic("irq_pipeline: no domain for the system vectors\n");

	for (n = 0; n < NR_SYSTEM_VECTORS; n++)
		sysvec_descs[n] = irq_to_desc(FIRST_SYSTEM_IRQ + n);
}
