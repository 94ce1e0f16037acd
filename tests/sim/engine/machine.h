// SPDX-License-Identifier: MIT
//
// Machine: N virtual CPUs with their interrupts, tick devices, hard spinlocks and one clock, run by
// one strategy in one host thread. What runs on the CPUs calls in at each preemption point;
// everything that happens next is then picked. The machine knows nothing of Linux or of the core:
// what an interrupt does, and what idle means, comes by Hooks.
//
// M1  Between two picks exactly one CPU moves. A move is the operation that its CPU has announced,
// and what follows it
//     up to the next point, so what lies between two points is atomic.
// M2  A CPU whose operation waits (for a lock, for work, in a busy wait) is not picked before the
// wait is over. When
//     nobody can be picked, the machine has found a deadlock, or a wake-up that was lost.
// M3  Time is one clock for all CPUs. It advances by step_ns per move, and by a move of its own to
// the next date that
//     a tick device or Linux waits for.
// M4  The same configuration, flows and answers of the strategy give the same run.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/fiber.h"
#include "engine/operation.h"
#include "engine/strategy.h"
#include "engine/trace.h"

namespace sim {

class Machine;

// A hard spinlock. All zero is a free lock without a rank.
struct SpinLock {
  std::uint8_t owner{0};  // CPU + 1.
  std::uint8_t rank{
      0};  // 0: not checked for order. A lock is taken under locks of lower ranks only.
  const char* name{nullptr};
};
enum class Nesting : bool { none, same_rank };

// A flow of control that may run on a CPU: a task of Linux, or the idle loop.
class Flow {
 public:
  using Body = void (*)(void* argument);
  Flow(const char* name, Body body, void* argument)
      : fiber_{&begin, this}, name_{name}, body_{body}, argument_{argument} {}

  const char* name() const noexcept { return name_; }
  void* argument() const noexcept { return argument_; }

 private:
  friend class Machine;
  [[noreturn]] static void begin(void* self);

  Fiber fiber_;
  const char* name_;
  Body body_;
  void* argument_;
};

constexpr std::uint64_t kNever = ~std::uint64_t{0};
constexpr unsigned kTickIrq = 0;  // Raised by the tick device; the others are the caller's.
constexpr unsigned kIrqs = 32;

struct Cpu {
  Flow* running{nullptr};           // Null when the CPU is off.
  Operation next{};                 // What it does when it is picked.
  std::uint32_t pending{0};         // Interrupts for the out-of-band stage.
  std::uint32_t inband_pending{0};  // Logged for the in-band stage.
  std::uint64_t tick_date_ns{kNever};
  std::uint32_t irqs_off_steps{0};  // Moves since hard interrupts went off.
  std::uint64_t irqs_off_since_ns{0};
  std::uint8_t number{0};
  std::uint8_t irq_depth{0};
  bool irqs_off{true};
  bool oob{false};
  bool stalled{false};  // The in-band stage: its interrupts are logged.
  bool oob_stalled{false};
  bool inband_irq{false};  // An in-band handler runs, or was preempted by the oob stage.
  bool take_irq{false};
  bool relaxed{false};          // Waits busily, and nobody else has moved since.
  std::vector<SpinLock*> held;  // In the order taken.
};

// What the layer above does for the machine.
class Hooks {
 public:
  Hooks() = default;
  virtual ~Hooks() = default;
  Hooks(const Hooks&) = delete;
  Hooks& operator=(const Hooks&) = delete;

