// SPDX-License-Identifier: GPL-2.0
// What sysfs shows of a thread: /sys/devices/virtual/thread/<name>. In-band; formats are those that
// `evl ps` reads.
#include "boot/core.h"
#include "kapi/clock.h"
#include "sched/policy.h"
#include "sync/wait.h"
#include "thread/thread_element.h"

namespace evl {
namespace {

ThreadElement& element_of(void* object) noexcept {
  return static_cast<ThreadElement&>(*static_cast<Element*>(object));
}

long show_state(void* object, char* buf, size_t capacity) {
  return kapi_format(buf, capacity, "%#x\n", element_of(object).thread().peek_state().word());
}

long show_observable(void*, char* buf, size_t capacity) {
  return kapi_format(buf, capacity, "0\n");  // The class is not built.
}

constexpr size_t kLongestName = 64;

}  // namespace

const kapi_attribute kThreadAttributes[] = {
    {"state", 0444, &show_state, nullptr},
    {"sched", 0444,
     [](void* object, char* buf, size_t capacity) {
       return element_of(object).show_sched(buf, capacity);
     },
     nullptr},
    {"timeout", 0444,
     [](void* object, char* buf, size_t capacity) {
       return element_of(object).show_timeout(buf, capacity);
     },
     nullptr},
    {"stats", 0444,
     [](void* object, char* buf, size_t capacity) {
       return element_of(object).show_stats(buf, capacity);
     },
     nullptr},
    {"pid", 0444,
     [](void* object, char* buf, size_t capacity) {
       return element_of(object).show_pid(buf, capacity);
     },
     nullptr},
    {"observable", 0444, &show_observable, nullptr},
    {"wchan", 0444,
     [](void* object, char* buf, size_t capacity) {
       return element_of(object).show_wchan(buf, capacity);
     },
     nullptr},
    {nullptr, 0, nullptr, nullptr},
};

long ThreadElement::show_sched(char* buf, size_t capacity) noexcept {
  SchedParams base;
  SchedParams effective;
  {
    HardIrqGuard irqs_off;
    base = thread_.base_params(irqs_off);
    effective = thread_.effective();
  }
  const Cpu cpu = thread_.peek_cpu();
  if (!base.quantum.is_zero())
    return kapi_format(buf, capacity, "%u %d %d rr %lld\n", cpu, base.prio, effective.prio,
                       static_cast<long long>(base.quantum.ns()));
  const char* const name = Policies::with(base.policy, []<typename P>() { return P::kName; });
  return kapi_format(buf, capacity, "%u %d %d %s\n", cpu, base.prio, effective.prio, name);
}

// Of the sleep, or of a kernel thread's period.
long ThreadElement::show_timeout(char* buf, size_t capacity) noexcept {
  Duration left = thread_.resource_timer_.remaining();
  if (left.is_zero()) left = thread_.period_timer_.remaining();
  return kapi_format(buf, capacity, "%lld\n", static_cast<long long>(left.ns()));
}

// The share of a CPU since the last reading, by whomever, or since the thread attached: `evl ps`
// asks once per line.
long ThreadElement::show_stats(char* buf, size_t capacity) noexcept {
  ThreadStats& stats = thread_.stats();
  u64 time_ns = 0;
  {
    HardIrqGuard irqs_off;
    const ThreadGuard locked{thread_, irqs_off};
    time_ns = oob_time_ns(locked);
  }
  const s64 now_ns = kapi_read_monotonic();
  const s64 period_ns = now_ns - stats_read_at_ns_.exchange(now_ns);
  const auto spent_ns = static_cast<s64>(time_ns - stats_read_time_ns_.exchange(time_ns));
  // Two readers at once may take the dates in one order and the times in the other.
  const u64 permille = period_ns > 0 && spent_ns > 0
                           ? static_cast<u64>(spent_ns) * 1'000 / static_cast<u64>(period_ns)
                           : 0;
  return kapi_format(buf, capacity, "%llu %llu %llu %llu %llu %llu\n",
                     static_cast<unsigned long long>(stats.inband_switches.get()),
                     static_cast<unsigned long long>(stats.context_switches.get()),
                     static_cast<unsigned long long>(stats.requests.get()),
                     static_cast<unsigned long long>(stats.remote_wakeups.get()),
                     static_cast<unsigned long long>(time_ns),
                     static_cast<unsigned long long>(permille));
}

long ThreadElement::show_pid(char* buf, size_t capacity) noexcept {
  const bool runs = !thread_.peek_state().has(ThreadState::dormant | ThreadState::zombie);
  return kapi_format(buf, capacity, "%d\n", runs ? kapi_task_pid(thread_.task()) : 0);
}

// A thread leaves its channel under its own lock, before the channel may go (T3).
long ThreadElement::show_wchan(char* buf, size_t capacity) noexcept {
  if (!factory().may_access(InbandStage::at_entry())) return code_of(Status{Errno::perm});
  char name[kLongestName] = "-";
  {
    HardIrqGuard irqs_off;
    ThreadGuard locked{thread_, irqs_off};
    if (thread_.wchan_ != nullptr) {
      const char* const from = thread_.wchan_->name();
      size_t i = 0;
      for (; i + 1 < kLongestName && from[i] != '\0'; ++i) name[i] = from[i];
      name[i] = '\0';
    }
  }
  return kapi_format(buf, capacity, "%s\n", name);
}

}  // namespace evl
