// SPDX-License-Identifier: MIT

#include "linux_test/tiny_core.h"

#include <array>
#include <cerrno>

namespace sim::tiny {
namespace {

struct Thread {
  kapi_altsched context{};
  kapi_irq_work wake_work{};  // Continues it in-band.
  kapi_task* task{nullptr};
  unsigned cpu{0};
  bool ready{false};
  bool waits{false};
  bool kicked{false};
  bool root{false};
};

struct Rq {
  kapi_hard_spinlock lock{};
  Thread root{};
  Thread* current{nullptr};
  bool resched{false};
};

constexpr unsigned kThreads = 8;

struct State {
  std::array<Thread, kThreads> threads{};
  std::array<Rq, KAPI_NR_CPUS> rqs{};
  kapi_hard_spinlock sem_lock{};
  unsigned count{0};
  unsigned used{0};
  unsigned switches{0};
  Mistake mistake{Mistake::none};
};
State core;
kapi_lock_class sem_class{{}, "semaphore lock", 1};
kapi_lock_class rq_class{{}, "run queue lock", 2};

Rq& this_rq() {
  return core.rqs[kapi_this_cpu()];
}
Thread& self() {
  return *static_cast<Thread*>(kapi_current_state()->thread);
}

// Threads in the order of the array: bounded by kThreads.
Thread& pick(const Rq& rq) {
  for (Thread& thread : core.threads)
    if (thread.ready && &core.rqs[thread.cpu] == &rq) return thread;
  return const_cast<Rq&>(rq).root;
}

// Oob, hard irqs off. 1: the caller has arrived in-band.
int switch_threads(void*) {
  Rq& rq = this_rq();
  kapi_hard_spin_lock(&rq.lock);
  rq.resched = false;
  Thread& next = pick(rq);
  Thread& previous = *rq.current;
  if (&next == &previous) {
    kapi_hard_spin_unlock(&rq.lock);
    return 0;
  }
  rq.current = &next;
  ++core.switches;
  if (kapi_context_switch(&previous.context, &next.context, previous.root)) return 1;
  kapi_hard_spin_unlock(&this_rq().lock);
  return 0;
}

// Any stage, irqs off.
int reschedule() {
  return kapi_running_oob() ? switch_threads(nullptr) : kapi_run_oob_call(&switch_threads, nullptr);
}

void make_ready(Thread& thread) {
  Rq& rq = core.rqs[thread.cpu];
  kapi_hard_spin_lock(&rq.lock);
  thread.ready = true;
  rq.resched = true;
  kapi_hard_spin_unlock(&rq.lock);
  if (thread.cpu == kapi_this_cpu() || core.mistake == Mistake::no_ipi) return;
  const kapi_cpumask other{{1ULL << thread.cpu}};
  kapi_send_resched_ipi(&other);
}

void leave_rq(Thread& thread) {
  Rq& rq = this_rq();
  kapi_hard_spin_lock(&rq.lock);
  thread.ready = false;
  kapi_hard_spin_unlock(&rq.lock);
}

void go_oob() {
  if (kapi_leave_inband() != 0) return;
  kapi_hard_spin_unlock(&this_rq().lock);  // Taken by whoever switched to us.
  kapi_oob_unstall();
  kapi_hard_irq_enable();
}

void go_inband() {
  Thread& thread = self();
  kapi_hard_irq_disable();
  leave_rq(thread);
  kapi_irq_work_queue(&thread.wake_work);
  kapi_leave_oob();
  if (reschedule() != 1) Machine::current().fail("a thread that left oob came back oob");
  kapi_hard_irq_enable();
  kapi_resume_inband();
}

long wait() {
  Thread& thread = self();
  long result = 0;
  kapi_hard_irq_disable();
  kapi_hard_spin_lock(&core.sem_lock);
  while (core.count == 0 && !thread.kicked) {
    if (core.mistake == Mistake::wake_before_state) {
      kapi_hard_spin_unlock(&core.sem_lock);
      kapi_hard_spin_lock(&core.sem_lock);
    }
    thread.waits = true;
    if (core.mistake == Mistake::state_after_unlock) kapi_hard_spin_unlock(&core.sem_lock);
    leave_rq(thread);
    if (core.mistake != Mistake::state_after_unlock) kapi_hard_spin_unlock(&core.sem_lock);
    reschedule();
    kapi_hard_spin_lock(&core.sem_lock);
  }
  thread.waits = false;
  if (thread.kicked)
    result = -EINTR;
  else
    --core.count;
  kapi_hard_spin_unlock(&core.sem_lock);
  kapi_hard_irq_enable();
  return result;
}

void post() {
  const unsigned long flags = kapi_hard_irq_save();
  kapi_hard_spin_lock(&core.sem_lock);
  ++core.count;
  for (Thread& thread : core.threads) {
    if (!thread.waits) continue;
    thread.waits = false;
    make_ready(thread);
    break;
  }
  kapi_hard_spin_unlock(&core.sem_lock);
  if (this_rq().resched) reschedule();
  kapi_hard_irq_restore(flags);
}

void wake_inband(kapi_irq_work* work) {
  for (Thread& thread : core.threads)
    if (&thread.wake_work == work) kapi_wake_task(thread.task);
}

}  // namespace

void reset(Mistake mistake) {
  core = State{};
  core.mistake = mistake;
}

void boot() {
  kapi_hard_spin_init(&core.sem_lock, &sem_class);
  for (Rq& rq : core.rqs) {
    kapi_hard_spin_init(&rq.lock, &rq_class);
    kapi_altsched_init_root(&rq.root.context);
    rq.root.root = true;
    rq.current = &rq.root;
  }
  kapi_dovetail_start();
}

void attach() {
  Thread& thread = core.threads[core.used++];
  kapi_altsched_init(&thread.context);
  kapi_irq_work_init(&thread.wake_work, &wake_inband);
  thread.task = kapi_current();
  thread.cpu = kapi_this_cpu();
  kapi_current_state()->thread = &thread;
  kapi_pin_current(thread.cpu);
  (void)kapi_altsched_start();
}

void detach() {
  kapi_altsched_stop();
}

unsigned switches() {
  return core.switches;
}

}  // namespace sim::tiny

