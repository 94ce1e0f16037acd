// SPDX-License-Identifier: MIT

#include "program/program.h"

#include <algorithm>

#include <evl/thread-abi.h>

#include "program/fifo.h"
#include "program/source.h"

namespace sim {
namespace {

constexpr const char* kNames[] = {
#define SIM_OP_NAME(name) #name,
    SIM_OPS(SIM_OP_NAME)
#undef SIM_OP_NAME
};

// Writes the script of one thread. Keeps the rules that make every wait end: what is waited for
// without limit is held by somebody who will release it, and a thread releases what it has taken,
// unless the program is about deaths.
class Writer final {
 public:
  Writer(Rng& rng, const Program& program, unsigned number)
      : rng_{rng}, program_{program}, number_{number} {}

  std::vector<Step> write(unsigned length) {
    while (steps_.size() < length) section(0);
    return std::move(steps_);
  }

 private:
  void add(Op op, unsigned a = 0, unsigned b = 0, std::uint32_t value = 0) {
    steps_.push_back({op, static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), value});
  }
  unsigned any_thread() { return rng_.below(static_cast<std::uint32_t>(program_.threads.size())); }
  std::uint32_t some_ns() { return 200 + rng_.below(20'000); }
  // A tick takes about 1.5 us, and a strategy may prefer interrupts to everything else for ever:
  // those of all timers have to leave time for the threads.
  static constexpr unsigned kLeastPeriodUs = 8;
  // Further than all the rest of a program takes; but timers that tick meanwhile tick on.
  std::uint32_t far() const { return program_.timers.empty() ? 1'000 : 50; }

  // A step or a critical section; sections nest by ascending gate.
  void section(unsigned lowest_gate) {
    const auto gates = static_cast<unsigned>(program_.gates.size());
    if (lowest_gate < gates && depth_ < 3 && rng_.chance(45)) {
      const unsigned first = program_.ordered ? lowest_gate : 0;
      const unsigned gate = first + rng_.below(gates - first);
      if (rng_.chance(15))
        add(Op::try_lock, gate);
      else
        add(Op::lock, gate, 0, rng_.chance(40) ? some_ns() : 0);
      ++depth_;
      for (unsigned i = rng_.below(3); i > 0; --i) section(gate + 1);
      if (program_.events > 0 && rng_.chance(50)) event_step(gate);
      --depth_;
      if (!program_.deaths || !rng_.chance(10)) add(Op::unlock, gate);
      return;
    }
    plain_step();
  }

  void event_step(unsigned gate) {
    // An event belongs to one gate: the same number, wrapped.
    const unsigned event = gate % program_.events;
    if (gate >= program_.events) return;
    switch (rng_.below(5)) {
      case 0:
      case 1:
        add(Op::wait, event, gate, some_ns());
        break;
      case 2:
        add(Op::signal, event, gate);
        break;
      case 3:
        add(Op::broadcast, event, gate);
        break;
      default:
        add(Op::signal_thread, event, gate, any_thread());
        break;
    }
  }

  void timer_step() {
    const unsigned timer = rng_.below(static_cast<std::uint32_t>(program_.timers.size()));
    const bool nonblock = program_.timers[timer].nonblock;
    switch (rng_.below(nonblock ? 6 : 5)) {
      case 0:
      case 1:
        add(Op::set_timer, timer, nonblock && rng_.chance(40) ? 0 : kLeastPeriodUs + rng_.below(24),
            some_ns());
        break;
      case 2:
      case 3:
        add(Op::read_timer, timer);
        break;
      case 4:
        add(program_.deaths && rng_.chance(30) ? Op::close_timer : Op::look_at_timer, timer);
        break;
      default:
        add(Op::stop_timer, timer);
        break;
    }
  }

  // Who joins holds nothing, and waits for nobody who may wait for him.
  void rare_step() {
    switch (rng_.below(9)) {
      case 0:
      case 1:
        add(Op::sleep_wall, 0, 0, some_ns());
        break;
      case 2:
        add(Op::set_wall, 0, rng_.below(2), some_ns() * (rng_.chance(30) ? far() : 1));
        break;
      case 3:
        add(Op::look_at_clock);
        break;
      case 4:
        add(Op::get_params, any_thread());
        break;
      case 5:
        add(Op::look_at_cpu, 0, 0, rng_.below(program_.cpus + 1));
        break;
      case 6:
        if (!program_.gates.empty())
          add(Op::look_at_gate, rng_.below(static_cast<std::uint32_t>(program_.gates.size())));
        break;
      case 7:
        if (depth_ == 0 && program_.joins && number_ + 1 < program_.threads.size())
          add(Op::join,
              number_ + 1 +
                  rng_.below(static_cast<std::uint32_t>(program_.threads.size() - number_ - 1)));
        break;
      default:
        add(Op::trace_stop, 0, 0, some_ns());
        break;
    }
  }

  void plain_step() {
    if (!program_.timers.empty() && rng_.chance(20)) {
      timer_step();
      return;
    }
    if (rng_.chance(12)) {
      rare_step();
      return;
    }
    switch (rng_.below(program_.deaths ? 22 : 20)) {
      case 0:
      case 1:
      case 2:
        add(Op::compute, 0, 0, 1 + rng_.below(6));
        break;
      case 3:
      case 4:
        add(Op::sleep, 0, 0, some_ns());
        break;
      case 5:
        add(Op::yield);
        break;
      case 6:
        add(Op::go_inband);
        break;
      case 7:
        add(Op::go_oob);
        break;
      case 8:
        add(Op::linux_call);
        break;
      case 9:
      case 10:
        add(Op::set_fifo, any_thread(), 0, 1 + rng_.below(99));
        break;
      case 11:
        add(Op::set_rr, any_thread(), 0, 1 + rng_.below(99));
        break;
      case 12:
        add(Op::set_weak, any_thread(), 0, rng_.below(100));
        break;
      case 13:
        add(Op::get_state, any_thread());
        break;
      case 14:
        add(rng_.chance(50) ? Op::set_mode : Op::clear_mode, 0, 0,
            rng_.chance(50) ? EVL_T_WOLI : EVL_T_WOSS);
        break;
      case 15:
        add(Op::unblock, any_thread());
        break;
      case 16:
        add(Op::demote, any_thread());
        break;
      case 17:
        add(Op::post_signal, any_thread(), 0, 10);
        break;
      case 18:
        add(Op::migrate, any_thread(), 0, rng_.below(program_.cpus));
        break;
      case 19:
        add(rng_.chance(50) && !program_.joins ? Op::reattach : Op::fork_child);
        break;
      case 20:
        add(Op::leave);
        break;
      default:
        add(rng_.chance(30) ? Op::kill : Op::exec);
        break;
    }
  }

  Rng& rng_;
  const Program& program_;
  const unsigned number_;  // Whose script it is.
  std::vector<Step> steps_;
  unsigned depth_{0};
};

void put_anywhere(Rng& rng, std::vector<Step>& steps, const Step& step) {
  const std::uint32_t at = rng.below(static_cast<std::uint32_t>(steps.size()) + 1);
  steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(at), step);
}

// Steps on cross-buffers, put between those of a script.
void add_xbufs(Rng& rng, Program& program) {
  const unsigned xbufs = 1 + rng.below(2);
  for (unsigned i = 0; i < xbufs; ++i) {
    XbufSpec spec{.inbound = static_cast<std::uint8_t>(1 + rng.below(Fifo::kMaxSize)),
                  .outbound = static_cast<std::uint8_t>(1 + rng.below(Fifo::kMaxSize)),
                  .nonblock = rng.chance(30)};
    if (rng.chance(15)) (rng.chance(50) ? spec.inbound : spec.outbound) = 0;
    program.xbufs.push_back(spec);
  }
  static constexpr Op kOps[] = {Op::xbuf_send, Op::xbuf_write, Op::xbuf_receive, Op::xbuf_read};
  for (auto& steps : program.script)
    for (unsigned i = rng.below(6); i > 0; --i) {
      Step step{kOps[rng.below(4)], static_cast<std::uint8_t>(rng.below(xbufs))};
      const XbufSpec& spec = program.xbufs[step.a];
      const bool inbound = step.op == Op::xbuf_send || step.op == Op::xbuf_read;
      const unsigned size = inbound ? spec.inbound : spec.outbound;
      // As a rule what fits; now and then nothing, or one byte more.
      step.value = size == 0 || rng.chance(8) ? rng.below(2) * (size + 1) : 1 + rng.below(size);
      if (program.deaths && rng.chance(4)) step.op = Op::close_xbuf;
      put_anywhere(rng, steps, step);
    }
}

void add_proxies(Rng& rng, Program& program) {
  const unsigned granularity = 1 + rng.below(3);
  const unsigned units = 1 + rng.below(Fifo::kMaxSize / granularity);
  program.proxies.push_back({.bytes = static_cast<std::uint8_t>(units * granularity),
                             .granularity = static_cast<std::uint8_t>(granularity),
                             .nonblock = rng.chance(30)});
  for (auto& steps : program.script)
    for (unsigned i = rng.below(4); i > 0; --i)
      put_anywhere(rng, steps,
                   {.op = rng.chance(70) ? Op::proxy_send : Op::proxy_write,
                    .value = rng.chance(8) ? rng.below(Fifo::kMaxBytes + 1)
                                           : granularity * (1 + rng.below(units))});
}

void add_inputs(Rng& rng, Program& program) {
  const unsigned granularity = 1 + rng.below(3);
  const unsigned units = 1 + rng.below(Fifo::kMaxSize / granularity);
  const auto proxy = static_cast<std::uint8_t>(program.proxies.size());
  program.proxies.push_back({.bytes = static_cast<std::uint8_t>(units * granularity),
                             .granularity = static_cast<std::uint8_t>(granularity),
                             .nonblock = rng.chance(30),
                             .input = static_cast<std::uint8_t>(1 + rng.below(Source::kMaxBytes))});
  for (auto& steps : program.script)
    for (unsigned i = rng.below(5); i > 0; --i)
      put_anywhere(rng, steps,
                   {.op = rng.chance(60) ? Op::proxy_receive : Op::proxy_read,
                    .a = rng.chance(5) ? std::uint8_t{0} : proxy,  // It may have no such direction.
                    .value = rng.chance(8) ? rng.below(Fifo::kMaxBytes + 1)
                                           : granularity * (1 + rng.below(units))});
}

}  // namespace

const char* name_of(Op op) {
  return kNames[static_cast<unsigned>(op)];
}

Program random_program(Rng& rng) {
  Program program;
  program.cpus = 1 + rng.below(3);
  program.ordered = rng.chance(70);
  program.deaths = rng.chance(25);
  program.refuse_percent = rng.chance(10) ? 5 : 0;
  program.fault_percent = rng.chance(10) ? 10 : 0;
  program.from_the_start = rng.chance(15);
  program.joins = !program.deaths && rng.chance(25);
  const unsigned gates = rng.below(4);
  for (unsigned i = 0; i < gates; ++i)
    program.gates.push_back(
        {.ceiling = static_cast<std::uint8_t>(rng.chance(30) ? 30 + rng.below(70) : 0),
         .recursive = rng.chance(30)});
  for (unsigned i = rng.chance(40) ? 1 + rng.below(2) : 0; i > 0; --i)
    program.timers.push_back({.nonblock = rng.chance(40)});
  if (rng.chance(10)) program.watchdog_s = 1;
  program.events = gates == 0 ? 0 : rng.below(gates + 1);
  const unsigned threads = 2 + rng.below(4);
  for (unsigned i = 0; i < threads; ++i) {
    const std::uint32_t kind = rng.below(10);
    program.threads.push_back({.cpu = static_cast<std::uint8_t>(rng.below(program.cpus)),
                               .priority = static_cast<std::uint8_t>(1 + rng.below(60)),
                               .policy = kind == 0   ? Policy::weak
                                         : kind == 1 ? Policy::rr
                                                     : Policy::fifo});
  }
  for (unsigned i = 0; i < threads; ++i)
    program.script.push_back(Writer{rng, program, i}.write(1 + rng.below(8)));
  // Drawn aside: what came before is the same with them and without.
  Rng aside{~Rng{rng}.next()};
  if (aside.chance(35)) add_xbufs(aside, program);
  if (aside.chance(20)) add_proxies(aside, program);
  if (aside.chance(15)) add_inputs(aside, program);
  return program;
}

std::string to_text(const Program& program) {
  if (program.body != nullptr) return "in C++: tests/sim/run/kernel.cc\n";
  static constexpr const char* kPolicies[] = {"weak", "fifo", "rr"};
  std::string text =
      std::to_string(program.cpus) + " CPUs, " + std::to_string(program.events) + " events";
  if (program.refuse_percent != 0)
    text += ", " + std::to_string(program.refuse_percent) + " % of allocations refused";
  if (program.fault_percent != 0)
    text += ", " + std::to_string(program.fault_percent) + " % page faults";
  if (program.watchdog_s != 0) text += ", watchdog " + std::to_string(program.watchdog_s) + " s";
  text += '\n';
  for (std::size_t i = 0; i < program.timers.size(); ++i)
    text += "timer " + std::to_string(i) + (program.timers[i].nonblock ? ": nonblocking\n" : "\n");
  for (std::size_t i = 0; i < program.xbufs.size(); ++i) {
    const XbufSpec& xbuf = program.xbufs[i];
    text += "xbuf " + std::to_string(i) + ": " + std::to_string(xbuf.inbound) + " bytes in, " +
            std::to_string(xbuf.outbound) + " out" + (xbuf.nonblock ? ", nonblocking\n" : "\n");
  }
  for (std::size_t i = 0; i < program.proxies.size(); ++i) {
    const ProxySpec& proxy = program.proxies[i];
    text += "proxy " + std::to_string(i) + ": " + std::to_string(proxy.bytes) +
            " bytes, granularity " + std::to_string(proxy.granularity) +
            (proxy.input != 0 ? ", " + std::to_string(proxy.input) + " come from its target" : "") +
            (proxy.nonblock ? ", nonblocking\n" : "\n");
  }
  for (std::size_t i = 0; i < program.gates.size(); ++i) {
    const GateSpec& gate = program.gates[i];
    text += "gate " + std::to_string(i) +
            (gate.ceiling != 0 ? ": ceiling " + std::to_string(gate.ceiling) : ": inherits") +
            (gate.recursive ? ", recursive\n" : "\n");
  }
  for (std::size_t i = 0; i < program.script.size(); ++i) {
    const ThreadSpec& thread = program.threads[i];
    text += "thread " + std::to_string(i) + ": CPU " + std::to_string(thread.cpu) + ", " +
            kPolicies[static_cast<unsigned>(thread.policy)] + " " +
            std::to_string(thread.priority) + "\n";
    for (const Step& step : program.script[i])
      text += "  " + std::string{name_of(step.op)} + " " + std::to_string(step.a) + " " +
              std::to_string(step.b) + " " + std::to_string(step.value) + "\n";
  }
  return text;
}

}  // namespace sim
