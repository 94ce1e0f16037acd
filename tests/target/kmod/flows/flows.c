// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt flows of a real line, out of QEMU's `edu` device, which raises an
 * interrupt when told to, by INTx or MSI.
 *
 * The device keeps a word of status bits: bits are raised by one register and
 * acknowledged by another, INTx stays asserted while any is set, MSI is sent
 * on each raise. The handler acknowledges what it sees. So nothing is lost as
 * long as every bit that is raised gets acknowledged by the handler; how many
 * handler calls that takes depends on the flow.
 *
 * Loading the module is the test, -EIO says that an item failed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_pipeline.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/timekeeping.h>

MODULE_DESCRIPTION("Interrupt flows of a PCI device");
MODULE_LICENSE("GPL");

static char *mode = "intx";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "intx or msi");

static unsigned int raises = 2000;
module_param(raises, uint, 0444);
MODULE_PARM_DESC(raises, "interrupts per item under load");

#define EDU_ID			0x00
#define EDU_IRQ_STATUS		0x24
#define EDU_IRQ_RAISE		0x60
#define EDU_IRQ_ACK		0x64

/* Slow hosts run this, too. */
#define PATIENCE_NS		(10ULL * NSEC_PER_SEC)

static struct {
	struct pci_dev *pdev;
	void __iomem *regs;
	unsigned int irq;
	bool msi;
	/* Written by the handler, whose calls are serialised. */
	unsigned long inband_hits, oob_hits, empty_hits;
	unsigned int cpu;
	u32 acked;
} edu;

static int failures;
static const char *item;

