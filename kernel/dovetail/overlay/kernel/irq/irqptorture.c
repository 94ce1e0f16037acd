// SPDX-License-Identifier: GPL-2.0
/*
 * Torture test of the interrupt pipeline: loading the module is the test.
 *
 * It takes the place of a companion core: installs an out-of-band stage, runs
 * what can be checked alone on each CPU, puts a tick proxy in front of the
 * timer of every CPU with a timer of its own multiplexed onto the device, then
 * loads all CPUs with events of all kinds from both stages while CPUs go down
 * and up. Nothing may get lost or be delivered twice: whatever is posted is
 * counted on both sides, and the sides have to agree.
 *
 * Loading fails with -EIO if any item failed, -EBUSY if there is a core
 * already. Everything is uninstalled before the load returns, either way.
 */
#define pr_fmt(fmt) "irq_pipeline-torture: " fmt

#include <linux/atomic.h>
#include <linux/clockchips.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_pipeline.h>
#include <linux/irq_work.h>
#include <linux/irqdomain.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/smpboot.h>
#include <linux/spinlock.h>
#include <linux/stop_machine.h>
#include <linux/tick.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <asm/local.h>
#include <asm-generic/cmpxchg-local.h>

MODULE_DESCRIPTION("Torture test of the interrupt pipeline");
MODULE_LICENSE("GPL");

static unsigned int seconds = 5;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "length of the load phase");

static unsigned int oob_hz = IS_ENABLED(CONFIG_PROVE_LOCKING) ? 1000 : 10000;
module_param(oob_hz, uint, 0444);
MODULE_PARM_DESC(oob_hz, "rate of the out-of-band timer of each CPU");

static bool hotplug = true;
module_param(hotplug, bool, 0444);
MODULE_PARM_DESC(hotplug, "take CPUs down and up during the load phase");

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "of the random lengths and choices");

static char *only = "";
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "items to run, separated by commas; empty: all");

static char *skip = "";
module_param(skip, charp, 0444);
MODULE_PARM_DESC(skip, "items to leave out, separated by commas");

/* A wait that takes this long is a failure. Slow hosts run this, too. */
#define PATIENCE_NS	(10ULL * NSEC_PER_SEC)

#define NR_ORDER_LINES	64

/* The order is that of the report. */
enum torture_id {
	T_STAGE, T_FLAGS, T_STALL, T_OOB_STALL, T_INJECT, T_ORDER, T_RANGE,
	T_REFUSE, T_FAULT, T_LINES, T_PRINTK,
	T_STOP_MACHINE, T_PROXY, T_IRQ_WORK, T_ESCALATION,
	T_TIMER, T_TICK, T_SIRQ, T_WORK, T_CALL, T_IPI, T_SMP_CALL, T_STALLS,
	T_HARDLOCK, T_ATOMICS, T_GENERIC, T_SWITCH, T_FREEZE, T_HOTPLUG,
	NR_ITEMS,
};

enum torture_phase {
	PHASE_ONCE,	/* stage installed, any CPU */
	PHASE_EACH,	/* the same, on each CPU in turn, bound to it */
	PHASE_PROXY,	/* proxies installed as well, on each CPU in turn */
	PHASE_LOAD,	/* run by the load threads, judged at the end */
};

struct torture_item {
	const char *name;
	enum torture_phase phase;
	void (*run)(void);
	bool on;
	atomic_t failed;
	char why[160];
};

static struct torture_item items[NR_ITEMS];

static bool enabled(enum torture_id id)
{
	return items[id].on;
}

/* The first failure of an item is the one to know. Any context. */
static __printf(2, 3) void fail(enum torture_id id, const char *fmt, ...)
{
	struct torture_item *item = &items[id];
	va_list args;

	if (atomic_cmpxchg(&item->failed, 0, 1))
		return;

	va_start(args, fmt);
	vscnprintf(item->why, sizeof(item->why), fmt, args);
	va_end(args);
}

