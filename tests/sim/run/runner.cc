// SPDX-License-Identifier: MIT

#include "run/runner.h"

#include <memory>

#include "check/check.h"
#include "engine/random_walk.h"
#include "program/world.h"

namespace sim {
namespace {

// Lets the part of a run that is worth searching be searched, and the rest go straight on: boot,
// and taking down.
class Focus final : public Strategy {
 public:
  explicit Focus(Strategy& inner) noexcept : inner_{inner} {}

  // Outside of the search the machine asks only when whoever ran last cannot go on.
  std::size_t pick(std::span<const Move> moves, Actor last) override {
    if (searching_) return inner_.pick(moves, last);
    for (std::size_t i = 0; i < moves.size(); ++i)
      if (moves[i].actor == last) return last.role == Role::clock && moves.size() > 1 ? 0 : i;
    return 0;
  }
  std::uint32_t value(std::uint32_t bound) override { return searching_ ? inner_.value(bound) : 0; }
  bool rarely(std::uint32_t percent) override { return searching_ && inner_.rarely(percent); }
  void relaxed(Actor actor) override { inner_.relaxed(actor); }

  static void begin(void* self) { static_cast<Focus*>(self)->search(true); }
  static void end(void* self) { static_cast<Focus*>(self)->search(false); }

 private:
  void search(bool on) {
    searching_ = on;
    Machine::current().go_straight(!on);
  }

  Strategy& inner_;
  bool searching_{false};
};

LinuxConfig linux_config(const Program& program) {
  LinuxConfig config{.cpus = program.cpus};
  kapi_config& core = config.core;
  core.state = KAPI_BOOT_ENABLED;
  core.oob_cpus.words[0] = (1U << program.cpus) - 1;
  core.sysheap_bytes = 64 * 1024;
  core.watchdog_s = program.watchdog_s;  // Time jumps: it strikes threads that have hardly run.
  core.nr_threads = 32;
  core.nr_monitors = 32;
  core.nr_clocks = 4;
  core.nr_xbufs = 4;
  core.nr_proxies = 4;
  core.nr_observables = 4;
  core.latency_user_ns = 100;
  core.latency_kernel_ns = 50;
  core.latency_irq_ns = 0;
  return config;
}

}  // namespace

Report Runner::run_with(const Program& program, Strategy& strategy, const char* name,
                        std::uint32_t step_ns) {
  snapshot_.restore();
  Focus focus{strategy};
  World world{program};
  Linux linux_model{linux_config(program)};
  QueueOrder order{program};
  linux_model.checker = [&] {
    check_core(world);
    order.look(world);
  };
  linux_model.on_switch = [&](Task& from, Task& to) {
    look_at_switch(from, to);
    order.switched(world, from, to);
  };
  // Four times what 23,600 schedules over all scenarios needed at most: a walk over a chain of all
  // threads.
  constexpr std::uint32_t kMaxIrqsOffSteps = 400;
  // The longest of 400,000 random programs took 70,204, with a watchdog that strikes all the time.
  constexpr std::uint32_t kMaxSteps = 120'000;
  Machine machine{{.cpus = program.cpus,
                   .max_steps = kMaxSteps,
                   .max_irqs_off_steps = kMaxIrqsOffSteps,
                   .step_ns = step_ns},
                  focus,
                  linux_model,
                  trace_};
  machine.go_straight(true);
  linux_model.attach(machine);
  linux_model.start_init([&] { world.init({&Focus::begin, &Focus::end, &focus}); });
  Report report;
  report.failed = machine.run() == Machine::Outcome::failed;
  report.strategy = name;
  report.steps = machine.steps();
  report.irqs_off_steps = machine.irqs_off_steps_max();
  if (report.failed) {
    report.failure = machine.failure();
    report.trace = trace_.tail(trace_lines, program.cpus);
  }
  return report;
}

// Half of the seeds walk, half use PCT; how often a walk leaves a CPU, and the depth, vary as well.
Report Runner::run(const Program& program, std::uint64_t seed) {
  constexpr std::uint32_t kSteps = 1'500;  // Of an average program, boot not included.
  Rng rng{seed ^ 0x5eedULL};
  if (rng.chance(50)) {
    static constexpr std::uint32_t kLeave[] = {3, 10, 25, 50};
    const std::uint32_t leave = kLeave[rng.below(4)];
    RandomWalk walk{rng.next(), leave};
    return run_with(program, walk,
                    ("random walk, leaves in " + std::to_string(leave) + " %").c_str(), 50);
  }
  const unsigned depth = 2 + rng.below(4);
  Pct pct{rng.next(), depth, kSteps};
  return run_with(program, pct, ("PCT, depth " + std::to_string(depth)).c_str(), 50);
}

Report Runner::run(const Scenario& scenario, std::uint64_t seed) {
  return run(program_of(scenario, seed), seed);
}

// What a failure says, without the numbers in it.
std::string kind_of(const std::string& failure) {
  constexpr std::size_t kLength = 40;
  std::string kind;
  for (const char c : failure)
    if ((c < '0' || c > '9') && kind.size() < kLength) kind += c;
  return kind;
}

Program Runner::reduce(const Scenario& scenario, std::uint64_t& seed) {
  constexpr std::uint64_t kTries = 300;
  Program program = program_of(scenario, seed);
  const std::string kind = kind_of(run(program, seed).failure);
  auto fails = [&](const Script<Step>& script) {
    Program candidate = program;
    candidate.script = script;
    // Another failure would lead astray: a program that is cut down may be wrong by itself.
    auto alike = [&](std::uint64_t schedule) {
      const Report report = run(candidate, schedule);
      return report.failed && kind_of(report.failure) == kind;
    };
    if (alike(seed)) return true;
    for (std::uint64_t other = 1; other <= kTries; ++other) {
      if (!alike(other)) continue;
      seed = other;
      return true;
    }
    return false;
  };
  // Threads keep their numbers, which steps refer to: one that does nothing stays as an empty
  // script.
  program.script = shrink(program.script, [&](const Script<Step>& script) {
    return script.size() == program.script.size() && fails(script);
  });
  return program;
}

Runner::Exploration Runner::explore(const Scenario& scenario, unsigned preemptions,
                                    std::uint64_t limit,
                                    const std::function<void(std::uint64_t)>& after_each) {
  Rng rng{1};
  const Program program = scenario.make(rng);
  Explorer explorer{preemptions};
  Exploration done;
  while (done.runs < limit && explorer.next()) {
    ++done.runs;
    done.report = run_with(program, explorer, "explorer", 0);
    if (done.report.failed) return done;
    after_each(done.runs);
  }
  done.exhausted = explorer.exhausted();
  return done;
}

}  // namespace sim
