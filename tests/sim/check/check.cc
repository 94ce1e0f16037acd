// SPDX-License-Identifier: MIT

#include "check/check.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "check/inspect.h"
#include "element/element_file.h"

namespace sim {
namespace {

using inspect::read;

Machine& mc() {
  return Machine::current();
}

evl::Thread* thread_of(const Task& task) {
  return static_cast<evl::Thread*>(task.state.thread);
}

bool any_lock_held() {
  for (unsigned i = 0; i < mc().cpus(); ++i)
    if (!mc().cpu(i).held.empty()) return true;
  return false;
}

// The element behind a descriptor of the process, or nullptr.
template <typename Element>
Element* element_of(int number, const World& world) {
  if (number < 0) return nullptr;
  for (const auto& thread : world.threads()) {
    if (thread.task == nullptr || thread.task->files == nullptr) continue;
    const Files& files = *thread.task->files;
    const auto fd = static_cast<std::size_t>(number);
    if (fd >= files.table.size() || !files.installed[fd]) return nullptr;
    return &evl::ElementFile::element<Element>(files.table[fd]->object);
  }
  return nullptr;
}

evl::Gate* gate_of(const World::GateModel& model, const World& world) {
  return model.closed ? nullptr : element_of<evl::Gate>(model.user.fd, world);
}

// ---------------------------------------------------------------- no lock is held

// Ranks of the simulator's locks are the core's, from 1.
constexpr std::uint64_t bits(std::initializer_list<evl::LockRank> ranks) {
  std::uint64_t mask = 0;
  for (const evl::LockRank rank : ranks)
    mask |= std::uint64_t{1} << (static_cast<unsigned>(rank) + 1);
  return mask;
}

void check_threads(World& world) {
  const evl::HardIrqsOffAtEntry irqs_off;
  for (unsigned cpu = 0; cpu < mc().cpus(); ++cpu) {
    if (!evl::has_rq(cpu)) continue;
    evl::RqGuard locked{evl::rq_of(cpu), irqs_off};
    if (!evl::rq_of(cpu).invariants_hold(locked))
      mc().fail("RQ1 to RQ4 do not hold on CPU %u", cpu);
  }
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    const Task* task = world.threads()[i].task;
    if (task == nullptr || thread_of(*task) == nullptr) continue;
    evl::ThreadGuard locked{*thread_of(*task), irqs_off};
    if (!thread_of(*task)->invariants_hold(locked)) mc().fail("T1 to T9 do not hold for T%u", i);
  }
}

void check_monitors(World& world) {
  const evl::HardIrqsOffAtEntry irqs_off;
  for (unsigned i = 0; i < kMaxGates; ++i) {
    evl::Gate* gate = gate_of(world.gates()[i], world);
    if (gate == nullptr) continue;
    evl::HardLockGuard locked{gate->mutex().lock(), irqs_off};
    if (!gate->mutex().mutex_invariants_hold())
      mc().fail("W1 to W3, or M1 to M4, do not hold for gate %u", i);
  }
  for (unsigned i = 0; i < kMaxEvents; ++i) {
    if (world.event_closed(i)) continue;
    auto* event = element_of<evl::Event>(world.events()[i].fd, world);
    if (event != nullptr && !event->invariants_hold())
      mc().fail("EV1 does not hold for event %u", i);
  }
}

void check_timers() {
  for (unsigned cpu = 0; cpu < mc().cpus(); ++cpu)
    if (evl::core().timer_bases().has(cpu) && !evl::core().timer_bases().on(cpu).invariants_hold())
      mc().fail("TB1 to TB3 do not hold on CPU %u", cpu);
}

// What is guarded by a lock changes under that lock only: nothing else is looked at again.
void check_objects(World& world) {
  using enum evl::LockRank;
  const std::uint64_t released = mc().take_released();
  if ((released & bits({thread, rq})) != 0) check_threads(world);
  if ((released & bits({monitor, wchan, thread})) != 0) check_monitors(world);
  if ((released & bits({timer_base})) != 0) check_timers();
}

// ---------------------------------------------------------------- at rest

struct Facts {
  std::array<evl::Thread*, kMaxThreads> threads{};
  std::array<evl::Gate*, kMaxGates> gates{};
  std::array<int, kMaxGates> owner{};  // By the lock word, -1: nobody of ours.
};

Facts collect(World& world) {
  Facts facts;
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    const Task* task = world.threads()[i].task;
    facts.threads[i] =
        task != nullptr && task->run != Run::dead && !task->exiting ? thread_of(*task) : nullptr;
  }
  for (unsigned g = 0; g < kMaxGates; ++g) {
    facts.owner[g] = -1;
    facts.gates[g] = gate_of(world.gates()[g], world);
    if (facts.gates[g] == nullptr) continue;
    const fundle_t handle = evl_get_index(world.gates()[g].user.state->u.gate.owner);
    for (unsigned i = 0; i < kMaxThreads; ++i) {
      if (facts.threads[i] != nullptr && handle != EVL_NO_HANDLE &&
          facts.threads[i]->element() != nullptr && facts.threads[i]->element()->fundle() == handle)
        facts.owner[g] = static_cast<int>(i);
    }
  }
  return facts;
}