#define CHECK(id, cond)							\
	({								\
		bool __ok = !!(cond);					\
									\
		if (!__ok)						\
			fail(id, "CPU%u line %d: %s",			\
			     raw_smp_processor_id(), __LINE__, #cond);	\
		__ok;							\
	})

/*
 * An event that its sender may not repeat before it was handled: posts and
 * hits must be equal in the end, and every hit must have been posted.
 */
struct handshake {
	int pending;
	unsigned long posts, hits, dups;
};

/* One operation each per increment of adds or oob_adds, see hammer(). */
struct torture_ops {
	unsigned long cpu_add, cpu_cmpxchg, generic_op, generic_add;
	unsigned long generic_cmpxchg, cmpxchg_local, generic_local;
	local_t local;
};

/**
 * struct torture_cpu - state of one CPU
 * @real:	timer, while the proxy is or was in place
 * @next_oob:	date of the next shot of our own timer
 * @next_inband: date of the in-band request, %U64_MAX if there is none
 *
 * Fields are written by the CPU itself, with hard irqs off where both stages
 * write them.
 */
struct torture_cpu {
	struct clock_event_device *real;
	u64 next_oob, next_inband, late_ns_max;
	unsigned long fires, missed, notified, requests;

	/* Checks that run alone. */
	unsigned long inband_hits, oob_hits;
	unsigned int order[NR_ORDER_LINES], nr_order;
	struct irq_work smoke_work;
	unsigned long smoke_works;
	void (*entry_fn)(void *arg);
	void *entry_arg;
	bool entry_done;

	/* Load. */
	struct rnd_state rnd;
	struct task_struct *thread;
	unsigned long rounds, adds, oob_adds;
	struct handshake inband, oob, flip;
	struct irq_work work;
	unsigned long works_queued, works_queued_oob, works_run;
	unsigned long calls, calls_run;
	unsigned long stalls;
	u64 stall_ns_max;
};

static DEFINE_PER_CPU(struct torture_cpu, torture_cpus);
static DEFINE_PER_CPU(struct torture_ops, torture_ops);

/* Per pair of CPUs: receiver, sender. */
struct torture_pair {
	unsigned long ipis_sent[2], ipis_hit[2];
	unsigned long calls_sent, calls_run;
};

static struct torture_pair *pairs;

static struct torture_pair *pair_of(unsigned int dst, unsigned int src)
{
	return &pairs[dst * nr_cpu_ids + src];
}

/* What all CPUs fight for. */
static DEFINE_HARD_SPINLOCK(shared_lock);
static unsigned long shared_locked;
static atomic_t shared_atomic = ATOMIC_INIT(0);
static atomic64_t shared_atomic64 = ATOMIC64_INIT(0);

/* Synthetic interrupts. */
static unsigned int inband_irq, oob_irq;
static unsigned int load_inband_irq, load_oob_irq, load_flip_irq;
static unsigned int order_irqs[NR_ORDER_LINES];

static bool load_running;	/* the threads have rounds to do */
static bool load_posting;	/* the timer handlers post events */

static u64 now_ns(void)
{
	return ktime_get_mono_fast_ns();
}

/* Spins until a condition holds. Any stage. */
#define wait_spin(cond)							\
	({								\
		u64 __start = now_ns();					\
		bool __met;						\
									\
		while (!(__met = (cond)) &&				\
		       now_ns() - __start < PATIENCE_NS)		\
			cpu_relax();					\
		__met;							\
	})

static void check_oob_stage(enum torture_id id)
{
	CHECK(id, running_oob());
	CHECK(id, hard_irqs_disabled());
	CHECK(id, oob_irqs_disabled());
	CHECK(id, !in_nmi());
	CHECK(id, !preemptible());
	CHECK(id, smp_processor_id() == raw_smp_processor_id());
}

static void check_oob_context(enum torture_id id, bool entry)
{
	check_oob_stage(id);
	CHECK(id, !!in_pipeline() == entry);
}

static void check_inband_handler(enum torture_id id)
{
	CHECK(id, running_inband());
	CHECK(id, !in_pipeline());
	CHECK(id, in_hardirq());
	CHECK(id, irqs_disabled());
	CHECK(id, !hard_irqs_disabled());
	CHECK(id, !oob_irqs_disabled());
}

/* Back where the test runs: in-band thread, nothing masked. */
static void check_thread_context(enum torture_id id)
{
	CHECK(id, running_inband());
	CHECK(id, !irqs_disabled());
	CHECK(id, !hard_irqs_disabled());
	CHECK(id, !oob_irqs_disabled());
	CHECK(id, preempt_count() == 0);
}

static void post_event(struct handshake *hs, unsigned int irq)
{
	if (xchg(&hs->pending, 1))
		return;

	hs->posts++;
	irq_inject_pipeline(irq);
}

static void take_event(struct handshake *hs)
{
	if (!READ_ONCE(hs->pending)) {
		hs->dups++;
		return;
	}

	hs->hits++;
	/* Pairs with xchg() in post_event(): hits before the next post. */
	smp_store_release(&hs->pending, 0);
}

/* Synthetic interrupts. In-band, may sleep. */
static unsigned int get_line(irq_handler_t handler, unsigned long flags,
			     const char *name)
{
	unsigned int irq = irq_create_direct_mapping(synthetic_irq_domain);

	if (!irq)
		return 0;

	if (__request_percpu_irq(irq, handler, flags, name, &torture_cpus)) {
		irq_dispose_mapping(irq);
		return 0;
	}

	return irq;
}

static void put_line(unsigned int *irq)
{
	if (!*irq)
		return;

	free_percpu_irq(*irq, &torture_cpus);
	irq_dispose_mapping(*irq);
	*irq = 0;
}

static irqreturn_t inband_handler(int irq, void *dev_id)
{
	struct torture_cpu *tc = dev_id;

	check_inband_handler(T_INJECT);
	tc->inband_hits++;

	return IRQ_HANDLED;
}

static irqreturn_t oob_handler(int irq, void *dev_id)
{
	struct torture_cpu *tc = dev_id;

	check_oob_context(T_INJECT, false);
	tc->oob_hits++;

	return IRQ_HANDLED;
}

static irqreturn_t order_handler(int irq, void *dev_id)
{
	struct torture_cpu *tc = dev_id;

	if (tc->nr_order < NR_ORDER_LINES)
		tc->order[tc->nr_order] = irq;
	tc->nr_order++;

	return IRQ_HANDLED;
}

static irqreturn_t load_inband_handler(int irq, void *dev_id)
{
	struct torture_cpu *tc = dev_id;

	check_inband_handler(T_SIRQ);
	take_event(&tc->inband);

	return IRQ_HANDLED;
}

static irqreturn_t load_oob_handler(int irq, void *dev_id)
{
	struct torture_cpu *tc = dev_id;

	/* Injected from an oob handler, it is played before the entry ends. */
	check_oob_stage(T_SIRQ);
	take_event(&tc->oob);

	return IRQ_HANDLED;
}

/* On whatever stage the line belongs to when the event is delivered. */
static irqreturn_t load_flip_handler(int irq, void *dev_id)
{
	struct torture_cpu *tc = dev_id;

	if (running_oob())
		check_oob_stage(T_SWITCH);
	else
		check_inband_handler(T_SWITCH);
	take_event(&tc->flip);

	return IRQ_HANDLED;
}

/*
 * Out-of-band IPIs. A sender has one in flight at most per receiver and IPI,
 * which is what the counters of the pair tell. Bound: one round per CPU.
 */
static void take_ipis(int nr)
{
	unsigned int src, cpu = smp_processor_id();
	struct torture_pair *pair;

	check_oob_context(T_IPI, true);

	for_each_possible_cpu(src) {
		pair = pair_of(cpu, src);
		if (READ_ONCE(pair->ipis_sent[nr]) != pair->ipis_hit[nr])
			WRITE_ONCE(pair->ipis_hit[nr], pair->ipis_hit[nr] + 1);
	}
}

static irqreturn_t resched_ipi_handler(int irq, void *dev_id)
{
	take_ipis(0);

	return IRQ_HANDLED;
}

static irqreturn_t timer_ipi_handler(int irq, void *dev_id)
{
	struct torture_cpu *tc = dev_id;

	take_ipis(1);

	if (tc->entry_fn) {
		tc->entry_fn(tc->entry_arg);
		tc->entry_fn = NULL;
		WRITE_ONCE(tc->entry_done, true);
	}

	return IRQ_HANDLED;
}

static const unsigned int ipis[] = { RESCHEDULE_OOB_IPI, TIMER_OOB_IPI };

/* Runs a function at pipeline entry on this CPU. In-band, bound to it. */
static bool call_on_entry(void (*fn)(void *arg), void *arg)
{
	struct torture_cpu *tc = raw_cpu_ptr(&torture_cpus);

	tc->entry_arg = arg;
	tc->entry_done = false;
	tc->entry_fn = fn;
	barrier();
	irq_send_oob_ipi(TIMER_OOB_IPI, cpumask_of(raw_smp_processor_id()));

	return wait_spin(READ_ONCE(tc->entry_done));
}

/*
 * Checks that run alone.
 */

static void test_stage(void)
{
	CHECK(T_STAGE, oob_stage_present());
	CHECK(T_STAGE, enable_oob_stage("second") == -EBUSY);
	CHECK(T_STAGE, irq_inject_pipeline(IRQ_PIPELINE_NR_IRQS) == -EINVAL);
	CHECK(T_STAGE, irq_inject_pipeline(UINT_MAX) == -EINVAL);
	CHECK(T_STAGE, irq_switch_oob(UINT_MAX, true) == -EINVAL);
	CHECK(T_STAGE, !irq_is_oob(UINT_MAX));
	CHECK(T_STAGE, irq_is_oob(oob_irq));
	CHECK(T_STAGE, !irq_is_oob(inband_irq));
}

/* The spare bit of a combined word is set when the CPU is masked. */
static void test_flags(void)
{
	unsigned long on = hard_local_save_flags(), off, word, virt;
	unsigned long hard;
	int stalled, masked, hard_off;

	hard = hard_local_irq_save();
	off = hard_local_save_flags();
	hard_local_irq_restore(hard);

	CHECK(T_FLAGS, !hard_irqs_disabled_flags(on));
	CHECK(T_FLAGS, hard_irqs_disabled_flags(off));

	for (stalled = 0; stalled < 2; stalled++) {
		for (masked = 0; masked < 2; masked++) {
			word = irqs_merge_flags(masked ? off : on, stalled);
			virt = irqs_split_flags(word, &hard_off);
			CHECK(T_FLAGS, hard_off == masked);
			CHECK(T_FLAGS, irqs_disabled_flags(virt) == stalled);
			CHECK(T_FLAGS, irqs_disabled_flags(word) == stalled);
			CHECK(T_FLAGS, virt ==
			      arch_irqs_virtual_to_native_flags(stalled));
		}
	}

	local_irq_save_full(word);
	CHECK(T_FLAGS, irqs_disabled() && hard_irqs_disabled());
	local_irq_restore_full(word);
	check_thread_context(T_FLAGS);

	local_irq_disable_full();
	CHECK(T_FLAGS, irqs_disabled() && hard_irqs_disabled());
	local_irq_enable_full();
	check_thread_context(T_FLAGS);
}

static void test_stall(void)
{
	struct torture_cpu *tc = raw_cpu_ptr(&torture_cpus);
	unsigned long outer, inner, hard, hits = tc->inband_hits;

	/* Nested sections: the outer restore delivers. */
	local_irq_save(outer);
	CHECK(T_STALL, irqs_disabled());
	CHECK(T_STALL, !hard_irqs_disabled());
	irq_inject_pipeline(inband_irq);
	local_irq_save(inner);
	CHECK(T_STALL, irqs_disabled_flags(inner));
	CHECK(T_STALL, !irqs_disabled_flags(outer));
	local_irq_restore(inner);
	CHECK(T_STALL, irqs_disabled());
	CHECK(T_STALL, tc->inband_hits == hits);
	CHECK(T_STALL, inband_irq_pending());
	local_irq_restore(outer);
	CHECK(T_STALL, tc->inband_hits == hits + 1);

	/* The two states are independent. */
	local_irq_disable();
	hard = hard_local_irq_save();
	CHECK(T_STALL, hard_irqs_disabled() && irqs_disabled());
	hard_local_irq_restore(hard);
	CHECK(T_STALL, !hard_irqs_disabled() && irqs_disabled());
	local_irq_enable();

	hard = hard_local_irq_save();
	CHECK(T_STALL, hard_irqs_disabled() && !irqs_disabled());
	hard_local_irq_restore(hard);

	/*
	 * Restoring stalls as well: some callers enable in between. The arch
	 * forms, since DEBUG_IRQFLAGS reports the generic ones for it.
	 */
	local_irq_disable();
	inner = arch_local_irq_save();
	arch_local_irq_enable();
	CHECK(T_STALL, !irqs_disabled());
	arch_local_irq_restore(inner);
	CHECK(T_STALL, irqs_disabled());
	local_irq_enable();

	check_thread_context(T_STALL);
}

static void test_oob_stall(void)
{
	struct torture_cpu *tc = raw_cpu_ptr(&torture_cpus);
	unsigned long stalled, inner, hits = tc->oob_hits;

	stalled = oob_irq_save();
	CHECK(T_OOB_STALL, !stalled);
	CHECK(T_OOB_STALL, hard_irqs_disabled() && oob_irqs_disabled());
	irq_inject_pipeline(oob_irq);
	irq_inject_pipeline(oob_irq);
	inner = oob_irq_save();
	CHECK(T_OOB_STALL, inner);
	oob_irq_restore(inner);
	CHECK(T_OOB_STALL, tc->oob_hits == hits);
	oob_irq_restore(stalled);
	CHECK(T_OOB_STALL, tc->oob_hits == hits + 1);

	check_thread_context(T_OOB_STALL);
}

struct inject_from_oob {
	struct torture_cpu *tc;
	unsigned long inband_hits, oob_hits;
};

static int inject_from_oob(void *arg)
{
	struct inject_from_oob *p = arg;

	check_oob_context(T_INJECT, false);

	/* In-band has to wait until we are done. */
	irq_inject_pipeline(inband_irq);
	irq_inject_pipeline(inband_irq);
	CHECK(T_INJECT, p->tc->inband_hits == p->inband_hits);

	/* The stage is stalled: so has an out-of-band handler. */
	irq_inject_pipeline(oob_irq);
	irq_inject_pipeline(oob_irq);
	CHECK(T_INJECT, p->tc->oob_hits == p->oob_hits);

	/* A core that opens the stage gets it at once. */
	oob_irq_enable();
	CHECK(T_INJECT, p->tc->oob_hits == p->oob_hits + 1);
	irq_inject_pipeline(oob_irq);
	CHECK(T_INJECT, p->tc->oob_hits == p->oob_hits + 2);
	CHECK(T_INJECT, running_oob());
	oob_irq_disable();
	CHECK(T_INJECT, p->tc->inband_hits == p->inband_hits);

	irq_post_oob(oob_irq);

	return 0;
}

/* All combinations of caller and handler, the latter's stage open or not. */
static void test_inject(void)
{
	struct torture_cpu *tc = raw_cpu_ptr(&torture_cpus);
	struct inject_from_oob p = {
		.tc = tc,
		.inband_hits = tc->inband_hits,
		.oob_hits = tc->oob_hits,
	};
	unsigned long flags;

	irq_inject_pipeline(inband_irq);
	CHECK(T_INJECT, tc->inband_hits == ++p.inband_hits);

	local_irq_save(flags);
	irq_inject_pipeline(inband_irq);
	irq_inject_pipeline(inband_irq);
	irq_inject_pipeline(inband_irq);
	CHECK(T_INJECT, tc->inband_hits == p.inband_hits);
	local_irq_restore(flags);
	CHECK(T_INJECT, tc->inband_hits == ++p.inband_hits);

	/* Masking the CPU holds in-band delivery off, too. */
	flags = hard_local_irq_save();
	irq_post_inband(inband_irq);
	CHECK(T_INJECT, tc->inband_hits == p.inband_hits);
	hard_local_irq_restore(flags);
	local_irq_disable();
	local_irq_enable();
	CHECK(T_INJECT, tc->inband_hits == ++p.inband_hits);

	irq_inject_pipeline(oob_irq);
	CHECK(T_INJECT, tc->oob_hits == ++p.oob_hits);
	local_irq_save(flags);
	irq_inject_pipeline(oob_irq);
	CHECK(T_INJECT, tc->oob_hits == ++p.oob_hits);
	CHECK(T_INJECT, running_inband() && irqs_disabled());
	local_irq_restore(flags);

	CHECK(T_INJECT, run_oob_call(inject_from_oob, &p) == 0);
	CHECK(T_INJECT, tc->oob_hits == p.oob_hits + 3);
	CHECK(T_INJECT, tc->inband_hits == p.inband_hits + 1);

	check_thread_context(T_INJECT);
}

static void test_order(void)
{
	struct torture_cpu *tc = raw_cpu_ptr(&torture_cpus);
	unsigned long flags;
	unsigned int n;

	tc->nr_order = 0;
	local_irq_save(flags);
	/* Odd stride: hits each one once, in no order. Then all again. */
	for (n = 0; n < 2 * NR_ORDER_LINES; n++)
		irq_inject_pipeline(order_irqs[(n * 37) % NR_ORDER_LINES]);
	CHECK(T_ORDER, tc->nr_order == 0);
	local_irq_restore(flags);

	CHECK(T_ORDER, tc->nr_order == NR_ORDER_LINES);
	for (n = 1; n < NR_ORDER_LINES; n++)
		CHECK(T_ORDER, tc->order[n - 1] < tc->order[n]);
	CHECK(T_ORDER, !inband_irq_pending());
}

/*
 * Lines of a controller that is not there: counts what the flow handlers ask
 * of it. Callbacks run under the descriptor lock.
 */
struct fake_line {
	unsigned int irq;
	bool masked;
	unsigned int acks, eois, masks;
	unsigned int inband_hits, oob_hits;
};

static void fake_ack(struct irq_data *data)
{
	struct fake_line *line = irq_data_get_irq_chip_data(data);

	line->acks++;
}

static void fake_mask(struct irq_data *data)
{
	struct fake_line *line = irq_data_get_irq_chip_data(data);

	line->masked = true;
	line->masks++;
}

static void fake_unmask(struct irq_data *data)
{
	struct fake_line *line = irq_data_get_irq_chip_data(data);

	line->masked = false;
}

static void fake_eoi(struct irq_data *data)
{
	struct fake_line *line = irq_data_get_irq_chip_data(data);

	line->eois++;
}

static struct irq_chip fake_chip = {
	.name		= "torture",
	.irq_ack	= fake_ack,
	.irq_mask	= fake_mask,
	.irq_unmask	= fake_unmask,
	.irq_eoi	= fake_eoi,
	.flags		= IRQCHIP_PIPELINE_SAFE | IRQCHIP_SKIP_SET_WAKE,
};

static irqreturn_t fake_handler(int irq, void *dev_id)
{
	struct fake_line *line = dev_id;

	if (running_oob()) {
		CHECK(T_LINES, hard_irqs_disabled());
		line->oob_hits++;
	} else {
		CHECK(T_LINES, in_hardirq() && irqs_disabled());
		CHECK(T_LINES, !hard_irqs_disabled());
		line->inband_hits++;
	}

	return IRQ_HANDLED;
}

/* @at: number to get, or -1 for the lowest one that is free. */
static bool get_fake_line(struct fake_line *line, int at, irq_flow_handler_t flow)
{
	int irq;

	*line = (struct fake_line){ };
	irq = at < 0 ? irq_alloc_desc_from(1, NUMA_NO_NODE) :
		irq_alloc_desc_at(at, NUMA_NO_NODE);
	if (irq < 0)
		return false;

	line->irq = irq;
	irq_set_chip_data(irq, line);
	irq_set_chip_and_handler(irq, &fake_chip, flow);

	return true;
}

static void put_fake_line(struct fake_line *line)
{
	irq_set_chip_and_handler(line->irq, NULL, NULL);
	irq_free_desc(line->irq);
}

static void test_range(void)
{
	int high = IRQ_PIPELINE_NR_IRQS - 2, n, at[] = { -1, high };
	struct fake_line line;
	unsigned long flags;

	CHECK(T_RANGE, irq_alloc_desc_at(IRQ_PIPELINE_NR_IRQS,
					 NUMA_NO_NODE) < 0);

	for (n = 0; n < ARRAY_SIZE(at); n++) {
		if (!CHECK(T_RANGE, get_fake_line(&line, at[n],
						  handle_simple_irq)))
			continue;
		if (CHECK(T_RANGE, !request_irq(line.irq, fake_handler,
						IRQF_NO_THREAD, "torture",
						&line))) {
			local_irq_save(flags);
			irq_inject_pipeline(line.irq);
			CHECK(T_RANGE, line.inband_hits == 0);
			local_irq_restore(flags);
			CHECK(T_RANGE, line.inband_hits == 1);

			irq_switch_oob(line.irq, true);
			irq_inject_pipeline(line.irq);
			CHECK(T_RANGE, line.oob_hits == 1);
			free_irq(line.irq, &line);
		}
		put_fake_line(&line);
	}
}

static void test_refuse(void)
{
	struct fake_line line, other;

	if (!CHECK(T_REFUSE, get_fake_line(&line, -1, handle_level_irq)))
		return;

	/* A line belongs to one stage, whoever comes first. */
	CHECK(T_REFUSE, !request_irq(line.irq, fake_handler,
				     IRQF_SHARED | IRQF_OOB, "torture", &line));
	CHECK(T_REFUSE, irq_is_oob(line.irq));
	CHECK(T_REFUSE, request_irq(line.irq, fake_handler,
				    IRQF_SHARED | IRQF_PROBE_SHARED,
				    "torture", &other) == -EBUSY);
	free_irq(line.irq, &line);
	CHECK(T_REFUSE, !irq_is_oob(line.irq));

	CHECK(T_REFUSE, !request_irq(line.irq, fake_handler,
				     IRQF_SHARED | IRQF_NO_THREAD, "torture",
				     &line));
	CHECK(T_REFUSE, request_irq(line.irq, fake_handler, IRQF_SHARED |
				    IRQF_OOB | IRQF_PROBE_SHARED, "torture",
				    &other) == -EBUSY);
	free_irq(line.irq, &line);

	/* No threads on the out-of-band stage. */
	CHECK(T_REFUSE, request_threaded_irq(line.irq, fake_handler,
					     fake_handler, IRQF_OOB,
					     "torture", &line) == -EINVAL);

	/* Turned unsafe behind genirq's back: irq_set_chip() would warn. */
	fake_chip.flags &= ~IRQCHIP_PIPELINE_SAFE;
	CHECK(T_REFUSE, request_irq(line.irq, fake_handler, IRQF_OOB,
				    "torture", &line) == -EINVAL);
	CHECK(T_REFUSE, !irq_is_oob(line.irq));
	CHECK(T_REFUSE, !request_irq(line.irq, fake_handler, IRQF_NO_THREAD,
				     "torture", &line));
	free_irq(line.irq, &line);
	fake_chip.flags |= IRQCHIP_PIPELINE_SAFE;

	put_fake_line(&line);

	/* Per-CPU lines take the timer flags and ours, nothing else. */
	CHECK(T_REFUSE, __request_percpu_irq(inband_irq, inband_handler,
					     IRQF_SHARED, "torture",
					     &torture_cpus) == -EINVAL);
}

/* A fault in a stalled section returns to a stalled section. */
static void test_fault(void)
{
	unsigned long flags, word;
	const void *hole = (void *)-PAGE_SIZE;

	CHECK(T_FAULT, copy_from_kernel_nofault(&word, hole, sizeof(word)));
	check_thread_context(T_FAULT);

	local_irq_save(flags);
	CHECK(T_FAULT, copy_from_kernel_nofault(&word, hole, sizeof(word)));
	CHECK(T_FAULT, irqs_disabled());
	CHECK(T_FAULT, !hard_irqs_disabled());
	local_irq_restore(flags);

	flags = hard_local_irq_save();
	CHECK(T_FAULT, copy_from_kernel_nofault(&word, hole, sizeof(word)));
	CHECK(T_FAULT, hard_irqs_disabled());
	hard_local_irq_restore(flags);

	check_thread_context(T_FAULT);
}

static void fire_line(void *arg)
{
	struct fake_line *line = arg;

	generic_handle_irq(line->irq);
}

/*
 * Both passes of a flow handler, as seen by the controller.
 *
 * @held: whether the line is masked while the event waits for in-band
 */
static void test_flow(irq_flow_handler_t flow, bool held, bool acked, bool eoi)
{
	struct fake_line line;
	unsigned long flags;

	if (!CHECK(T_LINES, get_fake_line(&line, -1, flow)))
		return;
	if (!CHECK(T_LINES, !request_irq(line.irq, fake_handler, IRQF_NO_THREAD,
					 "torture", &line)))
		goto out;

	/* Deferred, then delivered. */
	line.masks = 0;
	CHECK(T_LINES, !line.masked);
	local_irq_save(flags);
	CHECK(T_LINES, call_on_entry(fire_line, &line));
	CHECK(T_LINES, line.inband_hits == 0);
	CHECK(T_LINES, line.masked == held && line.masks == held);
	CHECK(T_LINES, line.acks == acked && line.eois == eoi);
	local_irq_restore(flags);
	CHECK(T_LINES, line.inband_hits == 1);
	CHECK(T_LINES, !line.masked && line.masks == held);
	CHECK(T_LINES, line.acks == acked && line.eois == eoi);

	/* An edge that is repeated while it waits collapses, but is acked. */
	if (!held) {
		local_irq_save(flags);
		CHECK(T_LINES, call_on_entry(fire_line, &line));
		CHECK(T_LINES, call_on_entry(fire_line, &line));
		local_irq_restore(flags);
		CHECK(T_LINES, line.inband_hits == 2);
		CHECK(T_LINES, line.acks == 3 * acked && line.eois == 3 * eoi);
		CHECK(T_LINES, !line.masked);
		line.inband_hits = 1;
	}

	/* Out-of-band: over when the first pass is. */
	line.acks = 0;
	line.eois = 0;
	CHECK(T_LINES, irq_switch_oob(line.irq, true) == 0);
	CHECK(T_LINES, irq_is_oob(line.irq));
	local_irq_save(flags);
	CHECK(T_LINES, call_on_entry(fire_line, &line));
	CHECK(T_LINES, line.oob_hits == 1);
	CHECK(T_LINES, !line.masked);
	CHECK(T_LINES, line.acks == acked && line.eois == eoi);
	local_irq_restore(flags);
	CHECK(T_LINES, line.inband_hits == 1);

	/* And back. */
	CHECK(T_LINES, irq_switch_oob(line.irq, false) == 0);
	CHECK(T_LINES, call_on_entry(fire_line, &line));
	CHECK(T_LINES, line.oob_hits == 1 && line.inband_hits == 2);
	CHECK(T_LINES, !line.masked);

	/* Disabled while an event waits: nothing runs, nothing gets lost. */
	local_irq_save(flags);
	CHECK(T_LINES, call_on_entry(fire_line, &line));
	disable_irq_nosync(line.irq);
	local_irq_restore(flags);
	CHECK(T_LINES, line.inband_hits == 2);
	enable_irq(line.irq);
	/* The resend comes by a tasklet. */
	CHECK(T_LINES, wait_spin(READ_ONCE(line.inband_hits) == 3));
	CHECK(T_LINES, !line.masked);

	free_irq(line.irq, &line);
out:
	put_fake_line(&line);
}

static void test_lines(void)
{
	test_flow(handle_level_irq, true, true, false);
	test_flow(handle_fasteoi_irq, true, false, true);
	test_flow(handle_edge_irq, false, true, false);
	test_flow(handle_simple_irq, false, false, false);
	check_thread_context(T_LINES);
}

static int print_from_oob(void *arg)
{
	int n;

	for (n = 0; n < 16; n++)
		pr_info("CPU%u: out-of-band line %d\n", smp_processor_id(), n);

	return 0;
}

static void test_printk(void)
{
	run_oob_call(print_from_oob, NULL);
	check_thread_context(T_PRINTK);
}

static int smoke_stop(void *arg)
{
	cpumask_t *seen = arg;

	CHECK(T_STOP_MACHINE, hard_irqs_disabled());
	CHECK(T_STOP_MACHINE, irqs_disabled());
	cpumask_set_cpu(smp_processor_id(), seen);

	return 0;
}

static void test_stop_machine(void)
{
	static cpumask_t seen;
	unsigned int cpu;

	cpumask_clear(&seen);
	pr_info("CPU%u initiates stop_machine()\n", raw_smp_processor_id());
	CHECK(T_STOP_MACHINE, !stop_machine(smoke_stop, &seen, cpu_online_mask));
	CHECK(T_STOP_MACHINE, cpumask_equal(&seen, cpu_online_mask));
	for_each_cpu(cpu, &seen)
		pr_info("CPU%u responds to stop_machine()\n", cpu);
}

static void smoke_work_handler(struct irq_work *work)
{
	struct torture_cpu *tc = container_of(work, struct torture_cpu,
					      smoke_work);

	check_inband_handler(T_IRQ_WORK);
	CHECK(T_IRQ_WORK, tc == this_cpu_ptr(&torture_cpus));
	pr_info("CPU%u: irq_work handled\n", smp_processor_id());
	tc->smoke_works++;
}

static int queue_from_oob(void *arg)
{
	struct torture_cpu *tc = arg;
	unsigned long works = tc->smoke_works;

	CHECK(T_IRQ_WORK, irq_work_queue(&tc->smoke_work));
	CHECK(T_IRQ_WORK, !irq_work_queue(&tc->smoke_work));
	CHECK(T_IRQ_WORK, tc->smoke_works == works);

	return 0;
}

static void test_irq_work(void)
{
	struct torture_cpu *tc = raw_cpu_ptr(&torture_cpus);
	unsigned int cpu = raw_smp_processor_id();
	unsigned long flags;

	tc->smoke_works = 0;
	init_irq_work(&tc->smoke_work, smoke_work_handler);

	irq_work_queue(&tc->smoke_work);
	if (CHECK(T_IRQ_WORK, tc->smoke_works == 1))
		pr_info("CPU%u: in-band->in-band irq_work trigger works\n", cpu);

	local_irq_save(flags);
	irq_work_queue(&tc->smoke_work);
	CHECK(T_IRQ_WORK, tc->smoke_works == 1);
	local_irq_restore(flags);
	CHECK(T_IRQ_WORK, tc->smoke_works == 2);

	run_oob_call(queue_from_oob, tc);
	if (CHECK(T_IRQ_WORK, tc->smoke_works == 3))
		pr_info("CPU%u: oob->in-band irq_work trigger works\n", cpu);

	local_irq_save(flags);
	run_oob_call(queue_from_oob, tc);
	CHECK(T_IRQ_WORK, tc->smoke_works == 3);
	local_irq_restore(flags);
	CHECK(T_IRQ_WORK, tc->smoke_works == 4);

	irq_work_sync(&tc->smoke_work);
	check_thread_context(T_IRQ_WORK);
}

/* Calls itself until the depth is reached, returns the sum of the depths. */
static int escalate(void *arg)
{
	int depth = *(int *)arg, next = depth - 1;

	check_oob_context(T_ESCALATION, false);
	if (next)
		depth += run_oob_call(escalate, &next);
	check_oob_context(T_ESCALATION, false);

	return depth;
}

static void test_escalation(void)
{
	unsigned long flags;
	int depth = 4;
	bool ok;

	ok = CHECK(T_ESCALATION, running_inband());
	ok &= CHECK(T_ESCALATION, run_oob_call(escalate, &depth) == 10);
	check_thread_context(T_ESCALATION);

	local_irq_save(flags);
	ok &= CHECK(T_ESCALATION, run_oob_call(escalate, &depth) == 10);
	ok &= CHECK(T_ESCALATION, irqs_disabled() && !hard_irqs_disabled());
	local_irq_restore(flags);

	flags = hard_local_irq_save();
	ok &= CHECK(T_ESCALATION, run_oob_call(escalate, &depth) == 10);
	ok &= CHECK(T_ESCALATION, hard_irqs_disabled() && !irqs_disabled());
	hard_local_irq_restore(flags);

	check_thread_context(T_ESCALATION);
	if (ok)
		pr_info("CPU%u: stage escalation request works\n",
			raw_smp_processor_id());
}

/*
 * Operations that both stages do on the same data. Each adds one, the sums
 * tell whether a stage ever tore the other's operation. The bound of the loops
 * is the rate of the other stage.
 */
static void hammer_atomics(void)
{
	unsigned long old, *p;

	atomic_inc(&shared_atomic);
	atomic64_inc(&shared_atomic64);

	this_cpu_inc(torture_ops.cpu_add);
	old = this_cpu_read(torture_ops.cpu_cmpxchg);
	while (!this_cpu_try_cmpxchg(torture_ops.cpu_cmpxchg, &old, old + 1))
		;
	local_inc(raw_cpu_ptr(&torture_ops.local));
	p = raw_cpu_ptr(&torture_ops.cmpxchg_local);
	do {
		old = READ_ONCE(*p);
	} while (cmpxchg_local(p, old, old + 1) != old);
}

/* What architectures without such instructions use. */
static void hammer_generic(void)
{
	unsigned long old, *p;

	this_cpu_generic_to_op(torture_ops.generic_op, 1, +=);
	this_cpu_generic_add_return(torture_ops.generic_add, 1);
	do {
		old = READ_ONCE(*raw_cpu_ptr(&torture_ops.generic_cmpxchg));
	} while (this_cpu_generic_cmpxchg(torture_ops.generic_cmpxchg, old,
					  old + 1) != old);
	p = raw_cpu_ptr(&torture_ops.generic_local);
	do {
		old = READ_ONCE(*p);
	} while (__generic_cmpxchg_local(p, old, old + 1, sizeof(*p)) != old);
}

static void hammer(void)
{
	unsigned long flags;

	if (enabled(T_HARDLOCK)) {
		raw_spin_lock_irqsave(&shared_lock, flags);
		shared_locked++;
		raw_spin_unlock_irqrestore(&shared_lock, flags);
	}

	if (enabled(T_ATOMICS))
		hammer_atomics();
	if (enabled(T_GENERIC))
		hammer_generic();
}

/*
 * The timer of a CPU: ours and the in-band request on one device.
 */

static u64 oob_period_ns(void)
{
	return NSEC_PER_SEC / oob_hz;
}

/* Hard irqs off. */
static void program_timer(struct torture_cpu *tc)
{
	struct clock_event_device *real = tc->real;
	s64 delta = min(tc->next_oob, tc->next_inband) - now_ns();

	delta = clamp_t(s64, delta, real->min_delta_ns, real->max_delta_ns);
	real->set_next_event(((u64)delta * real->mult) >> real->shift, real);
}

/* One event in so many, to each its own rhythm. */
static void post_from_timer(struct torture_cpu *tc)
{
	if (enabled(T_SIRQ) && tc->fires % 2 == 0)
		post_event(&tc->inband, load_inband_irq);
	if (enabled(T_SIRQ) && tc->fires % 3 == 0)
		post_event(&tc->oob, load_oob_irq);
	if (enabled(T_SWITCH) && tc->fires % 5 == 0)
		post_event(&tc->flip, load_flip_irq);
	if (enabled(T_WORK) && tc->fires % 7 == 0 &&
	    irq_work_queue(&tc->work))
		tc->works_queued_oob++;
}

static void handle_own_shot(struct torture_cpu *tc, u64 now)
{
	u64 late = now - tc->next_oob, period = oob_period_ns();
	u64 over = div64_u64(late, period);

	tc->missed += over;
	tc->next_oob += (over + 1) * period;
	tc->late_ns_max = max(tc->late_ns_max, late);
	WRITE_ONCE(tc->fires, tc->fires + 1);

	if (READ_ONCE(load_posting)) {
		tc->oob_adds++;
		hammer();
		post_from_timer(tc);
	}

	/* A host that is too slow for the rate must not starve in-band. */
	now = now_ns();
	if ((s64)(tc->next_oob - now) < (s64)period / 4)
		tc->next_oob = now + period / 4;
}

static void handle_timer(struct clock_event_device *real)
{
	struct torture_cpu *tc = this_cpu_ptr(&torture_cpus);
	u64 now = now_ns();

	check_oob_context(T_TIMER, true);
	CHECK(T_TIMER, real == tc->real);

	if (now >= tc->next_oob)
		handle_own_shot(tc, now);

	if (now >= tc->next_inband) {
		tc->next_inband = U64_MAX;
		tc->notified++;
		tick_notify_proxy();
	}

	program_timer(tc);
}

/* Operations of the proxy: in-band, stalled, hard irqs in any state. */
static void request_inband(u64 date)
{
	struct torture_cpu *tc = this_cpu_ptr(&torture_cpus);
	unsigned long flags = hard_local_irq_save();

	tc->next_inband = date;
	tc->requests++;
	program_timer(tc);
	hard_local_irq_restore(flags);
}

static int proxy_set_next_ktime(ktime_t expires,
				struct clock_event_device *proxy)
{
	request_inband(expires);

	return 0;
}

static int proxy_set_oneshot_stopped(struct clock_event_device *proxy)
{
	request_inband(U64_MAX);

	return 0;
}

/* In-band needs no more ticks, but we do, unless the proxy is on its way out. */
static int proxy_set_shutdown(struct clock_event_device *proxy)
{
	struct torture_cpu *tc = this_cpu_ptr(&torture_cpus);

	if (!clockevent_is_oob(tc->real))
		return tc->real->set_state_shutdown(tc->real);

	request_inband(U64_MAX);

	return 0;
}

static void setup_proxy(struct clock_proxy_device *dev)
{
	struct torture_cpu *tc = this_cpu_ptr(&torture_cpus);

	tc->real = dev->real_device;
	tc->next_inband = U64_MAX;
	tc->next_oob = now_ns() + oob_period_ns();

	dev->handle_oob_event = handle_timer;
	dev->proxy_device.features |= CLOCK_EVT_FEAT_KTIME;
	dev->proxy_device.set_next_ktime = proxy_set_next_ktime;
	dev->proxy_device.set_state_oneshot_stopped = proxy_set_oneshot_stopped;
	dev->proxy_device.set_state_shutdown = proxy_set_shutdown;
}

/* Whether the timer of a CPU is ours right now. */
static bool timer_is_oob(struct torture_cpu *tc)
{
	return tc->real && clockevent_is_oob(tc->real);
}

static void test_proxy(void)
{
	struct torture_cpu *tc = raw_cpu_ptr(&torture_cpus);
	unsigned long fires = READ_ONCE(tc->fires);
	struct clock_event_device *real = tc->real;
	unsigned long flags;
	bool fired;
	u64 mhz100;

	CHECK(T_PROXY, tick_install_proxy(setup_proxy, cpu_online_mask) ==
	      -EAGAIN);
	if (!CHECK(T_PROXY, timer_is_oob(tc)))
		return;

	/* The tick is not for in-band to mask. */
	local_irq_save(flags);
	fired = wait_spin(READ_ONCE(tc->fires) >= fires + 3);
	local_irq_restore(flags);
	CHECK(T_PROXY, fired);

	/* In-band timers of this CPU still work. */
	usleep_range(1000, 2000);
	CHECK(T_PROXY, tc->requests && tc->notified);

	mhz100 = ((u64)real->mult * (NSEC_PER_SEC / 10000)) >> real->shift;
	pr_info("CPU%u: proxy tick registered (%llu.%02lluMHz)\n",
		raw_smp_processor_id(), mhz100 / 100, mhz100 % 100);
}

/*
 * Load. A thread per CPU, which the hotplug code parks when it has to.
 */

static u32 below(struct torture_cpu *tc, u32 limit)
{
	return prandom_u32_state(&tc->rnd) % limit;
}

static void load_hammer(struct torture_cpu *tc)
{
	unsigned long flags;
	int n;

	for (n = 0; n < 200; n++) {
		hammer();
		tc->adds++;
	}

	local_irq_save(flags);
	for (n = 0; n < 50; n++) {
		hammer();
		tc->adds++;
	}
	local_irq_restore(flags);
}

/* Posts with the stage open or not, see what must have happened and when. */
static void load_sirq(struct torture_cpu *tc)
{
	unsigned long flags, hits;

	post_event(&tc->inband, load_inband_irq);
	CHECK(T_SIRQ, inband_irqs_disabled() ||
	      !READ_ONCE(tc->inband.pending) || running_inband());
	post_event(&tc->oob, load_oob_irq);

	local_irq_save(flags);
	hits = tc->inband.hits;
	post_event(&tc->inband, load_inband_irq);
	post_event(&tc->oob, load_oob_irq);
	CHECK(T_SIRQ, tc->inband.hits == hits);
	CHECK(T_SIRQ, READ_ONCE(tc->inband.pending));
	local_irq_restore(flags);
	CHECK(T_SIRQ, READ_ONCE(tc->inband.hits) > hits);
}

static void load_flip(struct torture_cpu *tc)
{
	unsigned long flags;

	post_event(&tc->flip, load_flip_irq);
	local_irq_save(flags);
	post_event(&tc->flip, load_flip_irq);
	local_irq_restore(flags);
}

static void work_handler(struct irq_work *work)
{
	struct torture_cpu *tc = container_of(work, struct torture_cpu, work);

	check_inband_handler(T_WORK);
	CHECK(T_WORK, tc == this_cpu_ptr(&torture_cpus));
	tc->works_run++;
}

static int queue_work_from_oob(void *arg)
{
	struct torture_cpu *tc = arg;

	if (irq_work_queue(&tc->work))
		tc->works_queued_oob++;

	return 0;
}

static void load_work(struct torture_cpu *tc)
{
	if (irq_work_queue(&tc->work))
		tc->works_queued++;
	run_oob_call(queue_work_from_oob, tc);
}

static int load_call_fn(void *arg)
{
	struct torture_cpu *tc = arg;
	int depth = 2;

	check_oob_context(T_CALL, false);
	tc->calls_run++;

	return run_oob_call(escalate, &depth);
}

static void load_call(struct torture_cpu *tc)
{
	unsigned long flags;

	tc->calls++;
	CHECK(T_CALL, run_oob_call(load_call_fn, tc) == 3);
	local_irq_save(flags);
	tc->calls++;
	CHECK(T_CALL, run_oob_call(load_call_fn, tc) == 3);
	local_irq_restore(flags);
}

/*
 * To all CPUs, oneself included, most of which sit in stalled sections. No
 * CPU goes away while preemption is disabled.
 */
static void load_ipi(struct torture_cpu *tc)
{
	unsigned int dst, src = raw_smp_processor_id(), nr = tc->rounds & 1;
	struct torture_pair *pair;
	unsigned long flags;
	bool hit;

	preempt_disable();
	local_irq_save(flags);
	for_each_online_cpu(dst) {
		pair = pair_of(dst, src);
		WRITE_ONCE(pair->ipis_sent[nr], pair->ipis_sent[nr] + 1);
		/* The receiver sees the mark when it sees the IPI. */
		smp_mb();
		irq_send_oob_ipi(ipis[nr], cpumask_of(dst));
		hit = wait_spin(READ_ONCE(pair->ipis_hit[nr]) ==
				pair->ipis_sent[nr]);
		if (!hit) {
			fail(T_IPI, "IPI %u from CPU%u to CPU%u got lost", nr,
			     src, dst);
			break;
		}
	}
	local_irq_restore(flags);
	preempt_enable();
}

static void smp_call_handler(void *arg)
{
	struct torture_pair *pair = arg;

	CHECK(T_SMP_CALL, running_inband() && irqs_disabled());
	pair->calls_run++;
}

static void load_smp_call(struct torture_cpu *tc)
{
	unsigned int dst, src;
	struct torture_pair *pair;

	preempt_disable();
	src = smp_processor_id();
	for_each_online_cpu(dst) {
		pair = pair_of(dst, src);
		pair->calls_sent++;
		CHECK(T_SMP_CALL, !smp_call_function_single(dst,
							    smp_call_handler,
							    pair, true));
	}
	preempt_enable();
}

/* In-band is deaf for a while, we are not. */
static void load_stall(struct torture_cpu *tc)
{
	unsigned long flags, fires, hits;
	u64 start, length = below(tc, 500) * NSEC_PER_USEC;

	local_irq_save(flags);
	start = now_ns();
	hits = tc->inband.hits + tc->works_run;
	fires = READ_ONCE(tc->fires);
	while (now_ns() - start < length)
		cpu_relax();
	if (below(tc, 8) == 0 && timer_is_oob(tc) &&
	    !wait_spin(READ_ONCE(tc->fires) > fires + 1 || !timer_is_oob(tc)))
		fail(T_STALLS, "CPU%u: no out-of-band tick while stalled",
		     raw_smp_processor_id());
	CHECK(T_STALLS, irqs_disabled() && !hard_irqs_disabled());
	CHECK(T_STALLS, tc->inband.hits + tc->works_run == hits);
	tc->stall_ns_max = max(tc->stall_ns_max, now_ns() - start);
	tc->stalls++;
	local_irq_restore(flags);
}

static const struct {
	enum torture_id id;
	void (*run)(struct torture_cpu *tc);
} loads[] = {
	{ T_HARDLOCK,	load_hammer },
	{ T_SIRQ,	load_sirq },
	{ T_SWITCH,	load_flip },
	{ T_WORK,	load_work },
	{ T_CALL,	load_call },
	{ T_IPI,	load_ipi },
	{ T_SMP_CALL,	load_smp_call },
	{ T_STALLS,	load_stall },
};

static int load_should_run(unsigned int cpu)
{
	return READ_ONCE(load_running);
}

static void load_round(unsigned int cpu)
{
	struct torture_cpu *tc = per_cpu_ptr(&torture_cpus, cpu);
	unsigned int n, first = below(tc, ARRAY_SIZE(loads)), k;

	for (n = 0; n < ARRAY_SIZE(loads); n++) {
		k = (first + n) % ARRAY_SIZE(loads);
		if (enabled(loads[k].id) ||
		    (loads[k].id == T_HARDLOCK &&
		     (enabled(T_ATOMICS) || enabled(T_GENERIC))))
			loads[k].run(tc);
	}

	tc->rounds++;
	/* Gives idle its turn, and in-band timers something to do. */
	usleep_range(50, 300);
}

static DEFINE_PER_CPU(struct task_struct *, load_tasks);

static struct smp_hotplug_thread load_threads = {
	.store			= &load_tasks,
	.thread_should_run	= load_should_run,
	.thread_fn		= load_round,
	.thread_comm		= "irqptorture/%u",
};

/* Events that concern all CPUs at once. */
static struct {
	unsigned long freezes, switches, cycles;
	unsigned long *fires;
} control;

static int freeze_fn(void *arg)
{
	u64 length = max_t(u64, 3 * oob_period_ns(), 300 * NSEC_PER_USEC);
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		control.fires[cpu] = READ_ONCE(per_cpu(torture_cpus.fires, cpu));

	/* The fast clock may stand still meanwhile, this does not. */
	udelay(div_u64(length, NSEC_PER_USEC));

	for_each_possible_cpu(cpu)
		if (READ_ONCE(per_cpu(torture_cpus.fires, cpu)) !=
		    control.fires[cpu])
			fail(T_FREEZE, "timer of CPU%u fired during stop_machine()",
			     cpu);

	return 0;
}

static int control_thread(void *unused)
{
	while (!kthread_should_stop()) {
		if (enabled(T_FREEZE)) {
			stop_machine(freeze_fn, NULL, NULL);
			control.freezes++;
		}
		if (enabled(T_SWITCH)) {
			bool oob = control.switches++ & 1;

			CHECK(T_SWITCH, !irq_switch_oob(load_flip_irq, oob));
			CHECK(T_SWITCH, irq_is_oob(load_flip_irq) == oob);
		}
		usleep_range(2000, 8000);
	}

	return 0;
}

static int hotplug_thread(void *unused)
{
	unsigned int cpu;
	int ret;

	while (!kthread_should_stop()) {
		for_each_possible_cpu(cpu) {
			if (!cpu || !cpu_online(cpu))
				continue;
			if (kthread_should_stop())
				break;
			ret = remove_cpu(cpu);
			if (ret) {
				fail(T_HOTPLUG, "CPU%u does not go down (%d)",
				     cpu, ret);
				continue;
			}
			msleep(20);
			ret = add_cpu(cpu);
			if (ret) {
				fail(T_HOTPLUG, "CPU%u does not come up (%d)",
				     cpu, ret);
				continue;
			}
			control.cycles++;
			msleep(50);
		}
		/* A single CPU, or none that would go. */
		msleep(20);
	}

	return 0;
}

static void stop_thread(struct task_struct *task)
{
	if (!IS_ERR_OR_NULL(task))
		kthread_stop(task);
}

static void nop_call(void *unused)
{
}

/* Lets what was posted be handled. All CPUs are online here. */
static void quiesce(void)
{
	unsigned int cpu;

	WRITE_ONCE(load_posting, false);
	on_each_cpu(nop_call, NULL, true);
	for_each_online_cpu(cpu)
		irq_work_sync(per_cpu_ptr(&torture_cpus.work, cpu));
	msleep(50);
	on_each_cpu(nop_call, NULL, true);
}

/* The timers have survived: on all CPUs, for both stages. */
static void check_timers_alive(void)
{
	struct torture_cpu *tc;
	unsigned long fires;
	unsigned int cpu;
	int n;

	for_each_online_cpu(cpu) {
		tc = per_cpu_ptr(&torture_cpus, cpu);
		if (!timer_is_oob(tc)) {
			fail(T_TIMER, "CPU%u has no proxy", cpu);
			continue;
		}
		fires = READ_ONCE(tc->fires);
		for (n = 0; n < 250 && READ_ONCE(tc->fires) < fires + 2; n++)
			msleep(20);
		if (READ_ONCE(tc->fires) < fires + 2)
			fail(T_TIMER, "timer of CPU%u is dead", cpu);
		if (!tc->notified)
			fail(T_TICK, "CPU%u had no in-band tick", cpu);
	}
}

/*
 * How far the clock is ahead of jiffies, in ns. Between two updates of
 * jiffies this grows by any delay of the CPU that makes them, and of
 * this one; a tick that is lost stays in it for good. So the least of
 * what is seen right after some updates tells lost ticks, and nothing
 * else.
 */
static s64 tick_phase(void)
{
	u64 end = ktime_get_ns() + 10 * NSEC_PER_SEC;
	s64 least = S64_MAX;
	unsigned int n;

	for (n = 0; n < 20; n++) {
		u64 last = get_jiffies_64();
		u64 now;

		while ((now = get_jiffies_64()) == last) {
			if (ktime_get_ns() > end) {
				fail(T_TICK, "jiffies stand still");
				return 0;
			}
			cond_resched();
		}
		least = min(least, (s64)(ktime_get_ns() - now * TICK_NSEC));
	}

	return least;
}

static void run_load(void)
{
	struct task_struct *controller = NULL, *plugger = NULL;
	unsigned int cpu;
	s64 phase, lost;

	for_each_possible_cpu(cpu) {
		struct torture_cpu *tc = per_cpu_ptr(&torture_cpus, cpu);

		prandom_seed_state(&tc->rnd, seed + cpu);
		init_irq_work(&tc->work, work_handler);
	}

	phase = tick_phase();
	load_running = true;
	load_posting = true;
	if (smpboot_register_percpu_thread(&load_threads)) {
		fail(T_TIMER, "cannot start the load threads");
		return;
	}
	controller = kthread_run(control_thread, NULL, "irqptorture_ctl");
	if (enabled(T_HOTPLUG) && num_possible_cpus() > 1)
		plugger = kthread_run(hotplug_thread, NULL, "irqptorture_hp");

	msleep(seconds * MSEC_PER_SEC);

	stop_thread(plugger);
	stop_thread(controller);
	WRITE_ONCE(load_running, false);
	smpboot_unregister_percpu_thread(&load_threads);
	quiesce();
	check_timers_alive();

	lost = tick_phase() - phase;
	/* Half a tick is left to delays that all of the samples had. */
	if (abs(lost) > TICK_NSEC / 2)
		fail(T_TICK, "jiffies are off by %lld ns", lost);
}

/*
 * Verdicts.
 */

static void judge_handshake(enum torture_id id, const char *what,
			    unsigned int cpu, const struct handshake *hs)
{
	if (hs->posts != hs->hits || hs->dups || hs->pending)
		fail(id, "CPU%u %s: %lu posted, %lu handled, %lu twice", cpu,
		     what, hs->posts, hs->hits, hs->dups);
}

static void judge_sum(enum torture_id id, const char *what, unsigned int cpu,
		      unsigned long found, unsigned long expected)
{
	if (found != expected)
		fail(id, "CPU%u %s: %lu instead of %lu", cpu, what, found,
		     expected);
}

static void judge_cpu(unsigned int cpu)
{
	struct torture_cpu *tc = per_cpu_ptr(&torture_cpus, cpu);
	struct torture_ops *ops = per_cpu_ptr(&torture_ops, cpu);
	unsigned long adds = tc->adds + tc->oob_adds;
	struct torture_pair *pair;
	unsigned int src;

	judge_handshake(T_SIRQ, "in-band", cpu, &tc->inband);
	judge_handshake(T_SIRQ, "out-of-band", cpu, &tc->oob);
	judge_handshake(T_SWITCH, "switched", cpu, &tc->flip);
	judge_sum(T_WORK, "works", cpu, tc->works_run,
		  tc->works_queued + tc->works_queued_oob);
	judge_sum(T_CALL, "calls", cpu, tc->calls_run, tc->calls);

	for_each_possible_cpu(src) {
		pair = pair_of(cpu, src);
		judge_sum(T_IPI, "IPIs", cpu, pair->ipis_hit[0],
			  pair->ipis_sent[0]);
		judge_sum(T_IPI, "IPIs", cpu, pair->ipis_hit[1],
			  pair->ipis_sent[1]);
		judge_sum(T_SMP_CALL, "calls", cpu, pair->calls_run,
			  pair->calls_sent);
	}

	if (enabled(T_ATOMICS)) {
		judge_sum(T_ATOMICS, "this_cpu_inc", cpu, ops->cpu_add, adds);
		judge_sum(T_ATOMICS, "this_cpu_cmpxchg", cpu, ops->cpu_cmpxchg,
			  adds);
		judge_sum(T_ATOMICS, "local_t", cpu, local_read(&ops->local),
			  adds);
		judge_sum(T_ATOMICS, "cmpxchg_local", cpu, ops->cmpxchg_local,
			  adds);
	}
	if (enabled(T_GENERIC)) {
		judge_sum(T_GENERIC, "to_op", cpu, ops->generic_op, adds);
		judge_sum(T_GENERIC, "add_return", cpu, ops->generic_add, adds);
		judge_sum(T_GENERIC, "cmpxchg", cpu, ops->generic_cmpxchg,
			  adds);
		judge_sum(T_GENERIC, "cmpxchg_local", cpu, ops->generic_local,
			  adds);
	}
}

static void judge_load(void)
{
	unsigned long adds = 0, rounds = 0;
	struct torture_cpu *tc;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		tc = per_cpu_ptr(&torture_cpus, cpu);
		adds += tc->adds + tc->oob_adds;
		rounds += tc->rounds;
		judge_cpu(cpu);
		pr_info("CPU%u: %lu rounds, timer %lu fires %lu missed late %llu us, tick %lu, sirq %lu+%lu+%lu, work %lu, ops %lu, stall %llu us\n",
			cpu, tc->rounds, tc->fires, tc->missed,
			tc->late_ns_max / NSEC_PER_USEC, tc->notified,
			tc->inband.hits, tc->oob.hits, tc->flip.hits,
			tc->works_run, tc->adds + tc->oob_adds,
			tc->stall_ns_max / NSEC_PER_USEC);
	}
	pr_info("%lu freezes, %lu switches, %lu CPU cycles\n",
		control.freezes, control.switches, control.cycles);

	if (enabled(T_HARDLOCK) && shared_locked != adds)
		fail(T_HARDLOCK, "%lu instead of %lu", shared_locked, adds);
	if (enabled(T_ATOMICS) &&
	    (atomic_read(&shared_atomic) != (int)adds ||
	     atomic64_read(&shared_atomic64) != adds))
		fail(T_ATOMICS, "shared: %d, %lld instead of %lu",
		     atomic_read(&shared_atomic),
		     atomic64_read(&shared_atomic64), adds);
	if (!rounds)
		fail(T_TIMER, "the load threads did not run");
	if (enabled(T_HOTPLUG) && num_possible_cpus() > 1 && !control.cycles)
		fail(T_HOTPLUG, "no CPU went down and up");
}

