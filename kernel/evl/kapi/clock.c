// SPDX-License-Identifier: GPL-2.0
/*
 * Reading clocks, and the tick devices behind Dovetail's proxies.
 *
 * A device belongs to the core from setup_proxy() until its proxy is shut down for good. The core
 * programs it on its CPU, with hard irqs off; nobody else does.
 */
#include <linux/clockchips.h>
#include <linux/cpuidle.h>
#include <linux/dovetail.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/tick.h>
#include <linux/timekeeping.h>

#include "kapi/internal.h"

/* How often a device may say "too late" before it gets twice the delay, and again: 2^10 times. */
#define MAX_RETRIES	10

/**
 * struct tick - the tick device of a CPU
 * @real:	the hardware; NULL while it belongs to Linux
 * @installed:	Linux uses the proxy
 * @stopped:	has to be told that it is a one-shot device before it is programmed
 */
struct tick {
	struct clock_event_device *real;
	bool installed;
	bool stopped;
};

static DEFINE_PER_CPU(struct tick, ticks);

__s64 kapi_read_monotonic(void)
{
	return ktime_get_mono_fast_ns();
}

__s64 kapi_read_realtime(void)
{
	return ktime_get_real_fast_ns();
}

/* Both interpolate the time-stamp counter: less than a nanosecond. */
__s64 kapi_clock_resolution(void)
{
	return 1;
}

/* Out-of-band, hard irqs off. */
static void handle_shot(struct clock_event_device *real)
{
	evl_on_tick();
}

/* The proxy's operations. In-band, stalled; the core wants hard irqs off too. */
static int set_next_ktime(ktime_t expires, struct clock_event_device *proxy)
{
	unsigned long flags = hard_local_irq_save();

	evl_on_proxy_program(ktime_to_ns(expires));
	hard_local_irq_restore(flags);

	return 0;
}

static int set_oneshot_stopped(struct clock_event_device *proxy)
{
	unsigned long flags = hard_local_irq_save();

	evl_on_proxy_stop();
	hard_local_irq_restore(flags);

	return 0;
}

/*
 * Twice in the life of a proxy: on its way in, and on its way out. The hardware is not out-of-band
 * at either time; the second time, it goes back as Linux expects it to be.
 */
static int set_shutdown(struct clock_event_device *proxy)
{
	struct tick *tick = this_cpu_ptr(&ticks);
	struct clock_event_device *real = tick->real;
	unsigned long flags = hard_local_irq_save();
	int ret = 0;

	evl_on_proxy_stop();
	if (tick->installed && !clockevent_is_oob(real)) {
		tick->installed = false;
		tick->real = NULL;
		if (real->set_state_shutdown)
			ret = real->set_state_shutdown(real);
	}
	hard_local_irq_restore(flags);

	return ret;
}

/* The proxy is in use. Linux may switch its modes from here, but the hardware stays in ours. */
static int set_oneshot(struct clock_event_device *proxy)
{
	this_cpu_ptr(&ticks)->installed = true;

	return 0;
}

/* On each CPU that gets a proxy, in-band, stalled. */
static void setup_proxy(struct clock_proxy_device *dev)
{
	struct clock_event_device *proxy = &dev->proxy_device;
	struct tick *tick = this_cpu_ptr(&ticks);

	tick->installed = false;
	tick->stopped = true;
	tick->real = dev->real_device;

	dev->handle_oob_event = handle_shot;
	proxy->features |= CLOCK_EVT_FEAT_KTIME;
	proxy->set_next_ktime = set_next_ktime;
	proxy->set_state_oneshot = set_oneshot;
	proxy->set_state_oneshot_stopped = set_oneshot_stopped;
	proxy->set_state_shutdown = set_shutdown;
}

int kapi_tick_install(const struct kapi_cpumask *cpus)
{
	kapi_irq_brackets(true);

	return tick_install_proxy(setup_proxy, kapi_to_cpumask(cpus));
}

void kapi_tick_uninstall(const struct kapi_cpumask *cpus)
{
	tick_uninstall_proxy(kapi_to_cpumask(cpus));
}

bool kapi_tick_is_ours(void)
{
	struct clock_event_device *real = raw_cpu_read(ticks.real);

	return real && clockevent_is_oob(real);
}

/* Bound of the loop: MAX_RETRIES; the usual devices take any delay. */
static void program_delta(struct clock_event_device *real, s64 delta_ns)
{
	u64 ticks = ((u64)delta_ns * real->mult) >> real->shift;
	unsigned int n;

	for (n = 0; n < MAX_RETRIES; n++) {
		if (!real->set_next_event(ticks, real))
			return;
		ticks *= 2;
	}

	WARN_ONCE(1, "EVL: device %s cannot be programmed\n", real->name);
}

void kapi_tick_program(__s64 date_ns)
{
	struct tick *tick = raw_cpu_ptr(&ticks);
	struct clock_event_device *real = tick->real;
	s64 delta;

	/* The CPU went without a proxy. */
	if (unlikely(!real))
		return;

	if (tick->stopped) {
		tick->stopped = false;
		if (real->set_state_oneshot)
			real->set_state_oneshot(real);
	}

	if (unlikely(real->features & CLOCK_EVT_FEAT_KTIME)) {
		real->set_next_ktime(date_ns, real);
		return;
	}

	delta = date_ns - kapi_read_monotonic();
	program_delta(real, clamp_t(s64, delta, real->min_delta_ns, real->max_delta_ns));
}

void kapi_tick_stop(void)
{
	struct tick *tick = raw_cpu_ptr(&ticks);
	struct clock_event_device *real = tick->real;

	/* A device that cannot stop fires once more, which is legal. */
	if (!real || tick->stopped || !real->set_state_oneshot_stopped)
		return;

	tick->stopped = true;
	real->set_state_oneshot_stopped(real);
}

void kapi_tick_notify_proxy(void)
{
	tick_notify_proxy();
}

/*
 * Hook of Dovetail. In-band, stalled, hard irqs off. A state that stops the timer would stop the
 * core's: Linux is woken for the proxy's next event only. A CPU whose device the core has not got
 * may sleep as deep as it likes.
 */
bool irq_cpuidle_control(struct cpuidle_device *dev, struct cpuidle_state *state)
{
	return !raw_cpu_read(ticks.real) || !(state->flags & CPUIDLE_FLAG_TIMER_STOP);
}

/* Hook of Dovetail. In-band, with or without the core. */
void inband_clock_was_set(void)
{
	unsigned long flags;

	if (!READ_ONCE(dovetail_started))
		return;

	flags = hard_local_irq_save();
	evl_on_clock_was_set();
	hard_local_irq_restore(flags);
}
