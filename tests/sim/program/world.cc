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

// Shots are anticipated by up to this much: a thread may be early by it.
std::uint64_t gravity_ns() {
  return lx().config().core.latency_user_ns;
}

bool reached(std::uint64_t date_ns) {
  return mc().now_ns() + gravity_ns() >= date_ns;
}

constexpr const char* kThreadNames[kMaxThreads] = {"T0", "T1", "T2", "T3", "T4", "T5", "T6", "T7"};

}  // namespace

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
  Task& process = lx().spawn_process("main", 0, [this] {
    make_objects();
    run_threads();
  });
  lx().join(process);
  for (const ThreadModel& thread : threads_)
    if (thread.task != nullptr) lx().join(*thread.task);
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
  // The watchdog may take anybody in-band: time jumps, so a second is soon over.
  for (ThreadModel& thread : threads_) thread.disturbed = program_.watchdog_s != 0;
}

void World::run_threads() {
  ready_ = true;
  if (program_.from_the_start) begin_search();
  for (unsigned i = 0; i < program_.script.size(); ++i) {
    threads_[i].task =
        &lx().spawn_thread(kThreadNames[i], program_.threads[i].cpu, [this, i] { thread_main(i); });
    threads_[i].task->affinity = std::uint64_t{1} << program_.threads[i].cpu;
  }
  for (unsigned i = 0; i < program_.script.size(); ++i) {
    Task& task = *threads_[i].task;
    lx().call(61, [&task] {  // wait4()
      lx().join(task);
      return 0L;
    });
  }
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
  const int policy = spec.policy == Policy::weak ? SCHED_WEAK
                     : spec.policy == Policy::rr ? SCHED_RR
                                                 : SCHED_FIFO;
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
    case Op::sleep: {
      const std::uint64_t date = mc().now_ns() + step.value;
      const int status = self.sleep_until(date);
      expect(status == 0 || (status == -EINTR && mine.disturbed), "broken by nobody", number, step,
             status);
      expect(status != 0 || reached(date), "too early", number, step, status);
      break;
    }
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
    case Op::reattach: {
      release_all(self, number);
      mine.fd = -1;
      const int status = self.detach();
      expect(status == 0, "refused", number, step, status);
      attach(self, number);
      break;
    }
    case Op::fork_child: {
      lx().call(57, [this, &mine] {
        lx().fork("child", mine.task->cpu, [this] {
          for (const GateModel& gate : gates_)
            if (gate.user.fd >= 0 && !gate.closed)
              oob_ioctl(gate.user.fd, EVL_MONIOC_TRYENTER, nullptr);  // EPERM
        });
        return 0L;
      });
      break;
    }
    case Op::exec: {
      release_all(self, number);
      forget(number);
      const long status = lx().call(59, [] {
        lx().exec();
        return 0L;
      });
      expect(status == 0, "refused", number, step, status);
      lx().call(60, [] {
        lx().exit_current();
        return 0L;
      });
      break;
    }
    case Op::kill: {
      killed_ = true;
      for (unsigned i = 0; i < program_.script.size(); ++i) forget(i);
      lx().call(62, [&mine] {
        lx().send_signal(*mine.task, kSigKill, 0);
        return 0L;
      });
      break;
    }
    case Op::leave:
      break;
    case Op::set_fifo:
    case Op::set_rr:
    case Op::set_weak:
    case Op::get_state:
    case Op::unblock:
    case Op::demote:
    case Op::post_signal:
    case Op::signal_and_see:
    case Op::migrate:
      use_thread(self, step);
      break;
  }
}

