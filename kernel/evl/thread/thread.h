// SPDX-License-Identifier: GPL-2.0
// Thread: what the core schedules. A user thread is a Linux task with one of these attached; a
// kernel thread is a Linux kthread with one; each CPU's root thread stands for all of in-band.
//
// Life, sleeping and waking are here; stage switches in sched/stage.h, priorities in sync/pi.h, the
// element and its requests in thread/thread_element.h.
#ifndef EVL_THREAD_THREAD_H
#define EVL_THREAD_THREAD_H

#include "base/atomic.h"
#include "base/cpus.h"
#include "base/level_queue.h"
#include "base/list.h"
#include "base/lock.h"
#include "base/prio_queue.h"
#include "kapi/irq.h"
#include "kapi/task.h"
#include "sched/params.h"
#include "sync/booster.h"
#include "thread/state.h"
#include "thread/stats.h"
#include "time/timer.h"

namespace evl {

class Clock;
class Mutex;
class OobFile;
class Process;
class Rq;
class RqLocked;
class ThreadElement;
class ThreadGuard;
class WaitChannel;
enum class HmCode : u8;

// Invariants. "Under L and R": written with both lock_ and the lock of rq() held, read with either.
//   T1  state_, info_: written and read under R. The thread itself may read them with irqs off.
//   T2  rq_: under L and R (of both Rqs). Holding L, or being current and oob, pins it.
//   T3  wchan_: written under the channel's lock and L, read under either. It is non-null exactly
//       while wait_hook_ is linked in that channel: see "who unlinks, decides" in sync/wait.h.
//   T4  wprio() == effective_.wprio(). effective_ is max(base_, boosters_' top, ceilings in force)
//       by wprio; BOOST is set exactly when boosters_ is not empty. Suspended during a PI walk for
//       threads further down the chain (sync/pi.h).
//   T5  The task's kapi_task_state::thread is this from attach until detach; it is set and cleared
//       by the task itself, in-band, under Core::task_lock_, which upcalls about another task hold
//       for as long as they use it.
//   T6  READY: RQ2. A current thread has no blocking bit, unless its CPU is inside schedule().
//   T7  INBAND is set exactly while Linux may run the task: from switch_inband() (before
//       kapi_leave_oob()) until finish_park().
//   T8  local_, preempt_count_, held_mutexes_, serving_: the thread itself only. Its window:
//   itself, or who
//       changes its mode or policy, under R; two at a time may leave it old until its next request.
//   T9  Every mutex in owned_ has this thread as tracked owner (sync/mutex.h, M2).
class Thread final : Immovable {
 public:
  enum class Kind : u8 { root, user, kernel };

  struct Setup {
    Kind kind;
    const char* name;    // Copied, cut to kNameLength.
    const Clock& clock;  // Any: that of the first sleep comes with it.
    Rq& rq;
    kapi_task* task;  // nullptr for root; a reference is taken otherwise.
    SchedParams params;
    StateFlags state;  // On top of dormant (user, kernel: with INBAND).
  };
  explicit Thread(const Setup& setup) noexcept;
  ~Thread();

  static constexpr size_t kNameLength = 63;

  // ---- Reading ----
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is_user() const noexcept { return kind_ == Kind::user; }
  [[nodiscard]] bool is_root() const noexcept { return kind_ == Kind::root; }
  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] kapi_task* task() const noexcept { return task_; }
  [[nodiscard]] Wprio wprio() const noexcept { return effective_.wprio(); }
  [[nodiscard]] const SchedParams& effective() const noexcept { return effective_; }
  [[nodiscard]] ThreadStats& stats() noexcept { return stats_; }
  [[nodiscard]] bool is_kernel() const noexcept { return kind_ == Kind::kernel; }
  [[nodiscard]] Process* process() const noexcept { return process_; }
  [[nodiscard]] ThreadElement* element() const noexcept { return element_; }

  // Under R.
  [[nodiscard]] StateFlags state(const RqLocked& locked) const noexcept;
  [[nodiscard]] InfoFlags info(const RqLocked& locked) const noexcept;
  // Under L; or of current, oob.
  [[nodiscard]] Rq& rq() const noexcept { return *rq_; }
  // Snapshots without a lock, for sysfs and reports; what the thread itself asks is exact.
  [[nodiscard]] StateFlags peek_state() const noexcept { return state_; }
  [[nodiscard]] InfoFlags peek_info() const noexcept { return info_; }
  [[nodiscard]] Cpu peek_cpu() const noexcept;

  // ---- Sleeping: the calling thread; it only marks, the caller drops its locks and schedule()s
  // ----

