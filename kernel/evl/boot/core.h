// SPDX-License-Identifier: GPL-2.0
// The core as one object: built in place by evl_on_boot(), in an order each of whose steps has an
// exact inverse; run states; and the way to what exists once.
#ifndef EVL_BOOT_CORE_H
#define EVL_BOOT_CORE_H

#include "base/in_place.h"
#include "device/control.h"
#include "element/factory.h"
#include "file/oob_file.h"
#include "memory/heap.h"
#include "memory/shared_heap.h"
#include "sched/rq.h"
#include "time/clock.h"

namespace evl {

enum class RunState : u8 { disabled, stopped, warmup, running, teardown };

// BO1  The object exists from a successful boot() for ever; Rqs and bases never change after it.
// BO2  running() implies: IPIs requested, tick installed on all oob CPUs, Dovetail started; while
//      threads are attached, one of those CPUs at least is open (boot/hotplug.h).
// BO3  Transitions are serialised by the state itself, which is changed by compare-and-swap; a
//      concurrent one gets EINPROGRESS.
class Core final : Immovable {
 public:
  /// Steps: oob stage; heaps, disposal queue, clocks; timer bases and Rqs of all possible CPUs;
  /// IPIs; unless it shall be stopped the tick, then running; Dovetail; factories, threads first;
  /// clock elements. The first error undoes what was done, in reverse. Sleeps.
  [[nodiscard]] static Status boot(const InbandStage& inband) noexcept;

  /// "start", "stop" of control/state. Stop kills all threads and waits for them. Sleeps.
  /// Errors: EPERM an attached caller; EINPROGRESS; EINTR; EINVAL no such transition.
  [[nodiscard]] Status start(const InbandStage& inband) noexcept;
  [[nodiscard]] Status stop(const InbandStage& inband) noexcept;
  [[nodiscard]] RunState state() const noexcept { return state_.load_acquire(); }
  [[nodiscard]] bool running() const noexcept { return state() == RunState::running; }

  [[nodiscard]] const CpuSet& oob_cpus() const noexcept { return oob_cpus_; }
  [[nodiscard]] PerCpu<Rq>& rqs() noexcept { return rqs_; }
  [[nodiscard]] PerCpu<TimerBase>& timer_bases() noexcept { return timer_bases_; }
  [[nodiscard]] Clock& monotonic() noexcept { return monotonic_; }
  [[nodiscard]] Clock& realtime() noexcept { return realtime_; }
  // By its special number: one of the two built-in ones, or nullptr.
  [[nodiscard]] Clock* clock_of(int clockfd) noexcept;
  [[nodiscard]] Heap& system_heap() noexcept { return system_heap_; }
  [[nodiscard]] SharedHeap& shared_heap() noexcept { return shared_heap_; }
  // T5: a task's thread, in upcalls about another task.
  [[nodiscard]] HardSpinLock<LockRank::task>& task_lock() noexcept
      EVL_RETURN_CAPABILITY(task_lock_) {
    return task_lock_;
  }
  [[nodiscard]] FileTable& files() noexcept { return files_; }
  [[nodiscard]] kapi_workqueue* disposal_queue() noexcept { return disposal_queue_; }
  // Of all proxies: wide enough for two transfers of each, which may wait for their targets.
  [[nodiscard]] kapi_workqueue* proxy_queue() noexcept { return proxy_queue_; }
  [[nodiscard]] Factory& threads() noexcept { return threads_; }
  [[nodiscard]] Factory& monitors() noexcept { return monitors_; }

  // Live objects of all factories, bytes of the system heap, slots of the shared heap: all zero
  // when nothing leaked. For tests.
  struct Census {
    unsigned elements;
    size_t heap_bytes;
    unsigned shared_slots;
  };
  [[nodiscard]] Census census(const InbandStage& inband) noexcept;

  // A thread attaches, detaches.
  void add_thread(Thread& thread) noexcept EVL_REQUIRES(task_lock_) { attached_.push_back(thread); }
  void remove_thread(Thread& thread) noexcept EVL_REQUIRES(task_lock_) { attached_.remove(thread); }
  [[nodiscard]] bool has_threads() noexcept EVL_REQUIRES(task_lock_) { return !attached_.empty(); }
  // Calls visit(thread) for each attached thread. Cost: O(threads), at most
  // kapi_config::nr_threads.
  template <typename Visit>
  void for_each_thread(Visit&& visit) noexcept EVL_REQUIRES(task_lock_) {
    attached_.for_each(visit);
  }

 private:
  friend class Boot;
  template <typename>
  friend class InPlace;
  struct Parts;  // What boot() has prepared before the object can be built.
  explicit Core(const Parts& parts) noexcept;
  ~Core() = default;
  [[nodiscard]] Status warm_up(const InbandStage& inband) noexcept;
  void cool_down(const InbandStage& inband) noexcept;
  // Cancels all threads, and waits for their ends. EINTR.
  [[nodiscard]] Status end_threads(const InbandStage& inband) noexcept;
  [[nodiscard]] Status change_state(RunState from, RunState to) noexcept;

  Atomic<RunState> state_;
  CpuSet oob_cpus_;
  PerCpu<Rq> rqs_;
  PerCpu<TimerBase> timer_bases_;
  Clock monotonic_;
  Clock realtime_;
  Heap system_heap_;
  SharedHeap shared_heap_;
  FileTable files_;
  kapi_workqueue* const disposal_queue_;
  kapi_workqueue* const proxy_queue_;
  Factory control_;
  Factory trace_;
  Factory clocks_;
  Factory threads_;
  Factory monitors_;
  Factory xbufs_;
  Factory proxies_;
  HardSpinLock<LockRank::task> task_lock_;
  Thread::AttachedList attached_ EVL_GUARDED_BY(task_lock_);
};

// Valid after boot(); upcalls that may come earlier ask core_is_up(). Any stage.
[[nodiscard]] Core& core() noexcept;
[[nodiscard]] bool core_is_up() noexcept;

}  // namespace evl

#endif  // EVL_BOOT_CORE_H