void World::take(UserThread& self, unsigned number, const Step& step) {
  GateModel& gate = gates_[step.a];
  const ThreadModel& mine = threads_[number];
  const GateSpec& spec = program_.gates[step.a];
  const bool owned = gate.owner == static_cast<int>(number);
  const std::uint64_t date = step.value == 0 ? 0 : mc().now_ns() + step.value;
  const int status = step.op == Op::lock ? self.lock(gate.user, {date}) : self.try_lock(gate.user);
  switch (status) {
    case 0:
      expect(gate.owner < 0 || (owned && spec.recursive), "held by another", number, step,
             gate.owner);
      gate.owner = static_cast<int>(number);
      ++gate.nesting;
      break;
    case -ETIMEDOUT:
      expect(date != 0 && reached(date), "too early", number, step, status);
      break;
    case -EDEADLK:
      expect(!program_.ordered || program_.deaths || (owned && !spec.recursive),
             "there can be no cycle", number, step, status);
      break;
    case -EBUSY:
      expect(step.op == Op::try_lock, "not asked for", number, step, status);
      break;
    case -EIDRM:
    case -EBADF:
      expect(gate.closed, "nobody has closed it", number, step, status);
      break;
    case -EINVAL:
      expect(spec.ceiling != 0, "no ceiling", number, step, status);
      break;
    case -EOWNERDEAD:
      expect(program_.deaths || killed_, "nobody died", number, step, status);
      break;
    default:
      expect(mine.dead, "unexpected", number, step, status);
  }
}

void World::give(UserThread& self, unsigned number, unsigned number_of_gate) {
  GateModel& gate = gates_[number_of_gate];
  const unsigned nesting = gate.nesting;
  const Step step{.op = Op::unlock, .a = static_cast<std::uint8_t>(number_of_gate)};
  // From the release on, others may own it, whatever the caller has been told.
  if (--gate.nesting == 0) gate.owner = -1;
  const int status = self.unlock(gate.user);
  expect(status == 0 || (gate.closed && (status == -EIDRM || status == -EBADF || status == -EPERM)),
         "refused", number, step, status);
  (void)nesting;
}

// The gate is the caller's before, and, unless something is gone, afterwards.
int World::wait(UserThread& self, unsigned number, const Step& step) {
  GateModel& gate = gates_[step.b];
  const std::uint64_t date = step.value == 0 ? 0 : mc().now_ns() + step.value;
  const unsigned nesting = std::exchange(gate.nesting, 0U);
  gate.owner = -1;
  const int status = self.wait(events_[step.a], gate.user, {date});
  const bool gone = status == -EIDRM || status == -EBADF ||
                    (gate.closed && !self.owns(gate.user)) || status == -EOWNERDEAD;
  if (!gone) {
    expect(gate.owner < 0, "came back while another holds the gate", number, step, gate.owner);
    gate.owner = static_cast<int>(number);
    gate.nesting = nesting;
  }
  expect(status != -ETIMEDOUT || (date != 0 && reached(date)), "too early", number, step, status);
  expect(status == 0 || status == -ETIMEDOUT || (status == -EINTR && threads_[number].disturbed) ||
             gone,
         "unexpected", number, step, status);
  return status;
}

// A condition variable as everybody uses one. A signal that is lost leaves somebody here for ever.
void World::await(UserThread& self, unsigned number, const Step& step) {
  const auto holds = [&] { return gates_[step.b].owner == static_cast<int>(number); };
  if (!holds()) return;
  while (tokens_[step.a] == 0) {
    const int status = wait(self, number, {.op = Op::wait, .a = step.a, .b = step.b});
    if (!holds() || (status != 0 && tokens_[step.a] == 0)) return;  // Broken, or gone.
  }
  --tokens_[step.a];
}

void World::use_event(UserThread& self, unsigned number, const Step& step) {
  UserEvent& event = events_[step.a];
  if (gates_[step.b].owner != static_cast<int>(number)) return;
  switch (step.op) {
    case Op::wait:
      wait(self, number, step);
      break;
    case Op::signal:
      self.signal(event);
      break;
    case Op::broadcast:
      self.broadcast(event);
      break;
    case Op::raise:
      tokens_[step.a] += step.value;
      if (step.value > 1)
        self.broadcast(event);
      else
        self.signal(event);
      break;
    default: {
      const int fd = threads_[step.value].fd;
      if (fd < 0 || event_closed_[step.a]) break;
      const int status = self.signal_thread(event, fd);
      expect(status == 0 || status == -ESTALE || status == -EINTR || status == -EBADF, "unexpected",
             number, step, status);
    }
  }
}

