// SPDX-License-Identifier: GPL-2.0
/*
 * Tick proxy: lets out-of-band code own the timer of a CPU while the in-band
 * kernel keeps its tick.
 *
 * A proxy device takes the place of the hardware one in the tick device of
 * each CPU. In-band requests go through it to the companion core, or straight
 * to the hardware if the core does not care. Hardware events go to the core,
 * out-of-band; it tells the proxy when one of them is due to in-band, which
 * then gets a synthetic interrupt.
 */
#include <linux/clockchips.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_pipeline.h>
#include <linux/irqdomain.h>
#include <linux/kallsyms.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/tick.h>

#include "tick-internal.h"

/* Serialises installation and removal; CPU hotplug is held off meanwhile. */
static DEFINE_MUTEX(proxy_mutex);

static unsigned int proxy_tick_irq;
static struct cpumask proxy_cpus;
static void (*proxy_setup)(struct clock_proxy_device *dev);
static enum cpuhp_state proxy_hotplug_state = CPUHP_INVALID;

static DEFINE_PER_CPU(struct clock_proxy_device, proxy_tick_device);

static inline struct clock_event_device *
get_real_device(struct clock_event_device *proxy)
{
	return container_of(proxy, struct clock_proxy_device,
			    proxy_device)->real_device;
}

/*
 * Default operations: pass the request on. The core may program the device
 * from a handler that preempts this, hence the hard section.
 */
static int proxy_set_next_event(unsigned long delta,
				struct clock_event_device *dev)
{
	struct clock_event_device *real = get_real_device(dev);
	unsigned long flags = hard_local_irq_save();
	int ret = real->set_next_event(delta, real);

	hard_local_irq_restore(flags);

	return ret;
}

static int proxy_set_next_ktime(ktime_t expires, struct clock_event_device *dev)
{
	struct clock_event_device *real = get_real_device(dev);
	unsigned long flags = hard_local_irq_save();
	int ret = real->set_next_ktime(expires, real);

	hard_local_irq_restore(flags);

	return ret;
}

static int call_real(struct clock_event_device *real,
		     int (*op)(struct clock_event_device *dev))
{
	unsigned long flags;
	int ret;

	if (!op)
		return 0;

	flags = hard_local_irq_save();
	ret = op(real);
	hard_local_irq_restore(flags);

	return ret;
}

static int proxy_set_oneshot(struct clock_event_device *dev)
{
	struct clock_event_device *real = get_real_device(dev);

	return call_real(real, real->set_state_oneshot);
}

static int proxy_set_oneshot_stopped(struct clock_event_device *dev)
{
	struct clock_event_device *real = get_real_device(dev);

	return call_real(real, real->set_state_oneshot_stopped);
}

static int proxy_set_shutdown(struct clock_event_device *dev)
{
	struct clock_event_device *real = get_real_device(dev);

	return call_real(real, real->set_state_shutdown);
}

/* The tick, as the in-band kernel sees it. In-band, stalled. */
static void run_proxy_tick(void)
{
	struct clock_proxy_device *dev = this_cpu_ptr(&proxy_tick_device);
	struct clock_event_device *evt = &dev->proxy_device;

	if (dev->real_device)
		evt->event_handler(evt);
}

static irqreturn_t proxy_tick_handler(int irq, void *dev_id)
{
	run_proxy_tick();

	return IRQ_HANDLED;
}

/* In-band event of a real device whose interrupt is not out-of-band. */
static void relay_inband_event(struct clock_event_device *real)
{
	run_proxy_tick();
}

/**
 * clockevents_handle_event - to be called on a timer interrupt
 * @ced:	device that signalled the event
 *
 * For devices with CLOCK_EVT_FEAT_PIPELINE, whose interrupt may be handled
 * out-of-band.
 *
 * Context: the stage of the interrupt handler.
 */
void clockevents_handle_event(struct clock_event_device *ced)
{
	if (running_inband()) {
		/* Logged right before the core took over: still in-band's. */
		if (unlikely(clockevent_is_oob(ced)))
			run_proxy_tick();
		else
			ced->event_handler(ced);
		return;
	}

	/* A CPU without a proxy, while others have one. */
	if (unlikely(!clockevent_is_oob(ced)))
		irq_post_inband(ced->irq);
	else
		ced->event_handler(ced);
}

/**
 * tick_notify_proxy - an event is due to the in-band tick of this CPU
 *
 * Context: out-of-band, hard irqs off, from the core's timer handler.
 */
void tick_notify_proxy(void)
{
	irq_post_inband(proxy_tick_irq);
}
EXPORT_SYMBOL_GPL(tick_notify_proxy);

