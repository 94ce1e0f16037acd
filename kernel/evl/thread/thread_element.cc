// SPDX-License-Identifier: GPL-2.0
// A task becomes a thread, and stops being one. In-band, in the context of the task.
#include "thread/thread_element.h"

#include "boot/core.h"
#include "kapi/clock.h"
#include "sched/schedule.h"
#include "sync/mutex.h"
#include "thread/process.h"

namespace evl {
namespace {

constexpr unsigned kCapabilities = KAPI_CAP_SYS_NICE | KAPI_CAP_IPC_LOCK | KAPI_CAP_SYS_RAWIO;

CpuSet own_affinity() noexcept {
  kapi_cpumask raw{};
  kapi_get_affinity(kapi_current(), &raw);
  return CpuSet{raw};
}

}  // namespace

const ElementClass kThreadClass{
    .name = EVL_THREAD_DEV,
    .shape = ElementClass::Shape::clonable,
    .has_fundles = true,
    .clone_flags = 0,
    .build = &ThreadElement::build,
    .dispose = &ThreadElement::dispose,
    .ops = &kThreadFileOps,
    .attributes = kThreadAttributes,
    .commit = &ThreadElement::commit,
    .undo = &ThreadElement::undo,
};

ThreadElement::ThreadElement(Factory& factory, u32 clone_flags, const Thread::Setup& setup) noexcept
    : Element{factory, clone_flags}, thread_{setup} {
  thread_.element_ = this;
  kapi_completion_init(&joined_);
}

ThreadElement::~ThreadElement() {
  EVL_ASSERT(thread_.process_ == nullptr && thread_.window_ == nullptr);
}

Result<Element*> ThreadElement::build(Factory& factory, UserBytes, u32 clone_flags,
                                      u32& state_offset, const InbandStage& inband) noexcept {
  if (current_thread() != nullptr) return Errno::busy;
  if (!kapi_task_allowed()) return Errno::perm;
  if (Process::current() == nullptr) return Errno::perm;
  if (!kapi_memory_is_locked()) return Errno::inval;
  const Cpu cpu = choose_open_cpu(own_affinity());
  if (cpu == kNoCpu) return Errno::inval;

  auto* const window = core().shared_heap().alloc<evl_user_window>(inband);
  if (window == nullptr) return Errno::again;
  StateFlags modes;
  if (kapi_get_config()->debug_woli) modes = ThreadState::woli | ThreadState::hmsig;
  auto* const made = create<ThreadElement>(inband, factory, clone_flags,
                                           Thread::Setup{.kind = Thread::Kind::user,
                                                         .name = "",
                                                         .clock = core().monotonic(),
                                                         .rq = rq_of(cpu),
                                                         .task = kapi_current(),
                                                         .params = {},
                                                         .state = modes});
  if (made == nullptr) {
    core().shared_heap().free(window, inband);
    return Errno::nomem;
  }
  made->thread_.window_ = window;
  state_offset = core().shared_heap().offset_of(window);
  return static_cast<Element*>(made);
}

Status ThreadElement::commit(Element& element, const InbandStage& inband) noexcept {
  auto& self = static_cast<ThreadElement&>(element);
  (void)EVL_TRY(self.pin());
  const int raised = kapi_raise_capabilities(kCapabilities);
  if (raised < 0) return status_of(raised);
  self.raised_capabilities_ = static_cast<unsigned>(raised);
  self.thread_.set_name(self.name());
  kapi_set_current_name(self.name());
  Process::current()->add(self.thread_);
  const Status attached = self.attach(inband);
  if (!attached.ok()) {
    self.thread_.process_->remove(self.thread_);
    if (raised != 0) kapi_drop_capabilities(self.raised_capabilities_);
    return attached;
  }
  self.thread_.refresh_window();
  return kOk;
}

// The chosen CPU may have closed since. The run queue of another one gets the thread when it
// arrives there.
Status ThreadElement::pin() noexcept {
  kapi_cpus_hold();
  const Cpu chosen = thread_.rq().cpu();
  const Cpu cpu = thread_.rq().is_open() ? chosen : choose_open_cpu(own_affinity());
  const Status status = cpu == kNoCpu ? Status{Errno::inval} : status_of(kapi_pin_current(cpu));
  kapi_cpus_release();
  return status;
}

// From kapi_altsched_start() on, upcalls may be about this task; until it has its thread, they find
// none. EPERM: another thread of the process has set a filter for all of them since build().
Status ThreadElement::attach(const InbandStage&) noexcept {
  kapi_altsched_init(&thread_.altsched_);
  (void)EVL_TRY(status_of(kapi_altsched_start()));
  // The share of the CPU that is asked for first counts from here.
  stats_read_at_ns_.store_relaxed(kapi_read_monotonic());
  if (!enlist()) {
    kapi_altsched_stop();
    return Errno::nxio;
  }
  kapi_trace(KAPI_EV_thread_map, thread_.name(), kapi_task_pid(thread_.task()), 0);
  return kOk;
}

bool ThreadElement::enlist() noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{core().task_lock(), irqs_off};
  // Core::stop() changes the state first, and looks for threads under this lock then; so does
  // close_cpu().
  if (!core().running() || choose_open_cpu(core().oob_cpus()) == kNoCpu) return false;
  get();  // TE1.
  kapi_current_state()->thread = &thread_;
  core().add_thread(thread_);
  {
    HardLockGuard locked{thread_.lock_, irqs_off};
    thread_.may_own_ = true;
  }
  thread_.release(ThreadState::dormant, {}, irqs_off);
  return true;
}

