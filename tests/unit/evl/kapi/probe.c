// SPDX-License-Identifier: GPL-2.0
/*
 * A core that does nothing but try kapi: tests/unit/evl/kapi/run lays it in place of the C++ one.
 *
 * It owns the tick of each CPU, has a 1 ms timer of its own beside that of Linux, moves kernel
 * threads from stage to stage while it passes a lock over the switches, sends IPIs, makes devices,
 * and answers the oob calls of probe-user.c. /sys/devices/virtual/probe/probe/results tells.
 */
#include "kapi/kapi.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#define PERIOD_NS	1000000LL
#define ROUNDS		2000
#define NEVER		S64_MAX

struct probe_rq {
	struct kapi_hard_spinlock lock;
	struct kapi_altsched root;
	struct kapi_altsched *curr;
	struct kapi_altsched *ready;
	s64 linux_date;
	s64 own_date;
	u64 shots;
	u64 notified;
	u64 early;
	int in_irq;
	int max_depth;
	u64 irqs;
	u64 ipis;
	bool resched;
};

/* A kernel thread that goes back and forth. */
struct probe_thread {
	struct kapi_altsched context;
	struct kapi_irq_work comeback;
	struct kapi_task *task;
	struct kapi_completion *done;
	unsigned int cpu;
	unsigned int rounds;
};

static struct probe_rq rqs[KAPI_NR_CPUS];
static struct kapi_lock_class rq_class = { .name = "probe_rq", .rank = 1 };
static struct kapi_cpumask cpus;
static atomic_t failures = ATOMIC_INIT(0);
static u64 fd_installs, fd_uninstalls, signals, exits, requests[3], works, irq_works, mm_exits;
static struct kapi_workqueue *queue;
static struct kapi_irq_work irq_work;
static struct kapi_work work;
static struct kapi_completion work_done;
static struct probe_thread threads[2];
static struct kapi_completion threads_done;
static struct kapi_class *probe_class;
static struct kapi_device *probe_device, *private_device;