using namespace sim::tiny;

extern "C" {

int evl_on_boot(void) {
  return 0;
}
void evl_on_irq_enter(void) {}
void evl_on_irq_exit(void) {
  if (this_rq().current != nullptr && this_rq().resched) reschedule();
}
void evl_on_resched_ipi(void) {
  this_rq().resched = true;
}
void evl_on_timer_ipi(void) {}
void evl_on_tick(void) {}
void evl_on_proxy_program(__s64 date_ns) {
  kapi_tick_program(date_ns);
}
void evl_on_proxy_stop(void) {
  kapi_tick_stop();
}
void evl_on_clock_was_set(void) {}
void evl_on_cpu_online(unsigned int, bool) {}
int evl_on_cpu_offline(unsigned int) {
  return 0;
}

enum kapi_verdict evl_on_oob_request(struct kapi_request* request, bool caller_oob) {
  if (!request->is_oob_call) {
    if (caller_oob) go_inband();
    return KAPI_PASS_DOWN;
  }
  if (!caller_oob) return KAPI_PASS_DOWN;
  request->has_result = true;
  if (request->nr == kWait) request->result = wait();
  if (request->nr == kPost) post();
  if (request->nr == kGoInband || kapi_signal_pending()) go_inband();
  return KAPI_HANDLED;
}

enum kapi_verdict evl_on_inband_request(struct kapi_request* request) {
  if (!request->is_oob_call) return KAPI_PASS_DOWN;
  request->has_result = true;
  if (request->nr == kPost) {
    post();
  } else if (request->nr != kGoInband) {
    go_oob();
    if (kapi_running_oob() && request->nr == kWait) request->result = wait();
    if (kapi_running_oob() && kapi_signal_pending()) go_inband();
  }
  return KAPI_HANDLED;
}

void evl_on_trap_entry(const struct kapi_trap*) {
  kapi_hard_irq_enable();
  go_inband();
}
void evl_on_trap_exit(const struct kapi_trap*) {}
void evl_on_mayday(void) {
  go_inband();
}
void evl_on_retuser(void) {}
void evl_on_resume_task(struct kapi_task* task) {
  auto& thread = *static_cast<decltype(&self())>(kapi_task_state(task)->thread);
  make_ready(thread);
  reschedule();
}
void evl_on_task_signal(struct kapi_task* task) {
  auto* thread = static_cast<decltype(&self())>(kapi_task_state(task)->thread);
  const unsigned long flags = kapi_hard_irq_save();
  kapi_hard_spin_lock(&core.sem_lock);
  thread->kicked = true;
  if (thread->waits) {
    thread->waits = false;
    make_ready(*thread);
  }
  kapi_hard_spin_unlock(&core.sem_lock);
  kapi_send_mayday(task);
  if (this_rq().resched) reschedule();
  kapi_hard_irq_restore(flags);
}
void evl_on_task_migration(struct kapi_task*, unsigned int) {}
void evl_on_task_exit(void) {
  if (kapi_current_state()->thread != nullptr) kapi_altsched_stop();
}
void evl_on_mm_exit(struct kapi_mm_state*) {}
void evl_on_ptrace_stop(void) {}
void evl_on_ptrace_continue(void) {}
void evl_on_ptrace_step(struct kapi_task*) {}
void evl_on_fd_install(const struct kapi_files*, unsigned int, struct kapi_file*) {}
void evl_on_fd_uninstall(const struct kapi_files*, unsigned int, struct kapi_file*) {}

}  // extern "C"
