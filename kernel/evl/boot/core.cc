// SPDX-License-Identifier: GPL-2.0
// Building the core at boot, and its run states. In-band.
#include "boot/core.h"

#include "device/control.h"
#include "device/proxy.h"
#include "device/xbuf.h"
#include "kapi/clock.h"
#include "sched/schedule.h"
#include "sync/monitor.h"
#include "sync/pi.h"
#include "thread/thread_element.h"
#include "time/clock_element.h"

namespace evl {
namespace {

constinit InPlace<Core> the_core;
constinit Atomic<bool> core_up{false};  // Release in Boot::run() pairs with the acquire of readers.

}  // namespace

struct Core::Parts {
  const kapi_config& config;
  CpuSet oob_cpus;
  void* system_arena;
  size_t system_bytes;
  void* shared_pages;
  size_t shared_bytes;
  u64* shared_map;
  kapi_workqueue* disposal_queue;
  kapi_workqueue* proxy_queue;
};

Core& core() noexcept {
  return *the_core;
}

bool core_is_up() noexcept {
  return core_up.load_acquire();
}

PerCpu<TimerBase>& timer_bases() noexcept {
  return core().timer_bases();
}

Rq& this_rq(const HardIrqsOff& irqs_off) noexcept {
  return core().rqs().here(irqs_off);
}

Rq& rq_of(Cpu cpu) noexcept {
  return core().rqs().on(cpu);
}

bool has_rq(Cpu cpu) noexcept {
  return core_is_up() && core().rqs().has(cpu);
}

bool is_oob_cpu(Cpu cpu) noexcept {
  return core().oob_cpus().has(cpu);
}

Core::Core(const Parts& parts) noexcept
    : state_{RunState::stopped},
      oob_cpus_{parts.oob_cpus},
      monotonic_{Clock::Kind::monotonic,
                 EVL_CLOCK_MONOTONIC_DEV,
                 {.irq = Duration::ns(parts.config.latency_irq_ns),
                  .kernel = Duration::ns(parts.config.latency_kernel_ns),
                  .user = Duration::ns(parts.config.latency_user_ns)}},
      realtime_{Clock::Kind::realtime, EVL_CLOCK_REALTIME_DEV, monotonic_.gravities()},
      system_heap_{parts.system_arena, parts.system_bytes},
      shared_heap_{parts.shared_pages, parts.shared_bytes, parts.shared_map},
      disposal_queue_{parts.disposal_queue},
      proxy_queue_{parts.proxy_queue},
      control_{kControlClass, 1},
      trace_{kTraceClass, 1},
      clocks_{kClockClass, parts.config.nr_clocks},
      threads_{kThreadClass, parts.config.nr_threads},
      monitors_{kMonitorClass, parts.config.nr_monitors},
      xbufs_{kXbufClass, parts.config.nr_xbufs},
      proxies_{kProxyClass, parts.config.nr_proxies} {}

Clock* Core::clock_of(int clockfd) noexcept {
  if (clockfd == EVL_CLOCK_MONOTONIC) return &monotonic_;
  return clockfd == EVL_CLOCK_REALTIME ? &realtime_ : nullptr;
}

Core::Census Core::census(const InbandStage& inband) noexcept {
  unsigned elements = 0;
  for (Factory* const factory : {&threads_, &monitors_, &xbufs_, &proxies_})
    elements += factory->alive(inband);
  return {.elements = elements,
          .heap_bytes = system_heap_.used(),
          .shared_slots = shared_heap_.in_use(inband)};
}

// ---- Run states ----

Status Core::change_state(RunState from, RunState to) noexcept {
  RunState found = from;
  if (state_.compare_exchange(found, to)) return kOk;
  return found == RunState::warmup || found == RunState::teardown ? Errno::inprogress
                                                                  : Errno::inval;
}

Status Core::warm_up(const InbandStage& inband) noexcept {
  oob_cpus_.for_each([&](Cpu cpu) {
    if (timer_bases_.has(cpu)) timer_bases_.on(cpu).device_is_taken(inband);
  });
  (void)EVL_TRY(status_of(kapi_tick_install(oob_cpus_.raw())));
  const Status status = status_of(kapi_cpus_watch());
  if (!status.ok()) kapi_tick_uninstall(oob_cpus_.raw());
  return status;
}

void Core::cool_down(const InbandStage& inband) noexcept {
  kapi_cpus_unwatch();
  kapi_tick_uninstall(oob_cpus_.raw());
  monotonic_.stop_timers(inband);
  realtime_.stop_timers(inband);
}

Status Core::start(const InbandStage& inband) noexcept {
  if (current_thread() != nullptr) return Errno::perm;
  (void)EVL_TRY(change_state(RunState::stopped, RunState::warmup));
  const Status status = warm_up(inband);
  state_.store_release(status.ok() ? RunState::running : RunState::stopped);
  return status;
}

Status Core::stop(const InbandStage& inband) noexcept {
  if (current_thread() != nullptr) return Errno::perm;
  (void)EVL_TRY(change_state(RunState::running, RunState::teardown));
  const Status status = end_threads(inband);  // No new one comes: clone() asks running().
  if (status.ok()) cool_down(inband);
  state_.store_release(status.ok() ? RunState::stopped : RunState::running);
  return status;
}

// Nobody attaches any more but who was past clone()'s question; such a one is found in a next
// round.
Status Core::end_threads(const InbandStage& inband) noexcept {
  for (;;) {
    Ref<ThreadElement> element;
    {
      HardIrqGuard irqs_off;
      HardLockGuard guard{task_lock_, irqs_off};
      if (attached_.empty()) return kOk;
      // Attached, thus with the reference of the thread itself.
      element = attached_.front().element()->take_ref();
      element->thread().cancel(irqs_off);
    }
    schedule();
    (void)EVL_TRY(element->join(inband));
  }
}

// ---- Boot ----

// The steps, each with its inverse. What they prepare for each other is in the fields.
class Boot final : Immovable {
 public:
  explicit Boot(const kapi_config& config) noexcept : config_{config} {}