/* On the CPU that gets the proxy, stalled. */
static int install_proxy(struct clock_proxy_device *dev)
{
	struct tick_device *td = this_cpu_ptr(&tick_cpu_device);
	struct clock_event_device *real = td->evtdev, *proxy;
	unsigned long flags;

	if (!real || !(real->features & CLOCK_EVT_FEAT_PIPELINE) ||
	    !(real->features & CLOCK_EVT_FEAT_ONESHOT) ||
	    real->features & CLOCK_EVT_FEAT_DUMMY ||
	    td->mode != TICKDEV_MODE_ONESHOT)
		return -ENODEV;

	memset(dev, 0, sizeof(*dev));
	dev->real_device = real;
	dev->__setup_handler = proxy_setup;
	dev->__original_handler = real->event_handler;

	proxy = &dev->proxy_device;
	proxy->name = "proxy";
	proxy->features = (real->features & ~CLOCK_EVT_FEAT_PERIODIC &
			   ~CLOCK_EVT_FEAT_PIPELINE) | CLOCK_EVT_FEAT_PROXY;
	proxy->rating = real->rating + 1;
	proxy->mult = real->mult;
	proxy->shift = real->shift;
	proxy->min_delta_ticks = real->min_delta_ticks;
	proxy->max_delta_ticks = real->max_delta_ticks;
	proxy->min_delta_ns = real->min_delta_ns;
	proxy->max_delta_ns = real->max_delta_ns;
	proxy->irq = real->irq;
	proxy->bound_on = real->bound_on;
	proxy->broadcast = real->broadcast;
	proxy->cpumask = cpumask_of(smp_processor_id());
	proxy->set_next_event = proxy_set_next_event;
	if (real->set_next_ktime)
		proxy->set_next_ktime = proxy_set_next_ktime;
	proxy->set_state_oneshot = proxy_set_oneshot;
	proxy->set_state_oneshot_stopped = real->set_state_oneshot_stopped ?
		proxy_set_oneshot_stopped : NULL;
	proxy->set_state_shutdown = proxy_set_shutdown;

	proxy_setup(dev);
	if (WARN_ON(!dev->handle_oob_event)) {
		dev->real_device = NULL;
		return -EINVAL;
	}

	/*
	 * Exchanges the devices: the proxy inherits the handler and the next
	 * event, the real device is put aside. The tick keeps going either
	 * way, since the handler of a real device relays events to in-band.
	 */
	clockevents_register_device(proxy);
	if (WARN_ON(td->evtdev != proxy)) {
		dev->real_device = NULL;
		return -ENODEV;
	}

	flags = hard_local_irq_save();
	real->event_handler = dev->handle_oob_event;
	real->features |= CLOCK_EVT_FEAT_OOB;
	hard_local_irq_restore(flags);

	return 0;
}

/* On the CPU that has the proxy, stalled. */
static void remove_proxy(struct clock_proxy_device *dev)
{
	struct clock_event_device *real = dev->real_device;
	unsigned long flags;

	if (!real)
		return;

	flags = hard_local_irq_save();
	real->features &= ~CLOCK_EVT_FEAT_OOB;
	real->event_handler = relay_inband_event;
	hard_local_irq_restore(flags);

	clockevents_restore_real_device(&dev->proxy_device, real);
	dev->real_device = NULL;
}

static void install_proxy_on(void *arg)
{
	int *ret = arg;

	*ret = install_proxy(this_cpu_ptr(&proxy_tick_device));
}

static void remove_proxy_on(void *arg)
{
	remove_proxy(this_cpu_ptr(&proxy_tick_device));
}

/*
 * A CPU begins with a periodic tick. The first tick after a fit clock source is
 * there, while the kernel boots, or after the CPU came up, ends that; a virtual
 * CPU that gets no time from its host is late for it. Bound: one second.
 */
static bool wait_for_oneshot(unsigned int cpu)
{
	int n;

	for (n = 0; n < 50; n++) {
		if (READ_ONCE(per_cpu(tick_cpu_device, cpu).mode) ==
		    TICKDEV_MODE_ONESHOT)
			return true;
		msleep(20);
	}

	return false;
}

/* A CPU that comes up gets its proxy, one that goes down returns it. */
static int proxy_cpu_online(unsigned int cpu)
{
	int ret = 0;

	if (cpumask_test_cpu(cpu, &proxy_cpus)) {
		wait_for_oneshot(cpu);
		smp_call_function_single(cpu, install_proxy_on, &ret, true);
		if (ret)
			pr_warn("tick proxy: CPU%u goes without (%d)\n",
				cpu, ret);
	}

	return 0;
}

static int proxy_cpu_offline(unsigned int cpu)
{
	smp_call_function_single(cpu, remove_proxy_on, NULL, true);

	return 0;
}

