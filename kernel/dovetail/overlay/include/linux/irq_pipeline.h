/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupt pipeline: what a companion core, an irqchip driver and the
 * architecture call.
 */
#ifndef _LINUX_IRQ_PIPELINE_H
#define _LINUX_IRQ_PIPELINE_H

#include <linux/irqstage.h>

struct cpuidle_device;
struct cpuidle_state;
struct irq_domain;
struct irq_desc;
struct cpumask;
struct pt_regs;

#ifdef CONFIG_IRQ_PIPELINE

#include <dovetail/irq.h>

void irq_pipeline_init(void);
void arch_irq_pipeline_init(void);

int enable_oob_stage(const char *name);
void disable_oob_stage(void);
int arch_enable_oob_stage(void);

int irq_inject_pipeline(unsigned int irq);
#define irq_pipeline_inject(__irq)	irq_inject_pipeline(__irq)
void irq_post_inband(unsigned int irq);
void irq_post_oob(unsigned int irq);
void irq_send_oob_ipi(unsigned int ipi, const struct cpumask *cpumask);
int run_oob_call(int (*fn)(void *arg), void *arg);

int irq_switch_oob(unsigned int irq, bool on);
bool irq_is_oob(unsigned int irq);

int generic_pipeline_irq_desc(struct irq_desc *desc);
bool handle_oob_irq(struct irq_desc *desc);
void handle_synthetic_irq(struct irq_desc *desc);
void arch_do_IRQ_pipelined(struct irq_desc *desc);
void arch_save_timer_regs(struct pt_regs *dst, struct pt_regs *src);

struct irq_stage_data *handle_irq_pipelined_prepare(struct pt_regs *regs);
int handle_irq_pipelined_finish(struct irq_stage_data *prevd,
				struct pt_regs *regs);

bool irq_pipeline_can_idle(void);
bool irq_cpuidle_enter(struct cpuidle_device *dev,
		       struct cpuidle_state *state);
bool irq_cpuidle_control(struct cpuidle_device *dev,
			 struct cpuidle_state *state);

extern struct irq_domain *synthetic_irq_domain;

extern bool irq_pipeline_active;
extern bool irq_pipeline_oopsing;

/* Silences the stage checks: the system is going down, let it talk. */
static inline void irq_pipeline_oops(void)
{
	irq_pipeline_oopsing = true;
}

static inline bool irq_pipeline_debug(void)
{
	return IS_ENABLED(CONFIG_DEBUG_IRQ_PIPELINE) && !irq_pipeline_oopsing;
}

#define on_pipeline_entry()	(in_pipeline() != 0)

/* In-band code that must not be held by the CPU, but may be hard masked. */
#define hard_preempt_disable()				\
	({						\
		unsigned long __hpflags;		\
		__hpflags = hard_local_irq_save();	\
		if (running_inband())			\
			preempt_disable();		\
		__hpflags;				\
	})

/* Unmasks before looking for a reschedule: schedule() wants hard irqs on. */
#define hard_preempt_enable(__flags)			\
	do {						\
		hard_local_irq_restore(__flags);	\
		if (running_inband())			\
			preempt_enable();		\
	} while (0)

#else /* !CONFIG_IRQ_PIPELINE */

static inline void irq_pipeline_init(void) { }
static inline void irq_pipeline_oops(void) { }

static inline bool irq_pipeline_debug(void)
{
	return false;
}

static inline bool irq_pipeline_can_idle(void)
{
	return true;
}

static inline bool irq_cpuidle_enter(struct cpuidle_device *dev,
				     struct cpuidle_state *state)
{
	return true;
}

#define on_pipeline_entry()	false

#define hard_preempt_disable()		({ preempt_disable(); 0UL; })
#define hard_preempt_enable(__flags)			\
	do {						\
		(void)(__flags);			\
		preempt_enable();			\
	} while (0)

#endif /* !CONFIG_IRQ_PIPELINE */

#endif /* _LINUX_IRQ_PIPELINE_H */
