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
#include "program/fifo.h"
#include "program/program.h"
#include "program/source.h"
#include "user/user.h"

namespace sim {

constexpr unsigned kMaxThreads = 8;
constexpr unsigned kMaxGates = 8;
constexpr unsigned kMaxEvents = 8;
constexpr unsigned kMaxTimers = 4;
constexpr unsigned kMaxXbufs = 4;
constexpr unsigned kMaxProxies = 4;

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
  struct XbufModel {
    UserXbuf user;
    Fifo inbound;
    Fifo outbound;
    bool closed{false};
  };
  struct ProxyModel {
    UserProxy user;
    Fifo output;   // To the target, whose content is read here.
    Source input;  // From the target.
  };
  struct WallSetting {
    std::int64_t offset_ns;
    std::uint64_t until_ns;
  };
  struct Params {
    int policy;
    int priority;
    friend bool operator==(const Params&, const Params&) = default;
  };
  struct ThreadModel {
    Task* task{nullptr};
    int fd{-1};
    bool disturbed{false};  // Somebody may have broken its sleep: EINTR is allowed.
    bool dead{false};
    unsigned detached{0};           // How often it has been.
    std::uint64_t sleeps_until{0};  // On the monotonic clock; 0: does not sleep by this clock.
    bool stopped{false};            // A debugger has it, and keeps the others from running.
    std::vector<Params> params{};   // All that it was ever given.
  };

  const Program& program() const noexcept { return program_; }
  const std::array<GateModel, kMaxGates>& gates() const noexcept { return gates_; }
  const std::array<ThreadModel, kMaxThreads>& threads() const noexcept { return threads_; }
  const std::array<UserEvent, kMaxEvents>& events() const noexcept { return events_; }
  bool event_closed(unsigned event) const noexcept { return event_closed_[event]; }
  /// The process has its files and gates: checks can look at them.
  bool ready() const noexcept { return ready_; }

 private:
  void run_process();
  void make_objects();
  void run_threads();
  void wait_for_start(UserThread& self);
  void begin_search();
  void thread_main(unsigned number);
  void run(UserThread& self, unsigned number, const Step& step);
  void take(UserThread& self, unsigned number, const Step& step);
  void give(UserThread& self, unsigned number, unsigned gate);
  void use_event(UserThread& self, unsigned number, const Step& step);
  bool holds_another(unsigned number, unsigned gate) const noexcept;
  int wait(UserThread& self, unsigned number, const Step& step);
  void await(UserThread& self, unsigned number, const Step& step);
  void use_thread(UserThread& self, unsigned number, const Step& step);
  void change_thread(UserThread& self, const Step& step);
  void send_signal(ThreadModel& other, const Step& step);
  void look_at_thread(UserThread& self, unsigned number, const Step& step);
  void join_thread(UserThread& self, unsigned number, const Step& step);
  void stop_by_debugger(unsigned number, const Step& step);
  void begin_and_end(UserThread& self, unsigned number, const Step& step);
  void use_clock(UserThread& self, unsigned number, const Step& step);
  void set_wall(const Step& step);
  void look_at_clock(unsigned number, const Step& step);
  void look_at_gate(unsigned number, const Step& step);
  void look_at_cpu(unsigned number, const Step& step);
  void use_timer(UserThread& self, unsigned number, const Step& step);
  void check_ticks(const TimerModel& timer, unsigned number, const Step& step, std::uint64_t ticks);
  void use_xbuf(unsigned number, const Step& step);
  long transfer(XbufModel& xbuf, int fd, unsigned number, const Step& step);
  void help();
  void help_with(XbufModel& xbuf, Fifo& fifo, unsigned number);
  void drain_xbufs();
  void write_proxy(unsigned number, const Step& step);
  void read_proxy(unsigned number, const Step& step);
  void look_at_target(ProxyModel& proxy);
  void wait_for_targets();
  void release_all(UserThread& self, unsigned number);
  void forget(unsigned number) noexcept;
  bool attach(UserThread& self, unsigned number);
  bool refusals() const noexcept { return program_.refuse_percent != 0; }

  static std::uint64_t gravity_ns();
  static bool reached(std::uint64_t date_ns);
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
  std::array<XbufModel, kMaxXbufs> xbufs_{};
  std::array<ProxyModel, kMaxProxies> proxies_{};
  // The distances of the wall clock that the core may go by, and until when; the present one last.
  std::vector<WallSetting> wall_;
  std::size_t wall_known_{0};  // The core has been told up to this one.
  bool setting_wall_{false};
  bool ready_{false};
  bool killed_{false};
  Focus focus_{};
  bool searching_{false};
  unsigned at_start_{0};
  std::uint64_t start_ns_{0};
};

}  // namespace sim