  [[nodiscard]] Status run(const InbandStage& inband) noexcept {
    for (unsigned done = 0; done < kSteps.size(); ++done) {
      const Status status = (this->*kSteps[done].up)(inband);
      if (status.ok()) continue;
      kapi_print(KAPI_ERROR, "cannot start (%s): error %ld", kSteps[done].name, code_of(status));
      while (done-- > 0) (this->*kSteps[done].down)(inband);
      return status;
    }
    return kOk;
  }

 private:
  struct Step {
    const char* name;
    Status (Boot::*up)(const InbandStage&) noexcept;
    void (Boot::*down)(const InbandStage&) noexcept;
  };

  Status stage_up(const InbandStage&) noexcept { return status_of(kapi_oob_stage_enable()); }
  void stage_down(const InbandStage&) noexcept { kapi_oob_stage_disable(); }

  Status memory_up(const InbandStage& inband) noexcept;
  void memory_down(const InbandStage&) noexcept;
  Status core_up_step(const InbandStage&) noexcept;
  void core_down(const InbandStage&) noexcept;
  Status cpus_up(const InbandStage& inband) noexcept;
  void cpus_down(const InbandStage& inband) noexcept;

  Status ipis_up(const InbandStage&) noexcept {
    return status_of(kapi_oob_ipis_request(CpuSet{config_.oob_cpus}.raw()));
  }
  void ipis_down(const InbandStage&) noexcept { kapi_oob_ipis_free(); }

  Status tick_up(const InbandStage& inband) noexcept {
    return config_.state == KAPI_BOOT_STOPPED ? kOk : core().start(inband);
  }
  void tick_down(const InbandStage& inband) noexcept {
    if (core().running()) (void)core().stop(inband);
  }

  Status dovetail_up(const InbandStage&) noexcept { return status_of(kapi_dovetail_start()); }
  void dovetail_down(const InbandStage&) noexcept { kapi_dovetail_stop(); }

  Status factories_up(const InbandStage& inband) noexcept;
  void factories_down(const InbandStage& inband) noexcept;
  Status clocks_up(const InbandStage& inband) noexcept;
  void clocks_down(const InbandStage&) noexcept;
  void close_factories(unsigned opened, const InbandStage& inband) noexcept;

  static constexpr unsigned kFactories = 7;
  static Factory& factory(unsigned number) noexcept {
    Core& all = core();
    Factory* const factories[kFactories] = {&all.control_, &all.threads_, &all.monitors_,
                                            &all.clocks_,  &all.xbufs_,   &all.proxies_,
                                            &all.trace_};
    return *factories[number];
  }

  static const std::array<Step, 8> kSteps;