static int setup_proxy_irq(void)
{
	int ret;

	if (!proxy_tick_irq) {
		proxy_tick_irq =
			irq_create_direct_mapping(synthetic_irq_domain);
		if (!proxy_tick_irq)
			return -EAGAIN;

		ret = __request_percpu_irq(proxy_tick_irq, proxy_tick_handler,
					   IRQF_NO_THREAD, "proxy tick",
					   &proxy_tick_device);
		if (ret) {
			irq_dispose_mapping(proxy_tick_irq);
			proxy_tick_irq = 0;
			return ret;
		}
	}

	return 0;
}

/*
 * Moves the interrupt of the real devices. CPUs without a proxy relay their
 * events, so the order does not matter to them.
 */
static int switch_real_irq(const struct cpumask *cpumask, bool oob)
{
	unsigned int cpu = cpumask_first(cpumask);
	struct clock_proxy_device *dev = per_cpu_ptr(&proxy_tick_device, cpu);
	int irq = dev->real_device ? dev->real_device->irq :
		per_cpu(tick_cpu_device, cpu).evtdev->irq;

	return irq_switch_oob(irq, oob);
}

static void remove_all_proxies(const struct cpumask *cpumask)
{
	unsigned int cpu;

	for_each_cpu_and(cpu, cpumask, cpu_online_mask)
		smp_call_function_single(cpu, remove_proxy_on, NULL, true);
}

/**
 * tick_install_proxy - put a proxy in front of the timers of some CPUs
 * @setup_proxy:	called on each CPU before its proxy is used. Has to set
 *			handle_oob_event, may replace any operation of the
 *			proxy device, which are preset.
 * @cpumask:		online CPUs that get one
 *
 * CPUs of @cpumask that go down return their device and get the proxy back
 * when they come up again.
 *
 * Context: in-band, may sleep: up to a second if the tick of a CPU is still
 * periodic, as it may be while the kernel boots.
 *
 * Return: 0, -EAGAIN if there are proxies already or no synthetic interrupt
 * is left, -ENODEV if the timer of a CPU is not fit for this, -EINVAL if
 * @cpumask is empty or the handler was not set. No CPU is left half-way.
 */
int tick_install_proxy(void (*setup_proxy)(struct clock_proxy_device *dev),
		       const struct cpumask *cpumask)
{
	unsigned int cpu;
	int ret, err;

	guard(cpus_read_lock)();
	guard(mutex)(&proxy_mutex);

	if (!cpumask_intersects(cpumask, cpu_online_mask))
		return -EINVAL;

	if (!cpumask_empty(&proxy_cpus))
		return -EAGAIN;

	ret = setup_proxy_irq();
	if (ret)
		return ret;

	proxy_setup = setup_proxy;
	cpumask_and(&proxy_cpus, cpumask, cpu_online_mask);

	for_each_cpu(cpu, &proxy_cpus) {
		if (!wait_for_oneshot(cpu)) {
			pr_warn("tick proxy: the tick of CPU%u is periodic\n",
				cpu);
			ret = -ENODEV;
			goto fail;
		}
	}

	ret = switch_real_irq(&proxy_cpus, true);
	if (ret) {
		ret = -ENODEV;
		goto fail;
	}

	for_each_cpu(cpu, &proxy_cpus) {
		err = smp_call_function_single(cpu, install_proxy_on, &ret,
					       true);
		if (err)
			ret = err;
		if (ret) {
			pr_warn("tick proxy: the timer of CPU%u is not fit (%d)\n",
				cpu, ret);
			goto fail_remove;
		}
	}

	err = cpuhp_setup_state_nocalls_cpuslocked(CPUHP_AP_ONLINE_DYN,
						   "dovetail/tick:proxy",
						   proxy_cpu_online,
						   proxy_cpu_offline);
	if (err < 0) {
		ret = err;
		goto fail_remove;
	}
	proxy_hotplug_state = err;

	return 0;

fail_remove:
	remove_all_proxies(&proxy_cpus);
	switch_real_irq(&proxy_cpus, false);
fail:
	cpumask_clear(&proxy_cpus);

	return ret;
}
EXPORT_SYMBOL_GPL(tick_install_proxy);

/**
 * tick_uninstall_proxy - give the timers back to the in-band kernel
 * @cpumask:	CPUs to restore
 *
 * Context: in-band, may sleep.
 */
void tick_uninstall_proxy(const struct cpumask *cpumask)
{
	guard(cpus_read_lock)();
	guard(mutex)(&proxy_mutex);

	if (cpumask_empty(&proxy_cpus))
		return;

	remove_all_proxies(cpumask);

	if (cpumask_subset(&proxy_cpus, cpumask)) {
		if (proxy_hotplug_state != CPUHP_INVALID)
			cpuhp_remove_state_nocalls_cpuslocked(proxy_hotplug_state);
		proxy_hotplug_state = CPUHP_INVALID;
		switch_real_irq(&proxy_cpus, false);
	}

	cpumask_andnot(&proxy_cpus, &proxy_cpus, cpumask);
}
EXPORT_SYMBOL_GPL(tick_uninstall_proxy);