static int report(void)
{
	struct torture_item *item;
	int failed = 0;

	for (item = items; item < items + NR_ITEMS; item++) {
		if (!item->on)
			continue;
		if (atomic_read(&item->failed)) {
			pr_err("%s: FAILED %s\n", item->name, item->why);
			failed++;
		} else {
			pr_info("%s: ok\n", item->name);
		}
	}

	if (failed) {
		pr_err("IRQ pipeline tests FAILED: %d items\n", failed);
		return -EIO;
	}
	pr_info("IRQ pipeline tests OK.\n");

	return 0;
}

#define ITEM(_id, _name, _phase, _run)	\
	[_id] = { .name = _name, .phase = _phase, .run = _run }

static struct torture_item items[NR_ITEMS] = {
	ITEM(T_STAGE,		"stage",	PHASE_ONCE, test_stage),
	ITEM(T_FLAGS,		"flags",	PHASE_EACH, test_flags),
	ITEM(T_STALL,		"stall",	PHASE_EACH, test_stall),
	ITEM(T_OOB_STALL,	"oob_stall",	PHASE_EACH, test_oob_stall),
	ITEM(T_INJECT,		"inject",	PHASE_EACH, test_inject),
	ITEM(T_ORDER,		"order",	PHASE_EACH, test_order),
	ITEM(T_RANGE,		"range",	PHASE_ONCE, test_range),
	ITEM(T_REFUSE,		"refuse",	PHASE_ONCE, test_refuse),
	ITEM(T_FAULT,		"fault",	PHASE_EACH, test_fault),
	ITEM(T_LINES,		"lines",	PHASE_EACH, test_lines),
	ITEM(T_PRINTK,		"printk",	PHASE_EACH, test_printk),
	ITEM(T_STOP_MACHINE,	"stop_machine",	PHASE_ONCE, test_stop_machine),
	ITEM(T_PROXY,		"proxy",	PHASE_PROXY, test_proxy),
	ITEM(T_IRQ_WORK,	"irq_work",	PHASE_PROXY, test_irq_work),
	ITEM(T_ESCALATION,	"escalation",	PHASE_PROXY, test_escalation),
	ITEM(T_TIMER,		"timer",	PHASE_LOAD, NULL),
	ITEM(T_TICK,		"tick",		PHASE_LOAD, NULL),
	ITEM(T_SIRQ,		"sirq",		PHASE_LOAD, NULL),
	ITEM(T_WORK,		"work",		PHASE_LOAD, NULL),
	ITEM(T_CALL,		"call",		PHASE_LOAD, NULL),
	ITEM(T_IPI,		"ipi",		PHASE_LOAD, NULL),
	ITEM(T_SMP_CALL,	"smp_call",	PHASE_LOAD, NULL),
	ITEM(T_STALLS,		"stalls",	PHASE_LOAD, NULL),
	ITEM(T_HARDLOCK,	"hardlock",	PHASE_LOAD, NULL),
	ITEM(T_ATOMICS,		"atomics",	PHASE_LOAD, NULL),
	ITEM(T_GENERIC,		"generic",	PHASE_LOAD, NULL),
	ITEM(T_SWITCH,		"switch",	PHASE_LOAD, NULL),
	ITEM(T_FREEZE,		"freeze",	PHASE_LOAD, NULL),
	ITEM(T_HOTPLUG,		"hotplug",	PHASE_LOAD, NULL),
};