#define EXPECT(cond)							\
	do {								\
		if (!(cond)) {						\
			atomic_inc(&failures);				\
			kapi_print_ratelimited(KAPI_ERROR, "probe:%d: %s", __LINE__, #cond); \
		}							\
	} while (0)

static struct probe_rq *this_rq(void)
{
	return &rqs[kapi_this_cpu()];
}

/* ---- Interrupts ---- */

void evl_on_irq_enter(void)
{
	struct probe_rq *rq = this_rq();

	EXPECT(kapi_running_oob() && kapi_hard_irqs_disabled());
	rq->irqs++;
	rq->max_depth = max(rq->max_depth, ++rq->in_irq);
}

/* One thread at a time; the root otherwise. The lock passes over the switch. */
static int switch_threads(void *unused)
{
	struct probe_rq *rq = this_rq();
	struct kapi_altsched *prev, *next;
	bool inband;

	EXPECT(kapi_running_oob() && kapi_hard_irqs_disabled());
	kapi_hard_spin_lock(&rq->lock);
	EXPECT(kapi_hard_spin_held(&rq->lock));
	rq->resched = false;
	prev = rq->curr;
	next = rq->ready ?: &rq->root;
	if (next == prev) {
		kapi_hard_spin_unlock(&rq->lock);
		return false;
	}
	rq->ready = NULL;
	rq->curr = next;

	inband = kapi_context_switch(prev, next, prev == &rq->root);
	if (!inband) {
		rq = this_rq();
		EXPECT(kapi_hard_spin_held(&rq->lock));
		kapi_hard_spin_unlock(&rq->lock);
	}

	return inband;
}

void evl_on_irq_exit(void)
{
	struct probe_rq *rq = this_rq();

	EXPECT(rq->in_irq > 0);
	if (!--rq->in_irq && rq->resched)
		kapi_run_oob_call(switch_threads, NULL);
}

void evl_on_resched_ipi(void)
{
	this_rq()->ipis++;
}

void evl_on_timer_ipi(void)
{
	this_rq()->ipis++;
}

static void program(struct probe_rq *rq)
{
	s64 date = min(rq->linux_date, rq->own_date);

	if (date == NEVER)
		kapi_tick_stop();
	else
		kapi_tick_program(date);
}

void evl_on_tick(void)
{
	struct probe_rq *rq = this_rq();
	s64 now = kapi_read_monotonic();

	rq->shots++;
	if (now < min(rq->linux_date, rq->own_date))
		rq->early++;
	if (now >= rq->own_date)
		rq->own_date += PERIOD_NS * (1 + (now - rq->own_date) / PERIOD_NS);
	if (now >= rq->linux_date) {
		rq->linux_date = NEVER;
		rq->notified++;
		kapi_tick_notify_proxy();
	}
	program(rq);
}

void evl_on_proxy_program(__s64 date_ns)
{
	struct probe_rq *rq = this_rq();

	EXPECT(kapi_hard_irqs_disabled());
	rq->linux_date = date_ns;
	program(rq);
}

void evl_on_proxy_stop(void)
{
	evl_on_proxy_program(NEVER);
}

void evl_on_clock_was_set(void)
{
}

void evl_on_cpu_online(unsigned int cpu, bool has_tick)
{
}

int evl_on_cpu_offline(unsigned int cpu)
{
	return 0;
}

/* ---- Requests: 1 adds up its arguments, 2 makes an oob-capable file, else EINVAL ---- */

static void probe_release(void *object, struct kapi_file *file)
{
	EXPECT(kapi_oob_data(file) == object);
}

static long probe_read(void *object, struct kapi_file *file, void *buf, size_t bytes)
{
	static const char text[] = "probe";

	if (bytes < sizeof(text))
		return -EINVAL;

	return kapi_copy_to_user(buf, text, sizeof(text)) ?: (long)sizeof(text);
}

static const struct kapi_file_ops probe_ops;

static int probe_open(void *device_object, struct kapi_file *file, void **object)
{
	EXPECT(*object == device_object);
	kapi_set_oob_data(file, *object);
	EXPECT(kapi_file_object(file, &probe_ops) == device_object);

	return 0;
}

static const struct kapi_file_ops probe_ops = {
	.open = probe_open,
	.release = probe_release,
	.read = probe_read,
};

static long make_file(void)
{
	struct kapi_file *file;
	int fd = kapi_anon_file("probe", &probe_ops, rqs, 02, &file);

	if (fd >= 0) {
		EXPECT(kapi_file_object(file, &probe_ops) == rqs);
		kapi_set_oob_data(file, rqs);
		kapi_fd_install(fd, file);
	}

	return fd;
}

enum kapi_verdict evl_on_oob_request(struct kapi_request *request, bool caller_oob)
{
	EXPECT(kapi_running_oob() && !kapi_hard_irqs_disabled() && !caller_oob);
	requests[0]++;

	return KAPI_PASS_DOWN;
}

enum kapi_verdict evl_on_inband_request(struct kapi_request *request)
{
	EXPECT(!kapi_running_oob());
	if (!request->is_oob_call) {
		requests[1]++;
		return KAPI_PASS_DOWN;
	}

	requests[2]++;
	request->has_result = true;
	request->result = -EINVAL;
	if (request->nr == 1)
		request->result = request->args[0] + request->args[1] + request->args[2];
	if (request->nr == 2)
		request->result = make_file();

	return KAPI_HANDLED;
}

void evl_on_trap_entry(const struct kapi_trap *trap) { }
void evl_on_trap_exit(const struct kapi_trap *trap) { }
void evl_on_mayday(void) { }
void evl_on_retuser(void) { }

/* ---- Tasks ---- */

void evl_on_resume_task(struct kapi_task *task)
{
	struct probe_thread *t = kapi_task_state(task)->thread;
	struct probe_rq *rq = this_rq();

	EXPECT(kapi_hard_irqs_disabled());
	EXPECT(t && t->cpu == kapi_this_cpu());
	kapi_hard_spin_lock(&rq->lock);
	rq->ready = &t->context;
	kapi_hard_spin_unlock(&rq->lock);
	kapi_run_oob_call(switch_threads, NULL);
}

static void wake(struct kapi_irq_work *w)
{
	EXPECT(!kapi_running_oob());
	kapi_wake_task(container_of(w, struct probe_thread, comeback)->task);
}

static void go_back_and_forth(void *arg)
{
	struct probe_thread *t = arg;
	struct probe_rq *rq;

	EXPECT(kapi_this_cpu() == t->cpu);
	t->task = kapi_current();
	kapi_irq_work_init(&t->comeback, wake);
	kapi_altsched_init(&t->context);
	kapi_current_state()->thread = t;
	EXPECT(!kapi_altsched_start());

	for (t->rounds = 0; t->rounds < ROUNDS; t->rounds++) {
		EXPECT(kapi_may_dispose());
		EXPECT(!kapi_leave_inband());
		rq = this_rq();
		EXPECT(kapi_hard_spin_held(&rq->lock));
		kapi_hard_spin_unlock(&rq->lock);
		kapi_oob_unstall();
		EXPECT(kapi_hard_irqs_disabled());
		kapi_hard_irq_enable();
		EXPECT(kapi_running_oob() && !kapi_may_dispose());
		EXPECT(kapi_capable(KAPI_CAP_SYS_ADMIN));

		/* Across a shot, which is due within one period; emulators take their time. */
		if (t->rounds % 64 == 0) {
			s64 until = kapi_read_monotonic() + 1000 * PERIOD_NS;
			u64 shots = rq->shots;

			while (READ_ONCE(rq->shots) == shots && kapi_read_monotonic() < until)
				cpu_relax();
			EXPECT(READ_ONCE(rq->shots) > shots);
			EXPECT(kapi_this_cpu() == t->cpu && kapi_running_oob());
		}

		kapi_hard_irq_disable();
		kapi_irq_work_queue(&t->comeback);
		kapi_leave_oob();
		EXPECT(kapi_run_oob_call(switch_threads, NULL));
		EXPECT(!kapi_running_oob());
		kapi_hard_irq_enable();
		kapi_resume_inband();
	}

	kapi_altsched_stop();
	kapi_current_state()->thread = NULL;
	kapi_complete(t->done);
	kapi_exit_current();
}

void evl_on_task_signal(struct kapi_task *task)
{
	signals++;
}

void evl_on_task_migration(struct kapi_task *task, unsigned int cpu) { }

void evl_on_task_exit(void)
{
	exits++;
}

void evl_on_mm_exit(struct kapi_mm_state *state)
{
	mm_exits++;
	EXPECT(!state->process);
}

void evl_on_ptrace_stop(void) { }
void evl_on_ptrace_continue(void) { }
void evl_on_ptrace_step(struct kapi_task *task) { }

void evl_on_fd_install(const struct kapi_files *files, unsigned int fd, struct kapi_file *file)
{
	fd_installs++;
}

void evl_on_fd_uninstall(const struct kapi_files *files, unsigned int fd, struct kapi_file *file)
{
	fd_uninstalls++;
}

/* ---- Boot ---- */

static void run_irq_work(struct kapi_irq_work *w)
{
	irq_works++;
	kapi_work_queue(queue, &work);
}

static void run_work(struct kapi_work *w)
{
	EXPECT(!kapi_may_dispose());
	works++;
	kapi_complete(&work_done);
}

static int escalated(void *arg)
{
	EXPECT(kapi_running_oob() && kapi_hard_irqs_disabled());
	EXPECT(kapi_irq_work_queue(&irq_work));

	return 42;
}

static long show_results(void *object, char *buf, size_t capacity)
{
	long n = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < num_online_cpus(); cpu++)
		n += kapi_format(buf + n, capacity - n,
				 "cpu%u shots %llu notified %llu early %llu irqs %llu depth %d ipis %llu\n",
				 cpu, rqs[cpu].shots, rqs[cpu].notified, rqs[cpu].early,
				 rqs[cpu].irqs, rqs[cpu].max_depth, rqs[cpu].ipis);
	n += kapi_format(buf + n, capacity - n,
			 "rounds %u %u requests %llu %llu %llu fds %llu %llu exits %llu mms %llu works %llu %llu\n",
			 threads[0].rounds, threads[1].rounds, requests[0], requests[1], requests[2],
			 fd_installs, fd_uninstalls, exits, mm_exits, irq_works, works);
	n += kapi_format(buf + n, capacity - n, "failures %d\n", atomic_read(&failures));

	return n;
}

