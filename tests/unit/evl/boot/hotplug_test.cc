// SPDX-License-Identifier: MIT
//
// Goal: a CPU goes down and comes up under threads and timers, in every schedule, and none of them
// is lost: user threads go on elsewhere, kernel threads wait or end, timers fire. No IPI goes to a
// CPU that is down. Method: as kernel_thread_test.cc, one forked run per seed. The
// walks leave a CPU often enough for in-band to have its share: the clock does not wait for it.

#include "linux/hotplug.h"
#include "boot/core.h"
#include "linux/linux.h"
#include "run/seeds.h"
#include "sched/schedule.h"
#include "thread/thread_element.h"
#include "user/user.h"

namespace {

using evl::Duration;
using evl::InbandStage;
using evl::KernelThread;
using evl::OobStage;

constexpr unsigned kCpus = 3;  // The last one is not for threads.
constexpr unsigned kOobCpus = 2;
constexpr evl::s64 kPeriodNs = 200'000;

void expect(bool holds, const char* what) {
  if (!holds) sim::Machine::current().fail("%s", what);
}

// Bound: a run that makes no progress ends at the machine's limit of steps.
template <typename Condition>
void wait_for(Condition&& holds) {
  while (!holds()) sim::lx().sleep_inband(150'000);
}

evl::Date in_ns(evl::s64 ns) {
  return evl::core().monotonic().now() + Duration::ns(ns);
}

// A kernel thread that is bound to its CPU, and counts its releases.
void keep_period(const OobStage& oob, void* argument) {
  auto& releases = *static_cast<evl::u64*>(argument);
  const Duration period = Duration::ns(kPeriodNs);
  expect(KernelThread::set_period(oob, evl::core().monotonic(), in_ns(kPeriodNs), period).ok(),
         "no period");
  while (!KernelThread::should_stop()) {
    evl::u64 missed = 0;
    const auto status = KernelThread::wait_period(oob, missed);
    if (!status.is(evl::Errno::intr)) releases += 1 + missed;
  }
}

// A timer that nobody's CPU matters to, as of a file or a driver.
evl::u64 shots;
void count_shot(evl::Timer&, const evl::HardIrqsOff&) noexcept {
  ++shots;
}

// User threads: one of each CPU, both use one gate, and sleep with and without it.
struct Application {
  sim::UserProcess process;
  sim::UserGate gate;
  evl::u64 rounds[kOobCpus]{};
  unsigned finished{0};
  bool ends{false};
};

int again(const std::function<int()>& request) {
  int status = -EINTR;
  while (status == -EINTR) status = request();
  return status;
}

void work(Application& app, unsigned number) {
  sim::UserThread self{app.process};
  expect(self.attach(number == 0 ? "first" : "second") == 0, "no thread");
  expect(again([&] { return self.set_params(self.fd(), 1, 10); }) == 0, "no priority");
  while (!app.ends) {
    expect(again([&] { return self.lock(app.gate); }) == 0, "no gate");
    const std::uint64_t date = sim::Machine::current().now_ns() + 80'000;
    expect(again([&] { return self.sleep_until(date); }) == 0, "no sleep");
    expect(self.unlock(app.gate) == 0, "the gate stays");
    const std::uint64_t later = sim::Machine::current().now_ns() + 40'000;
    expect(again([&] { return self.sleep_until(later); }) == 0, "no sleep");
    ++app.rounds[number];
  }
  expect(self.detach() == 0, "attached still");
}

void run_application(Application& app) {
  expect(app.process.open() == 0, "no control");
  expect(app.process.make_gate(app.gate, 0, false) == 0, "no gate");
  sim::Task& second = sim::lx().spawn_thread("second", 1, [&app] { work(app, 1); });
  work(app, 0);
  sim::lx().join(second);
  sim::close_file(app.gate.fd);
  app.process.close();
}

// All progress, wherever they are.
void expect_progress(const Application& app, const char* when) {
  const evl::u64 before[] = {app.rounds[0], app.rounds[1], shots};
  sim::Machine::current().note(when, nullptr);
  wait_for(
      [&] { return app.rounds[0] > before[0] && app.rounds[1] > before[1] && shots > before[2]; });
}

void come_and_go() {
  const InbandStage inband = InbandStage::at_entry();
  Application app;
  evl::u64 releases = 0;
  evl::u64 others = 0;
  KernelThread stays, ends;
  evl::Timer timer{evl::core().monotonic(), evl::timer_bases().on(1), evl::Gravity::irq,
                   &count_shot, "free"};
  expect(stays.run(&keep_period, &releases, 1, 60, "stays", inband).ok(), "no thread");
  expect(ends.run(&keep_period, &others, 1, 50, "ends", inband).ok(), "no thread");
  sim::Task& process = sim::lx().spawn_process("app", 0, [&app] { run_application(app); });
  timer.start(in_ns(kPeriodNs), Duration::ns(kPeriodNs));
  expect_progress(app, "before");

  expect(sim::take_down(1) == 0, "CPU 1 stays");
  const evl::u64 parked_at = releases;
  expect_progress(app, "down");
  expect(releases == parked_at, "a kernel thread ran on a CPU that is down");
  KernelThread late;
  expect(!late.run(&keep_period, &others, 1, 50, "late", inband).ok(), "a thread for a dead CPU");
  expect(sim::take_down(0) == -EBUSY, "the last CPU is taken from its threads");
  ends.stop(inband);

  sim::bring_up(1);
  wait_for([&] { return releases > parked_at; });
  expect_progress(app, "up");
  stays.stop(inband);
  timer.destroy(inband);
  app.ends = true;
  sim::lx().join(process);
}

int run_seed(unsigned seed) {
  return sim::run_core(seed, {.config = sim::small_core(kCpus, kOobCpus),
                              .leave_percent = seed % 30,
                              .max_steps = 400'000,
                              .init = &come_and_go});
}

}  // namespace

// hotplug_test [seeds [first]]
int main(int argc, char** argv) {
  return sim::run_seeds(argc, argv, &run_seed);
}