static bool listed(const char *list, const char *name)
{
	size_t length;

	for (; *list; list += length + !!list[length]) {
		length = strcspn(list, ",");
		if (length == strlen(name) && !strncmp(list, name, length))
			return true;
	}

	return false;
}

static void select_items(void)
{
	struct torture_item *item;

	for (item = items; item < items + NR_ITEMS; item++)
		item->on = (!*only || listed(only, item->name)) &&
			!listed(skip, item->name);

	if (!hotplug || num_possible_cpus() == 1)
		items[T_HOTPLUG].on = false;
}

static bool any_in_phase(enum torture_phase phase)
{
	struct torture_item *item;

	for (item = items; item < items + NR_ITEMS; item++)
		if (item->on && item->phase == phase)
			return true;

	return false;
}

static long run_on_this_cpu(void *arg)
{
	struct torture_item *item = arg;

	item->run();

	return 0;
}

static void run_phase(enum torture_phase phase)
{
	struct torture_item *item;
	unsigned int cpu;

	for (item = items; item < items + NR_ITEMS; item++) {
		if (!item->on || item->phase != phase)
			continue;
		if (phase == PHASE_ONCE) {
			work_on_cpu(raw_smp_processor_id(), run_on_this_cpu,
				    item);
			continue;
		}
		for_each_online_cpu(cpu)
			work_on_cpu(cpu, run_on_this_cpu, item);
	}
}

