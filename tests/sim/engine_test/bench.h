// SPDX-License-Identifier: MIT
//
// Bench: runs small hand-written programs, one flow per CPU, on the bare machine. For the engine's
// own tests.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/machine.h"

namespace sim::test {

class Bench final : public Hooks {
 public:
  using Body = std::function<void()>;

  explicit Bench(Machine::Config config = {.step_ns = 0}) : config_{config} {}

  /// What each CPU runs, and what is made anew before each run.
  Bench& on_each_cpu(std::vector<Body> bodies) {
    bodies_ = std::move(bodies);
    config_.cpus = static_cast<unsigned>(bodies_.size());
    return *this;
  }
  Bench& before_each_run(Body body) {
    prepare_ = std::move(body);
    return *this;
  }
  Bench& on_irq(std::function<void(unsigned)> handler) {
    handler_ = std::move(handler);
    return *this;
  }
  Bench& idle_ends_when(std::function<bool(unsigned)> ready) {
    ready_ = std::move(ready);
    return *this;
  }

  Machine::Outcome run(Strategy& strategy) {
    if (prepare_) prepare_();
    Machine machine{config_, strategy, *this, trace_};
    std::vector<std::unique_ptr<Flow>> flows;
    for (unsigned i = 0; i < bodies_.size(); ++i) {
      flows.push_back(std::make_unique<Flow>("flow", &call, &bodies_[i]));
      machine.start(i, *flows.back());
      machine.set_irqs_off(machine.cpu(i), false);
    }
    const auto outcome = machine.run();
    failure_ = machine.failure();
    steps_ = machine.steps();
    if (outcome == Machine::Outcome::failed) tail_ = trace_.tail(40, config_.cpus);
    return outcome;
  }

  const std::string& failure() const { return failure_; }
  const std::string& tail() const { return tail_; }
  std::uint32_t steps() const { return steps_; }

  void irq(unsigned number) override {
    if (handler_) handler_(number);
  }
  bool has_work(const Cpu& cpu) override { return ready_ && ready_(cpu.number); }

 private:
  static void call(void* body) { (*static_cast<Body*>(body))(); }

  Machine::Config config_;
  std::vector<Body> bodies_;
  Body prepare_;
  std::function<void(unsigned)> handler_;
  std::function<bool(unsigned)> ready_;
  Trace trace_;
  std::string failure_;
  std::string tail_;
  std::uint32_t steps_{0};
};

}  // namespace sim::test
