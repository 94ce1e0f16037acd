// SPDX-License-Identifier: MIT
//
// Reads private members of the core's objects. The checks must not depend on what the core says
// about itself, and the core must not open itself for tests: an explicit instantiation may name a
// private member ([temp.spec.general]/6).

#pragma once

#include "boot/core.h"
#include "sched/rq.h"
#include "sync/monitor.h"
#include "thread/thread.h"
#include "thread/thread_element.h"
#include "time/timer.h"

namespace sim::inspect {

template <typename Tag, typename Tag::Type Member>
struct Opened {
  friend constexpr typename Tag::Type member_of(Tag) { return Member; }
};

#define SIM_OPEN(Tag, Class, Value, name) \
  struct Tag {                            \
    using Type = Value Class::*;          \
    friend constexpr Type member_of(Tag); \
  };                                      \
  template struct Opened<Tag, &Class::name>;

SIM_OPEN(ThreadWchan, evl::Thread, evl::WaitChannel*, wchan_)
SIM_OPEN(ThreadBase, evl::Thread, evl::SchedParams, base_)
SIM_OPEN(ThreadPreemptCount, evl::Thread, int, preempt_count_)
SIM_OPEN(ThreadSleepTimer, evl::Thread, evl::Timer, resource_timer_)
SIM_OPEN(MutexOwner, evl::Mutex, evl::Thread*, owner_)
SIM_OPEN(RqResched, evl::Rq, evl::Atomic<bool>, resched_)
SIM_OPEN(RqKick, evl::Rq, evl::CpuSet, kick_)
SIM_OPEN(BaseQueue, evl::TimerBase, evl::Timer::Queue, queue_)
SIM_OPEN(BaseProgrammed, evl::TimerBase, evl::MonoDate, programmed_)

template <typename Tag, typename Object>
const auto& read(const Object& object) {
  return object.*member_of(Tag{});
}
// For members whose questions are not const.
template <typename Tag, typename Object>
auto& ask(Object& object) {
  return object.*member_of(Tag{});
}

}  // namespace sim::inspect