void ThreadElement::detach_current(const InbandStage& inband) noexcept {
  Thread* const thread = current_thread();
  if (thread == nullptr) return;
  ThreadElement& self = *thread->element();
  kapi_trace(KAPI_EV_thread_unmap, thread->name(), kapi_task_pid(thread->task()), 0);
  drop_owned_mutexes(inband, *thread);
  self.factory().index().withdraw(self);
  kapi_altsched_stop();
  evl_user_window* window = nullptr;
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{core().task_lock(), irqs_off};
    {
      ThreadGuard locked{*thread, irqs_off};
      thread->state_.set(ThreadState::zombie);
      window = std::exchange(thread->window_, nullptr);  // Nobody refreshes it any more.
    }
    kapi_current_state()->thread = nullptr;
    core().remove_thread(*thread);
  }
  if (thread->process_ != nullptr) thread->process_->remove(*thread);
  core().shared_heap().free(window, inband);
  if (self.raised_capabilities_ != 0) kapi_drop_capabilities(self.raised_capabilities_);
  thread->resource_timer_.destroy(inband);
  thread->period_timer_.destroy(inband);
  kapi_irq_work_sync(&thread->wake_work_);
  kapi_irq_work_sync(&thread->signal_work_);
  kapi_complete_all(&self.joined_);
  self.put();
}

Status ThreadElement::join(const InbandStage&) noexcept {
  if (is_self()) return Errno::deadlk;
  kapi_trace(KAPI_EV_thread_join, thread_.name(), kapi_task_pid(kapi_current()), 0);
  return status_of(kapi_wait_completion_interruptible(&joined_));
}

void ThreadElement::dispose(Element& element, const InbandStage& inband) noexcept {
  auto& self = static_cast<ThreadElement&>(element);
  // One that never attached still has it.
  core().shared_heap().free(std::exchange(self.thread_.window_, nullptr), inband);
  discard(inband, &self);
}

// The thread that has the CPU is accounted for when it is switched out: what it has used since
// comes on top.
u64 ThreadElement::oob_time_ns(const ThreadGuard& locked) noexcept {
  const u64 accounted = thread_.stats().oob_time_ns.get();
  if (!Counter::kKept || &locked.rq().current() != &thread_) return accounted;
  const s64 running_ns = kapi_read_monotonic() - locked.rq().switched_at(locked).ns();
  return accounted + (running_ns > 0 ? static_cast<u64>(running_ns) : 0);
}

evl_thread_state ThreadElement::snapshot() noexcept {
  evl_thread_state found{};
  ThreadStats& stats = thread_.stats();
  HardIrqGuard irqs_off;
  ThreadGuard locked{thread_, irqs_off};
  found.eattrs = attrs_from(thread_.effective());
  found.cpu = locked.rq().cpu();
  found.state = thread_.state(locked).word();
  found.isw = static_cast<u32>(stats.inband_switches.get());
  found.csw = static_cast<u32>(stats.context_switches.get());
  found.sc = static_cast<u32>(stats.requests.get());
  found.rwa = static_cast<u32>(stats.remote_wakeups.get());
  found.xtime = oob_time_ns(locked);
  return found;
}

}  // namespace evl
