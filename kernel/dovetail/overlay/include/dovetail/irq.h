/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Default core hooks around interrupt delivery: none. A companion core puts
 * a header of this name earlier in the include path.
 *
 * Stage: out-of-band if it is installed. Hard irqs: off, and off again when
 * the hook returns, whatever it did in between.
 */
#ifndef _DOVETAIL_IRQ_H
#define _DOVETAIL_IRQ_H

static inline void irq_enter_pipeline(void)
{
}

static inline void irq_exit_pipeline(void)
{
}

#endif /* _DOVETAIL_IRQ_H */
