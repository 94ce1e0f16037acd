/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupt stages, their per-CPU state and logs.
 *
 * Invariants, also checked by CONFIG_DEBUG_IRQ_PIPELINE:
 *
 *  I1  User mode, in-band: unstalled, hard irqs on, in-band log empty.
 *  I3  Posting to, pulling from, or deciding by a log needs hard irqs off.
 *  I4  Stall bits need no protection: whoever preempts the write leaves the
 *      bit as it was.
 *  I6  Out-of-band stage stalled implies hard irqs off.
 */
#ifndef _LINUX_IRQSTAGE_H
#define _LINUX_IRQSTAGE_H

#include <linux/types.h>
#include <linux/irqflags.h>

#ifdef CONFIG_IRQ_PIPELINE

#include <linux/bits.h>
#include <linux/irqnr.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <asm/irq.h>
#include <asm/ptrace.h>

/*
 * Every interrupt that can be logged has a number below this limit: the ones
 * that genirq hands out, then those of the arch's system vectors. See
 * MAX_SPARSE_IRQS for the place where larger numbers are refused.
 */
#define IRQ_PIPELINE_NR_IRQS	(NR_IRQS + 1024)

#define IRQ_LOG_FLAT_WORDS	BITS_TO_LONGS(IRQ_PIPELINE_NR_IRQS)
#define IRQ_LOG_MID_WORDS	BITS_TO_LONGS(IRQ_LOG_FLAT_WORDS)

/**
 * struct irq_event_map - lower levels of an interrupt log
 * @mid:	one bit per non-zero word of @flat
 * @flat:	one bit per interrupt
 *
 * irq_stage_data.pending has one bit per non-zero word of @mid. An interrupt
 * is remembered at most once; finding the next one takes three bit scans,
 * whatever the log holds.
 */
struct irq_event_map {
	unsigned long mid[IRQ_LOG_MID_WORDS];
	unsigned long flat[IRQ_LOG_FLAT_WORDS];
};

/**
 * struct irq_stage - an interrupt stage
 * @index:	position in the pipeline; that of the out-of-band stage is
 *		zero until a core installs it
 * @name:	for messages
 */
struct irq_stage {
	int index;
	const char *name;
};

extern struct irq_stage inband_stage;
extern struct irq_stage oob_stage;

/**
 * struct irq_pipeline_data - per-CPU odds and ends of the pipeline
 * @tick_regs:	what the last timer interrupt preempted; the register frame
 *		of every replayed interrupt, which nobody but the tick uses
 * @replay:	descriptor whose flow handler is being called for the second
 *		time, consumed by irq_flow_replays()
 */
struct irq_pipeline_data {
	struct pt_regs tick_regs;
	struct irq_desc *replay;
};

DECLARE_PER_CPU(struct irq_pipeline_data, irq_pipeline);

/* Numbers of synthetic interrupts are below this. */
#define SYNTHETIC_IRQ_MAX	1024

/* True once a core has installed its stage. */
static __always_inline bool oob_stage_present(void)
{
	return oob_stage.index != 0;
}

/*
 * The pointers below are valid as long as the task cannot migrate. Never
 * keep one across an interrupt handler or a core hook: the context may come
 * back on another CPU.
 */
static inline struct irq_stage_data *this_inband_staged(void)
{
	return raw_cpu_ptr(&irq_stages[INBAND_STAGE_INDEX]);
}

static inline struct irq_stage_data *this_oob_staged(void)
{
	return raw_cpu_ptr(&irq_stages[OOB_STAGE_INDEX]);
}

static inline struct irq_stage_data *current_irq_staged(void)
{
	return raw_cpu_ptr(&irq_stages[stage_level()]);
}

static inline struct irq_stage *current_irq_stage(void)
{
	return running_oob() ? &oob_stage : &inband_stage;
}

static inline bool stage_irqs_pending(struct irq_stage_data *pd)
{
	return pd->pending != 0;
}

/*
 * Stage switch, hard irqs off. The raw forms: a stage switch is no preemption
 * event, and it happens where the tracer must not be called.
 */
static __always_inline void switch_oob(void)
{
	__preempt_count_add(STAGE_OFFSET);
}

static __always_inline void switch_inband(void)
{
	__preempt_count_sub(STAGE_OFFSET);
}

/* Stall state of the out-of-band stage. Hard irqs off for the writers. */
static __always_inline int oob_irqs_disabled(void)
{
	return !this_cpu_read(irq_stages[OOB_STAGE_INDEX].irqflags);
}

static __always_inline void stall_oob(void)
{
	this_cpu_write(irq_stages[OOB_STAGE_INDEX].irqflags, 0);
	barrier();
}

static __always_inline void unstall_oob(void)
{
	barrier();
	this_cpu_write(irq_stages[OOB_STAGE_INDEX].irqflags,
		       ARCH_IRQS_UNSTALLED);
}

static __always_inline int test_and_stall_oob(void)
{
	int stalled = oob_irqs_disabled();

	stall_oob();

	return stalled;
}

static inline void oob_irq_disable(void)
{
	hard_local_irq_disable();
	stall_oob();
}

static inline unsigned long oob_irq_save(void)
{
	hard_local_irq_disable();

	return test_and_stall_oob();
}

void oob_irq_enable(void);
void oob_irq_restore(unsigned long stalled);

void sync_current_irq_stage(void);
void play_inband_log(void);

/*
 * stage_disabled - whether the current context can be interrupted at all by
 * an event of its own stage: hard irqs off, or in-band and stalled.
 */
static inline bool stage_disabled(void)
{
	return hard_irqs_disabled() ||
		(running_inband() && inband_irqs_disabled());
}

#else /* !CONFIG_IRQ_PIPELINE */

static inline bool oob_stage_present(void)
{
	return false;
}

static inline int oob_irqs_disabled(void)
{
	return 0;
}

static inline bool stage_disabled(void)
{
	return irqs_disabled();
}

static inline void play_inband_log(void) { }

#endif /* !CONFIG_IRQ_PIPELINE */

#ifdef CONFIG_DEBUG_IRQ_PIPELINE
void __check_inband_stage(unsigned long ip);
/* Complains once if not in-band with the oob stage unstalled; silent in NMI. */
#define check_inband_stage()	__check_inband_stage(_THIS_IP_)
#else
static inline void check_inband_stage(void) { }
#endif

#endif /* !_LINUX_IRQSTAGE_H */
