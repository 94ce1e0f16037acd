// SPDX-License-Identifier: MIT
//
// Scenarios about gates: inheritance, ceilings, who gets the gate, and who runs meanwhile.

#include <evl/thread-abi.h>

#include "run/families.h"
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

Program requeue(Rng&) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(1, 30), fifo(0, 50)},
          .script = {{lock(0), compute(4), unlock(0)},
                     {lock(0), unlock(0)},
                     {lock(0), unlock(0)},
                     {sleep(600), of(Op::set_fifo, 1, 45), of(Op::set_fifo, 2, 5),
                      of(Op::set_weak, 0, 3)}}};
}

Program migrate_boosted(Rng&) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 30), fifo(1, 20)},
          .script = {{lock(0), compute(2), of(Op::go_inband), compute(2), unlock(0)},
                     {sleep(300), lock(0), compute(1), unlock(0)},
                     {of(Op::migrate, 0, 1), compute(1), of(Op::migrate, 1, 0)}}};
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

// A grant that the waiter's time-out swallows leaves the other one waiting for ever.
Program grant_lost(Rng&) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 30), fifo(1, 20)},
          .script = {{lock(0), sleep(1'000), unlock(0)},
                     {sleep(100), lock(0, 1'100), unlock(0)},
                     {sleep(200), lock(0), unlock(0)}}};
}

// Equals: who was preempted goes on, who comes back goes last.
Program equals(Rng&) {
  return {.threads = {fifo(0, 10), fifo(0, 10), fifo(0, 10), fifo(0, 20)},
          .script = {{compute(3), sleep(200), compute(3)},
                     {compute(2), sleep(300), compute(2)},
                     {compute(4), sleep(100), compute(1)},
                     {sleep(300), compute(1), sleep(300), compute(1), sleep(200)}}};
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

Program refused(Rng& rng) {
  Program program = pi_chain(rng);
  program.refuse_percent = 15;
  program.from_the_start = true;
  program.script[0].push_back(of(Op::reattach));
  return program;
}

// A signal takes T0 in-band between its look at the window and the compare-and-swap. It goes back
// as an owner, and is kept from the CPU when it arrives: by a debugger's stop, or by T2.
Program ceiling_from_inband(Rng& rng) {
  Program program{.gates = {{.ceiling = 50}},
                  .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30)},
                  .script = {{}, {}, {}}};
  for (unsigned round = 0; round < 6; ++round) {
    for (const Step& step : {lock(0), of(Op::go_oob), compute(1), unlock(0)})
      program.script[0].push_back(step);
    program.script[1].push_back(of(Op::post_signal, 0, 10));
    program.script[1].push_back(of(Op::trace_stop, 0, 500 + rng.below(3'000)));
    program.script[2].push_back(sleep(500 + rng.below(3'000)));
  }
  return program;
}

constexpr Scenario kScenarios[] = {
    {"pi-pair", "a mutex between two CPUs", &pi_pair, true},
    {"pi-chain", "inheritance through three owners", &pi_chain, false},
    {"pi-diamond", "two chains into one owner, with timeouts", &pi_diamond, false},
    {"pi-cycle", "three threads in a circle: EDEADLK", &pi_cycle, false},
    {"ceiling", "priority protection, committed by the scheduler", &ceiling, false},
    {"ceiling-from-inband", "a gate with a ceiling taken on the way in-band", &ceiling_from_inband,
     false},
    {"ceiling-nested", "ceilings within ceilings, and inheritance", &ceiling_nested, false},
    {"recursive", "a gate taken twice", &recursive, true},
    {"timeout-grant", "a timeout against a grant", &timeout_against_grant, false},
    {"signal-grant", "a signal against a grant", &signal_against_grant, false},
    {"unblock-grant", "a forced wake-up against a grant", &unblock_against_grant, false},
    {"requeue", "priorities change while threads wait", &requeue, false},
    {"migrate-boosted", "a boosted owner is moved to another CPU", &migrate_boosted, false},
    {"inband-boosted", "an owner goes in-band while others wait", &inband_while_boosted, true},
    {"weak-holds", "weak threads stay oob while they hold a gate", &weak_holds, false},
    {"slices", "round robin, FIFO and yield on one CPU", &slices, false},
    {"modes", "lock checking switched on and off", &modes, false},
    {"grant-lost", "a grant to who has just timed out, with another waiter", &grant_lost, false},
    {"equals", "first in, first out among equals", &equals, false},
    {"watchdog", "threads that do not give up the CPU", &watchdog, false},
    {"refused", "allocations fail", &refused, false},
};

}  // namespace

std::span<const Scenario> locking() {
  return kScenarios;
}

}  // namespace sim
