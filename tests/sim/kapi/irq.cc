// SPDX-License-Identifier: MIT
//
// kapi of the simulator: CPUs, hard interrupts, stages, hard spinlocks, clocks and ticks. Thin: the
// rules are in Machine and Linux.

#include <cstring>

#include "linux/dovetail.h"
#include "linux/hotplug.h"
#include "linux/linux.h"

namespace {

using sim::lx;

sim::Machine& mc() {
  return sim::Machine::current();
}
bool idle_world() {
  return !sim::Machine::exists();
}  // Static objects are built before any run.

sim::SpinLock& inside(const kapi_hard_spinlock* lock) {
  return sim::inside<sim::SpinLock>(const_cast<kapi_hard_spinlock*>(lock));
}

void for_each_cpu(const kapi_cpumask* cpus, void (*visit)(unsigned cpu)) {
  for (unsigned i = 0; i < mc().cpus(); ++i)
    if ((cpus->words[0] >> i) & 1U) {
      if (sim::is_down(i)) mc().fail("an IPI to CPU %u, which is down", i);
      visit(i);
    }
}

}  // namespace

extern "C" {

void sim_shared_access(const volatile void* word, bool write) {
  if (idle_world()) return;
  mc().point({.what = write ? "writes" : "reads",
              .object = const_cast<const void*>(word),
              .access = write ? sim::Access::write : sim::Access::read});
  if (write) mc().changed();
}

// ---- CPUs

unsigned int kapi_this_cpu(void) {
  return mc().cpu().number;
}

void kapi_get_cpus(enum kapi_cpu_set set, struct kapi_cpumask* cpus) {
  cpus->words[0] = set == KAPI_CPUS_ISOLATED ? 0 : (1ULL << mc().cpus()) - 1;
}

// The CPUs of the simulator are there from the beginning. The core accepts that the caller runs on
// one of them only: none of its threads does anything before, or after.
int kapi_cpus_watch(void) {
  lx().may_sleep("kapi_cpus_watch");
  for (unsigned cpu = 0; cpu < mc().cpus(); ++cpu) evl_on_cpu_online(cpu, lx().tick_installed());
  return 0;
}
void kapi_cpus_unwatch(void) {
  lx().may_sleep("kapi_cpus_unwatch");
  for (unsigned cpu = 0; cpu < mc().cpus(); ++cpu)
    if (evl_on_cpu_offline(cpu) != 0) mc().fail("CPU %u cannot go, though nothing runs", cpu);
}

void kapi_cpus_hold(void) {
  sim::hold_cpus();
}
void kapi_cpus_release(void) {
  sim::release_cpus();
}

const struct kapi_config* kapi_get_config(void) {
  return &lx().config().core;
}

// ---- Hard interrupts and stages

unsigned long kapi_hard_irq_save(void) {
  if (idle_world()) return 0;
  const unsigned long were_on = mc().cpu().irqs_off ? 0 : 1;
  mc().irqs_disable();
  return were_on;
}
void kapi_hard_irq_restore(unsigned long flags) {
  if (!idle_world() && flags != 0) mc().irqs_enable();
}
void kapi_hard_irq_disable(void) {
  mc().irqs_disable();
}
void kapi_hard_irq_enable(void) {
  mc().irqs_enable();
}
bool kapi_hard_irqs_disabled(void) {
  return idle_world() || mc().quiet() || mc().cpu().irqs_off;
}
bool kapi_running_oob(void) {
  return !idle_world() && mc().cpu().oob;
}

void kapi_oob_unstall(void) {
  if (!mc().cpu().irqs_off) mc().fail("kapi_oob_unstall() with hard interrupts on");
  mc().cpu().oob_stalled = false;
}
int kapi_run_oob_call(int (*fn)(void* arg), void* arg) {
  return lx().run_oob_call(fn, arg);
}

int kapi_oob_stage_enable(void) {
  return 0;
}
void kapi_oob_stage_disable(void) {}
int kapi_oob_ipis_request(const struct kapi_cpumask* /*cpus*/) {
  lx().may_sleep("kapi_oob_ipis_request");
  return 0;
}
void kapi_oob_ipis_free(void) {
  lx().may_sleep("kapi_oob_ipis_free");
}

void kapi_send_resched_ipi(const struct kapi_cpumask* cpus) {
  if (!mc().cpu().irqs_off) mc().fail("kapi_send_resched_ipi() with hard interrupts on");
  for_each_cpu(cpus, [](unsigned cpu) { mc().raise(cpu, sim::kResched); });
}
void kapi_send_timer_ipi(const struct kapi_cpumask* cpus) {
  if (!mc().cpu().irqs_off) mc().fail("kapi_send_timer_ipi() with hard interrupts on");
  for_each_cpu(cpus, [](unsigned cpu) { mc().raise(cpu, sim::kTimerIpi); });
}

void kapi_irq_work_init(struct kapi_irq_work* work, void (*handler)(struct kapi_irq_work* work)) {
  new (work) sim::IrqWork{.handler = handler};
}
bool kapi_irq_work_queue(struct kapi_irq_work* work) {
  return lx().queue_irq_work(work);
}
void kapi_irq_work_sync(struct kapi_irq_work* work) {
  lx().sync_irq_work(work);
}

// ---- Locks

void kapi_hard_spin_init(struct kapi_hard_spinlock* lock, struct kapi_lock_class* lock_class) {
  new (lock) sim::SpinLock{.rank = static_cast<std::uint8_t>(lock_class->rank + 1),
                           .name = lock_class->name};
}
void kapi_hard_spin_lock(struct kapi_hard_spinlock* lock) {
  mc().lock(inside(lock));
}
void kapi_hard_spin_lock_nested(struct kapi_hard_spinlock* lock) {
  mc().lock(inside(lock), sim::Nesting::same_rank);
}
bool kapi_hard_spin_trylock(struct kapi_hard_spinlock* lock) {
  return mc().try_lock(inside(lock));
}
void kapi_hard_spin_unlock(struct kapi_hard_spinlock* lock) {
  mc().unlock(inside(lock));
}
bool kapi_hard_spin_held(const struct kapi_hard_spinlock* lock) {
  return mc().quiet() || inside(lock).owner == mc().cpu().number + 1;
}

// ---- Clocks

__s64 kapi_read_monotonic(void) {
  return static_cast<__s64>(mc().read_clock());
}
__s64 kapi_read_realtime(void) {
  return static_cast<__s64>(mc().read_clock()) + lx().realtime_offset_ns();
}
__s64 kapi_clock_resolution(void) {
  return 1;
}

int kapi_tick_install(const struct kapi_cpumask* /*cpus*/) {
  return lx().install_tick();
}
void kapi_tick_uninstall(const struct kapi_cpumask* /*cpus*/) {
  lx().uninstall_tick();
}
void kapi_tick_program(__s64 date_ns) {
  if (!mc().cpu().irqs_off) mc().fail("kapi_tick_program() with hard interrupts on");
  mc().program_tick(mc().cpu().number, date_ns < 0 ? 0 : static_cast<std::uint64_t>(date_ns));
}
void kapi_tick_stop(void) {
  if (!mc().cpu().irqs_off) mc().fail("kapi_tick_stop() with hard interrupts on");
  mc().program_tick(mc().cpu().number, sim::kNever);
}
void kapi_tick_notify_proxy(void) {
  if (!mc().cpu().irqs_off) mc().fail("kapi_tick_notify_proxy() with hard interrupts on");
  mc().raise_inband(mc().cpu().number, sim::kProxyTick);
}

}  // extern "C"
