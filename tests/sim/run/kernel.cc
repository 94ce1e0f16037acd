// SPDX-License-Identifier: MIT
//
// Scenarios inside the kernel: what drivers use of the core, which no request reaches. Threads of
// the core and tasks of Linux's, written in C++.

#include "boot/core.h"
#include "linux/linux.h"
#include "run/families.h"
#include "sched/schedule.h"
#include "sync/stax.h"
#include "thread/thread_element.h"

namespace sim {
namespace {

using evl::Deadline;
using evl::InbandStage;
using evl::KernelThread;
using evl::OobStage;

Machine& mc() {
  return Machine::current();
}

void expect(bool holds, const char* what) {
  if (!holds) mc().fail("%s", what);
}

void work(unsigned steps) {
  for (unsigned i = 0; i < steps; ++i) mc().point({.what = "works"});
}

evl::Date in_ns(evl::s64 ns) {
  return evl::core().monotonic().now() + evl::Duration::ns(ns);
}

// Kernel threads, and in-band tasks beside them; the end of a scenario waits for all.
class Cast final {
 public:
  void oob(KernelThread::Body body, void* argument, unsigned cpu, int priority) {
    expect(count_ < kThreads, "too many threads");
    const auto status = threads_[count_].run(body, argument, cpu, priority, kNames[count_],
                                             InbandStage::at_entry());
    ++count_;
    expect(status.ok(), "a kernel thread does not start");
  }
  void inband(std::function<void()> body, unsigned cpu) {
    Task& task = lx().spawn_kthread("inband", cpu, std::move(body));
    task.affinity = std::uint64_t{1} << cpu;
    tasks_.push_back(&task);
  }
  // Bound: a thread that waits for ever makes the machine's steps run out, which is reported.
  void end() {
    const InbandStage inband = InbandStage::at_entry();
    for (Task* task : tasks_) lx().join(*task);
    while (ended_ < count_) lx().sleep_inband(10'000);
    for (unsigned i = 0; i < count_; ++i) threads_[i].stop(inband);
    // A thread drops its own reference after it has told who joins it.
    while (evl::core().census(inband).elements != 0) lx().sleep_inband(10'000);
  }
  // The last thing that an oob body does.
  void ends() { ++ended_; }

 private:
  static constexpr unsigned kThreads = 4;
  static constexpr const char* kNames[kThreads] = {"K0", "K1", "K2", "K3"};
  KernelThread threads_[kThreads];
  std::vector<Task*> tasks_;
  unsigned count_{0};
  unsigned ended_{0};
};

// ---------------------------------------------------------------- stax

struct Exclusion {
  evl::Stax stax{"exclusion"};
  Cast cast;
  unsigned oob{0};
  unsigned inband{0};
};
constexpr unsigned kVisits = 2;

void visit(unsigned& mine, const unsigned& others) {
  ++mine;
  work(2);
  expect(others == 0, "both stages are inside of a stax");
  --mine;
}

void visit_oob(const OobStage& oob, void* argument) {
  auto& all = *static_cast<Exclusion*>(argument);
  for (unsigned i = 0; i < kVisits; ++i) {
    expect(all.stax.lock(oob, *evl::current_thread()).ok(), "lock() fails");
    visit(all.oob, all.inband);
    expect(all.stax.unlock(oob).ok(), "unlock() fails");
    work(1);
    if (!all.stax.try_lock(oob).ok()) continue;
    visit(all.oob, all.inband);
    expect(all.stax.unlock(oob).ok(), "unlock() after try_lock() fails");
  }
  all.cast.ends();
}

void visit_inband(Exclusion& all) {
  const InbandStage inband = InbandStage::at_entry();
  for (unsigned i = 0; i < kVisits; ++i) {
    expect(all.stax.lock(inband).ok(), "lock() fails in-band");
    visit(all.inband, all.oob);
    expect(all.stax.unlock(inband).ok(), "unlock() fails in-band");
    work(1);
    if (!all.stax.try_lock(inband).ok()) continue;
    visit(all.inband, all.oob);
    expect(all.stax.unlock(inband).ok(), "unlock() after try_lock() fails in-band");
  }
}

void stax() {
  Exclusion all;
  all.cast.oob(&visit_oob, &all, 0, 10);
  all.cast.oob(&visit_oob, &all, 1, 20);
  all.cast.inband([&] { visit_inband(all); }, 0);
  all.cast.inband([&] { visit_inband(all); }, 1);
  all.cast.end();
}

// Whoever is flushed comes back with nothing; whoever comes later waits for the other stage.
struct Flushed {
  evl::Stax stax{"flushed"};
  Cast cast;
  bool refused{false};
};

void wait_to_be_flushed(const OobStage& oob, void* argument) {
  auto& all = *static_cast<Flushed*>(argument);
  const auto status = all.stax.lock(oob, *evl::current_thread());
  all.refused = status.is(evl::Errno::idrm);
  expect(status.ok() || all.refused, "lock() ends otherwise");
  if (status.ok()) expect(all.stax.unlock(oob).ok(), "unlock() fails");
  all.cast.ends();
}

void stax_flushed() {
  const InbandStage inband = InbandStage::at_entry();
  Flushed all;
  expect(all.stax.lock(inband).ok(), "a free one");
  all.cast.oob(&wait_to_be_flushed, &all, 1, 20);
  work(40);
  all.stax.flush(evl::ThreadInfo::rmid);
  work(5);
  expect(all.stax.unlock(inband).ok(), "unlock() fails in-band");
  all.cast.end();
  expect(all.stax.unlock(inband).is(evl::Errno::perm), "unlock() of what is free");
}

// ---------------------------------------------------------------- semaphore

struct Counting {
  evl::Semaphore semaphore{"semaphore", 1};
  Cast cast;
  unsigned ups{0};
  unsigned downs{0};
};

void take_for_good(const OobStage& oob, void* argument) {
  auto& all = *static_cast<Counting*>(argument);
  for (unsigned i = 0; i < 2; ++i) {
    expect(all.semaphore.down(oob, *evl::current_thread(), Deadline::never()).ok(), "down() fails");
    expect(++all.downs <= all.ups + 1, "more was taken than was given");
  }
  all.cast.ends();
}

// Its limit passes, or it takes one and gives it back.
void take_in_time(const OobStage& oob, void* argument) {
  auto& all = *static_cast<Counting*>(argument);
  const evl::Date date = in_ns(3'000);
  const auto status = all.semaphore.down(oob, *evl::current_thread(), Deadline::at(date));
  if (status.ok()) {
    work(2);
    all.semaphore.up();
  } else {
    expect(status.is(evl::Errno::timedout), "down() ends otherwise");
    expect(evl::core().monotonic().now() + evl::Duration::ns(50) >= date, "too early");
  }
  all.cast.ends();
}

void semaphore() {
  Counting all;
  all.cast.oob(&take_for_good, &all, 0, 10);
  all.cast.oob(&take_for_good, &all, 1, 20);
  all.cast.oob(&take_in_time, &all, 1, 30);
  for (unsigned i = 0; i < 3; ++i) {
    work(3);
    ++all.ups;  // Before: who takes it is faster.
    all.semaphore.up();
  }
  all.cast.end();
  expect(all.downs == 4 && all.semaphore.try_down().is(evl::Errno::again), "one is left");
}

// A broadcast takes what is there, and lets go all that wait.
struct Broadcast {
  evl::Semaphore semaphore{"broadcast", 0};
  Cast cast;
};

void wait_for_broadcast(const OobStage& oob, void* argument) {
  auto& all = *static_cast<Broadcast*>(argument);
  const auto status = all.semaphore.down(oob, *evl::current_thread(), Deadline::never());
  expect(status.ok() || status.is(evl::Errno::idrm), "down() ends otherwise");
  all.cast.ends();
}

void semaphore_broadcast() {
  Broadcast all;
  all.cast.oob(&wait_for_broadcast, &all, 0, 10);
  all.cast.oob(&wait_for_broadcast, &all, 1, 20);
  work(30);
  all.semaphore.broadcast();
  expect(all.semaphore.try_down().is(evl::Errno::again), "a broadcast leaves something");
  work(30);
  all.semaphore.flush(evl::ThreadInfo::rmid);
  // Whoever came after both gets his own.
  all.semaphore.up();
  all.semaphore.up();
  all.cast.end();
}

// ---------------------------------------------------------------- flag

struct Signals {
  evl::Flag flag{"flag"};
  evl::Flag pulsed{"pulsed"};
  Cast cast;
  unsigned raised{0};
  unsigned seen{0};
};

void consume(const OobStage& oob, void* argument) {
  auto& all = *static_cast<Signals*>(argument);
  for (unsigned i = 0; i < 2; ++i) {
    expect(all.flag.wait(oob, *evl::current_thread(), Deadline::never()).ok(), "wait() fails");
    expect(++all.seen <= all.raised, "a signal that nobody sent");
  }
  all.cast.ends();
}

// A pulse is for who waits: who comes later has his limit.
void wait_for_pulse(const OobStage& oob, void* argument) {
  auto& all = *static_cast<Signals*>(argument);
  const evl::Date date = in_ns(4'000);
  const auto status = all.pulsed.wait(oob, *evl::current_thread(), Deadline::at(date));
  expect(status.ok() || status.is(evl::Errno::timedout), "a pulse ends a wait otherwise");
  expect(!all.pulsed.take(), "a pulse is kept");
  all.cast.ends();
}

void flag() {
  Signals all;
  all.cast.oob(&consume, &all, 0, 10);
  all.cast.oob(&consume, &all, 1, 20);
  all.cast.oob(&wait_for_pulse, &all, 0, 30);
  for (unsigned i = 0; i < 4; ++i) {
    work(2);
    if (i == 2) all.pulsed.pulse();
    ++all.raised;  // Before: who sees it is faster.
    all.flag.raise();
    // One that is raised twice is one: the next goes up when this one has been seen.
    while (all.seen < all.raised) lx().sleep_inband(2'000);
  }
  all.cast.end();
  all.flag.raise();
  all.flag.clear();
  expect(!all.flag.take(), "a flag that was cleared");
}

template <void (*body)()>
Program in_kernel(Rng&) {
  Program program;
  program.body = body;
  return program;
}

constexpr Scenario kScenarios[] = {
    {"stax", "both stages want in", &in_kernel<&stax>, false},
    {"stax-flushed", "a stax is flushed under a waiter", &in_kernel<&stax_flushed>, false},
    {"semaphore", "of kernel code: grants and limits", &in_kernel<&semaphore>, false},
    {"semaphore-broadcast", "of kernel code: all at once", &in_kernel<&semaphore_broadcast>, false},
    {"flag", "of kernel code: raised, pulsed, cleared", &in_kernel<&flag>, false},
};

}  // namespace

std::span<const Scenario> kernel() {
  return kScenarios;
}

}  // namespace sim
