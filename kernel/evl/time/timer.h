// SPDX-License-Identifier: GPL-2.0
// Timers, and the per-CPU bases they are queued on. Arming and stopping: any stage, any irq state.
// Handlers: oob stage, hard irqs off, base lock released, on the CPU of the base.
#ifndef EVL_TIME_TIMER_H
#define EVL_TIME_TIMER_H

#include "base/atomic.h"
#include "base/cpus.h"
#include "base/flags.h"
#include "base/list.h"
#include "base/lock.h"
#include "base/timer_queue.h"

namespace evl {

class Clock;
class Rq;
class TimerBase;

// Whose wake-up a shot anticipates: by so much earlier the hardware is programmed.
enum class Gravity : u8 { irq, kernel, user };

enum class TimerStatus : u32 {
  killed = 0x02,    // Destroyed: stays as it is when it is started.
  periodic = 0x04,  // Has an interval.
  fired = 0x10,     // Fired at least once since it was armed.
  running = 0x20,   // Armed: queued, or its handler runs and will requeue it.
};
EVL_FLAG_OPERATORS(TimerStatus)

// Invariants, whenever the lock of base_ is free:
//   TM1  Queued on base_ exactly when armed and not in its handler.
//   TM2  A timer that is queued is due at date = expiry - gravity (in the base's time), where a
//        periodic one's expiry is start + periodic_ticks * interval: no drift accumulates.
//   TM3  consumed_ticks <= periodic_ticks; the difference, seen by the owner, is the overrun count.
//   TM4  base_ changes only under the locks of the old and the new base (address order). Who locks
//        reads base_, locks, and starts again if it changed: one retry per move, and only the owner
//        moves its timer, or the CPU of the base when it closes (TB4).
//
// Lock order: TimerBase::lock_ is inside of Rq::lock_.
class Timer final : Immovable {
 public:
  using Handler = void (*)(Timer& timer, const HardIrqsOff& irqs_off) noexcept;

  // What becomes of the timer when its CPU closes: a free one moves to another CPU, armed or not; a
  // bound one serves something of that CPU, and waits for it to come back.
  enum class Bond : u8 { free, bound };

  // On `base`, by `clock`, idle. `name` has static storage or lives as long as the timer.
  Timer(const Clock& clock, TimerBase& base, Gravity gravity, Handler handler, const char* name,
        Bond bond = Bond::free) noexcept;
  ~Timer();  // destroy() was called, or the timer was never armed.

  /// Arms the timer: first shot at `first`, then one every `interval`; zero is one-shot. An armed
  /// timer is stopped first. A date in the past fires at once; forever never does. A free timer
  /// whose CPU is closed is armed here, or on the first CPU that is open.
  /// Stage:    any; the caller may hold locks outside of the timer base.
  /// Irqs:     any; masked for one insertion.
  /// Units:    `first` is absolute on the timer's clock.
  /// Cost:     O(log n) in the timers armed on that CPU; a timer IPI when it is another one's head.
  void start(Date first, Duration interval) noexcept;

  /// Disarms; nothing when idle. A handler that runs on another CPU may still be running. The
  /// device is left alone: a shot for nothing is cheaper than programming it on each wake-up. Cost:
  /// O(log n).
  void stop() noexcept;

  /// Stops for good, and waits for a handler that runs on another CPU: then the storage may go.
  /// Stage: inband, no hard lock held. Cost: spins for the handlers of one tick.
  void destroy(const InbandStage& inband) noexcept;

  /// Moves to another CPU's base, armed or idle. Any stage. Cost: O(log n).
  void move_to(TimerBase& base, const HardIrqsOff& irqs_off) noexcept;

  void set_gravity(Gravity gravity) noexcept;  // For the next start().
  // Idle only, owner only: the next start() is on `clock`. What a thread's sleeps need.
  void set_clock(const Clock& clock) noexcept { clock_ = &clock; }
  // A snapshot; exact where nobody else arms it, and on the CPU of its base with irqs off.
  [[nodiscard]] bool running() const noexcept { return status_.has(TimerStatus::running); }
  // Of the next shot, on the timer's clock; forever when idle.
  [[nodiscard]] Date date() const noexcept;
  // Until the next shot: at least 1 ns; zero when idle.
  [[nodiscard]] Duration remaining() const noexcept;
  [[nodiscard]] Duration interval() const noexcept { return interval_; }

  // A tick has come that take_overruns() has not accounted for. Owner only; on the CPU of its base.
  [[nodiscard]] bool tick_is_due() const noexcept { return consumed_ticks_ < periodic_ticks_; }

  // Missed ticks of a periodic timer, consumed by the reading. `now` is on the timer's clock.
  // Source: POSIX timer_getoverrun(). Owner only; oob.
  [[nodiscard]] u64 take_overruns(Date now) noexcept;

  [[nodiscard]] const Clock& clock() const noexcept { return *clock_; }
  // A snapshot; exact for the owner.
  [[nodiscard]] TimerBase& base() const noexcept { return *base_.load_relaxed(); }
  [[nodiscard]] const char* name() const noexcept { return name_; }

 private:
  friend class TimerBase;
  friend class Clock;

  // Date of the next shot on the timer's clock.
  [[nodiscard]] Date expiry() const noexcept;
  // Calls work(base) under the lock of the timer's base, which it finds again if it moved.
  template <typename Work>
  void with_base(const HardIrqsOff& irqs_off, Work&& work) const noexcept;

