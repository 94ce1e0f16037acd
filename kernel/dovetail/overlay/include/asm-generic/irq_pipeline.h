/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two interrupt states of a pipelined kernel, at the lowest level.
 *
 * - hard_*	act on the interrupt flag of the CPU;
 * - inband_*	act on the software mask of the in-band stage ("stall").
 *
 * Included by the arch's <asm/irqflags.h> through <asm/irq_pipeline.h>, so
 * it may only depend on what is available that early. Without
 * CONFIG_IRQ_PIPELINE both families are the same thing.
 */
#ifndef __ASM_GENERIC_IRQ_PIPELINE_H
#define __ASM_GENERIC_IRQ_PIPELINE_H

#include <linux/kconfig.h>
#include <linux/types.h>

#ifdef CONFIG_IRQ_PIPELINE

#include <asm/percpu.h>

/* Index of a stage in irq_stages[], also its value in STAGE_MASK. */
#define INBAND_STAGE_INDEX	0
#define OOB_STAGE_INDEX		1

struct irq_stage;
struct irq_event_map;

/**
 * struct irq_stage_data - what one CPU knows of one stage
 * @irqflags:	%ARCH_IRQS_UNSTALLED when the stage accepts interrupts, zero
 *		when it is stalled. Written with single instructions by the
 *		owning CPU; an interrupt that preempts the write leaves the
 *		value as it found it.
 * @pending:	top index word of the log: non-zero if the log is not empty.
 *		Hard irqs must be off to write it. Any context may peek.
 * @log:	lower levels of the interrupt log
 * @stage:	stage this data belongs to
 *
 * The stall state is a property of the CPU rather than of the task: every
 * in-band context switch happens between two stalled contexts, which is why
 * the mainline kernel can keep hardirqs_enabled per CPU as well.
 */
struct irq_stage_data {
	unsigned long irqflags;
	unsigned long pending;
	struct irq_event_map *log;
	struct irq_stage *stage;
};

DECLARE_PER_CPU(struct irq_stage_data [2], irq_stages);

void __inband_irq_enable(void);

/* Cost: one instruction. Any context. */
static __always_inline int inband_irqs_disabled(void)
{
	return !this_cpu_read(irq_stages[INBAND_STAGE_INDEX].irqflags);
}

/* True if the in-band log of this CPU holds an event. Any context. */
static __always_inline bool inband_irq_pending(void)
{
	return this_cpu_read(irq_stages[INBAND_STAGE_INDEX].pending) != 0;
}

/*
 * stall_inband_nocheck/unstall_inband_nocheck - set the stall bit, no more
 *
 * For entry code, which plays the log by other means. Noinstr-safe.
 */
static __always_inline void stall_inband_nocheck(void)
{
	this_cpu_write(irq_stages[INBAND_STAGE_INDEX].irqflags, 0);
	barrier();
}

static __always_inline void unstall_inband_nocheck(void)
{
	barrier();
	this_cpu_write(irq_stages[INBAND_STAGE_INDEX].irqflags,
		       ARCH_IRQS_UNSTALLED);
}

/* Stalls the stage, returns non-zero if it was stalled already. */
static __always_inline int test_and_stall_inband_nocheck(void)
{
	int stalled = inband_irqs_disabled();

	stall_inband_nocheck();

	return stalled;
}

static __always_inline void inband_irq_disable(void)
{
	stall_inband_nocheck();
}

/*
 * Unstalls, then plays what was logged meanwhile.
 *
 * An event logged before the bit is cleared is seen by the test; one that
 * comes later is played by the interrupt entry code, which finds the stage
 * open. If the task moves to another CPU in between, the test looks at the
 * log of that CPU, which is either empty or about to be played by somebody
 * else: harmless.
 */
static __always_inline void inband_irq_enable(void)
{
	unstall_inband_nocheck();
	barrier();
	if (unlikely(inband_irq_pending()))
		__inband_irq_enable();
}

static __always_inline unsigned long inband_irq_save(void)
{
	return test_and_stall_inband_nocheck();
}

static __always_inline void inband_irq_restore(unsigned long stalled)
{
	if (stalled)
		inband_irq_disable();
	else
		inband_irq_enable();
}

#define hard_local_irq_disable()	native_irq_disable()
#define hard_local_irq_enable()		native_irq_enable()
#define hard_local_irq_save()		native_irq_save()
#define hard_local_irq_restore(__flags)	native_irq_restore(__flags)
#define hard_local_save_flags()		native_save_flags()
/* Opens a window of one instruction for pending interrupts. */
#define hard_local_irq_sync()		native_irq_sync()
#define hard_irqs_disabled()		native_irqs_disabled()
#define hard_irqs_disabled_flags(__flags) native_irqs_disabled_flags(__flags)

#define hard_cond_local_irq_enable()	hard_local_irq_enable()
#define hard_cond_local_irq_disable()	hard_local_irq_disable()
#define hard_cond_local_save_flags()	hard_local_save_flags()
#define hard_cond_local_irq_save()	hard_local_irq_save()
#define hard_cond_local_irq_restore(__flags) hard_local_irq_restore(__flags)

/*
 * Combined flag words: the stall state at the native position, the state of
 * the CPU at a spare bit. Never feed one to hard_local_irq_restore().
 */
#define irqs_merge_flags(__flags, __stalled)				\
	(arch_irqs_virtual_to_native_flags(__stalled) |			\
	 arch_irqs_native_to_virtual_flags(__flags))

/* Return: the virtual part of @__word; *@__hard_off tells about the CPU. */
#define irqs_split_flags(__word, __hard_off)				\
	({								\
		unsigned long __hard_bit =				\
			arch_irqs_native_to_virtual_flags(0);		\
		*(__hard_off) = !!((__word) & __hard_bit);		\
		(__word) & ~__hard_bit;					\
	})

static __always_inline bool irqs_pipelined(void)
{
	return true;
}

#else /* !CONFIG_IRQ_PIPELINE */

#define hard_local_irq_disable()	raw_local_irq_disable()
#define hard_local_irq_enable()		raw_local_irq_enable()
#define hard_local_irq_save()				\
	({						\
		unsigned long __irqflags;		\
		raw_local_irq_save(__irqflags);		\
		__irqflags;				\
	})
#define hard_local_irq_restore(__flags)	raw_local_irq_restore(__flags)
#define hard_local_save_flags()				\
	({						\
		unsigned long __irqflags;		\
		raw_local_save_flags(__irqflags);	\
		__irqflags;				\
	})
#define hard_local_irq_sync()		do { } while (0)
#define hard_irqs_disabled()		irqs_disabled()
#define hard_irqs_disabled_flags(__flags) raw_irqs_disabled_flags(__flags)

#define hard_cond_local_irq_enable()	do { } while (0)
#define hard_cond_local_irq_disable()	do { } while (0)
#define hard_cond_local_save_flags()	0UL
#define hard_cond_local_irq_save()	0UL
#define hard_cond_local_irq_restore(__flags) ((void)(__flags))

static __always_inline bool irqs_pipelined(void)
{
	return false;
}

static __always_inline bool inband_irq_pending(void)
{
	return false;
}

static __always_inline void stall_inband_nocheck(void) { }
static __always_inline void unstall_inband_nocheck(void) { }

#endif /* !CONFIG_IRQ_PIPELINE */

#endif /* __ASM_GENERIC_IRQ_PIPELINE_H */
