// SPDX-License-Identifier: MIT

#include "core_test/bench.h"

#include <sched.h>

#include "engine/random_walk.h"
#include "run/seeds.h"
#include "run/snapshot.h"

namespace sim {
namespace {

constexpr unsigned kCpus = 2;

Machine& mc() {
  return Machine::current();
}

void boot_and_run(const CoreBench::Body& body) {
  const int booted = evl_on_boot();
  expect(booted == 0, "evl_on_boot()", booted);
  const std::size_t blocks = lx().blocks();
  UserProcess process;
  Task& task = lx().spawn_process("main", 0, [&] {
    const int opened = process.open();
    expect(opened == 0, "opening control", opened);
    body(process);
  });
  lx().join(task);
  for (int i = 0; i < 100 && (lx().processes_alive() || lx().blocks() != blocks); ++i)
    lx().sleep_inband(10'000);
  expect(lx().blocks() == blocks, "blocks are left", static_cast<long>(lx().blocks() - blocks));
  const std::string& leaks = lx().process_leaks();
  if (!leaks.empty()) mc().fail("left behind:%s", leaks.c_str());
}

}  // namespace

std::string CoreBench::run(std::uint64_t seed, const Body& body) {
  static const Snapshot snapshot{"evl-core-sim"};
  static Trace trace;
  snapshot.restore();
  RandomWalk walk{seed, 3 + static_cast<std::uint32_t>(seed * 7 % 40)};
  Linux linux_model{small_core(kCpus, kCpus)};
  Machine machine{{.cpus = kCpus, .max_steps = 300'000}, walk, linux_model, trace};
  linux_model.attach(machine);
  linux_model.start_init([&] { boot_and_run(body); });
  if (machine.run() == Machine::Outcome::passed) return "";
  return "seed " + std::to_string(seed) + ": " + machine.failure() + "\n" + trace.tail(60, kCpus);
}

std::string CoreBench::run_all(unsigned seeds, const Body& body) {
  for (unsigned seed = 1; seed <= seeds; ++seed)
    if (std::string wrong = run(seed, body); !wrong.empty()) return wrong;
  return "";
}

Task& start_thread(UserProcess& process, const char* name, unsigned cpu, int priority,
                   std::function<void(UserThread& self)> body) {
  Task& task = lx().spawn_thread(name, cpu, [&process, priority, body = std::move(body)] {
    UserThread self{process};
    const int attached = self.attach(nullptr);
    expect(attached == 0, "attaching", attached);
    const int set = self.set_params(self.fd(), SCHED_FIFO, priority);
    expect(set == 0 || set == -EINTR, "setting the priority", set);
    body(self);
  });
  task.affinity = std::uint64_t{1} << cpu;
  return task;
}

Task& start_inband_thread(const char* name, unsigned cpu, std::function<void()> body) {
  return lx().spawn_thread(name, cpu, std::move(body));
}

void join(Task& task) {
  lx().call(61, [&task] {
    lx().join(task);
    return 0L;
  });
}

void expect(bool holds, const char* what, long value) {
  if (!holds) mc().fail("%s: %ld", what, value);
}

std::string attribute(const std::string& device, const char* name) {
  char text[256] = "";
  const long length =
      lx().call(0, [&] { return lx().read_attribute(device, name, text, sizeof text); });
  if (length < 0) return std::to_string(length);
  return {text, static_cast<std::size_t>(length)};
}

long set_attribute(const std::string& device, const char* name, const char* text) {
  return lx().call(1, [&] { return lx().write_attribute(device, name, text); });
}

}  // namespace sim

// Runs that fail abandon their flows with what these hold of the host's heap.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:malloc_context_size=1";
}