  TimerHook hook_;
  ListHook shift_hook_;  // Where Clock::adjust() keeps it meanwhile. Under the base's lock.
  Flags<TimerStatus> status_;
  Gravity gravity_;
  Date start_{};
  Duration interval_{};
  u64 periodic_ticks_{0};  // By how many intervals the expiry has advanced.
  u64 consumed_ticks_{0};  // How many of them take_overruns() has accounted for.
  Atomic<TimerBase*> base_;
  const Bond bond_;
  const Handler handler_;
  const Clock* clock_;
  const char* const name_;
#ifdef CONFIG_EVL_RUNSTATS
  u64 scheduled_{0};
  u64 fired_{0};
#endif

 public:
  using Queue = TimerQueue<Timer, &Timer::hook_>;
  using ShiftList = List<Timer, &Timer::shift_hook_>;
};

// The timers of one CPU, and the tick that serves them.
//
// Invariants, whenever lock_ is free:
//   TB1  The device is programmed for the head's date, or earlier, or the tick handler runs here
//        (it programs once, at its end), or a timer IPI is on its way.
//   TB2  Linux's tick is no timer in the queue but the slot inband_shot_; while a thread of the
//        core runs here the device is not programmed for it (deferred): the switch to root makes
//        up for that.
//   TB3  Handlers run one after the other, with run_lock_ held and lock_ free.
//   TB4  A closed base queues no free timer, unless all bases are closed; it serves none, and its
//        device is programmed for nothing but Linux's tick.
class TimerBase final : Immovable {
 public:
  explicit TimerBase(Cpu cpu) noexcept : cpu_{cpu} {}

  // The device fired, or a timer IPI came. Runs what has expired, programs the next shot.
  // Stage: oob. Cost: O(e log n) in expired timers; e is bounded by the timers of this CPU, and a
  // periodic timer that is late is requeued beyond now, so it counts once.
  void tick(const OobStage& oob, const HardIrqsOff& irqs_off) noexcept;

  // The device is about to become the core's: it is not programmed, and Linux has not asked for
  // anything yet. Stage: inband; nobody uses the base.
  void device_is_taken(const InbandStage& inband) noexcept;
  // Whether this CPU serves the core: it is an oob CPU, and on-line, and has its tick. Written on
  // the CPU itself, in-band. Any stage; stays true on other CPUs for as long as irqs are off here,
  // or is false already: a CPU goes down only after all others have masked their irqs for it.
  [[nodiscard]] bool is_open() const noexcept { return open_.load_relaxed(); }
  // What is queued is served from here on. Stage: inband. On this CPU, or before it does anything.
  void open(const HardIrqsOff& irqs_off) noexcept;
  // Nothing is served any more: evacuate() comes next. Stage: inband. On this CPU.
  void close(const HardIrqsOff& irqs_off) noexcept;
  // Moves one free timer of this closed base to another one. False: there is none left.
  // Cost: O(n) in the bound timers of this CPU, O(log n) there.
  bool evacuate_one(TimerBase& to, const HardIrqsOff& irqs_off) noexcept;

  // Linux asks for its tick at `date`, or (forever) for none. Stage: any. On this CPU.
  void set_inband_shot(MonoDate date, const HardIrqsOff& irqs_off) noexcept;
  // The scheduler tells who has the CPU. Oob threads: Linux's tick is deferred from here. Root: a
  // tick that was deferred is notified when it is due, else programmed. Stage: oob. On this CPU.
  void oob_takes_cpu(const HardIrqsOff&) noexcept { oob_busy_ = true; }
  void root_takes_cpu(const HardIrqsOff& irqs_off) noexcept;

  [[nodiscard]] Cpu cpu() const noexcept { return cpu_; }
  [[nodiscard]] bool invariants_hold() noexcept EVL_REQUIRES(lock_);

 private:
  friend class Timer;
  friend class Clock;
  // Queues an armed timer by its expiry. True: it is the head, its base has to be told.
  bool insert(Timer& timer) noexcept EVL_REQUIRES(lock_);
  // insert() from anywhere: programs the device, or sends the timer IPI.
  void insert_and_tell(Timer& timer, const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);
  void remove(Timer& timer) noexcept EVL_REQUIRES(lock_);
  // When an armed timer is to fire: expiry less gravity, in the base's time.
  [[nodiscard]] static MonoDate shot_date(const Timer& timer) noexcept;
  static void catch_up(Timer& timer, MonoDate now) noexcept;
  // Where a timer has to go from here before it is armed; nullptr: it may stay.
  [[nodiscard]] TimerBase* refuge(const Timer& timer, const HardIrqsOff& irqs_off) const noexcept;
  // Ends the turn of `done`, whose handler has run (nullptr: none yet), and takes out the next one
  // that is due; nullptr: none.
  [[nodiscard]] Timer* next_expired(Timer* done, MonoDate now) noexcept EVL_REQUIRES(lock_);
  void program_next(const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);

  HardSpinLock<LockRank::timer_run> run_lock_;
  HardSpinLock<LockRank::timer_base> lock_;
  Timer::Queue queue_ EVL_GUARDED_BY(lock_);
  bool in_tick_ EVL_GUARDED_BY(lock_){false};
  Atomic<bool> open_{false};  // Written under lock_.
  // Private to this CPU, irqs off.
  MonoDate programmed_{MonoDate::forever()};
  MonoDate inband_shot_{MonoDate::forever()};
  bool inband_deferred_{false};
  bool oob_busy_{false};
  const Cpu cpu_;
};

// The bases of all CPUs; the table is in boot/core.h.
[[nodiscard]] PerCpu<TimerBase>& timer_bases() noexcept;
// An open one: of this CPU, or else the first there is; nullptr: none. Cost: O(CPUs).
[[nodiscard]] TimerBase* open_timer_base(const HardIrqsOff& irqs_off) noexcept;

}  // namespace evl

#endif  // EVL_TIME_TIMER_H