  const kapi_config& config_;
  void* system_arena_{nullptr};
  void* shared_pages_{nullptr};
  size_t shared_bytes_{0};
  u64* shared_map_{nullptr};
  kapi_workqueue* queue_{nullptr};
  kapi_workqueue* proxy_queue_{nullptr};
  ClockElement* clock_elements_[2]{};
};

constexpr std::array<Boot::Step, 8> Boot::kSteps{{
    {"oob stage", &Boot::stage_up, &Boot::stage_down},
    {"memory", &Boot::memory_up, &Boot::memory_down},
    {"core", &Boot::core_up_step, &Boot::core_down},
    {"CPUs", &Boot::cpus_up, &Boot::cpus_down},
    {"IPIs", &Boot::ipis_up, &Boot::ipis_down},
    {"tick", &Boot::tick_up, &Boot::tick_down},
    {"Dovetail", &Boot::dovetail_up, &Boot::dovetail_down},
    {"elements", &Boot::factories_up, &Boot::factories_down},
}};

// The shared heap has a slot for the window of each thread and for the state of each monitor.
Status Boot::memory_up(const InbandStage& inband) noexcept {
  const size_t page = kapi_page_size();
  const size_t wanted = (size_t{config_.nr_threads} + config_.nr_monitors) * SharedHeap::kSlotBytes;
  shared_bytes_ = (wanted + page - 1) / page * page;
  system_arena_ = kapi_alloc_virtual(config_.sysheap_bytes);
  shared_pages_ = kapi_alloc_shared(shared_bytes_);
  const size_t map_words = IdMap::words_for(SharedHeap::slots_in(shared_bytes_));
  shared_map_ = static_cast<u64*>(kapi_alloc(map_words * sizeof(u64)));
  queue_ = kapi_workqueue_create("evl_disposal", 1);
  proxy_queue_ = kapi_workqueue_create("evl_proxy", 2 * config_.nr_proxies);
  if (system_arena_ != nullptr && shared_pages_ != nullptr && shared_map_ != nullptr &&
      queue_ != nullptr && proxy_queue_ != nullptr)
    return kOk;
  memory_down(inband);
  return Errno::nomem;
}

void Boot::memory_down(const InbandStage&) noexcept {
  if (proxy_queue_ != nullptr) kapi_workqueue_destroy(proxy_queue_);
  if (queue_ != nullptr) kapi_workqueue_destroy(queue_);
  kapi_free(shared_map_);
  if (shared_pages_ != nullptr) kapi_free_shared(shared_pages_, shared_bytes_);
  kapi_free_virtual(system_arena_);
}

Status Boot::core_up_step(const InbandStage&) noexcept {
  PriorityChain::boot();
  the_core.build(Core::Parts{.config = config_,
                             .oob_cpus = CpuSet{config_.oob_cpus},
                             .system_arena = system_arena_,
                             .system_bytes = config_.sysheap_bytes,
                             .shared_pages = shared_pages_,
                             .shared_bytes = shared_bytes_,
                             .shared_map = shared_map_,
                             .disposal_queue = queue_,
                             .proxy_queue = proxy_queue_});
  return kOk;
}

void Boot::core_down(const InbandStage&) noexcept {
  core_up.store_release(false);
  the_core.destroy();
}

Status Boot::cpus_up(const InbandStage& inband) noexcept {
  const CpuSet possible = CpuSet::of(KAPI_CPUS_POSSIBLE, inband);
  for (Cpu cpu = possible.first(); cpu != kNoCpu; cpu = possible.next(cpu + 1)) {
    TimerBase* const base = create<TimerBase>(inband, cpu);
    Rq* const rq = base == nullptr ? nullptr : create<Rq>(inband, cpu, *base, core().monotonic());
    if (rq == nullptr) {
      discard(inband, base);
      cpus_down(inband);
      return Errno::nomem;
    }
    core().timer_bases().install(cpu, base);
    core().rqs().install(cpu, rq);
  }
  core_up.store_release(true);
  return kOk;
}

void Boot::cpus_down(const InbandStage& inband) noexcept {
  core_up.store_release(false);
  for (Cpu cpu = 0; cpu < kMaxCpus; ++cpu) {
    if (!core().rqs().has(cpu)) continue;
    Rq* const rq = &core().rqs().on(cpu);
    TimerBase* const base = &core().timer_bases().on(cpu);
    core().rqs().install(cpu, nullptr);
    core().timer_bases().install(cpu, nullptr);
    discard(inband, rq);
    discard(inband, base);
  }
}

// The control device first: it makes the class "evl" that the trace device joins.
Status Boot::factories_up(const InbandStage& inband) noexcept {
  for (unsigned number = 0; number < kFactories; ++number) {
    Factory* const singles = number == kFactories - 1 ? &factory(0) : nullptr;
    const Status status = factory(number).open(inband, singles);
    if (status.ok()) continue;
    close_factories(number, inband);
    return status;
  }
  const Status status = clocks_up(inband);
  if (!status.ok()) close_factories(kFactories, inband);
  return status;
}

void Boot::close_factories(unsigned opened, const InbandStage& inband) noexcept {
  while (opened-- > 0) factory(opened).close(inband);
}

void Boot::factories_down(const InbandStage& inband) noexcept {
  clocks_down(inband);
  close_factories(kFactories, inband);
}

Status Boot::clocks_up(const InbandStage& inband) noexcept {
  Core& all = core();
  clock_elements_[0] = EVL_TRY(ClockElement::open(all.clocks_, all.monotonic_, inband));
  const auto second = ClockElement::open(all.clocks_, all.realtime_, inband);
  if (!second.ok()) {
    clocks_down(inband);
    return second.error();
  }
  clock_elements_[1] = second.value();
  return kOk;
}

void Boot::clocks_down(const InbandStage&) noexcept {
  for (ClockElement*& element : clock_elements_)
    if (element != nullptr) std::exchange(element, nullptr)->put();
}

Status Core::boot(const InbandStage& inband) noexcept {
  const kapi_config& config = *kapi_get_config();
  if (config.state == KAPI_BOOT_DISABLED) {
    kapi_print(KAPI_INFO, "disabled");
    return kOk;
  }
  Boot boot{config};
  (void)EVL_TRY(boot.run(inband));
  kapi_print(KAPI_INFO, "core started, ABI %u%s%s", EVL_ABI_LEVEL, kDebugCore ? " [DEBUG]" : "",
             core().running() ? "" : " [STOPPED]");
  return kOk;
}

}  // namespace evl