static long store_poke(void *object, const char *text, size_t bytes)
{
	return text[bytes] == 0 && text[0] == 'x' ? (long)bytes : -EINVAL;
}

static const struct kapi_attribute attributes[] = {
	{ .name = "results", .mode = 0444, .show = show_results },
	{ .name = "poke", .mode = 0644, .show = show_results, .store = store_poke },
	{ }
};

static void try_memory(void)
{
	size_t bytes;
	char *p;

	for (bytes = 1; bytes <= 5000; bytes = bytes * 3 + 1) {
		p = kapi_alloc(bytes);
		EXPECT(p && !((unsigned long)p % KAPI_CACHE_LINE) && !p[0] && !p[bytes - 1]);
		kapi_free(p);
	}
	p = kapi_alloc_virtual(2 << 20);
	EXPECT(p);
	kapi_free_virtual(p);
	p = kapi_alloc_shared(3 * kapi_page_size());
	EXPECT(p && !((unsigned long)p % kapi_page_size()));
	kapi_free_shared(p, 3 * kapi_page_size());
}

static int make_devices(void)
{
	struct kapi_device_setup setup = {
		.name = "probe", .minor = 1, .ops = &probe_ops, .attributes = attributes,
		.object = rqs,
	};
	struct kapi_device *gone;
	struct kapi_class *tmp;
	int ret = kapi_class_create("probe", 4, &probe_class);

	if (ret)
		return ret;
	setup.cls = probe_class;
	ret = kapi_device_create(&setup, &probe_device);
	if (ret)
		return ret;
	EXPECT(kapi_may_access(probe_device));

	/* Comes and goes. */
	setup.name = "gone";
	setup.minor = 2;
	setup.owner = probe_device;
	EXPECT(!kapi_device_create(&setup, &gone));
	kapi_device_destroy(gone);
	EXPECT(!kapi_class_create("probe2", 1, &tmp));
	kapi_class_destroy(tmp);

	setup.name = "private";
	setup.ops = NULL;

	return kapi_device_create(&setup, &private_device);
}