static void put_lines(void)
{
	int n;

	/* Moved by hand: nobody else knows when its handlers are through. */
	if (load_flip_irq)
		irq_switch_oob(load_flip_irq, false);
	synchronize_rcu();

	put_line(&inband_irq);
	put_line(&oob_irq);
	put_line(&load_inband_irq);
	put_line(&load_oob_irq);
	put_line(&load_flip_irq);
	for (n = 0; n < NR_ORDER_LINES; n++)
		put_line(&order_irqs[n]);
}

static bool get_lines(void)
{
	int n;

	inband_irq = get_line(inband_handler, 0, "torture in-band");
	oob_irq = get_line(oob_handler, IRQF_OOB, "torture oob");
	load_inband_irq = get_line(load_inband_handler, 0, "torture in-band");
	load_oob_irq = get_line(load_oob_handler, IRQF_OOB, "torture oob");
	load_flip_irq = get_line(load_flip_handler, 0, "torture switch");
	if (!inband_irq || !oob_irq || !load_inband_irq || !load_oob_irq ||
	    !load_flip_irq)
		return false;

	for (n = 0; n < NR_ORDER_LINES; n++) {
		order_irqs[n] = get_line(order_handler, 0, "torture order");
		if (!order_irqs[n])
			return false;
	}

	return true;
}

