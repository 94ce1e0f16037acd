// SPDX-License-Identifier: MIT
//
// Goal: kernel threads of the core start, sleep, wake each other across CPUs, keep a period, and
// end, in every schedule. Method: the core on the simulator's Linux, one forked run per seed, since
// the core is built once per life; after each step that holds no lock, RQ1 to RQ4 and T1 to T9.

#include <functional>

#include "boot/core.h"
#include "linux/linux.h"
#include "run/seeds.h"
#include "sched/schedule.h"
#include "sync/wait.h"
#include "thread/thread_element.h"

namespace {

using evl::Deadline;
using evl::Duration;
using evl::InbandStage;
using evl::KernelThread;
using evl::OobStage;

constexpr unsigned kCpus = 2;
constexpr evl::u64 kGravityNs = 50;

void expect(bool holds, const char* what) {
  if (!holds) sim::Machine::current().fail("%s", what);
}

evl::Date in_ns(evl::s64 ns) {
  return evl::core().monotonic().now() + Duration::ns(ns);
}

struct Relay {
  evl::Flag ping{"ping"};
  evl::Flag pong{"pong"};
  unsigned pings{0};
  unsigned pongs{0};
};
constexpr unsigned kRounds = 3;

void send(const OobStage& oob, void* argument) {
  auto& relay = *static_cast<Relay*>(argument);
  for (unsigned round = 0; round < kRounds; ++round) {
    relay.ping.raise();
    expect(relay.pong.wait(oob, *evl::current_thread(), Deadline::never()).ok(), "no pong");
    ++relay.pings;
  }
}

void answer(const OobStage& oob, void* argument) {
  auto& relay = *static_cast<Relay*>(argument);
  for (unsigned round = 0; round < kRounds; ++round) {
    expect(relay.ping.wait(oob, *evl::current_thread(), Deadline::never()).ok(), "no ping");
    relay.pong.raise();
    ++relay.pongs;
  }
}

// Never raised but by the end: times out, then is broken.
struct Waits {
  evl::Flag never{"never"};
  bool timed_out{false};
  bool broken{false};
};

void wait_in_vain(const OobStage& oob, void* argument) {
  auto& waits = *static_cast<Waits*>(argument);
  evl::Thread& self = *evl::current_thread();
  const evl::Date date = in_ns(2'000);
  const auto status = waits.never.wait(oob, self, Deadline::at(date));
  waits.timed_out = status.is(evl::Errno::timedout);
  expect(waits.timed_out || KernelThread::should_stop(), "a timed wait ended by itself");
  if (waits.timed_out)
    expect(evl::core().monotonic().now() + Duration::ns(kGravityNs) >= date, "early");
  waits.broken = waits.never.wait(oob, self, Deadline::never()).is(evl::Errno::intr);
}

void keep_period(const OobStage& oob, void* argument) {
  auto& releases = *static_cast<evl::u64*>(argument);
  const evl::Date first = in_ns(1'000);
  const Duration period = Duration::ns(1'500);  // Above what the clock refuses.
  expect(KernelThread::set_period(oob, evl::core().monotonic(), first, period).ok(), "no period");
  for (evl::s64 turn = 0; turn < 4; ++turn) {
    evl::u64 missed = 0;
    const auto status = KernelThread::wait_period(oob, missed);
    if (status.is(evl::Errno::intr)) return;
    releases += 1 + missed;
    const evl::Date release = first + period * static_cast<evl::s64>(releases - 1);
    expect(evl::core().monotonic().now() + Duration::ns(kGravityNs) >= release, "early release");
  }
  expect(KernelThread::set_period(oob, evl::core().monotonic(), first, {}).ok(), "still periodic");
}

void run_threads() {
  const InbandStage inband = InbandStage::at_entry();
  KernelThread sender, answerer, waiter, periodic;
  Relay relay;
  Waits waits;
  evl::u64 releases = 0;
  expect(answerer.run(&answer, &relay, 1, 50, "answerer", inband).ok(), "no answerer");
  expect(waiter.run(&wait_in_vain, &waits, 0, 10, "waiter", inband).ok(), "no waiter");
  expect(periodic.run(&keep_period, &releases, 1, 60, "periodic", inband).ok(), "no periodic");
  expect(sender.run(&send, &relay, 0, 20, "sender", inband).ok(), "no sender");
  sim::lx().sleep_inband(20'000);
  waiter.stop(inband);
  expect(waits.broken, "stop() did not break the wait");
  for (int i = 0; i < 100 && (relay.pings < kRounds || relay.pongs < kRounds); ++i)
    sim::lx().sleep_inband(10'000);
  expect(relay.pings == kRounds && relay.pongs == kRounds, "the relay stands still");
  sender.stop(inband);
  answerer.stop(inband);
  periodic.stop(inband);
  // A thread drops its own reference after it has told who joins it.
  for (int i = 0; i < 100 && evl::core().census(inband).elements != 0; ++i)
    sim::lx().sleep_inband(10'000);
  expect(evl::core().census(inband).elements == 0, "elements are left");
}

void check_invariants() {
  sim::Machine& machine = sim::Machine::current();
  if (!evl::core_is_up()) return;
  for (unsigned cpu = 0; cpu < machine.cpus(); ++cpu)
    if (!machine.cpu(cpu).held.empty()) return;
  const evl::HardIrqsOffAtEntry irqs_off;
  for (unsigned cpu = 0; cpu < machine.cpus(); ++cpu) {
    evl::RqGuard locked{evl::rq_of(cpu), irqs_off};
    if (!evl::rq_of(cpu).invariants_hold(locked)) machine.fail("RQ1 to RQ4, CPU %u", cpu);
  }
}

int run_seed(unsigned seed) {
  return sim::run_core(seed, {.config = sim::small_core(kCpus, kCpus),
                              .leave_percent = seed % 70,
                              .max_steps = 200'000,
                              .checker = &check_invariants,
                              .init = &run_threads});
}

}  // namespace

// kernel_thread_test [seeds [first]]
int main(int argc, char** argv) {
  return sim::run_seeds(argc, argv, &run_seed);
}
