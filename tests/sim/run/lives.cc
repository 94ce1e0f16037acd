// SPDX-License-Identifier: MIT
//
// Scenarios about beginnings and ends: of threads, processes and elements.

#include <evl/thread-abi.h>

#include "run/families.h"
#include "run/steps.h"

namespace sim {
namespace {

using namespace steps;

Program close_while_waited(Rng&) {
  return {
      .events = 1,
      .gates = {{}, {}},
      .threads = {fifo(0, 10), fifo(1, 20), fifo(1, 30)},
      .script = {{lock(0), compute(2), of(Op::close_gate, 0), of(Op::close_event, 0), compute(1)},
                 {lock(0, 20'000), unlock(0)},
                 {lock(1), wait(0, 1, 20'000), unlock(1)}}};
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

Program comings_and_goings(Rng&) {
  return {.from_the_start = true,
          .gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(1, 30)},
          .script = {{of(Op::reattach), lock(0), unlock(0), of(Op::reattach)},
                     {of(Op::fork_child), lock(0), compute(1), unlock(0)},
                     {lock(0), unlock(0), of(Op::exec)}}};
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

// Who joins comes back when the other one is gone, on whichever stage it ends.
Program joins(Rng&) {
  return {.threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30)},
          .script = {{of(Op::join, 1), compute(2), of(Op::join, 2)},
                     {compute(3), sleep(500), of(Op::join, 2)},
                     {sleep(300), of(Op::reattach), compute(2)}}};
}

// A debugger stops two threads of a process, which lets none of the others run on meanwhile.
Program traced(Rng& rng) {
  return {.gates = {{}},
          .threads = {fifo(0, 20), fifo(1, 30), fifo(0, 10), fifo(1, 5)},
          .script = {{compute(3), of(Op::trace_stop, 0, 500 + rng.below(4'000)), compute(3)},
                     {sleep(1'000), of(Op::trace_stop, 0, 500 + rng.below(4'000)), lock(0),
                      compute(1), unlock(0)},
                     {compute(20), lock(0), compute(20), unlock(0)},
                     {compute(30), sleep(700), compute(10), of(Op::post_signal, 2, 10)}}};
}

constexpr Scenario kScenarios[] = {
    {"close-waited", "gate and event closed under their waiters", &close_while_waited, false},
    {"exit-owning", "a thread ends with two gates held", &exit_while_owning, false},
    {"kill-owning", "SIGKILL to all, at any time", &kill_while_owning, false},
    {"attach-fork-exec", "attach, detach, fork, exec", &comings_and_goings, false},
    {"close-wait", "waits without limit that a close ends", &close_ends_wait, false},
    {"joins", "threads wait for the end of others", &joins, false},
    {"traced", "a debugger stops threads of a process", &traced, false},
};

}  // namespace

std::span<const Scenario> lives() {
  return kScenarios;
}

}  // namespace sim