  /// Starts a sleep until woken, or until `date` (forever: no limit) on `clock`; without channel
  /// and date it waits for a period. Clears the wake reasons. KICKED on entry sets BREAK and does
  /// not sleep; a date in the past sets TIMEO and does not sleep; nor does a thread on a channel
  /// when a file it serves is being closed: RMID and BREAK, and it unlinks itself.
  /// Stage: oob, irqs off; under the channel's lock when there is one.
  void sleep_on(WaitChannel* channel, Date date, const Clock& clock,
                const HardIrqsOff& irqs_off) noexcept;

  // Reasons of the last sleep. The thread itself, oob or in-band.
  [[nodiscard]] InfoFlags wake_reasons() const noexcept { return info_ & kWakeReasons; }

  // ---- Waking and holding: any stage, any CPU; none reschedules ----

  /// Ends the sleeps in `mask` (a subset of kSleeping), stops the resource timer, adds `reasons`,
  /// makes the thread ready when nothing blocks it any more. False: it was not sleeping so.
  /// Does not unlink the thread from its channel: who grants does that first, under its lock.
  /// Cost: O(log timers).
  bool wake_up(StateFlags mask, InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept;

  // Adds, removes blocking bits other than sleeps: SUSP, HALT, DORMANT, PTSYNC.
  void hold(StateFlags mask, const HardIrqsOff& irqs_off) noexcept;
  void release(StateFlags mask, InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept;

  // Breaks any sleep with BREAK | `reasons`. A thread that does not sleep is left alone.
  void unblock(InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept;

  /// Makes a user thread go in-band soon: breaks its sleep, sets KICKED, sends a mayday and, when
  /// it runs on another CPU, the IPI that makes it look. Kernel threads: breaks the sleep.
  /// From the signal upcall (siglock held), the watchdog, cancellation.
  void kick(InfoFlags reasons, const HardIrqsOff& irqs_off) noexcept;

  // Sets CANCELD; demotes, unblocks and sends SIGTERM to a user thread; kicks a kernel thread.
  void cancel(const HardIrqsOff& irqs_off) noexcept;
  void demote(const HardIrqsOff& irqs_off) noexcept;  // To weak 0, as cancel() does; and a kick.

  // Ends the caller if it was cancelled: then does not return.
  void test_cancel(const InbandStage& inband) noexcept;

  // ---- The thread itself ----

  // Gives Linux's scheduler the base priority, when it has changed since. Sleeps.
  void update_inband_priority(const InbandStage& inband) noexcept;
  // Copies state and info to the user window. Any stage. Also by others, under R.
  void refresh_window() noexcept;
  [[nodiscard]] evl_user_window* user_window() const noexcept { return window_; }
  // The thread has taken a gate with a ceiling by its fast path. The thread itself.
  [[nodiscard]] bool announces_ceiling() const noexcept {
    return window_ != nullptr && SharedWord{window_->pp_pending}.load_relaxed() != EVL_NO_HANDLE;
  }
  [[nodiscard]] bool is_kicked() const noexcept { return info_.has(ThreadInfo::kicked); }
  [[nodiscard]] bool holds_mutex() const noexcept { return held_mutexes_ > 0; }
  [[nodiscard]] LocalFlags local() const noexcept { return local_; }
  void set_local(LocalFlags flags) noexcept { local_.set(flags); }
  void clear_local(LocalFlags flags) noexcept { local_.clear(flags); }

  // The files in whose handlers the thread is: that of the request, and one that the request names.
  // When one of them is closed, the thread does not sleep on a channel any more (OF3).
  class Serving final : Immovable {
   public:
    Serving(Thread& self, OobFile* file) noexcept
        : slot_{self.serving_[0] == nullptr ? self.serving_[0] : self.serving_[1]} {
      slot_ = file;
    }
    ~Serving() { slot_ = nullptr; }

   private:
    OobFile*& slot_;
  };
  // The handler of the request needs its file no more; whose reference it is gives it back.
  [[nodiscard]] OobFile* end_serving() noexcept { return std::exchange(serving_[0], nullptr); }

  /// New base parameters, checked. While boosted only the base changes when the boost is higher;
  /// a queued or waiting thread is requeued, the PI chain behind it follows.
  /// Stage: any, no lock held; a scheduling point is the caller's. Errors: EINVAL, ESTALE (zombie).
  [[nodiscard]] Status set_params(const SchedParams& params) noexcept;
  [[nodiscard]] SchedParams base_params(const HardIrqsOff& irqs_off) noexcept;

  // ---- Modes; the former mode bits. EINVAL: a bit that is no mode, HMOBS without observable ----
  [[nodiscard]] Result<u32> set_mode(u32 bits) noexcept;
  [[nodiscard]] Result<u32> clear_mode(u32 bits) noexcept;

  // T1 to T9 as far as they show under the guard. For tests, debug builds, the simulator.
  [[nodiscard]] bool invariants_hold(const ThreadGuard& locked) noexcept;

 private:
  friend class Mutex;
  friend class KernelThread;
  friend class PriorityChain;
  friend class Process;
  friend class StageSwitch;
  friend class MigrationGuard;
  friend class PreemptGuard;
  friend class Rq;
  friend class Scheduler;
  friend class ThreadElement;
  friend class ThreadGuard;
  friend class WaitChannel;
  friend struct FifoPolicy;
  friend struct WeakPolicy;
  friend struct IdlePolicy;

  friend void report(Thread& thread, HmCode code, u64 value) noexcept;
  friend void signal_thread(Thread& thread, int signo) noexcept;

  static void on_timeout(Timer& timer, const HardIrqsOff& irqs_off) noexcept;
  static void on_period(Timer& timer, const HardIrqsOff& irqs_off) noexcept;
  static void on_wake_work(kapi_irq_work* work) noexcept;
  static void on_signal_work(kapi_irq_work* work) noexcept;
  bool end_sleep(const RqLocked& locked, StateFlags mask, InfoFlags reasons) noexcept;
  void unhold(const RqLocked& locked, StateFlags mask, InfoFlags reasons) noexcept;
  // Bits of the state word that repeat the base parameters: WEAK, RRB.
  [[nodiscard]] bool is_doomed() const noexcept;  // A file of serving_ is being closed.
  void show_base(const RqLocked& locked) noexcept EVL_REQUIRES(lock_);
  void set_name(const char* name) noexcept;
  [[nodiscard]] Result<u32> change_mode(u32 set, u32 cleared) noexcept;

  // Lines 1 and 2: wake-up, pick, switch.
  StateFlags state_;
  InfoFlags info_;
  SchedParams effective_;  // Under L and R.
  Rq* rq_;
  ListHook ready_hook_;  // Under R.
  PrioHook wait_hook_;   // Under the channel's lock.
  WaitChannel* wchan_{nullptr};
  Timer resource_timer_;  // Timeout of the current sleep.

  HardSpinLock<LockRank::thread> lock_;
  LocalFlags local_;
  int preempt_count_{0};
  kapi_altsched altsched_{};

  SchedParams base_ EVL_GUARDED_BY(lock_);
  Booster::BoostQueue boosters_ EVL_GUARDED_BY(lock_);
  Booster::OwnedList owned_ EVL_GUARDED_BY(lock_);
  // False: no mutex may track it as its owner. True from attach() to drop_owned_mutexes(): a handle
  // can be found, and written to a lock word, while its thread is being made or unmade.
  bool may_own_ EVL_GUARDED_BY(lock_){false};
  // Mutexes owned, counted when weak or WOLI: a weak thread stays oob until it is 0. Itself only.
  int held_mutexes_{0};
  OobFile* serving_[2]{};
  Process* process_{nullptr};
  ThreadElement* element_{nullptr};
  kapi_task* const task_;
  evl_user_window* window_{nullptr};
  Timer period_timer_;       // Of kernel threads with a period.
  ListHook attached_hook_;   // In Core's list, while attached. Under Core::task_lock_.
  ListHook process_hook_;    // Under the lock of process_'s barrier.
  kapi_irq_work wake_work_;  // Continues the task in-band. Idle when the thread goes oob.
  kapi_irq_work signal_work_;
  Atomic<u32> pending_reports_{0};  // A bit per HmCode, taken by on_signal_work().
  Atomic<u64> pending_signals_{0};  // A bit per signal number.
  ThreadStats stats_;
  const Kind kind_;
  char name_[kNameLength + 1]{};

 public:
  using AttachedList = List<Thread, &Thread::attached_hook_>;
  using ProcessList = List<Thread, &Thread::process_hook_>;
  using ReadyQueue = LevelQueue<Thread, &Thread::ready_hook_, kPrioLevels>;
  using WaitList = PrioQueue<Thread, &Thread::wait_hook_>;
};

// The thread of the calling task, in-band or oob; nullptr when not attached. In an interrupt: of
// the task that was hit.
[[nodiscard]] Thread* current_thread() noexcept;

}  // namespace evl

#endif  // EVL_THREAD_THREAD_H
