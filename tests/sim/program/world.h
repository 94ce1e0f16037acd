// SPDX-License-Identifier: MIT
//
// World: runs one program on one machine, and knows what may come out of each step. The model is
// naive on purpose: who owns which gate, who was told to stop waiting, what time it is. It looks at
// results only; check.h looks inside.

#pragma once

#include <array>
#include <string>
#include <vector>

#include "linux/linux.h"
#include "program/program.h"
#include "user/user.h"

namespace sim {

constexpr unsigned kMaxThreads = 8;
constexpr unsigned kMaxGates = 8;
constexpr unsigned kMaxEvents = 8;
constexpr unsigned kMaxTimers = 4;

class World final {
 public:
  explicit World(const Program& program) noexcept : program_{program} {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// The first task: boots the core, runs the program in a process, takes everything down, looks
  /// for leaks. `begin` and `end` are called around the part that is worth searching.
  struct Focus {
    void (*begin)(void*);
    void (*end)(void*);
    void* argument;
  };
  void init(const Focus& focus);

  struct GateModel {
    UserGate user;
    int owner{-1};  // Thread that has been told that it holds the gate.
    unsigned nesting{0};
    bool closed{false};
    bool closing{false};  // Waiters are on their way out.
  };
  struct TimerModel {
    struct Setting {
      std::uint64_t first_ns;
      std::uint64_t interval_ns;
    };
    UserTimer user;
    std::vector<Setting> settings;  // All that were ever asked for: any of them may tick.
    bool closed{false};
  };
  struct ThreadModel {
    Task* task{nullptr};
    int fd{-1};
    bool disturbed{false};  // Somebody may have broken its sleep: EINTR is allowed.
    bool dead{false};
    int base_policy{0};
  };

  const Program& program() const noexcept { return program_; }
  const std::array<GateModel, kMaxGates>& gates() const noexcept { return gates_; }
  const std::array<ThreadModel, kMaxThreads>& threads() const noexcept { return threads_; }
  const std::array<UserEvent, kMaxEvents>& events() const noexcept { return events_; }
  bool event_closed(unsigned event) const noexcept { return event_closed_[event]; }
  /// The process has its files and gates: checks can look at them.
  bool ready() const noexcept { return ready_; }

 private:
  void make_objects();
  void run_threads();
  void wait_for_start(UserThread& self);
  void begin_search();
  void thread_main(unsigned number);
  void run(UserThread& self, unsigned number, const Step& step);
  void take(UserThread& self, unsigned number, const Step& step);
  void give(UserThread& self, unsigned number, unsigned gate);
  void use_event(UserThread& self, unsigned number, const Step& step);
  int wait(UserThread& self, unsigned number, const Step& step);
  void await(UserThread& self, unsigned number, const Step& step);
  void use_thread(UserThread& self, const Step& step);
  void use_timer(UserThread& self, unsigned number, const Step& step);
  void check_ticks(const TimerModel& timer, unsigned number, const Step& step, std::uint64_t ticks);
  void release_all(UserThread& self, unsigned number);
  void forget(unsigned number) noexcept;
  bool attach(UserThread& self, unsigned number);
  bool refusals() const noexcept { return program_.refuse_percent != 0; }

  void expect(bool true_statement, const char* what, unsigned number, const Step& step,
              long result);

  const Program& program_;
  UserProcess process_;
  std::array<GateModel, kMaxGates> gates_{};
  std::array<UserEvent, kMaxEvents> events_{};
  std::array<bool, kMaxEvents> event_closed_{};
  std::array<unsigned, kMaxEvents> tokens_{};  // Each guarded by the gate of its event.
  std::array<ThreadModel, kMaxThreads> threads_{};
  std::array<TimerModel, kMaxTimers> timers_{};
  bool ready_{false};
  bool killed_{false};
  Focus focus_{};
  bool searching_{false};
  unsigned at_start_{0};
  std::uint64_t start_ns_{0};
};

}  // namespace sim
