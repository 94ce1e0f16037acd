/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the toy core does around each interrupt: see kernel/toycore/sched.c.
 *
 * Stage: out-of-band if the core runs. Hard irqs: off, before and after.
 */
#ifndef _TOYCORE_DOVETAIL_IRQ_H
#define _TOYCORE_DOVETAIL_IRQ_H

void toy_irq_enter(void);
void toy_irq_exit(void);

static inline void irq_enter_pipeline(void)
{
	toy_irq_enter();
}

static inline void irq_exit_pipeline(void)
{
	toy_irq_exit();
}

#endif /* _TOYCORE_DOVETAIL_IRQ_H */
