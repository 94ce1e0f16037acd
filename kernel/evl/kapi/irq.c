// SPDX-License-Identifier: GPL-2.0
/*
 * Hard interrupts and stages, the brackets of interrupts, oob IPIs, irq_work. All of it may be
 * called on the oob stage but what says in-band.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_pipeline.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include "kapi/internal.h"

/* Whether the core is ready for interrupts. Written in-band, read by each interrupt. */
static bool brackets_on __read_mostly;

/*
 * Brackets that were opened and not yet closed. Only what was opened is closed, since an interrupt
 * may be under way on another CPU while the core starts. This CPU only, hard irqs off.
 */
static DEFINE_PER_CPU(unsigned int, open_brackets);

static DEFINE_PER_CPU(int, resched_cookie);
static DEFINE_PER_CPU(int, timer_cookie);
static bool have_ipis;

unsigned long kapi_hard_irq_save(void)
{
	return hard_local_irq_save();
}

void kapi_hard_irq_restore(unsigned long flags)
{
	hard_local_irq_restore(flags);
}

void kapi_hard_irq_disable(void)
{
	hard_local_irq_disable();
}

void kapi_hard_irq_enable(void)
{
	hard_local_irq_enable();
}

bool kapi_hard_irqs_disabled(void)
{
	return hard_irqs_disabled();
}

bool kapi_running_oob(void)
{
	return running_oob();
}

void kapi_oob_unstall(void)
{
	unstall_oob();
	if (unlikely(stage_irqs_pending(this_oob_staged())))
		sync_current_irq_stage();
}

int kapi_run_oob_call(int (*fn)(void *arg), void *arg)
{
	return run_oob_call(fn, arg);
}

int kapi_oob_stage_enable(void)
{
	return enable_oob_stage("EVL");
}

void kapi_oob_stage_disable(void)
{
	disable_oob_stage();
}

void kapi_irq_brackets(bool on)
{
	WRITE_ONCE(brackets_on, on);
}

/*
 * By way of <dovetail/irq.h>, from any interrupt, also one that has no oob handler: Dovetail does
 * not know yet. Not before the core is there, and not if the stage came up half-way.
 */
void kapi_irq_enter(void)
{
	if (unlikely(!READ_ONCE(brackets_on)) || !running_oob())
		return;

	raw_cpu_inc(open_brackets);
	evl_on_irq_enter();
}

/* May switch contexts: the count belongs to the CPU, so it is corrected before. */
void kapi_irq_exit(void)
{
	if (unlikely(!raw_cpu_read(open_brackets)))
		return;

	raw_cpu_dec(open_brackets);
	evl_on_irq_exit();
}

static irqreturn_t handle_resched_ipi(int irq, void *cookie)
{
	evl_on_resched_ipi();

	return IRQ_HANDLED;
}

static irqreturn_t handle_timer_ipi(int irq, void *cookie)
{
	evl_on_timer_ipi();

	return IRQ_HANDLED;
}

/*
 * The IPIs are requested for all CPUs: a CPU that is no business of the core never gets one.
 */
int kapi_oob_ipis_request(const struct kapi_cpumask *cpus)
{
	int ret;

	kapi_irq_brackets(true);

	if (num_possible_cpus() == 1)
		return 0;

	ret = __request_percpu_irq(RESCHEDULE_OOB_IPI, handle_resched_ipi, IRQF_OOB,
				   "EVL resched", &resched_cookie);
	if (ret)
		return ret;

	ret = __request_percpu_irq(TIMER_OOB_IPI, handle_timer_ipi, IRQF_OOB, "EVL timer",
				   &timer_cookie);
	if (ret) {
		free_percpu_irq(RESCHEDULE_OOB_IPI, &resched_cookie);
		return ret;
	}

	have_ipis = true;

	return 0;
}

void kapi_oob_ipis_free(void)
{
	if (!have_ipis)
		return;

	have_ipis = false;
	free_percpu_irq(TIMER_OOB_IPI, &timer_cookie);
	free_percpu_irq(RESCHEDULE_OOB_IPI, &resched_cookie);
}

void kapi_send_resched_ipi(const struct kapi_cpumask *cpus)
{
	irq_send_oob_ipi(RESCHEDULE_OOB_IPI, kapi_to_cpumask(cpus));
}

void kapi_send_timer_ipi(const struct kapi_cpumask *cpus)
{
	irq_send_oob_ipi(TIMER_OOB_IPI, kapi_to_cpumask(cpus));
}

static_assert(sizeof(struct kapi_irq_work) >= sizeof(struct irq_work));

/* The handler gets the address of the storage, whose first and only member is the irq_work. */
void kapi_irq_work_init(struct kapi_irq_work *work, void (*handler)(struct kapi_irq_work *work))
{
	init_irq_work((struct irq_work *)work, (void (*)(struct irq_work *))handler);
}

bool kapi_irq_work_queue(struct kapi_irq_work *work)
{
	return irq_work_queue((struct irq_work *)work);
}

void kapi_irq_work_sync(struct kapi_irq_work *work)
{
	irq_work_sync((struct irq_work *)work);
}
