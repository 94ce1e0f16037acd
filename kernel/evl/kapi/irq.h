/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hard interrupts, the current stage, oob IPIs, and the two doors between the stages:
 * kapi_run_oob_call() (in-band -> oob) and kapi_irq_work (oob -> in-band).
 */
#ifndef EVL_KAPI_IRQ_H
#define EVL_KAPI_IRQ_H

#include "kapi/cpu.h"

KAPI_BEGIN_DECLS

/* Hard interrupts of this CPU. Stage: any. Irqs: any. The flags word is private to kapi. */
unsigned long kapi_hard_irq_save(void);
void kapi_hard_irq_restore(unsigned long flags);

/* The same without memory, for code that knows the state: around stage switches. */
void kapi_hard_irq_disable(void);
void kapi_hard_irq_enable(void);
bool kapi_hard_irqs_disabled(void);

/* True on the oob stage. Stage: any. Irqs: any. Stable for the caller: only it can change it. */
bool kapi_running_oob(void);

/*
 * Unstalls the oob stage and plays its log. kapi_leave_inband() returns with oob stalled, and so
 * does kapi_context_switch() to a thread that leaves in-band. Stage: oob. Irqs: off, left off.
 */
void kapi_oob_unstall(void);

/*
 * Runs fn(arg) on the oob stage of this CPU, hard irqs off, oob stalled; returns its value. Stage:
 * any. Irqs: any, restored. `fn` may switch contexts: whatever the caller cached about the CPU is
 * stale afterwards. Cost: O(1) plus fn, plus the play-back of what was logged meanwhile.
 */
int kapi_run_oob_call(int (*fn)(void *arg), void *arg);

/*
 * Makes the oob stage exist, so that oob interrupts can be requested. Stage: inband. Irqs: on.
 * Errors: EBUSY a stage is installed already. disable: the caller made sure that nothing is oob.
 */
int kapi_oob_stage_enable(void);
void kapi_oob_stage_disable(void);

/*
 * Requests both oob IPIs; from here evl_on_resched_ipi() and evl_on_timer_ipi() are called on CPUs
 * of `cpus`. Nothing to request with one possible CPU. Sleeps. Errors: of request_percpu_irq().
 */
int kapi_oob_ipis_request(const struct kapi_cpumask *cpus);
void kapi_oob_ipis_free(void);

/* Stage: any. Irqs: off. Asynchronous, merges while pending. May name this CPU. */
void kapi_send_resched_ipi(const struct kapi_cpumask *cpus);
void kapi_send_timer_ipi(const struct kapi_cpumask *cpus);

/*
 * irq_work: runs `handler` in-band, in hard-irq context (may not sleep), on the CPU that queued it,
 * once the oob stage of this CPU has nothing to run. Embedded in an object; found again by address.
 */
KAPI_OPAQUE(kapi_irq_work);
void kapi_irq_work_init(struct kapi_irq_work *work, void (*handler)(struct kapi_irq_work *work));

/* Stage: any. Irqs: any. False: it was queued already and not yet started; one run serves both. */
bool kapi_irq_work_queue(struct kapi_irq_work *work);

/* Waits until `work` is neither queued nor running. Sleeps. */
void kapi_irq_work_sync(struct kapi_irq_work *work);

KAPI_END_DECLS

#endif /* EVL_KAPI_IRQ_H */
