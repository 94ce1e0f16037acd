/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86: the virtual interrupt flag, and what the interrupt pipeline needs to
 * know about vectors. Included by <asm/irqflags.h> once the native_*
 * primitives are there.
 */
#ifndef _ASM_X86_IRQ_PIPELINE_H
#define _ASM_X86_IRQ_PIPELINE_H

#ifdef CONFIG_IRQ_PIPELINE

/*
 * Flag words of the in-band stage have the layout of EFLAGS, reduced to IF,
 * so that the per-CPU state needs no conversion.
 */
#define ARCH_IRQS_UNSTALLED		X86_EFLAGS_IF

#include <linux/bits.h>
#include <asm-generic/irq_pipeline.h>

/* A bit of EFLAGS that no CPU implements: carries "hard irqs off". */
#define X86_EFLAGS_HARD_OFF_BIT		31

/**
 * arch_irqs_virtual_to_native_flags - make a flag word from a stall bit
 * @stalled:	whether the in-band stage is stalled
 *
 * Return: a word with the stall state at the position of EFLAGS.IF, all
 * other bits clear.
 */
static __always_inline unsigned long
arch_irqs_virtual_to_native_flags(int stalled)
{
	return stalled ? 0 : X86_EFLAGS_IF;
}

/**
 * arch_irqs_native_to_virtual_flags - move the CPU flag to the spare bit
 * @flags:	EFLAGS as the CPU has it
 *
 * Return: a word whose bit 31 is set if hard irqs are off in @flags, all
 * other bits clear. Or-ed with the above it carries both states.
 */
static __always_inline unsigned long
arch_irqs_native_to_virtual_flags(unsigned long flags)
{
	return native_irqs_disabled_flags(flags) ?
		1UL << X86_EFLAGS_HARD_OFF_BIT : 0;
}

static __always_inline unsigned long arch_local_save_flags(void)
{
	return this_cpu_read(irq_stages[INBAND_STAGE_INDEX].irqflags);
}

static __always_inline void arch_local_irq_disable(void)
{
	inband_irq_disable();
}

static __always_inline void arch_local_irq_enable(void)
{
	inband_irq_enable();
}

static __always_inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags = arch_local_save_flags();

	inband_irq_disable();

	return flags;
}

static __always_inline int arch_irqs_disabled_flags(unsigned long flags)
{
	return native_irqs_disabled_flags(flags);
}

static __always_inline int arch_irqs_disabled(void)
{
	return inband_irqs_disabled();
}

/* Both ways: some callers enable inside of a save/restore pair. */
static __always_inline void arch_local_irq_restore(unsigned long flags)
{
	if (arch_irqs_disabled_flags(flags))
		inband_irq_disable();
	else
		inband_irq_enable();
}

struct pt_regs;

void arch_pipeline_entry(struct pt_regs *regs, u8 vector);
void arch_pipeline_install_sysvec(unsigned int vector,
				  void (*handler)(struct pt_regs *regs));

/* Interrupt numbers of the system vectors start where genirq's end. */
#define FIRST_SYSTEM_IRQ		NR_IRQS

#define apicm_irq_vector(__irq)	((__irq) - FIRST_SYSTEM_IRQ + FIRST_SYSTEM_VECTOR)
#define apicm_vector_irq(__vec)	((__vec) - FIRST_SYSTEM_VECTOR + FIRST_SYSTEM_IRQ)

#define TIMER_OOB_IPI		apicm_vector_irq(TIMER_OOB_VECTOR)
#define RESCHEDULE_OOB_IPI	apicm_vector_irq(RESCHEDULE_OOB_VECTOR)
#define CALL_FUNCTION_OOB_IPI	apicm_vector_irq(CALL_FUNCTION_OOB_VECTOR)

#else /* !CONFIG_IRQ_PIPELINE */

#include <asm-generic/irq_pipeline.h>

#endif /* !CONFIG_IRQ_PIPELINE */

#endif /* _ASM_X86_IRQ_PIPELINE_H */