// What a thread's priority has to be: its own, the ceilings of what it holds, and that of whoever
// waits for what it holds by inheritance, whose priority is found the same way. Cycles are refused
// by the core; depth bounds the walk.
evl::Wprio naive_priority(const World& world, const Facts& facts, unsigned thread, unsigned depth) {
  evl::Wprio priority = read<inspect::ThreadBase>(*facts.threads[thread]).wprio();
  if (depth == 0) return priority;
  for (unsigned g = 0; g < kMaxGates; ++g) {
    if (facts.gates[g] == nullptr || facts.owner[g] != static_cast<int>(thread)) continue;
    const GateSpec& spec = world.program().gates[g];
    if (spec.ceiling != 0) {
      if ((world.gates()[g].user.state->u.gate.owner & EVL_MUTEX_FLCEIL) != 0)
        priority = std::max(priority, evl::weigh(evl::PolicyId::fifo, spec.ceiling));
      continue;
    }
    for (unsigned waiter = 0; waiter < kMaxThreads; ++waiter) {
      if (facts.threads[waiter] == nullptr || waiter == thread) continue;
      const evl::WaitChannel* channel = read<inspect::ThreadWchan>(*facts.threads[waiter]);
      if (channel == &facts.gates[g]->mutex())
        priority = std::max(priority, naive_priority(world, facts, waiter, depth - 1));
    }
  }
  return priority;
}

void check_priorities(World& world, const Facts& facts) {
  if (lx().preempted_in_core()) return;  // On a walk along a chain, which goes on later (T4).
  for (const auto& gate : world.gates())
    if (gate.closing) return;
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    if (facts.threads[i] == nullptr) continue;
    const evl::Wprio expected = naive_priority(world, facts, i, kMaxThreads);
    if (facts.threads[i]->wprio() != expected)
      mc().fail("T%u has weighted priority %d, its base, ceilings and waiters make it %d", i,
                facts.threads[i]->wprio(), expected);
  }
}

// A ready thread waits only for one that is at least as urgent.
void check_running(World& world, const Facts& facts) {
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    evl::Thread* thread = facts.threads[i];
    if (thread == nullptr || !thread->peek_state().has(evl::ThreadState::ready)) continue;
    const evl::Cpu cpu = thread->peek_cpu();
    evl::Thread& current = evl::rq_of(cpu).current();
    if (&current == thread || read<inspect::ThreadPreemptCount>(current) > 0) continue;
    if (current.wprio() < thread->wprio())
      mc().fail("T%u (%d) is ready on CPU %u, which runs %s (%d)", i, thread->wprio(), cpu,
                current.name(), current.wprio());
  }
  (void)world;
}

