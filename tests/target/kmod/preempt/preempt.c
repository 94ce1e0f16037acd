// SPDX-License-Identifier: GPL-2.0
/*
 * It really pre-empts: a thread stalls in-band interrupts for a long time, in
 * a loop, while a timer handler on the same CPU measures how late it is.
 *
 * With the interrupt pipeline the handler runs out-of-band, on a timer that
 * is multiplexed onto the device behind a tick proxy. Without it, it is a hard
 * hrtimer: the same program then shows the opposite.
 *
 * Loading the module is the run; the last lines it prints are the result,
 * as "preempt: key=value ...". See judge.py for what they have to be.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/clockchips.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/tick.h>

#include <asm/tsc.h>

#ifdef CONFIG_IRQ_PIPELINE
#include <linux/irq_pipeline.h>
#endif

MODULE_DESCRIPTION("Lateness of a timer handler over in-band stalls");
MODULE_LICENSE("GPL");

static unsigned int rounds = 20;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "number of stalls");

static unsigned int stall_ms = 50;
module_param(stall_ms, uint, 0444);
MODULE_PARM_DESC(stall_ms, "length of a stall");

static unsigned int hz = 1000;
module_param(hz, uint, 0444);
MODULE_PARM_DESC(hz, "rate of the timer");

static unsigned int cpu;
module_param(cpu, uint, 0444);
MODULE_PARM_DESC(cpu, "where all of it happens");

/* Dates and lengths are in cycles of the TSC until they are printed. */
struct meter {
	bool running;
	u64 period, next;
	u64 fires, missed, late_sum, late_min, late_max;
};

static struct meter meter;

static u64 cycles_to_ns(u64 cycles)
{
	return mul_u64_u32_div(cycles, USEC_PER_SEC, tsc_khz);
}

static u64 ns_to_cycles(u64 ns)
{
	return mul_u64_u32_div(ns, tsc_khz, USEC_PER_SEC);
}

/* A shot that was due at meter.next came at @now. Handler context. */
static void meter_hit(u64 now)
{
	u64 late = now - meter.next, over = div64_u64(late, meter.period);

	meter.next += (over + 1) * meter.period;
	if (!READ_ONCE(meter.running))
		return;

	meter.fires++;
	meter.missed += over;
	meter.late_sum += late;
	meter.late_min = min(meter.late_min, late);
	meter.late_max = max(meter.late_max, late);
}

#ifdef CONFIG_IRQ_PIPELINE

#define KERNEL_KIND	"pipelined"

static struct clock_event_device *real;
static u64 next_inband = U64_MAX;
static unsigned long notified;

/* The device goes for the earlier one of both dates. Hard irqs off. */
static void program_timer(void)
{
	s64 delta = min(meter.next, next_inband) - rdtsc_ordered();

	delta = delta > 0 ? cycles_to_ns(delta) : 0;
	delta = clamp_t(s64, delta, real->min_delta_ns, real->max_delta_ns);
	real->set_next_event(((u64)delta * real->mult) >> real->shift, real);
}

static void handle_timer(struct clock_event_device *dev)
{
	u64 now = rdtsc_ordered();

	if (now >= meter.next)
		meter_hit(now);

	if (now >= next_inband) {
		next_inband = U64_MAX;
		notified++;
		tick_notify_proxy();
	}

	program_timer();
}

static void request_inband(u64 date)
{
	unsigned long flags = hard_local_irq_save();

	next_inband = date;
	program_timer();
	hard_local_irq_restore(flags);
}

static int proxy_set_next_event(unsigned long delta,
				struct clock_event_device *proxy)
{
	u64 ns = div_u64((u64)delta << proxy->shift, proxy->mult);

	request_inband(rdtsc_ordered() + ns_to_cycles(ns));

	return 0;
}

static int proxy_set_oneshot_stopped(struct clock_event_device *proxy)
{
	request_inband(U64_MAX);

	return 0;
}

static int proxy_set_shutdown(struct clock_event_device *proxy)
{
	/* The proxy is on its way out: the device is in-band's again. */
	if (!clockevent_is_oob(real))
		return real->set_state_shutdown(real);

	request_inband(U64_MAX);

	return 0;
}

static void setup_proxy(struct clock_proxy_device *dev)
{
	real = dev->real_device;
	meter.next = rdtsc_ordered() + meter.period;

	dev->handle_oob_event = handle_timer;
	dev->proxy_device.set_next_event = proxy_set_next_event;
	dev->proxy_device.set_state_oneshot_stopped = proxy_set_oneshot_stopped;
	dev->proxy_device.set_state_shutdown = proxy_set_shutdown;
}

static int start_timer(void)
{
	int ret = enable_oob_stage("preempt");

	if (ret)
		return ret;

	ret = tick_install_proxy(setup_proxy, cpumask_of(cpu));
	if (ret)
		disable_oob_stage();

	return ret;
}

static void stop_timer(void)
{
	tick_uninstall_proxy(cpumask_of(cpu));
	disable_oob_stage();
	pr_info("notified=%lu\n", notified);
}

#else /* !CONFIG_IRQ_PIPELINE */

