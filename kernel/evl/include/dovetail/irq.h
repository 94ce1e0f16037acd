/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Brackets of each interrupt for the EVL core: see kernel/evl/kapi/irq.c.
 *
 * Stage: out-of-band if the core runs. Hard irqs: off, before and after.
 */
#ifndef _EVL_DOVETAIL_IRQ_H
#define _EVL_DOVETAIL_IRQ_H

void kapi_irq_enter(void);
void kapi_irq_exit(void);

static inline void irq_enter_pipeline(void)
{
	kapi_irq_enter();
}

static inline void irq_exit_pipeline(void)
{
	kapi_irq_exit();
}

#endif /* _EVL_DOVETAIL_IRQ_H */
