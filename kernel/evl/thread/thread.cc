// SPDX-License-Identifier: GPL-2.0
// Life of a thread as an object, its scheduling parameters, its modes. Any stage but for what takes
// an InbandStage.
#include "thread/thread.h"

#include <evl/sched-abi.h>

#include "sched/policy.h"
#include "sched/schedule.h"
#include "sync/pi.h"

namespace evl {
namespace {

StateFlags initial_state(Thread::Kind kind) noexcept {
  switch (kind) {
    case Thread::Kind::root:
      return ThreadState::root;
    case Thread::Kind::user:
      return ThreadState::dormant | ThreadState::inband | ThreadState::user;
    case Thread::Kind::kernel:
      break;
  }
  return ThreadState::dormant | ThreadState::inband;
}

StateFlags base_bits(const SchedParams& base) noexcept {
  StateFlags bits;
  if (base.policy == PolicyId::weak) bits.set(ThreadState::weak);
  if (!base.quantum.is_zero()) bits.set(ThreadState::rrb);
  return bits;
}

constexpr StateFlags kBaseBits = ThreadState::weak | ThreadState::rrb;
constexpr u32 kWarnings = EVL_T_WOSS | EVL_T_WOLI | EVL_T_WOSX | EVL_T_WOSO;
constexpr u32 kChannels = EVL_T_HMSIG | EVL_T_HMOBS;

}  // namespace

Thread* current_thread() noexcept {
  return static_cast<Thread*>(kapi_current_state()->thread);
}

Thread::Thread(const Setup& setup) noexcept
    : state_{initial_state(setup.kind) | setup.state | base_bits(setup.params)},
      effective_{setup.params},
      rq_{&setup.rq},
      resource_timer_{setup.clock,
                      setup.rq.timers(),
                      setup.kind == Kind::user ? Gravity::user : Gravity::kernel,
                      &Thread::on_timeout,
                      "sleep",
                      Timer::Bond::bound},
      base_{setup.params},
      task_{setup.task},
      period_timer_{setup.clock,        setup.rq.timers(), Gravity::kernel,
                    &Thread::on_period, "period",          Timer::Bond::bound},
      kind_{setup.kind} {
  set_name(setup.name);
  kapi_irq_work_init(&wake_work_, &Thread::on_wake_work);
  kapi_irq_work_init(&signal_work_, &Thread::on_signal_work);
  if (task_ != nullptr) kapi_get_task(task_);
  kapi_trace(KAPI_EV_init_thread, name_, state_.word(), 0);
}

void Thread::set_name(const char* name) noexcept {
  for (size_t i = 0; i < kNameLength && name[i] != '\0'; ++i) name_[i] = name[i];
}

// T2 to T9 end before: the thread is in no queue, owns nothing, its timers are destroyed, its works
// are idle. In-band.
Thread::~Thread() {
  if (task_ != nullptr) kapi_put_task(task_);
}

StateFlags Thread::state(const RqLocked& locked) const noexcept {
  EVL_ASSERT(&locked.rq() == rq_);
  return state_;
}

InfoFlags Thread::info(const RqLocked& locked) const noexcept {
  EVL_ASSERT(&locked.rq() == rq_);
  return info_;
}

Cpu Thread::peek_cpu() const noexcept {
  return rq_->cpu();
}

SchedParams Thread::base_params(const HardIrqsOff& irqs_off) noexcept {
  HardLockGuard guard{lock_, irqs_off};
  return base_;
}

void Thread::show_base(const RqLocked&) noexcept {
  state_.clear(kBaseBits);
  state_.set(base_bits(base_));
}

Status Thread::set_params(const SchedParams& params) noexcept {
  const Status fits = Policies::with(
      params.policy, [&]<typename P>() -> Status { return P::check(*this, params); });
  if (!fits.ok()) return fits;
  bool changed = false;
  {
    HardIrqGuard irqs_off;
    ThreadGuard locked{*this, irqs_off};
    lock_.assert_held();
    if (state_.has(ThreadState::zombie)) return Errno::stale;
    kapi_trace(KAPI_EV_thread_setsched, name_, static_cast<s64>(params.policy), params.prio);
    base_ = params;
    show_base(locked);
    info_.set(ThreadInfo::schedp);
    if (boosters_.empty()) {
      changed = effective_.wprio() != params.wprio();
      Scheduler::set_effective(locked, *this, params, Scheduler::Place::last);
    } else {
      changed = PriorityChain::recompute(locked);
    }
    refresh_window();
  }
  if (changed) PriorityChain::propagate(*this);
  return kOk;
}

// 1 to 99 is SCHED_FIFO there; only weak 0 is SCHED_OTHER.
void Thread::update_inband_priority(const InbandStage&) noexcept {
  int prio = 0;
  {
    HardIrqGuard irqs_off;
    ThreadGuard locked{*this, irqs_off};
    lock_.assert_held();
    if (!info_.has(ThreadInfo::schedp)) return;
    info_.clear(ThreadInfo::schedp);
    prio = base_.prio;
    if (prio > EVL_FIFO_MAX_PRIO) prio = EVL_FIFO_MAX_PRIO;
    if (prio < EVL_FIFO_MIN_PRIO && base_.policy == PolicyId::fifo) prio = EVL_FIFO_MIN_PRIO;
  }
  kapi_set_inband_priority(task_, prio);
}

// A warning needs a channel to go through, a channel something to tell: whoever asks for one half
// gets the other, and loses it with the last one.
Result<u32> Thread::change_mode(u32 set, u32 cleared) noexcept {
  if (((set | cleared) & ~u32{EVL_T_MODE_MASK}) != 0) return Errno::inval;
  if ((set & EVL_T_HMOBS) != 0) return Errno::inval;  // No observable, for want of the class.
  HardIrqGuard irqs_off;
  ThreadGuard locked{*this, irqs_off};
  const u32 before = state_.word() & EVL_T_MODE_MASK;
  u32 now = (before | set) & ~cleared;
  if (set != 0 && (now & kWarnings) != 0 && (now & kChannels) == 0) now |= EVL_T_HMSIG;
  if (cleared != 0 && (now & kWarnings) == 0) now &= ~kChannels;
  if (cleared != 0 && (now & kChannels) == 0) now &= ~kWarnings;
  state_.clear(kModeMask);
  state_.set(StateFlags::from_word(now));
  refresh_window();
  kapi_trace(KAPI_EV_thread_update_mode, name_, set | cleared, set != 0);
  return before;
}

Result<u32> Thread::set_mode(u32 bits) noexcept {
  return change_mode(bits, 0);
}

Result<u32> Thread::clear_mode(u32 bits) noexcept {
  return change_mode(0, bits);
}

// Plain words of user space: copies for its fast paths, never read back.
void Thread::refresh_window() noexcept {
  if (window_ == nullptr) return;
  SharedWord{window_->state}.store_relaxed(state_.word());
  SharedWord{window_->info}.store_relaxed(info_.word());
}

bool Thread::invariants_hold(const ThreadGuard& locked) noexcept {
  lock_.assert_held();
  Rq& rq = locked.rq();
  if (&locked.thread() != this || rq_ != &rq) return false;
  const bool current = &rq.current() == this;
  const bool queued = ReadyQueue::linked(*this);
  bool sound = is_root() || queued == state_.has(ThreadState::ready);
  sound = sound && (!queued || (!current && !state_.has(kBlocked)));
  sound = sound && state_.has(ThreadState::boost) != boosters_.empty();
  sound = sound && (wchan_ != nullptr) == WaitList::linked(*this);
  sound = sound && boosters_.invariants_hold() && owned_.invariants_hold();
  sound = sound && preempt_count_ >= 0 && held_mutexes_ >= 0;
  if (boosters_.empty()) return sound && effective_ == base_;
  const Wprio boost = boosters_.front().boost().wprio();
  return sound && effective_.wprio() == (boost > base_.wprio() ? boost : base_.wprio());
}

}  // namespace evl