int evl_on_boot(void)
{
	struct kapi_cpumask others, back;
	unsigned int cpu, n;
	char text[64];
	int ret;

	kapi_get_cpus(KAPI_CPUS_ONLINE, &cpus);
	EXPECT(!memcmp(&cpus, &kapi_get_config()->oob_cpus, sizeof(cpus)));
	EXPECT(kapi_print_cpus(&cpus, text, sizeof(text)) > 0);
	EXPECT(!kapi_parse_cpus(text, &back) && !memcmp(&back, &cpus, sizeof(cpus)));

	for (cpu = 0; cpu < KAPI_NR_CPUS; cpu++) {
		kapi_hard_spin_init(&rqs[cpu].lock, &rq_class);
		kapi_altsched_init_root(&rqs[cpu].root);
		rqs[cpu].curr = &rqs[cpu].root;
		rqs[cpu].linux_date = NEVER;
		rqs[cpu].own_date = kapi_read_monotonic() + 100 * PERIOD_NS;
	}
	try_memory();

	queue = kapi_workqueue_create("probe", 1);
	kapi_irq_work_init(&irq_work, run_irq_work);
	kapi_work_init(&work, run_work);
	kapi_completion_init(&work_done);
	kapi_completion_init(&threads_done);

	ret = kapi_oob_stage_enable();
	ret = ret ?: kapi_oob_ipis_request(&cpus);
	ret = ret ?: kapi_tick_install(&cpus);
	ret = ret ?: kapi_dovetail_start();
	ret = ret ?: make_devices();
	if (ret) {
		kapi_print(KAPI_ERROR, "probe: start: %d", ret);
		return ret;
	}
	EXPECT(kapi_tick_install(&cpus) == -EAGAIN);

	EXPECT(kapi_run_oob_call(escalated, NULL) == 42);
	kapi_wait_completion(&work_done);
	kapi_irq_work_sync(&irq_work);
	kapi_work_flush(&work);

	/* IPIs to the others, and to oneself. */
	for (n = 0; n < 10; n++) {
		unsigned long flags = kapi_hard_irq_save();

		others = cpus;
		kapi_send_resched_ipi(&others);
		kapi_send_timer_ipi(&others);
		kapi_hard_irq_restore(flags);
	}

	for (n = 0; n < 2 && n < num_online_cpus(); n++) {
		threads[n].cpu = n;
		threads[n].done = &threads_done;
		ret = kapi_run_kthread(go_back_and_forth, &threads[n], n, 50, "probe",
				       &threads[n].task);
		EXPECT(!ret);
	}
	for (n = 0; n < 2 && n < num_online_cpus(); n++) {
		kapi_wait_completion(&threads_done);
		kapi_put_task(threads[n].task);
	}

	kapi_trace(KAPI_EV_schedule, NULL, 1, 2);
	kapi_print(KAPI_INFO, "probe: %d failures", atomic_read(&failures));

	return 0;
}