#define CHECK(cond)							\
	({								\
		bool __ok = !!(cond);					\
									\
		if (!__ok) {						\
			failures++;					\
			pr_err("%s %s: FAILED line %d: %s\n", mode,	\
			       item, __LINE__, #cond);			\
		}							\
		__ok;							\
	})

/* Spins, with the in-band stage stalled or not. */
#define wait_spin(cond)							\
	({								\
		u64 __start = ktime_get_mono_fast_ns();			\
		bool __met;						\
									\
		while (!(__met = (cond)) &&				\
		       ktime_get_mono_fast_ns() - __start < PATIENCE_NS) \
			cpu_relax();					\
		__met;							\
	})

static irqreturn_t edu_handler(int irq, void *dev_id)
{
	u32 status = readl(edu.regs + EDU_IRQ_STATUS);

	edu.cpu = raw_smp_processor_id();
	if (running_oob())
		edu.oob_hits++;
	else
		edu.inband_hits++;

	if (!status) {
		/* An MSI whose bit the previous call has seen already. */
		edu.empty_hits++;
		return edu.msi ? IRQ_HANDLED : IRQ_NONE;
	}

	writel(status, edu.regs + EDU_IRQ_ACK);
	/* Posted writes: the line has to be down before it is unmasked. */
	readl(edu.regs + EDU_IRQ_STATUS);
	WRITE_ONCE(edu.acked, edu.acked | status);

	return IRQ_HANDLED;
}

static void raise_bits(u32 bits)
{
	writel(bits, edu.regs + EDU_IRQ_RAISE);
	readl(edu.regs + EDU_ID);
}

static void reset_counters(const char *name)
{
	item = name;
	edu.inband_hits = 0;
	edu.oob_hits = 0;
	edu.empty_hits = 0;
	/* What a failed item left behind. */
	writel(~0U, edu.regs + EDU_IRQ_ACK);
	WRITE_ONCE(edu.acked, 0);
}

/* The next interrupt is what moves a line, the one behind it comes here. */
static void move_line_here(void)
{
	unsigned int n;

	irq_set_affinity(edu.irq, cpumask_of(raw_smp_processor_id()));
	for (n = 0; n < 10; n++) {
		WRITE_ONCE(edu.acked, 0);
		raise_bits(1);
		if (!CHECK(wait_spin(READ_ONCE(edu.acked) == 1)))
			return;
		if (edu.cpu == raw_smp_processor_id())
			return;
		/* A previous move has to be over: its vector is given back. */
		msleep(20);
	}
	CHECK(!"line does not move");
}

static void report_item(void)
{
	pr_info("%s %s: in-band %lu, out-of-band %lu, empty %lu\n", mode, item,
		edu.inband_hits, edu.oob_hits, edu.empty_hits);
}

static bool line_is_masked(void)
{
	return irqd_irq_masked(irq_get_irq_data(edu.irq));
}

static int get_irq(unsigned long flags)
{
	return request_irq(edu.irq, edu_handler, flags, "edu", &edu);
}

/* Rounds of a loop that fit in some time: few if the CPU is elsewhere. */
static unsigned long count_rounds(u64 length)
{
	u64 start = ktime_get_mono_fast_ns();
	unsigned long rounds = 0;

	while (ktime_get_mono_fast_ns() - start < length)
		rounds++;

	return rounds;
}

/*
 * The event waits until the stage is open again. A level has to be masked
 * meanwhile: were it not, this CPU would do nothing but take it.
 */
static void test_deferred(void)
{
	unsigned long calm, held;

	reset_counters("move");
	move_line_here();
	reset_counters("deferred");

	local_irq_disable();
	calm = count_rounds(10 * NSEC_PER_MSEC);
	raise_bits(1);
	held = count_rounds(10 * NSEC_PER_MSEC);
	CHECK(inband_irq_pending());
	CHECK(edu.inband_hits == 0);
	CHECK(edu.msi || line_is_masked());
	CHECK(held > calm / 20);
	local_irq_enable();

	CHECK(wait_spin(READ_ONCE(edu.acked) == 1));
	CHECK(edu.inband_hits == 1);
	CHECK(wait_spin(!line_is_masked()));
	report_item();
}

/* More of the same while one waits: collapsed or not, all bits are seen. */
static void test_rearrival(void)
{
	reset_counters("re-arrival");

	local_irq_disable();
	raise_bits(1);
	count_rounds(2 * NSEC_PER_MSEC);
	raise_bits(2);
	count_rounds(2 * NSEC_PER_MSEC);
	raise_bits(4);
	count_rounds(2 * NSEC_PER_MSEC);
	CHECK(edu.inband_hits == 0);
	local_irq_enable();

	CHECK(wait_spin(READ_ONCE(edu.acked) == 7));
	CHECK(edu.inband_hits >= 1 && edu.inband_hits <= 3);
	report_item();
}

/* One event, one stage. */
static void test_oob(void)
{
	reset_counters("out-of-band");

	CHECK(irq_is_oob(edu.irq));
	local_irq_disable();
	raise_bits(1);
	CHECK(wait_spin(READ_ONCE(edu.acked) == 1));
	raise_bits(2);
	CHECK(wait_spin(READ_ONCE(edu.acked) == 3));
	local_irq_enable();
	CHECK(edu.inband_hits == 0 && edu.oob_hits == 2);
	CHECK(!line_is_masked());
	report_item();
}

/*
 * Fires the line while somebody else meddles with it. Each raise has to be
 * acknowledged before the next one, wherever the line is at that time.
 */
static void fire_under(const char *name, int (*meddle)(void *unused))
{
	struct task_struct *task;
	unsigned int n;

	reset_counters(name);
	task = kthread_run(meddle, NULL, "flows_meddle");
	if (!CHECK(!IS_ERR(task)))
		return;

	for (n = 0; n < raises; n++) {
		WRITE_ONCE(edu.acked, 0);
		if (n & 1)
			local_irq_disable();
		raise_bits(n + 1);
		if (n & 1) {
			udelay(n % 50);
			local_irq_enable();
		}
		if (!wait_spin(READ_ONCE(edu.acked) == n + 1)) {
			CHECK(!"interrupt lost");
			break;
		}
		if (n % 16 == 0)
			usleep_range(20, 100);
	}

	kthread_stop(task);
	/* INTx: the number of calls is exact, as no one shares the line. */
	CHECK(edu.msi || n < raises ||
	      edu.inband_hits + edu.oob_hits == raises + edu.empty_hits);
	CHECK(wait_spin(!line_is_masked()));
	report_item();
}

static int meddle_not(void *unused)
{
	while (!kthread_should_stop())
		usleep_range(1000, 2000);

	return 0;
}

static int meddle_disable(void *unused)
{
	while (!kthread_should_stop()) {
		disable_irq(edu.irq);
		usleep_range(10, 200);
		enable_irq(edu.irq);
		usleep_range(10, 200);
	}

	return 0;
}

static int meddle_switch(void *unused)
{
	bool oob = false;

	while (!kthread_should_stop()) {
		oob = !oob;
		irq_switch_oob(edu.irq, oob);
		usleep_range(10, 200);
	}
	irq_switch_oob(edu.irq, false);

	return 0;
}

static int meddle_affinity(void *unused)
{
	unsigned int cpu = 0;

	while (!kthread_should_stop()) {
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		irq_set_affinity(edu.irq, cpumask_of(cpu));
		usleep_range(50, 500);
	}

	return 0;
}

static void run_inband(void)
{
	if (!CHECK(get_irq(IRQF_NO_THREAD) == 0))
		return;

	test_deferred();
	test_rearrival();
	fire_under("load", meddle_not);
	fire_under("disable", meddle_disable);
	fire_under("affinity", meddle_affinity);
	fire_under("switch", meddle_switch);

	free_irq(edu.irq, &edu);
}

static void run_oob(void)
{
	if (!CHECK(get_irq(IRQF_OOB) == 0))
		return;

	test_oob();
	fire_under("oob load", meddle_not);
	fire_under("oob disable", meddle_disable);
	fire_under("oob affinity", meddle_affinity);

	free_irq(edu.irq, &edu);
}

static long run_all(void *unused)
{
	item = "request";
	run_inband();
	run_oob();
	/* What was out-of-band is in-band again. */
	if (CHECK(get_irq(IRQF_NO_THREAD) == 0)) {
		test_deferred();
		free_irq(edu.irq, &edu);
	}

	return 0;
}

static int __init setup_edu(void)
{
	int ret;

	edu.msi = !strcmp(mode, "msi");
	if (!edu.msi && strcmp(mode, "intx"))
		return -EINVAL;

	edu.pdev = pci_get_device(0x1234, 0x11e8, NULL);
	if (!edu.pdev) {
		pr_err("no edu device: give QEMU `-device edu`\n");
		return -ENODEV;
	}

	ret = pci_enable_device(edu.pdev);
	if (ret)
		goto out_put;
	pci_set_master(edu.pdev);

	ret = -ENOMEM;
	edu.regs = pci_iomap(edu.pdev, 0, 0);
	if (!edu.regs)
		goto out_disable;

	ret = pci_alloc_irq_vectors(edu.pdev, 1, 1,
				    edu.msi ? PCI_IRQ_MSI : PCI_IRQ_INTX);
	if (ret < 0)
		goto out_unmap;
	edu.irq = pci_irq_vector(edu.pdev, 0);

	/* Leftovers of a previous load. */
	writel(~0U, edu.regs + EDU_IRQ_ACK);

	return 0;

out_unmap:
	pci_iounmap(edu.pdev, edu.regs);
out_disable:
	pci_disable_device(edu.pdev);
out_put:
	pci_dev_put(edu.pdev);

	return ret;
}

static void __init put_edu(void)
{
	pci_free_irq_vectors(edu.pdev);
	pci_iounmap(edu.pdev, edu.regs);
	pci_disable_device(edu.pdev);
	pci_dev_put(edu.pdev);
}

static int __init flows_init(void)
{
	int ret;

	ret = setup_edu();
	if (ret)
		return ret;

	ret = enable_oob_stage("flows");
	if (ret)
		goto out;

	/* Bound to a CPU, since stalls and affinities are about CPUs. */
	work_on_cpu(0, run_all, NULL);

	disable_oob_stage();
	ret = failures ? -EIO : 0;
	pr_info("%s irq %u: %s\n", mode, edu.irq, failures ? "FAILED" : "ok");
out:
	put_edu();

	return ret;
}

static void __exit flows_exit(void)
{
}

module_init(flows_init);
module_exit(flows_exit);