void World::use_thread(UserThread& self, const Step& step) {
  ThreadModel& other = threads_[step.a];
  if (other.fd < 0) return;
  int status = 0;
  switch (step.op) {
    case Op::set_fifo:
      status = self.set_params(other.fd, SCHED_FIFO, static_cast<int>(step.value));
      break;
    case Op::set_rr:
      status = self.set_params(other.fd, SCHED_RR, static_cast<int>(step.value), 40'000);
      break;
    case Op::set_weak:
      status = self.set_params(other.fd, SCHED_WEAK, static_cast<int>(step.value));
      break;
    case Op::get_state: {
      evl_thread_state state{};
      status = self.get_state(other.fd, state);
      if (status == 0 && state.cpu >= program_.cpus) mc().fail("a thread is on CPU %u", state.cpu);
      break;
    }
    case Op::unblock:
      other.disturbed = true;
      status = self.unblock(other.fd);
      break;
    case Op::demote:
      other.disturbed = true;
      status = self.demote(other.fd);
      break;
    case Op::post_signal:
      other.disturbed = true;
      lx().call(62, [&other, &step] {
        if (other.task != nullptr) lx().send_signal(*other.task, static_cast<int>(step.value), 0);
        return 0L;
      });
      break;
    case Op::signal_and_see:
      other.disturbed = true;
      lx().call(62, [&other, &step] {
        const std::uint32_t before = other.task->received[step.value];
        lx().send_signal(*other.task, static_cast<int>(step.value), 0);
        // A kick that gets lost keeps us here until the machine gives up.
        while (other.task->received[step.value] == before && !other.task->exiting)
          lx().sleep_inband(2'000);
        return 0L;
      });
      break;
    default:
      other.disturbed = true;
      lx().call(203, [&other, &step] {
        if (other.task != nullptr) lx().migrate(*other.task, step.value);
        return 0L;
      });
      break;
  }
  const bool fine = status == 0 || status == -ESTALE || status == -EINTR || status == -EBADF;
  if (!fine) mc().fail("%s on T%u gave %d", name_of(step.op), step.a, status);
}

void World::use_timer(UserThread& self, unsigned number, const Step& step) {
  TimerModel& timer = timers_[step.a];
  const bool nonblock = program_.timers[step.a].nonblock;
  if (timer.closed) return;
  __evl_itimerspec setting{};
  std::uint64_t ticks = 0;
  long status = 0;
  switch (step.op) {
    case Op::set_timer:
      timer.settings.push_back({mc().now_ns() + step.value, std::uint64_t{step.b} * 1'000});
      status = self.set_timer(timer.user, timer.settings.back().first_ns,
                              timer.settings.back().interval_ns, setting);
      break;
    case Op::stop_timer:
      if (nonblock) status = self.set_timer(timer.user, 0, 0, setting);
      break;
    case Op::look_at_timer:
      status = self.get_timer(timer.user, setting);
      break;
    case Op::read_timer:
      if (timer.settings.empty()) return;
      status = self.read_timer(timer.user, ticks);
      if (status == sizeof ticks) check_ticks(timer, number, step, ticks);
      break;
    default:
      timer.closed = true;
      close_file(timer.user.fd);
      return;
  }
  expect(status >= 0 || timer.closed || (status == -EAGAIN && nonblock) ||
             (status == -EINTR && threads_[number].disturbed),
         "unexpected", number, step, status);
  if (status != 0 || timer.settings.empty()) return;
  const auto left_ns = static_cast<std::uint64_t>(setting.it_value.tv_sec * 1'000'000'000 +
                                                  setting.it_value.tv_nsec);
  const bool possible = std::any_of(
      timer.settings.begin(), timer.settings.end(), [&](const TimerModel::Setting& one) {
        // What is left was computed before now, which only makes it less.
        return left_ns <= one.interval_ns + gravity_ns() || left_ns <= one.first_ns;
      });
  expect(possible, "more is left than was ever asked for", number, step,
         static_cast<long>(left_ns));
}

// The last tick that is counted is due by one of the settings.
void World::check_ticks(const TimerModel& timer, unsigned number, const Step& step,
                        std::uint64_t ticks) {
  const bool due =
      ticks > 0 && std::any_of(timer.settings.begin(), timer.settings.end(),
                               [&](const TimerModel::Setting& one) {
                                 if (one.interval_ns == 0)
                                   return ticks == 1 && reached(one.first_ns);
                                 return reached(one.first_ns + (ticks - 1) * one.interval_ns);
                               });
  expect(due, "ticks that are not due", number, step, static_cast<long>(ticks));
}

}  // namespace sim
