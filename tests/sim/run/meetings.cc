// SPDX-License-Identifier: MIT
//
// Scenarios whose threads are brought together by the clock. What takes four threads in four places
// at once comes about by chance in one schedule of thousands; who holds a gate while he sleeps is
// where he is meant to be, and the search varies what happens around him.

#include <evl/thread-abi.h>

#include "run/families.h"
#include "run/steps.h"

namespace sim {
namespace {

using namespace steps;

// Around `ns`: up to a fifth sooner or later, so that neighbours change places now and then.
Step sleep(Rng& rng, std::uint32_t ns) {
  return {Op::sleep, 0, 0, ns - ns / 5 + rng.below(2 * (ns / 5) + 1)};
}

// T3 waits for T2, which waits for T1, which waits for T0, which sleeps. Then T3 gives up.
Program deep_chain(Rng& rng) {
  return {.gates = {{}, {}, {}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30), fifo(1, 40)},
          .script = {{lock(0), sleep(rng, 60'000), unlock(0)},
                     {sleep(rng, 8'000), lock(1), lock(0), unlock(0), unlock(1)},
                     {sleep(rng, 18'000), lock(2), lock(1), unlock(1), unlock(2)},
                     {sleep(rng, 30'000), lock(2, 20'000), unlock(2)}}};
}

// Each holds one and wants the next one's: somebody is told.
Program deep_cycle(Rng& rng) {
  return {.ordered = false,
          .gates = {{}, {}, {}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30)},
          .script = {{lock(0), sleep(rng, 20'000), lock(1), unlock(1), unlock(0)},
                     {lock(1), sleep(rng, 20'000), lock(2), unlock(2), unlock(1)},
                     {lock(2), sleep(rng, 20'000), lock(0), unlock(0), unlock(2)}}};
}

// The order of the waiters changes while they wait, and what the owner inherits with it.
Program deep_requeue(Rng& rng) {
  return {.gates = {{}, {}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(1, 30), fifo(0, 50)},
          .script = {{lock(0), sleep(rng, 60'000), unlock(0)},
                     {sleep(rng, 10'000), lock(1), lock(0), unlock(0), unlock(1)},
                     {sleep(rng, 10'000), lock(0), unlock(0)},
                     {sleep(rng, 30'000), of(Op::set_fifo, 1, 45), of(Op::set_fifo, 2, 5),
                      of(Op::set_fifo, 2, 48), of(Op::set_weak, 1, 3), of(Op::set_fifo, 0, 60)}}};
}

// T0 ends with two gates that others wait for, one of them through a chain.
Program deep_exit(Rng& rng) {
  return {.deaths = true,
          .gates = {{}, {}, {}},
          .threads = {fifo(0, 10), fifo(1, 30), fifo(0, 20), fifo(1, 40)},
          .script = {{lock(0), lock(1), sleep(rng, 30'000), of(Op::leave)},
                     {sleep(rng, 10'000), lock(2), lock(0), unlock(0), unlock(2)},
                     {sleep(rng, 10'000), lock(1, 60'000), unlock(1)},
                     {sleep(rng, 28'000), lock(2), unlock(2), lock(1), unlock(1)}}};
}

// The gate of an owner that sleeps is closed under those who wait for it.
Program deep_close(Rng& rng) {
  return {.gates = {{}, {}},
          .threads = {fifo(0, 10), fifo(1, 30), fifo(0, 20), fifo(1, 40)},
          .script = {{lock(0), sleep(rng, 60'000), unlock(0)},
                     {sleep(rng, 10'000), lock(1), lock(0), unlock(0), unlock(1)},
                     {sleep(rng, 30'000), of(Op::close_gate, 0), compute(5)},
                     {sleep(rng, 20'000), lock(1), unlock(1)}}};
}

// Equals, of which the first is interrupted by a third: it goes on, the other one waits.
Program preempted(Rng& rng) {
  return {.threads = {fifo(0, 20), fifo(0, 20), fifo(0, 40)},
          .script = {{compute(500)},
                     {compute(400)},
                     {sleep(rng, 8'000), compute(3), sleep(rng, 9'000), compute(3)}}};
}

Program preempted_weak(Rng& rng) {
  return {.gates = {{}},
          .threads = {weak(0, 5), weak(0, 20), fifo(0, 10), fifo(1, 15)},
          .script = {{lock(0), compute(400), unlock(0), compute(3), of(Op::go_oob)},
                     {sleep(rng, 4'000), lock(0), compute(100), unlock(0)},
                     {sleep(rng, 12'000), compute(3), sleep(rng, 5'000), compute(2)},
                     {sleep(rng, 15'000), of(Op::set_weak, 0, 30), of(Op::set_weak, 1, 2)}}};
}

// A ceiling that is announced and not needed yet, until its owner is preempted.
Program preempted_ceiling(Rng& rng) {
  return {.gates = {{.ceiling = 30}},
          .threads = {fifo(0, 10), fifo(0, 20), fifo(0, 40)},
          .script = {{lock(0), compute(400), unlock(0), compute(5)},
                     {sleep(rng, 7'000), compute(100), lock(0), unlock(0)},
                     {sleep(rng, 12'000), compute(3), sleep(rng, 4'000), compute(3)}}};
}

// Priorities that differ by one.
Program neighbours(Rng& rng) {
  return {.threads = {fifo(0, 20), fifo(0, 21), fifo(0, 22), fifo(1, 21)},
          .script = {{compute(400)},
                     {sleep(rng, 6'000), compute(150)},
                     {sleep(rng, 9'000), compute(20), sleep(rng, 3'000), compute(10)},
                     {sleep(rng, 8'000), of(Op::set_fifo, 0, 22), of(Op::set_fifo, 1, 23)}}};
}

// Longer than a slice, which is a thousand steps: round robin beside first in, first out.
Program long_slices(Rng& rng) {
  return {.threads = {rr(0, 10), rr(0, 10), fifo(0, 20)},
          .script = {{compute(2'600)},
                     {compute(2'600)},
                     {sleep(rng, 40'000), compute(40), sleep(rng, 30'000), compute(10)}}};
}

// Timers that come to be the first while the device is programmed for another one.
Program new_head(Rng& rng) {
  return {.threads = {fifo(0, 10), fifo(0, 20), fifo(0, 30), fifo(1, 5)},
          .script = {{sleep(rng, 60'000), sleep(rng, 4'000)},
                     {sleep(rng, 3'000), sleep(rng, 20'000), sleep(rng, 2'000)},
                     {compute(20), sleep(rng, 9'000), sleep(rng, 4'000)},
                     {of(Op::linux_call), sleep(rng, 5'000), of(Op::linux_call)}}};
}

// SIGKILL finds one that waits without limit, one that sleeps, one that computes.
Program killed_waiter(Rng& rng) {
  return {.deaths = true,
          .events = 1,
          .gates = {{}, {}},
          .threads = {fifo(0, 10), fifo(1, 30), fifo(1, 20), fifo(0, 15)},
          .script = {{lock(0), await(0, 0), unlock(0)},
                     {lock(1), sleep(rng, 90'000), unlock(1)},
                     {sleep(rng, 5'000), lock(1), unlock(1)},
                     {sleep(rng, 20'000), compute(5), of(Op::kill)}}};
}

// A boosted owner changes the CPU, and goes in-band and back, while two wait for it.
Program boosted_moves(Rng& rng) {
  return {.gates = {{}},
          .threads = {fifo(0, 10), fifo(1, 30), fifo(0, 20), fifo(1, 40)},
          .script = {{lock(0), sleep(rng, 20'000), of(Op::go_inband), of(Op::go_oob), compute(20),
                      sleep(rng, 20'000), unlock(0)},
                     {sleep(rng, 8'000), lock(0, 90'000), unlock(0)},
                     {sleep(rng, 9'000), lock(0), unlock(0)},
                     {sleep(rng, 14'000), of(Op::migrate, 0, 1), sleep(rng, 15'000),
                      of(Op::migrate, 0, 0), of(Op::migrate, 1, 0)}}};
}

// What an owner inherits is not what he was given.
Program boosted_reads(Rng& rng) {
  return {.gates = {{}, {.ceiling = 50}},
          .threads = {fifo(0, 10), fifo(1, 30), fifo(0, 20)},
          .script = {{lock(0), lock(1), sleep(rng, 40'000), unlock(1), unlock(0)},
                     {sleep(rng, 8'000), lock(0), unlock(0)},
                     {sleep(rng, 18'000), of(Op::get_params, 0), of(Op::get_params, 1),
                      of(Op::get_params, 2)}}};
}

constexpr Scenario kScenarios[] = {
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
    {"boosted-reads", "parameters of a boosted owner", &boosted_reads, false},
};

}  // namespace

std::span<const Scenario> meetings() {
  return kScenarios;
}

}  // namespace sim
