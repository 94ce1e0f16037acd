// SPDX-License-Identifier: MIT

#include "program/world.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <sched.h>

namespace sim {
namespace {

Machine& mc() {
  return Machine::current();
}

constexpr const char* kThreadNames[kMaxThreads] = {"T0", "T1", "T2", "T3", "T4", "T5", "T6", "T7"};

}  // namespace

// Shots are anticipated by up to this much: a thread may be early by it.
std::uint64_t World::gravity_ns() {
  return lx().config().core.latency_user_ns;
}

bool World::reached(std::uint64_t date_ns) {
  return mc().now_ns() + gravity_ns() >= date_ns;
}

void World::expect(bool true_statement, const char* what, unsigned number, const Step& step,
                   long result) {
  if (true_statement) return;
  mc().fail("T%u: %s %u %u %u gave %ld: %s", number, name_of(step.op), step.a, step.b, step.value,
            result, what);
}

void World::init(const Focus& focus) {
  focus_ = focus;
  const int booted = evl_on_boot();
  if (booted != 0) mc().fail("evl_on_boot() gave %d", booted);
  const std::size_t blocks = lx().blocks();
  if (program_.body != nullptr) {
    ready_ = true;
    begin_search();
    program_.body();
    ready_ = false;
  } else {
    run_process();
  }
  focus_.end(focus_.argument);
  // What is disposed of by irq_work and workqueues gets its turn.
  for (int i = 0; i < 100 && (lx().processes_alive() || lx().blocks() != blocks || !lx().at_rest());
       ++i)
    lx().sleep_inband(10'000);
  if (lx().blocks() != blocks)
    mc().fail("left behind: %zu blocks of memory", lx().blocks() - blocks);
  const std::string& leaks = lx().process_leaks();
  if (!leaks.empty()) mc().fail("left behind:%s", leaks.c_str());
}

void World::run_process() {
  wall_ = {{lx().realtime_offset_ns(), kNever}};
  Task& process = lx().spawn_process("main", 0, [this] {
    make_objects();
    run_threads();
  });
  lx().join(process);
  for (const ThreadModel& thread : threads_)
    if (thread.task != nullptr) lx().join(*thread.task);
}

void World::begin_search() {
  if (std::exchange(searching_, true)) return;
  lx().config().refuse_percent = program_.refuse_percent;
  lx().config().fault_percent = program_.fault_percent;
  focus_.begin(focus_.argument);
}

void World::make_objects() {
  lx().config().refuse_percent = 0;
  if (const int status = process_.open(); status != 0) mc().fail("opening control gave %d", status);
  for (std::size_t i = 0; i < program_.gates.size(); ++i) {
    const GateSpec& spec = program_.gates[i];
    if (const int status = process_.make_gate(gates_[i].user, spec.ceiling, spec.recursive);
        status != 0)
      mc().fail("making a gate gave %d", status);
  }
  for (unsigned i = 0; i < program_.events; ++i)
    if (const int status = process_.make_event(events_[i]); status != 0)
      mc().fail("making an event gave %d", status);
  for (std::size_t i = 0; i < program_.timers.size(); ++i)
    if (const int status = process_.make_timer(timers_[i].user, program_.timers[i].nonblock);
        status != 0)
      mc().fail("making a timer gave %d", status);
  for (std::size_t i = 0; i < program_.xbufs.size(); ++i) {
    const XbufSpec& spec = program_.xbufs[i];
    const std::string name = "x" + std::to_string(i);
    xbufs_[i].inbound.make(spec.inbound);
    xbufs_[i].outbound.make(spec.outbound);
    if (const int status = process_.make_xbuf(xbufs_[i].user, spec.inbound, spec.outbound,
                                              spec.nonblock, name.c_str());
        status != 0)
      mc().fail("making a cross-buffer gave %d", status);
  }
  for (std::size_t i = 0; i < program_.proxies.size(); ++i) {
    const ProxySpec& spec = program_.proxies[i];
    if (spec.input == 0)
      proxies_[i].output.make(spec.bytes, Fifo::Room::later);  // When the worker says so.
    proxies_[i].input.make(spec.input, spec.granularity);
    if (const int status = process_.make_proxy(proxies_[i].user, spec.bytes, spec.granularity,
                                               spec.nonblock, proxies_[i].input.content());
        status != 0)
      mc().fail("making a proxy gave %d", status);
  }
  // The watchdog may take anybody in-band: time jumps, so a second is soon over.
  for (ThreadModel& thread : threads_) thread.disturbed = program_.watchdog_s != 0;
}

void World::run_threads() {
  UserThread helper{process_};
  if (!program_.xbufs.empty())
    if (const int status = helper.attach(nullptr); status != 0)
      mc().fail("attaching the helper gave %d", status);
  ready_ = true;
  if (program_.from_the_start) begin_search();
  for (unsigned i = 0; i < program_.script.size(); ++i) {
    threads_[i].task =
        &lx().spawn_thread(kThreadNames[i], program_.threads[i].cpu, [this, i] { thread_main(i); });
    threads_[i].task->affinity = std::uint64_t{1} << program_.threads[i].cpu;
  }
  if (helper.attached()) help();
  for (unsigned i = 0; i < program_.script.size(); ++i) {
    Task& task = *threads_[i].task;
    lx().call(61, [&task] {  // wait4()
      lx().join(task);
      return 0L;
    });
  }
  if (helper.attached()) drain_xbufs();
  wait_for_targets();
  ready_ = false;
}

bool World::attach(UserThread& self, unsigned number) {
  const int status = self.attach(nullptr);
  if (status != 0) {
    const bool allowed =
        refusals() && (status == -ENOMEM || status == -EAGAIN || status == -EMFILE);
    if (!allowed) mc().fail("T%u: attach gave %d", number, status);
    return false;
  }
  threads_[number].fd = self.fd();
  const ThreadSpec& spec = program_.threads[number];
  threads_[number].params.push_back({SCHED_WEAK, 0});  // Whoever attaches begins with it.
  const int policy = spec.policy == Policy::weak ? SCHED_WEAK
                     : spec.policy == Policy::rr ? SCHED_RR
                                                 : SCHED_FIFO;
  threads_[number].params.push_back({policy, spec.priority});
  const int set =
      self.set_params(self.fd(), policy, spec.priority, spec.policy == Policy::rr ? 50'000 : 0);
  if (set != 0 && !(set == -EINTR && threads_[number].disturbed))
    mc().fail("T%u: set_params gave %d", number, set);
  return true;
}

void World::thread_main(unsigned number) {
  UserThread self{process_};
  const bool attached = attach(self, number);
  ++at_start_;
  if (attached) {
    if (!program_.from_the_start) wait_for_start(self);
    for (const Step& step : program_.script[number]) {
      if (step.op == Op::leave) {
        forget(number);
        return;
      }
      if (!self.attached()) break;
      run(self, number, step);
    }
    if (self.attached()) release_all(self, number);
  }
  threads_[number].dead = true;
}

// Attaching takes longer than most scripts: threads that began at once would hardly meet. They
// start from a common date, asleep out-of-band; whoever is awake first begins the search.
void World::wait_for_start(UserThread& self) {
  constexpr std::uint64_t kRoundNs =
      50'000;  // Longer than the request takes, or it would not sleep.
  constexpr std::uint64_t kAheadNs = 1'000'000;  // Longer than anybody's round.
  while (at_start_ < program_.script.size()) self.sleep_until(mc().now_ns() + kRoundNs);
  if (start_ns_ == 0) start_ns_ = mc().now_ns() + kAheadNs;
  self.sleep_until(start_ns_);
  begin_search();
}

// What the thread owns, the core releases or reports as orphaned: nobody is told that it owns them
// meanwhile.
void World::forget(unsigned number) noexcept {
  threads_[number].dead = true;
  for (GateModel& gate : gates_)
    if (gate.owner == static_cast<int>(number)) gate = {.user = gate.user, .closed = gate.closed};
}

void World::look_at_cpu(unsigned number, const Step& step) {
  std::uint32_t state = ~0U;
  evl_cpu_state request{};
  request.cpu = step.value;
  request.state_ptr = reinterpret_cast<std::uintptr_t>(&state);
  const long status = oob_ioctl(process_.control_fd(), EVL_CTLIOC_GET_CPUSTATE, &request);
  const bool there = step.value < program_.cpus;
  const bool fine = there ? status == 0 && state == EVL_CPU_OOB : status == -EINVAL;
  expect(fine || status == -EINTR, "unexpected", number, step, status);
}

void World::release_all(UserThread& self, unsigned number) {
  for (unsigned gate = static_cast<unsigned>(program_.gates.size()); gate-- > 0;)
    while (gates_[gate].owner == static_cast<int>(number)) give(self, number, gate);
}

void World::run(UserThread& self, unsigned number, const Step& step) {
  ThreadModel& mine = threads_[number];
  switch (step.op) {
    case Op::lock:
    case Op::try_lock:
      take(self, number, step);
      break;
    case Op::unlock:
      if (gates_[step.a].owner == static_cast<int>(number)) give(self, number, step.a);
      break;
    case Op::wait:
    case Op::signal:
    case Op::broadcast:
    case Op::raise:
    case Op::signal_thread:
      use_event(self, number, step);
      break;
    case Op::await:
      await(self, number, step);
      break;
    case Op::sleep:
    case Op::sleep_wall:
    case Op::set_wall:
    case Op::look_at_clock:
      use_clock(self, number, step);
      break;
    case Op::look_at_cpu:
      look_at_cpu(number, step);
      break;
    case Op::look_at_gate:
      look_at_gate(number, step);
      break;
    case Op::join:
      join_thread(self, number, step);
      break;
    case Op::trace_stop:
      stop_by_debugger(number, step);
      break;
    case Op::yield:
      self.yield();
      break;
    case Op::compute:
      for (unsigned i = 0; i < step.value; ++i) lx().user_point("computes");
      break;
    case Op::spin:
      self.switch_oob();
      while (mine.task->oob) {
        mc().relax();
        lx().exit_to_user();
      }
      break;
    case Op::set_timer:
    case Op::stop_timer:
    case Op::look_at_timer:
    case Op::read_timer:
    case Op::close_timer:
      use_timer(self, number, step);
      break;
    case Op::xbuf_send:
    case Op::xbuf_write:
    case Op::xbuf_receive:
    case Op::xbuf_read:
    case Op::close_xbuf:
      use_xbuf(number, step);
      break;
    case Op::proxy_send:
    case Op::proxy_write:
      write_proxy(number, step);
      break;
    case Op::proxy_receive:
    case Op::proxy_read:
      read_proxy(number, step);
      break;
    case Op::go_inband: {
      const int status = self.switch_inband();
      expect(status == 0 || status == -EINTR, "refused", number, step, status);
      break;
    }
    case Op::go_oob: {
      const int status = self.switch_oob();
      expect(status == 0 || status == -EINTR, "refused", number, step, status);
      break;
    }
    case Op::linux_call: {
      const long status = lx().call(39, [] { return 1234L; });
      expect(status == 1234, "a system call of Linux's got lost", number, step, status);
      break;
    }
    case Op::set_mode:
    case Op::clear_mode: {
      mine.disturbed = true;  // By SIGDEBUG, from here on.
      const int status =
          step.op == Op::set_mode ? self.set_mode(step.value) : self.clear_mode(step.value);
      expect(status == 0 || status == -EINTR, "refused", number, step, status);
      break;
    }
    case Op::close_gate:
      if (!gates_[step.a].closed) {
        gates_[step.a].closed = gates_[step.a].closing = true;
        close_file(gates_[step.a].user.fd);
        gates_[step.a].closing = false;
      }
      break;
    case Op::close_event:
      if (!event_closed_[step.a]) {
        event_closed_[step.a] = true;
        close_file(events_[step.a].fd);
      }
      break;
    case Op::reattach:
    case Op::fork_child:
    case Op::exec:
    case Op::kill:
      begin_and_end(self, number, step);
      break;
    case Op::leave:
      break;
    case Op::set_fifo:
    case Op::set_rr:
    case Op::set_weak:
    case Op::get_state:
    case Op::get_params:
    case Op::unblock:
    case Op::demote:
    case Op::post_signal:
    case Op::signal_and_see:
    case Op::migrate:
      use_thread(self, number, step);
      break;
  }
}

}  // namespace sim