// Whoever marks a CPU has passed a scheduling point before he leaves the core (RQ5): a mark that
// stays keeps others from sending an IPI for theirs.
void check_marks(const World& world) {
  if (world.program().body != nullptr) return;  // Kernel threads are in the core all the time.
  for (unsigned cpu = 0; cpu < mc().cpus(); ++cpu) {
    if (!evl::has_rq(cpu)) continue;
    const evl::Rq& rq = evl::rq_of(cpu);
    if (!read<inspect::RqKick>(rq).empty()) mc().fail("CPU %u keeps IPIs to itself", cpu);
    if (read<inspect::RqResched>(rq).load_relaxed() &&
        read<inspect::ThreadPreemptCount>(rq.current()) == 0)
      mc().fail("CPU %u is marked, and %s goes on without a look", cpu, rq.current().name());
  }
}

// Whoever took a gate with a ceiling on its own, and has lost the CPU since, has the ceiling: the
// scheduler looks at what the thread announced.
void check_ceilings(World& world, const Facts& facts) {
  for (unsigned g = 0; g < kMaxGates; ++g) {
    if (facts.gates[g] == nullptr || facts.owner[g] < 0 || world.program().gates[g].ceiling == 0)
      continue;
    evl::Thread& owner = *facts.threads[static_cast<unsigned>(facts.owner[g])];
    const evl_user_window* window = owner.user_window();
    if (window == nullptr || &evl::rq_of(owner.peek_cpu()).current() == &owner) continue;
    // Taken in-band between its look at the window and the compare-and-swap: the next switch from
    // the oob stage commits.
    if (owner.peek_state().has(evl::ThreadState::inband)) continue;
    const bool announced = evl_get_index(window->pp_pending) == world.gates()[g].user.handle;
    if (announced && (world.gates()[g].user.state->u.gate.owner & EVL_MUTEX_FLCEIL) == 0)
      mc().fail("T%d has lost the CPU without the ceiling of gate %u", facts.owner[g], g);
  }
}

// Linux has a signal for a thread that is out-of-band: somebody has told it to come back.
void check_kicks(World& world, const Facts& facts) {
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    if (facts.threads[i] == nullptr) continue;
    const Task& task = *world.threads()[i].task;
    if (task.oob && task.signals != 0 && task.senders == 0 &&
        !facts.threads[i]->peek_info().has(evl::ThreadInfo::kicked))
      mc().fail("T%u has a signal, and stays out-of-band", i);
  }
}

// Whom a debugger has stopped keeps the rest of the process from running, but for those who have
// to look at a signal first.
void check_stops(World& world, const Facts& facts) {
  const auto stopped = [](const World::ThreadModel& thread) { return thread.stopped; };
  if (std::none_of(world.threads().begin(), world.threads().end(), stopped)) return;
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    if (facts.threads[i] == nullptr || world.threads()[i].stopped) continue;
    evl::Thread& thread = *facts.threads[i];
    if (&evl::rq_of(thread.peek_cpu()).current() != &thread) continue;
    if (!thread.peek_state().has(evl::ThreadState::inband) &&
        !thread.peek_info().has(evl::kRunsInStop))
      mc().fail("T%u runs while a debugger has stopped its process", i);
  }
}

// Nobody who sleeps is late but for an interrupt that is not taken yet: the timer of his sleep is
// queued, for his date or earlier, and the device of the CPU (check_ticks()) fires no later.
void check_sleepers(World& world, const Facts& facts) {
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    const std::uint64_t until = world.threads()[i].sleeps_until;
    if (facts.threads[i] == nullptr || until == 0) continue;
    if (!facts.threads[i]->peek_state().has(evl::ThreadState::delay)) continue;
    const evl::Timer& timer = read<inspect::ThreadSleepTimer>(*facts.threads[i]);
    if (!evl::Timer::Queue::linked(timer)) mc().fail("T%u sleeps, and its timer is idle", i);
    const evl::MonoDate date = evl::Timer::Queue::date(timer);
    if (date > evl::MonoDate::from_ns(static_cast<evl::s64>(until)))
      mc().fail("T%u sleeps until %llu, its timer fires at %lld", i,
                static_cast<unsigned long long>(until), static_cast<long long>(date.ns()));
  }
}

