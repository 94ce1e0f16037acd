// SPDX-License-Identifier: MIT

#include "run/scenarios.h"

#include <evl/thread-abi.h>

#include <cstring>

#include "run/meetings.h"
#include "run/steps.h"

namespace sim {
namespace {

using namespace steps;

Program pi_pair(Rng&) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 20)},
          .script = {{lock(0), compute(2), unlock(0)}, {lock(0), compute(1), unlock(0)}}};
}

// T0 holds 0; T1 holds 1 and waits for 0; T2 holds 2 and waits for 1; T3 waits for 2.
Program pi_chain(Rng&) {
  return {.gates = {{}, {}, {}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30), fifo(1, 40)},
          .script = {{lock(0), compute(4), unlock(0)},
                     {lock(1), lock(0), compute(1), unlock(0), unlock(1)},
                     {lock(2), lock(1), compute(1), unlock(1), unlock(2)},
                     {sleep(500), lock(2), compute(1), unlock(2)}}};
}

// Two chains that meet in the owner of gate 0, and one waiter above both.
Program pi_diamond(Rng&) {
  return {.gates = {{}, {}, {}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 21), fifo(1, 40)},
          .script = {{lock(0), compute(5), unlock(0)},
                     {lock(1), lock(0, 3'000), unlock(0), unlock(1)},
                     {lock(2), lock(0), unlock(0), unlock(2)},
                     {sleep(400), lock(1, 2'000), unlock(1), lock(2), unlock(2)}}};
}

Program pi_cycle(Rng&) {
  return {.ordered = false,
          .gates = {{}, {}, {}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30)},
          .script = {{lock(0), lock(1), unlock(1), unlock(0)},
                     {lock(1), lock(2), unlock(2), unlock(1)},
                     {lock(2), lock(0), unlock(0), unlock(2)}}};
}

Program ceiling(Rng&) {
  return {.gates = {{.ceiling = 50}},
          .threads = {fifo(0, 10), fifo(0, 40), fifo(1, 30)},
          .script = {{lock(0), compute(3), sleep(300), unlock(0), compute(1)},
                     {sleep(200), lock(0), compute(1), unlock(0)},
                     {lock(0, 1'000), compute(2), unlock(0)}}};
}

Program ceiling_nested(Rng&) {
  return {.gates = {{.ceiling = 30}, {.ceiling = 60}, {}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 25)},
          .script = {{lock(0), lock(1), compute(2), sleep(200), unlock(1), compute(2), unlock(0)},
                     {lock(0), lock(1), unlock(1), unlock(0), lock(2), unlock(2)},
                     {lock(0), lock(2), sleep(100), unlock(2), unlock(0)}}};
}

Program recursive(Rng&) {
  return {.gates = {{.recursive = true}},
          .threads = {fifo(0, 10), fifo(1, 20)},
          .script = {{lock(0), lock(0), compute(1), unlock(0), compute(1), unlock(0)},
                     {lock(0), lock(0), unlock(0), unlock(0)}}};
}

Program timeout_against_grant(Rng&) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(1, 30)},
          .script = {{lock(0), sleep(1'000), unlock(0)},
                     {lock(0, 1'200), unlock(0)},
                     {lock(0, 1'400), compute(1), unlock(0)}}};
}

Program signal_against_grant(Rng&) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 5)},
          .script = {{lock(0), compute(3), unlock(0)},
                     {lock(0), compute(1), unlock(0), sleep(500)},
                     {of(Op::post_signal, 1, 10), of(Op::post_signal, 0, 10)}}};
}

Program unblock_against_grant(Rng&) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30)},
          .script = {{lock(0), compute(2), unlock(0)},
                     {lock(0), unlock(0), sleep(2'000)},
                     {compute(1), of(Op::unblock, 1), of(Op::unblock, 0)}}};
}

Program condition(Rng&) {
  return {.events = 1,
          .gates = {{}},
          .threads = {fifo(0, 20), fifo(1, 10)},
          .script = {{lock(0), wait(0, 0, 5'000), unlock(0)},
                     {compute(2), lock(0), signal(0, 0), unlock(0)}}};
}

Program condition_broadcast(Rng&) {
  return {.events = 1,
          .gates = {{}},
          .threads = {fifo(0, 20), fifo(1, 30), fifo(0, 40), fifo(1, 10)},
          .script = {{lock(0), wait(0, 0, 9'000), unlock(0)},
                     {lock(0), wait(0, 0, 9'000), unlock(0)},
                     {lock(0), wait(0, 0, 2'000), unlock(0)},
                     {sleep(1'500), lock(0), broadcast(0, 0), compute(1), unlock(0)}}};
}

Program condition_timeout(Rng&) {
  return {.events = 1,
          .gates = {{}},
          .threads = {fifo(0, 20), fifo(1, 10)},
          .script = {{lock(0), wait(0, 0, 900), unlock(0)},
                     {sleep(800), lock(0), signal(0, 0), unlock(0)}}};
}

Program condition_targeted(Rng&) {
  return {.events = 1,
          .gates = {{}},
          .threads = {fifo(0, 20), fifo(1, 30), fifo(1, 10)},
          .script = {{lock(0), wait(0, 0, 6'000), unlock(0)},
                     {lock(0), wait(0, 0, 6'000), unlock(0)},
                     {sleep(900), lock(0), {Op::signal_thread, 0, 0, 0}, unlock(0)}}};
}

Program requeue(Rng&) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(1, 30), fifo(0, 50)},
          .script = {{lock(0), compute(4), unlock(0)},
                     {lock(0), unlock(0)},
                     {lock(0), unlock(0)},
                     {sleep(600), of(Op::set_fifo, 1, 45), of(Op::set_fifo, 2, 5),
                      of(Op::set_weak, 0, 3)}}};
}

Program close_while_waited(Rng&) {
  return {
      .events = 1,
      .gates = {{}, {}},
      .threads = {fifo(0, 10), fifo(1, 20), fifo(1, 30)},
      .script = {{lock(0), compute(2), of(Op::close_gate, 0), of(Op::close_event, 0), compute(1)},
                 {lock(0, 20'000), unlock(0)},
                 {lock(1), wait(0, 1, 20'000), unlock(1)}}};
}

Program migrate_boosted(Rng&) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 30), fifo(1, 20)},
          .script = {{lock(0), compute(2), of(Op::go_inband), compute(2), unlock(0)},
                     {sleep(300), lock(0), compute(1), unlock(0)},
                     {of(Op::migrate, 0, 1), compute(1), of(Op::migrate, 1, 0)}}};
}

Program exit_while_owning(Rng&) {
  return {.deaths = true,
          .gates = {{}, {}},
          .threads = {fifo(0, 10), fifo(1, 30), fifo(0, 20)},
          .script = {{lock(0), lock(1), compute(3), of(Op::leave)},
                     {sleep(300), lock(0), unlock(0)},
                     {sleep(200), lock(1, 5'000), unlock(1)}}};
}

Program kill_while_owning(Rng&) {
  return {.deaths = true,
          .gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 30), fifo(1, 20)},
          .script = {{lock(0), compute(3), unlock(0), sleep(3'000)},
                     {sleep(200), lock(0), compute(2), unlock(0)},
                     {compute(2), of(Op::kill)}}};
}

Program inband_while_boosted(Rng&) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 30)},
          .script = {{lock(0), of(Op::linux_call), compute(2), of(Op::linux_call), unlock(0)},
                     {sleep(300), lock(0), compute(1), unlock(0)}}};
}

Program weak_holds(Rng&) {
  return {.gates = {{}},
          .threads = {weak(0, 0), fifo(0, 30), weak(1, 10)},
          .script = {{lock(0), compute(2), of(Op::linux_call), unlock(0), compute(1)},
                     {sleep(300), lock(0), compute(1), unlock(0)},
                     {lock(0), compute(1), unlock(0)}}};
}

Program sleepers(Rng& rng) {
  Program program;
  program.threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30), fifo(1, 40)};
  for (unsigned i = 0; i < 4; ++i)
    program.script.push_back(
        {sleep(300 + rng.below(2'000)), compute(1), sleep(100 + rng.below(3'000))});
  return program;
}

Program slices(Rng&) {
  return {.cpus = 1,
          .gates = {},
          .threads = {rr(0, 10), rr(0, 10), fifo(0, 10)},
          .script = {{compute(12)}, {compute(12)}, {compute(4), of(Op::yield), compute(4)}}};
}

Program modes(Rng&) {
  return {
      .gates = {{}},
      .threads = {fifo(0, 10), fifo(1, 20)},
      .script = {
          {of(Op::set_mode, 0, EVL_T_WOLI | EVL_T_WOSS), lock(0), of(Op::linux_call), unlock(0),
           of(Op::clear_mode, 0, EVL_T_WOLI | EVL_T_WOSS), lock(0), unlock(0)},
          {lock(0), of(Op::set_mode, 0, EVL_T_WOLI), unlock(0), lock(0), sleep(100), unlock(0)}}};
}

Program comings_and_goings(Rng&) {
  return {.from_the_start = true,
          .gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(1, 30)},
          .script = {{of(Op::reattach), lock(0), unlock(0), of(Op::reattach)},
                     {of(Op::fork_child), lock(0), compute(1), unlock(0)},
                     {lock(0), unlock(0), of(Op::exec)}}};
}

Program refused(Rng& rng) {
  Program program = pi_chain(rng);
  program.refuse_percent = 15;
  program.from_the_start = true;
  program.script[0].push_back(of(Op::reattach));
  return program;
}

Program faults(Rng& rng) {
  Program program = condition_broadcast(rng);
  program.fault_percent = 30;
  return program;
}

// A grant that the waiter's time-out swallows leaves the other one waiting for ever.
Program grant_lost(Rng&) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 30), fifo(1, 20)},
          .script = {{lock(0), sleep(1'000), unlock(0)},
                     {sleep(100), lock(0, 1'100), unlock(0)},
                     {sleep(200), lock(0), unlock(0)}}};
}

Program tokens(Rng&) {
  return {.events = 1,
          .gates = {{}},
          .threads = {fifo(0, 20), fifo(1, 30), fifo(0, 10)},
          .script = {{lock(0), await(0, 0), unlock(0), lock(0), await(0, 0), unlock(0)},
                     {lock(0), await(0, 0), unlock(0)},
                     {lock(0), raise(0, 0), unlock(0), compute(2), lock(0), raise(0, 0), unlock(0),
                      lock(0), raise(0, 0), unlock(0)}}};
}

Program tokens_for_all(Rng&) {
  return {.events = 1,
          .gates = {{}},
          .threads = {fifo(0, 20), fifo(1, 30), fifo(1, 40), fifo(0, 10)},
          .script = {{lock(0), await(0, 0), unlock(0)},
                     {lock(0), await(0, 0), unlock(0)},
                     {lock(0), wait(0, 0, 1'500), unlock(0)},
                     {sleep(400), lock(0), raise(0, 0, 2), unlock(0)}}};
}

// Handlers run while their threads wait without limit, for an event and for a gate.
Program signal_reaches_waiter(Rng&) {
  return {.events = 2,
          .gates = {{}},
          .threads = {fifo(0, 20), fifo(1, 30), fifo(1, 10)},
          .script = {{lock(0), raise(1, 0), await(0, 0), unlock(0)},
                     {sleep(500), lock(0), unlock(0)},
                     {lock(0), await(1, 0), of(Op::signal_and_see, 1, 10), unlock(0),
                      of(Op::signal_and_see, 0, 10), lock(0), raise(0, 0), unlock(0)}}};
}

// Only the end of gate and event ends these waits.
Program close_ends_wait(Rng&) {
  return {.events = 1,
          .gates = {{}, {}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(1, 30)},
          .script = {{lock(0), compute(2), of(Op::close_gate, 0), of(Op::close_event, 0)},
                     {compute(1), lock(0), unlock(0)},
                     {lock(1), await(0, 1), unlock(1)}}};
}

// Equals: who was preempted goes on, who comes back goes last.
Program equals(Rng&) {
  return {.threads = {fifo(0, 10), fifo(0, 10), fifo(0, 10), fifo(0, 20)},
          .script = {{compute(3), sleep(200), compute(3)},
                     {compute(2), sleep(300), compute(2)},
                     {compute(4), sleep(100), compute(1)},
                     {sleep(300), compute(1), sleep(300), compute(1), sleep(200)}}};
}

Program timer_shared(Rng&) {
  return {
      .timers = {{}},
      .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30)},
      .script = {{set_timer(0, 3, 2'000), read_timer(0), of(Op::look_at_timer, 0), read_timer(0)},
                 {sleep(1'000), read_timer(0), compute(2), read_timer(0)},
                 {compute(1), set_timer(0, 5, 900), read_timer(0)}}};
}

Program timer_one_shot(Rng&) {
  return {.timers = {{.nonblock = true}},
          .threads = {fifo(0, 10), fifo(1, 20)},
          .script = {{set_timer(0, 0, 700), sleep(600), read_timer(0), sleep(300), read_timer(0)},
                     {sleep(800), of(Op::stop_timer, 0), set_timer(0, 0, 500), read_timer(0)}}};
}

Program timer_closed(Rng&) {
  return {.timers = {{}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(1, 5)},
          .script = {{set_timer(0, 200, 90'000), read_timer(0), read_timer(0)},
                     {sleep(500), read_timer(0)},
                     {compute(2), of(Op::close_timer, 0), sleep(200)}}};
}

// T0 keeps its CPU until the watchdog strikes; T1 waits below it, T2 for what it holds.
Program watchdog(Rng&) {
  return {.watchdog_s = 1,
          .gates = {{}},
          .threads = {fifo(0, 30), fifo(0, 10), fifo(1, 20)},
          .script = {{lock(0), of(Op::spin), unlock(0)},
                     {compute(2), lock(0), unlock(0)},
                     {sleep(400), lock(0), compute(1), unlock(0), of(Op::spin)}}};
}

constexpr Scenario kScenarios[] = {
    {"pi-pair", "a mutex between two CPUs", &pi_pair, true},
    {"pi-chain", "inheritance through three owners", &pi_chain, false},
    {"pi-diamond", "two chains into one owner, with timeouts", &pi_diamond, false},
    {"pi-cycle", "three threads in a circle: EDEADLK", &pi_cycle, false},
    {"ceiling", "priority protection, committed by the scheduler", &ceiling, false},
    {"ceiling-nested", "ceilings within ceilings, and inheritance", &ceiling_nested, false},
    {"recursive", "a gate taken twice", &recursive, true},
    {"timeout-grant", "a timeout against a grant", &timeout_against_grant, false},
    {"signal-grant", "a signal against a grant", &signal_against_grant, false},
    {"unblock-grant", "a forced wake-up against a grant", &unblock_against_grant, false},
    {"condition", "wait and signal", &condition, true},
    {"condition-broadcast", "all waiters at once, one times out", &condition_broadcast, false},
    {"condition-timeout", "a timeout against a signal", &condition_timeout, true},
    {"condition-targeted", "a signal to one thread", &condition_targeted, false},
    {"requeue", "priorities change while threads wait", &requeue, false},
    {"close-waited", "gate and event closed under their waiters", &close_while_waited, false},
    {"migrate-boosted", "a boosted owner is moved to another CPU", &migrate_boosted, false},
    {"exit-owning", "a thread ends with two gates held", &exit_while_owning, false},
    {"kill-owning", "SIGKILL to all, at any time", &kill_while_owning, false},
    {"inband-boosted", "an owner goes in-band while others wait", &inband_while_boosted, true},
    {"weak-holds", "weak threads stay oob while they hold a gate", &weak_holds, false},
    {"sleepers", "timers of several CPUs", &sleepers, false},
    {"slices", "round robin, FIFO and yield on one CPU", &slices, false},
    {"modes", "lock checking switched on and off", &modes, false},
    {"attach-fork-exec", "attach, detach, fork, exec", &comings_and_goings, false},
    {"refused", "allocations fail", &refused, false},
    {"faults", "user memory faults", &faults, false},
    {"grant-lost", "a grant to who has just timed out, with another waiter", &grant_lost, false},
    {"tokens", "a condition variable that nobody gives up on", &tokens, true},
    {"tokens-all", "the same, with a broadcast and a timeout", &tokens_for_all, false},
    {"signal-wait", "handlers run while their threads wait without limit", &signal_reaches_waiter,
     false},
    {"close-wait", "waits without limit that a close ends", &close_ends_wait, false},
    {"equals", "first in, first out among equals", &equals, false},
    {"timer-shared", "a periodic timer read and set by several threads", &timer_shared, false},
    {"timer-one-shot", "a timer set, read and stopped without waiting", &timer_one_shot, false},
    {"timer-closed", "a timer closed under its readers", &timer_closed, false},
    {"watchdog", "threads that do not give up the CPU", &watchdog, false},
    {"deep-chain", "a chain of four that stands until its end gives up", &deep_chain, false},
    {"deep-cycle", "a circle of three that comes to be", &deep_cycle, false},
    {"deep-requeue", "priorities change in a chain that stands", &deep_requeue, false},
    {"deep-exit", "an owner ends while two chains stand on it", &deep_exit, false},
    {"deep-close", "a gate is closed under a chain", &deep_close, false},
    {"preempted", "equals, one of them interrupted", &preempted, false},
    {"preempted-weak", "weak threads with a gate, interrupted", &preempted_weak, false},
    {"preempted-ceiling", "an announced ceiling comes into force", &preempted_ceiling, false},
    {"neighbours", "priorities that differ by one", &neighbours, false},
    {"long-slices", "round robin beyond the slice", &long_slices, false},
    {"new-head", "timers that become the first", &new_head, false},
    {"killed-waiter", "SIGKILL to who waits without limit", &killed_waiter, false},
    {"boosted-moves", "a boosted owner moves between CPUs and stages", &boosted_moves, false},
    {"random", "any program over all requests", &random_program, false},
};

}  // namespace

std::span<const Scenario> scenarios() {
  return kScenarios;
}

const Scenario* find_scenario(const char* name) {
  for (const Scenario& scenario : kScenarios)
    if (std::strcmp(scenario.name, name) == 0) return &scenario;
  return nullptr;
}

Program program_of(const Scenario& scenario, std::uint64_t seed) {
  Rng rng{seed};
  Program program = scenario.make(rng);
  // Up to a few switches' worth of steps for half of them, none for the others.
  const std::uint32_t most = rng.chance(50) ? 0 : 10 + rng.below(150);
  if (most == 0) return program;
  for (auto& steps : program.script) {
    std::vector<Step> spread;
    for (const Step& step : steps) {
      if (rng.chance(60)) spread.push_back(compute(1 + rng.below(most)));
      spread.push_back(step);
    }
    steps = std::move(spread);
  }
  return program;
}

}  // namespace sim