#define KERNEL_KIND	"vanilla"

/* A shim for a kernel that has one interrupt state only. */
#define hard_local_irq_save()		\
	({ unsigned long __flags; local_irq_save(__flags); __flags; })
#define hard_local_irq_restore(flags)	local_irq_restore(flags)

static struct hrtimer timer;

static enum hrtimer_restart handle_timer(struct hrtimer *t)
{
	meter_hit(rdtsc_ordered());
	hrtimer_forward_now(t, ns_to_ktime(NSEC_PER_SEC / hz));

	return HRTIMER_RESTART;
}

static long start_on_cpu(void *unused)
{
	unsigned long flags;
	ktime_t first;

	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
	timer.function = handle_timer;
	local_irq_save(flags);
	first = ktime_add_ns(ktime_get(), NSEC_PER_SEC / hz);
	meter.next = rdtsc_ordered() + meter.period;
	hrtimer_start(&timer, first, HRTIMER_MODE_ABS_PINNED_HARD);
	local_irq_restore(flags);

	return 0;
}

static int start_timer(void)
{
	return work_on_cpu(cpu, start_on_cpu, NULL);
}

static void stop_timer(void)
{
	hrtimer_cancel(&timer);
}

#endif /* !CONFIG_IRQ_PIPELINE */

/* What became of the tick: filled in by the thread. */
static struct {
	unsigned long jiffies, deferred, played_back;
	u64 cycles;
	struct completion done;
} tick;

/* Right behind a tick, so that jiffies and the TSC can be compared. */
static unsigned long wait_for_tick(u64 *date)
{
	unsigned long now = jiffies;

	while (READ_ONCE(jiffies) == now)
		cpu_relax();
	*date = rdtsc_ordered();

	return READ_ONCE(jiffies);
}

static void stall_once(void)
{
	u64 length = ns_to_cycles((u64)stall_ms * NSEC_PER_MSEC), start;
	unsigned long before, during;

	local_irq_disable();
	start = rdtsc_ordered();
	before = jiffies;
	while (rdtsc_ordered() - start < length)
		cpu_relax();
	during = READ_ONCE(jiffies) - before;
	local_irq_enable();

	/* STI holds interrupts off for one more instruction. */
	udelay(5);

	/* No other CPU to update them: they stood still, now they jump. */
	tick.deferred += !during;
	tick.played_back += READ_ONCE(jiffies) - before + 1 >=
		msecs_to_jiffies(stall_ms);
}

static int stall_thread(void *unused)
{
	unsigned long start, flags;
	u64 date, end;
	int n;

	start = wait_for_tick(&date);

	flags = hard_local_irq_save();
	meter.late_min = U64_MAX;
	WRITE_ONCE(meter.running, true);
	hard_local_irq_restore(flags);

	for (n = 0; n < rounds; n++) {
		stall_once();
		/* The odd length moves the stalls over the timer's phase. */
		usleep_range(3300, 3301);
	}

	flags = hard_local_irq_save();
	WRITE_ONCE(meter.running, false);
	hard_local_irq_restore(flags);

	tick.jiffies = wait_for_tick(&end) - start;
	tick.cycles = end - date;
	/* Out of this module's text before anybody may unload it. */
	kthread_complete_and_exit(&tick.done, 0);
}

static void print_result(void)
{
	u64 elapsed_ns = cycles_to_ns(tick.cycles);
	u64 expected = DIV_ROUND_CLOSEST_ULL(elapsed_ns * HZ, NSEC_PER_SEC);

	pr_info("kernel=%s rounds=%u stall_ms=%u hz=%u tsc_khz=%u fires=%llu missed=%llu\n",
		KERNEL_KIND, rounds, stall_ms, hz, tsc_khz, meter.fires,
		meter.missed);
	pr_info("late_ns_min=%llu late_ns_avg=%llu late_ns_max=%llu\n",
		cycles_to_ns(meter.late_min),
		cycles_to_ns(div64_u64(meter.late_sum, meter.fires ?: 1)),
		cycles_to_ns(meter.late_max));
	pr_info("cpus=%u jiffies=%lu jiffies_expected=%llu deferred=%lu played_back=%lu\n",
		num_online_cpus(), tick.jiffies, expected, tick.deferred,
		tick.played_back);
}

static int __init preempt_init(void)
{
	struct task_struct *task;
	int ret;

	if (!hz || hz > 10000 || !rounds || stall_ms > 1000 ||
	    !cpu_online(cpu))
		return -EINVAL;

	meter.period = div_u64((u64)tsc_khz * 1000, hz);
	init_completion(&tick.done);

	ret = start_timer();
	if (ret)
		return ret;

	task = kthread_create_on_cpu(stall_thread, NULL, cpu, "preempt/%u");
	if (IS_ERR(task)) {
		ret = PTR_ERR(task);
	} else {
		wake_up_process(task);
		wait_for_completion(&tick.done);
	}

	stop_timer();
	if (!ret)
		print_result();

	return ret;
}

static void __exit preempt_exit(void)
{
}

module_init(preempt_init);
module_exit(preempt_exit);