// A timer that is queued has the device programmed for its date, or earlier.
void check_ticks() {
  for (unsigned cpu = 0; cpu < mc().cpus(); ++cpu) {
    if (!evl::core().timer_bases().has(cpu)) continue;
    evl::TimerBase& base = evl::core().timer_bases().on(cpu);
    const evl::MonoDate programmed = read<inspect::BaseProgrammed>(base);
    const std::uint64_t fires_at = mc().cpu(cpu).tick_date_ns;
    const evl::MonoDate next = inspect::ask<inspect::BaseQueue>(base).next_date();
    if (fires_at > mc().now_ns() && base.is_open() && next != evl::MonoDate::forever() &&
        static_cast<std::uint64_t>(std::max<evl::s64>(next.ns(), 0)) < fires_at)
      mc().fail("CPU %u has a timer that is due before its device fires", cpu);
    if (programmed == evl::MonoDate::forever()) continue;
    if (mc().cpu(cpu).tick_date_ns == kNever && mc().cpu(cpu).pending == 0)
      mc().fail("CPU %u has timers, but its tick device is stopped", cpu);
  }
}

}  // namespace

void check_core(World& world) {
  if (!world.ready() || !evl::core_is_up() || any_lock_held()) return;
  check_objects(world);
  if (!lx().at_rest()) return;
  const Facts facts = collect(world);
  check_running(world, facts);
  check_marks(world);
  check_priorities(world, facts);
  check_ceilings(world, facts);
  check_kicks(world, facts);
  check_stops(world, facts);
  check_sleepers(world, facts);
  check_ticks();
}

void look_at_switch(Task& from, Task& to) {
  const evl::Thread* thread = thread_of(from);
  from.interrupted = thread != nullptr && from.oob && from.in_core != 0 &&
                     thread->peek_state().has(evl::ThreadState::ready);
  to.interrupted = false;
}

// Among threads of one CPU and priority, who has been ready longer runs first; a thread that was
// preempted has been ready since it ran. Programs whose threads yield, have slices, or change
// priorities are left out: they reorder on purpose.
void QueueOrder::look(const World& world) {
  if (!applies_) return;
  ++now_;
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    const Task* task = world.threads()[i].task;
    evl::Thread* thread = task == nullptr ? nullptr : thread_of(*task);
    Place& place = places_[i];
    const bool waits = thread != nullptr && thread->peek_state().has(evl::ThreadState::ready);
    // Boosts move a thread within the queue. Who has been picked stays known until the switch,
    // since moves come in between.
    if (thread == nullptr || thread->wprio() != place.priority) place.known = false;
    if (waits && !place.waits) place = {.since = now_, .known = true};
    if (thread == nullptr) continue;
    place.waits = waits;
    place.priority = thread->wprio();
    place.cpu = thread->peek_cpu();
  }
}

void QueueOrder::switched(const World& world, const Task& from, const Task& to) {
  if (!applies_) return;
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    if (world.threads()[i].task != &to) continue;
    const Place& next = places_[i];
    for (unsigned other = 0; other < kMaxThreads; ++other) {
      const Place& place = places_[other];
      if (other == i || !next.known || !place.known || !place.waits || place.cpu != next.cpu)
        continue;
      if (place.priority == next.priority && place.since < next.since)
        mc().fail("T%u runs before T%u, which has been ready for longer", i, other);
    }
  }
  // Preempted threads go first among their equals.
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    if (world.threads()[i].task != &from) continue;
    const evl::Thread* thread = thread_of(from);
    if (thread == nullptr || !thread->peek_state().has(evl::ThreadState::ready)) continue;
    places_[i] = {.since = 0,
                  .priority = thread->wprio(),
                  .cpu = thread->peek_cpu(),
                  .waits = true,
                  .known = true};
  }
}

bool QueueOrder::keeps_order(const Program& program) {
  const auto reorders = [](const Step& step) {
    switch (step.op) {
      case Op::yield:
      case Op::set_fifo:
      case Op::set_rr:
      case Op::set_weak:
      case Op::demote:
      case Op::migrate:
        return true;
      default:
        return false;
    }
  };
  for (const auto& steps : program.script)
    if (std::any_of(steps.begin(), steps.end(), reorders)) return false;
  return std::all_of(program.threads.begin(), program.threads.end(),
                     [](const ThreadSpec& one) { return one.policy == Policy::fifo; });
}

}  // namespace sim