/* The stage is installed. Return: 0, or why nothing could be tested. */
static int run_all(void)
{
	int ret;

	if (!get_lines()) {
		ret = -ENOMEM;
		goto out_lines;
	}

	ret = __request_percpu_irq(ipis[0], resched_ipi_handler, IRQF_OOB,
				   "torture IPI", &torture_cpus);
	if (ret)
		goto out_lines;
	ret = __request_percpu_irq(ipis[1], timer_ipi_handler, IRQF_OOB,
				   "torture IPI", &torture_cpus);
	if (ret)
		goto out_ipi;

	run_phase(PHASE_ONCE);
	run_phase(PHASE_EACH);

	if (!any_in_phase(PHASE_PROXY) && !any_in_phase(PHASE_LOAD))
		goto out;

	ret = tick_install_proxy(setup_proxy, cpu_online_mask);
	if (ret) {
		pr_err("cannot install the tick proxy (%d)\n", ret);
		goto out;
	}

	run_phase(PHASE_PROXY);
	if (any_in_phase(PHASE_LOAD)) {
		run_load();
		judge_load();
	}

	tick_uninstall_proxy(cpu_possible_mask);
out:
	free_percpu_irq(ipis[1], &torture_cpus);
out_ipi:
	free_percpu_irq(ipis[0], &torture_cpus);
out_lines:
	put_lines();

	return ret;
}

static int __init irqptorture_init(void)
{
	int ret;

	if (!oob_hz || oob_hz > 100000)
		return -EINVAL;

	pairs = kcalloc(nr_cpu_ids * nr_cpu_ids, sizeof(*pairs), GFP_KERNEL);
	control.fires = kcalloc(nr_cpu_ids, sizeof(*control.fires), GFP_KERNEL);
	if (!pairs || !control.fires) {
		ret = -ENOMEM;
		goto out;
	}

	pr_info("Starting IRQ pipeline tests...\n");
	select_items();

	ret = enable_oob_stage("torture");
	if (ret) {
		pr_err("cannot install the stage (%d): is there a core?\n",
		       ret);
		goto out;
	}

	ret = run_all();
	disable_oob_stage();
	if (!ret)
		ret = report();
out:
	kfree(control.fires);
	kfree(pairs);

	return ret;
}

static void __exit irqptorture_exit(void)
{
}

module_init(irqptorture_init);
module_exit(irqptorture_exit);