  /// Handles one interrupt on the flow that it interrupts, out-of-band. Hard interrupts are off.
  virtual void irq(unsigned /*number*/) {}
  /// The handler has ended; still out-of-band with hard interrupts off. May switch flows. `was_oob`
  /// is the stage that was interrupted.
  virtual void irq_exit(bool /*was_oob*/) {}
  /// Plays one interrupt that was logged for the in-band stage, which is stalled meanwhile. Hard
  /// interrupts are on.
  virtual void inband_irq(unsigned /*number*/) {}
  /// The in-band stage is unstalled again after an interrupt: the place where Linux preempts a
  /// task.
  virtual void inband_irq_exit() {}
  /// Whether an idle CPU has something to run.
  virtual bool has_work(const Cpu& /*cpu*/) { return false; }
  /// The next date, after `now_ns`, that something other than a tick device waits for.
  virtual std::uint64_t next_date_ns(std::uint64_t /*now_ns*/) { return kNever; }
  /// Compares everything with what must hold. Called between two moves, with points switched off.
  virtual void check() {}
  /// What to add to the report of a machine that stands still.
  virtual std::string describe() { return ""; }
};

class Machine final {
 public:
  struct Config {
    unsigned cpus{2};
    std::uint32_t max_steps{50'000};
    std::uint32_t max_irqs_off_steps{4'000};
    std::uint32_t step_ns{50};
    bool clock_moves{true};  // Whether time jumps while somebody can still move; when nobody can,
                             // it always does.
  };
  enum class Outcome : std::uint8_t { running, passed, failed, pruned };

  Machine(const Config& config, Strategy& strategy, Hooks& hooks, Trace& trace);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// The machine of the simulation that runs; there is at most one.
  static Machine& current() noexcept;
  static bool exists() noexcept;

  // Host side.

  /// Makes `flow` what `cpu` runs. Before run(), or from the layer above for a CPU that is off.
  void start(unsigned cpu, Flow& flow) noexcept;
  /// Runs until finish(), fail(), a pruned run, or the end of all flows.
  Outcome run();
  Outcome outcome() const noexcept { return outcome_; }
  const std::string& failure() const noexcept { return failure_; }

  // Called by what runs on a CPU.

  Cpu& cpu() noexcept { return cpus_[current_]; }
  Cpu& cpu(unsigned number) noexcept { return cpus_[number]; }
  unsigned cpus() const noexcept { return config_.cpus; }
  const Config& config() const noexcept { return config_; }
  Strategy& strategy() noexcept { return strategy_; }
  Trace& trace() noexcept { return trace_; }
  std::uint64_t now_ns() const noexcept { return now_ns_; }
  std::uint32_t steps() const noexcept { return steps_; }
  std::uint32_t irqs_off_steps_max() const noexcept { return irqs_off_max_; }

  /// A preemption point: announces `operation` and returns when this CPU is picked to do it.
  /// Interrupts are handled inside. The calling flow may be on another CPU afterwards.
  void point(const Operation& operation);
  /// A turn of a busy wait: a point that is passed only after somebody else has moved.
  void relax();
  /// Adds a line to the trace; no point.
  void note(const char* what, const void* object = nullptr, std::uint64_t value = 0,
            const char* label = nullptr);
  /// A point at which the clock is read.
  std::uint64_t read_clock();

  void irqs_disable();
  void irqs_enable();
  /// Switches without a point: interrupt entry and exit, and stack switches.
  void set_irqs_off(Cpu& cpu, bool off) noexcept;

  /// Hard interrupts must be off, as for every hard spinlock.
  void lock(SpinLock& lock, Nesting nesting = Nesting::none);
  bool try_lock(SpinLock& lock);
  void unlock(SpinLock& lock);

  /// Makes `number` pending on `cpu`. The delay until it is taken is the strategy's.
  void raise(unsigned cpu, unsigned number);
  void raise_inband(unsigned cpu, unsigned number);
  /// An interrupt of the hardware's hits the calling flow, here. Hard interrupts are on.
  void interrupt_here(unsigned number);
  /// Plays what is logged for the in-band stage of this CPU, if that runs and is not stalled.
  void play_inband_log();
  void program_tick(unsigned cpu, std::uint64_t date_ns);

  /// Continues `next` on this CPU; returns when this flow is continued.
  void switch_flow(Flow& next);
  /// Ends the run with success. The flows that are left are abandoned.
  [[noreturn]] void finish();
  /// Ends the run with a failure.
  [[noreturn, gnu::format(printf, 2, 3)]] void fail(const char* format, ...);

  /// While it is on, whoever runs goes on as long as it can: a part of a run that is not worth
  /// searching, at a fraction of the cost. Nothing is checked there.
  void go_straight(bool on) noexcept { straight_ = on; }

  /// A bit per rank of the locks released since this was asked last: what may have changed under
  /// them. Ranks are below 64.
  std::uint64_t take_released() noexcept { return std::exchange(released_, 0); }
  /// Something that check() looks at has changed.
  void changed() noexcept { dirty_ = true; }
  bool quiet() const noexcept { return quiet_; }

 private:
  friend class Flow;

  static const char kSilent[];  // What a point is about that leaves no line in the trace.

  void settle(const Operation& operation);
  void move_on();
  bool goes_straight();
  void count_step();
  void count_irqs_off(Cpu& cpu);
  void gather();
  bool can_move(const Cpu& cpu) const;
  bool can_interrupt(const Cpu& cpu) const noexcept;
  std::uint64_t next_date_ns() const;
  void jump(std::uint64_t date_ns);
  void take_interrupt();
  void handle_oob(Cpu& here, unsigned number);
  void handle_inband(Cpu& here, unsigned number);
  void took(SpinLock& lock);
  [[noreturn]] void leave(Outcome outcome);
  [[noreturn]] void stands_still();
  [[noreturn]] void flow_ended();

  const Config config_;
  Strategy& strategy_;
  Hooks& hooks_;
  Trace& trace_;
  std::array<Cpu, kMaxCpus> cpus_{};
  Fiber host_;
  Fiber* on_{nullptr};  // The fiber that runs.
  std::vector<Move> moves_;
  std::string failure_;
  std::uint64_t now_ns_{1'000'000};
  std::uint64_t due_date_ns_{kNever};
  std::uint32_t steps_{0};
  std::uint32_t irqs_off_max_{0};
  unsigned current_{0};
  Actor last_{};
  Outcome outcome_{Outcome::running};
  std::uint64_t released_{0};
  bool dirty_{false};
  bool quiet_{false};
  bool straight_{false};
};

}  // namespace sim
