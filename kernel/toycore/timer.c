// SPDX-License-Identifier: GPL-2.0
/*
 * The toy timer: one hardware device per CPU, behind a tick proxy, serves the
 * sleeping threads, the turns of the round-robin ones, and the tick of Linux.
 *
 * All dates are nanoseconds of CLOCK_MONOTONIC, by the accessor that may be
 * used on either stage.
 */
#include <linux/clockchips.h>
#include <linux/cpumask.h>
#include <linux/tick.h>
#include <linux/timekeeping.h>

#include "internal.h"

u64 toy_now(void)
{
	return ktime_get_mono_fast_ns();
}

/*
 * toy_program - set the device for the earliest date
 *
 * The dates belong to the CPU: the tick of Linux, which is set anew all the
 * time, does not wait for a lock that other CPUs hold.
 *
 * Context: CPU of @rq, hard irqs off.
 */
void toy_program(struct toy_rq *rq)
{
	struct clock_event_device *real = rq->real;
	s64 delta;
	u64 date;

	date = min3(rq->inband_date, rq->quantum_end, rq->sleep_date);
	/* No date, or a CPU that never had a proxy. */
	if (date == U64_MAX || !real)
		return;

	delta = date - toy_now();
	delta = clamp_t(s64, delta, real->min_delta_ns, real->max_delta_ns);
	real->set_next_event(((u64)delta * real->mult) >> real->shift, real);
}

/*
 * Wakes up those whose date has come. Bound of the loop: the threads that
 * sleep on this CPU. toy_lock held.
 */
static void wake_sleepers(struct toy_rq *rq, u64 now)
{
	struct toy_thread *t, *tmp;

	rq->sleep_date = U64_MAX;
	list_for_each_entry_safe(t, tmp, &rq->sleepers, link) {
		if (t->date > now) {
			rq->sleep_date = t->date;
			break;
		}
		toy_wake_locked(t, 0);
	}
}

/*
 * The device went off. Out-of-band, hard irqs off; threads that are woken up
 * run when the interrupt ends.
 */
static void handle_shot(struct clock_event_device *dev)
{
	struct toy_rq *rq = toy_this_rq();
	u64 now = toy_now();

	toy_count(TOY_C_SHOT);

	if (now >= rq->sleep_date || now >= rq->quantum_end) {
		raw_spin_lock(&toy_lock);
		wake_sleepers(rq, now);
		if (now >= rq->quantum_end) {
			rq->quantum_end = U64_MAX;
			rq->rotate = true;
			rq->resched = true;
		}
		raw_spin_unlock(&toy_lock);
	}

	if (now >= rq->inband_date) {
		rq->inband_date = U64_MAX;
		toy_count(TOY_C_TICK);
		tick_notify_proxy();
	}

	toy_program(rq);
}

/* What Linux wants of the device. In-band, stalled. */
static void request_tick(u64 date)
{
	unsigned long flags = hard_local_irq_save();
	struct toy_rq *rq = toy_this_rq();

	rq->inband_date = date;
	toy_program(rq);
	hard_local_irq_restore(flags);
}

static int set_next_ktime(ktime_t expires, struct clock_event_device *proxy)
{
	request_tick(ktime_to_ns(expires));

	return 0;
}

/* Stopped for a while, or shut down. */
static int set_no_tick(struct clock_event_device *proxy)
{
	struct clock_event_device *real = toy_this_rq()->real;

	request_tick(U64_MAX);

	/* The proxy is on its way in or out: the device is Linux's. */
	if (!clockevent_is_oob(real))
		return real->set_state_shutdown(real);

	return 0;
}

/* On each CPU that gets a proxy, in-band, stalled. */
static void setup_proxy(struct clock_proxy_device *dev)
{
	struct toy_rq *rq = toy_this_rq();

	rq->real = dev->real_device;
	rq->inband_date = U64_MAX;

	dev->handle_oob_event = handle_shot;
	dev->proxy_device.features |= CLOCK_EVT_FEAT_KTIME;
	dev->proxy_device.set_next_ktime = set_next_ktime;
	dev->proxy_device.set_state_oneshot_stopped = set_no_tick;
	dev->proxy_device.set_state_shutdown = set_no_tick;
}

/* Whether the core has the timer of a CPU. In-band, CPU hotplug held off. */
bool toy_has_timer(struct toy_rq *rq)
{
	return rq->real && clockevent_is_oob(rq->real);
}

int toy_install_timer(void)
{
	return tick_install_proxy(setup_proxy, cpu_possible_mask);
}

void toy_uninstall_timer(void)
{
	tick_uninstall_proxy(cpu_possible_mask);
}

/**
 * toy_sleep_until - sleep until a date
 * @date:	nanoseconds of CLOCK_MONOTONIC, absolute
 *
 * Context: out-of-band, attached. Cost: O(n) in the threads that sleep on this
 * CPU.
 *
 * Return: 0 when the date has come, at once if it has passed; -ERESTARTSYS if
 * the thread is asked to come back in-band.
 */
int toy_sleep_until(u64 date)
{
	struct toy_thread *t = toy_self(), *other;
	struct list_head *pos;
	unsigned long flags;
	struct toy_rq *rq;
	int ret;

	raw_spin_lock_irqsave(&toy_lock, flags);

	rq = toy_this_rq();
	ret = t->kicked ? -ERESTARTSYS : 0;
	if (ret || date <= toy_now()) {
		raw_spin_unlock_irqrestore(&toy_lock, flags);
		return ret;
	}

	/* Behind those of the same date. Bound: the sleepers of this CPU. */
	pos = &rq->sleepers;
	list_for_each_entry(other, &rq->sleepers, link) {
		if (other->date > date) {
			pos = &other->link;
			break;
		}
	}

	t->date = date;
	toy_block_locked(t, TOY_SLEEPING, pos);
	if (date < rq->sleep_date) {
		rq->sleep_date = date;
		toy_program(rq);
	}

	return toy_wait_unlock(t, flags);
}
