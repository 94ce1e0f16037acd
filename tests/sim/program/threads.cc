// SPDX-License-Identifier: MIT
//
// World: what may come out of the steps that one thread makes on another, and of its own beginnings
// and ends.

#include <sched.h>

#include <algorithm>
#include <cerrno>

#include "program/world.h"

namespace sim {
namespace {

Machine& mc() {
  return Machine::current();
}

}  // namespace

void World::use_thread(UserThread& self, unsigned number, const Step& step) {
  ThreadModel& other = threads_[step.a];
  if (other.fd < 0) return;
  switch (step.op) {
    case Op::get_state:
    case Op::get_params:
      look_at_thread(self, number, step);
      break;
    case Op::post_signal:
    case Op::signal_and_see:
    case Op::migrate:
      other.disturbed = true;
      send_signal(other, step);
      break;
    default:
      change_thread(self, step);
      break;
  }
}

void World::look_at_thread(UserThread& self, unsigned number, const Step& step) {
  ThreadModel& other = threads_[step.a];
  int status = 0;
  if (step.op == Op::get_state) {
    evl_thread_state state{};
    status = self.get_state(other.fd, state);
    if (status == 0 && state.cpu >= program_.cpus) mc().fail("a thread is on CPU %u", state.cpu);
  } else {
    evl_sched_attrs found{};
    status = self.get_params(other.fd, found);
    const Params params{found.sched_policy, found.sched_priority};
    const bool given = std::count(other.params.begin(), other.params.end(), params) != 0;
    expect(status != 0 || given, "nobody gave it these", number, step, params.priority);
  }
  expect(status == 0 || status == -ESTALE || status == -EINTR || status == -EBADF, "unexpected",
         number, step, status);
}

void World::change_thread(UserThread& self, const Step& step) {
  ThreadModel& other = threads_[step.a];
  const auto priority = static_cast<int>(step.value);
  int status = 0;
  switch (step.op) {
    case Op::set_fifo:
      other.params.push_back({SCHED_FIFO, priority});
      status = self.set_params(other.fd, SCHED_FIFO, priority);
      break;
    case Op::set_rr:
      other.params.push_back({SCHED_RR, priority});
      status = self.set_params(other.fd, SCHED_RR, priority, 40'000);
      break;
    case Op::set_weak:
      other.params.push_back({SCHED_WEAK, priority});
      status = self.set_params(other.fd, SCHED_WEAK, priority);
      break;
    case Op::unblock:
      other.disturbed = true;
      status = self.unblock(other.fd);
      break;
    default:
      other.disturbed = true;
      other.params.push_back({SCHED_WEAK, 0});
      status = self.demote(other.fd);
      break;
  }
  const bool fine = status == 0 || status == -ESTALE || status == -EINTR || status == -EBADF;
  if (!fine) mc().fail("%s on T%u gave %d", name_of(step.op), step.a, status);
}

void World::send_signal(ThreadModel& other, const Step& step) {
  switch (step.op) {
    case Op::post_signal:
      lx().call(62, [&other, &step] {
        if (other.task != nullptr) lx().send_signal(*other.task, static_cast<int>(step.value), 0);
        return 0L;
      });
      break;
    case Op::signal_and_see:
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
      lx().call(203, [&other, &step] {
        if (other.task != nullptr) lx().migrate(*other.task, step.value);
        return 0L;
      });
      break;
  }
}

// Nobody comes back before the thread is gone, or is a thread of the core no more.
void World::join_thread(UserThread& self, unsigned number, const Step& step) {
  const ThreadModel& other = threads_[step.a];
  if (other.fd < 0) return;
  const unsigned detached = other.detached;
  const int status = self.join(other.fd);
  expect(status == 0 || status == -ESTALE || status == -EBADF ||
             (status == -EDEADLK && step.a == number) ||
             (status == -EINTR && threads_[number].disturbed),
         "unexpected", number, step, status);
  const bool gone = other.dead || other.fd < 0 || other.detached != detached;
  expect(status != 0 || gone, "the thread is there still", number, step, status);
}

// As Linux does it for a task that a signal for its debugger has brought in-band. Until it goes on,
// none of the others runs: see check.cc.
void World::stop_by_debugger(unsigned number, const Step& step) {
  lx().call(101, [this, number, &step] {
    ThreadModel& mine = threads_[number];
    {
      const InCore in_core{lx()};
      evl_on_ptrace_stop();
      mine.stopped = true;
    }
    lx().sleep_inband(step.value);
    mine.stopped = false;
    const InCore in_core{lx()};
    evl_on_ptrace_continue();
    return 0L;
  });
}

void World::begin_and_end(UserThread& self, unsigned number, const Step& step) {
  ThreadModel& mine = threads_[number];
  switch (step.op) {
    case Op::reattach: {
      release_all(self, number);
      mine.fd = -1;
      ++mine.detached;
      const int status = self.detach();
      expect(status == 0, "refused", number, step, status);
      attach(self, number);
      break;
    }
    case Op::fork_child:
      lx().call(57, [this, &mine] {
        lx().fork("child", mine.task->cpu, [this] {
          for (const GateModel& gate : gates_)
            if (gate.user.fd >= 0 && !gate.closed)
              oob_ioctl(gate.user.fd, EVL_MONIOC_TRYENTER, nullptr);  // EPERM
        });
        return 0L;
      });
      break;
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
    default:
      killed_ = true;
      for (unsigned i = 0; i < program_.script.size(); ++i) forget(i);
      lx().call(62, [&mine] {
        lx().send_signal(*mine.task, kSigKill, 0);
        return 0L;
      });
      break;
  }
}

}  // namespace sim
