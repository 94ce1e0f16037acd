// SPDX-License-Identifier: GPL-2.0
// The run queue as an object: construction, marking, slices, invariants. Who picks from it is
// sched/schedule.cc.
#include "sched/rq.h"

#include "sched/policy.h"
#include "sched/schedule.h"
#include "sched/watchdog.h"
#include "time/clock.h"

namespace evl {

Rq::Rq(Cpu cpu, TimerBase& timers, const Clock& clock) noexcept
    : current_{&root_},
      cpu_{cpu},
      timers_{timers},
      rr_timer_{clock, timers, Gravity::irq, &Rq::on_slice_end, "round-robin", Timer::Bond::bound},
      watchdog_timer_{
          clock, timers, Gravity::irq, &watchdog_expired, "watchdog", Timer::Bond::bound},
      root_{{.kind = Thread::Kind::root,
             .name = "root",
             .clock = clock,
             .rq = *this,
             .task = nullptr,
             .params = {.policy = PolicyId::idle, .prio = kIdlePrio},
             .state = {}}} {
  kapi_altsched_init_root(&root_.altsched_);
}

// The timers of a core that stopped are not queued any more.
Rq::~Rq() = default;

Duration Rq::min_quantum(const Thread& thread) noexcept {
  return thread.resource_timer_.clock().gravity(thread.is_user() ? Gravity::user : Gravity::kernel);
}

void Rq::mark_resched(const RqLocked& locked) noexcept {
  EVL_ASSERT(&locked.rq() == this);
  if (resched_.load_relaxed()) return;  // RQ5 holds: who set it sees to the IPI.
  resched_.store_relaxed(true);
  const Cpu here = this_cpu(locked.irqs_off());
  if (here != cpu_) rq_of(here).kick_.add(cpu_);
}

void Rq::forget_closed() noexcept {
  kick_.for_each([this](Cpu cpu) {
    if (!rq_of(cpu).is_open()) kick_.remove(cpu);
  });
}

void Rq::stop_timers() noexcept {
  rr_timer_.stop();
  watchdog_timer_.stop();
}

// The slice of the thread that runs is over, unless it is needed as it is: boosted, or with
// preemption disabled. The one who waits for the CPU then waits for a slice more.
void Rq::on_slice_end(Timer& timer, const HardIrqsOff& irqs_off) noexcept {
  Rq& rq = owner_of<Rq, &Rq::rr_timer_>(timer);
  RqGuard locked{rq, irqs_off};
  rq.lock_.assert_held();
  Thread& current = rq.current();
  if (&current != rq.sliced_ || current.state_.has(kBlocked | ThreadState::boost) ||
      current.preempt_count_ > 0)
    return;
  rq.rotate_ = true;
  rq.mark_resched(locked);
}

bool Rq::invariants_hold(const RqLocked& locked) noexcept {
  lock_.assert_held();
  if (&locked.rq() != this || !fifo_ready_.invariants_hold() || !weak_ready_.invariants_hold())
    return false;
  Thread& current = this->current();
  bool sound = !Thread::ReadyQueue::linked(current) && &current.rq() == this;
  sound = sound && !current.state_.has(ThreadState::ready);
  sound = sound && (&current == &root_ || root_.state_.has(ThreadState::ready));
  bool waits = false;  // Somebody more urgent than current.
  auto look = [&](PolicyId policy) {
    return [&, policy](Thread& thread, unsigned level) {
      sound = sound && &thread.rq() == this && thread.state_.has(ThreadState::ready) &&
              !thread.state_.has(kBlocked) && thread.effective().policy == policy &&
              static_cast<unsigned>(thread.effective().prio) == level;
      waits = waits || thread.wprio() > current.wprio();
    };
  };
  fifo_ready_.for_each(look(PolicyId::fifo));
  weak_ready_.for_each(look(PolicyId::weak));
  return sound && (!waits || resched_.load_relaxed());
}

}  // namespace evl
