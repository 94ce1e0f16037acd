// SPDX-License-Identifier: MIT
//
// Scenarios about events, sleeping and timers.

#include <evl/thread-abi.h>

#include "run/families.h"
#include "run/steps.h"

namespace sim {
namespace {

using namespace steps;

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

Program sleepers(Rng& rng) {
  Program program;
  program.threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30), fifo(1, 40)};
  for (unsigned i = 0; i < 4; ++i)
    program.script.push_back(
        {sleep(300 + rng.below(2'000)), compute(1), sleep(100 + rng.below(3'000))});
  return program;
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

Program faults(Rng& rng) {
  Program program = condition_broadcast(rng);
  program.fault_percent = 30;
  return program;
}

// Linux sets its clock back, then forth, while threads sleep by it, beside one that does not.
Program wall_clock(Rng& rng) {
  return {.threads = {fifo(0, 10), fifo(1, 20), fifo(1, 30)},
          .script = {
              {{Op::sleep_wall, 0, 0, 10'000 + rng.below(20'000)}, {Op::sleep_wall, 0, 0, 3'000}},
              {sleep(4'000),
               {Op::set_wall, 0, 1, 5'000 + rng.below(40'000)},
               {Op::sleep_wall, 0, 0, 1'000},
               {Op::set_wall, 0, 0, 1'000 + rng.below(40'000)}},
              {sleep(4'000), sleep(6'000)}}};
}

Step xbuf(Op op, unsigned bytes) {
  return {op, 0, 0, bytes};
}

// Several at each end of both rings, with pieces that do not divide them.
Program xbuf_shared(Rng& rng) {
  const auto some = [&rng] { return 1 + rng.below(5); };
  return {.xbufs = {{.inbound = 5, .outbound = 7}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30), fifo(1, 5)},
          .script = {{xbuf(Op::xbuf_send, 3), xbuf(Op::xbuf_receive, some()),
                      xbuf(Op::xbuf_send, some()), xbuf(Op::xbuf_receive, 2)},
                     {xbuf(Op::xbuf_send, some()), xbuf(Op::xbuf_send, 4),
                      xbuf(Op::xbuf_receive, 7), xbuf(Op::xbuf_receive, some())},
                     {xbuf(Op::xbuf_write, 5), xbuf(Op::xbuf_read, some()),
                      xbuf(Op::xbuf_write, some()), xbuf(Op::xbuf_read, 2)},
                     {xbuf(Op::xbuf_read, 4), xbuf(Op::xbuf_write, some()),
                      xbuf(Op::xbuf_read, some()), xbuf(Op::xbuf_write, 6)}}};
}

// Who reads wants more than there is, who writes has no room: the reader takes what there is.
Program xbuf_halves(Rng& rng) {
  return {.xbufs = {{.inbound = 6, .outbound = 6}},
          .threads = {fifo(0, 10), fifo(1, 20)},
          .script = {{xbuf(Op::xbuf_send, 4), xbuf(Op::xbuf_send, 4),
                      xbuf(Op::xbuf_receive, 5 + rng.below(2)), xbuf(Op::xbuf_receive, 2)},
                     {xbuf(Op::xbuf_read, 5 + rng.below(2)), xbuf(Op::xbuf_read, 2),
                      xbuf(Op::xbuf_write, 4), xbuf(Op::xbuf_write, 4)}}};
}

// Nobody waits: what there was all the time comes at once, and nothing else does.
Program xbuf_nonblocking(Rng& rng) {
  Program program = xbuf_shared(rng);
  program.xbufs[0].nonblock = true;
  return program;
}

// Writers on both stages, faster than the worker: they wait for it.
Program proxy_shared(Rng& rng) {
  const auto send = [&rng](Op op) { return Step{op, 0, 0, 2 + 2 * rng.below(3)}; };
  return {.proxies = {{.bytes = 6, .granularity = 2}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30)},
          .script = {{send(Op::proxy_send), send(Op::proxy_send), send(Op::proxy_write)},
                     {send(Op::proxy_send), send(Op::proxy_send), send(Op::proxy_send)},
                     {send(Op::proxy_write), send(Op::proxy_send), send(Op::proxy_write)}}};
}

// Readers on both stages, and more that ask than there is: who comes last is told of the end. A
// ring of one unit is full, or empty, whenever somebody comes.
Program proxy_readers(Rng& rng) {
  const unsigned units = rng.chance(50) ? 1 : 3;
  const auto get = [&rng, units](Op op) { return Step{op, 0, 0, 2 + 2 * rng.below(units)}; };
  return {.proxies = {{.bytes = static_cast<std::uint8_t>(2 * units),
                       .granularity = 2,
                       .input = static_cast<std::uint8_t>(5 + rng.below(20))}},
          .threads = {fifo(0, 10), fifo(1, 20), fifo(0, 30)},
          .script = {{get(Op::proxy_receive), get(Op::proxy_read), get(Op::proxy_receive)},
                     {get(Op::proxy_receive), get(Op::proxy_receive), get(Op::proxy_receive)},
                     {get(Op::proxy_read), get(Op::proxy_receive), get(Op::proxy_read)}}};
}

constexpr Scenario kScenarios[] = {
    {"condition", "wait and signal", &condition, true},
    {"condition-broadcast", "all waiters at once, one times out", &condition_broadcast, false},
    {"condition-timeout", "a timeout against a signal", &condition_timeout, true},
    {"condition-targeted", "a signal to one thread", &condition_targeted, false},
    {"sleepers", "timers of several CPUs", &sleepers, false},
    {"tokens", "a condition variable that nobody gives up on", &tokens, true},
    {"tokens-all", "the same, with a broadcast and a timeout", &tokens_for_all, false},
    {"signal-wait", "handlers run while their threads wait without limit", &signal_reaches_waiter,
     false},
    {"timer-shared", "a periodic timer read and set by several threads", &timer_shared, false},
    {"timer-one-shot", "a timer set, read and stopped without waiting", &timer_one_shot, false},
    {"timer-closed", "a timer closed under its readers", &timer_closed, false},
    {"faults", "user memory faults", &faults, false},
    {"xbuf-shared", "several at each end of a cross-buffer", &xbuf_shared, false},
    {"xbuf-halves", "a reader and a writer that both want more than there is", &xbuf_halves, false},
    {"proxy-shared", "several write through a proxy", &proxy_shared, false},
    {"proxy-readers", "several read through a proxy, to the end of its target", &proxy_readers,
     false},
    {"xbuf-nonblocking", "a cross-buffer that nobody waits for", &xbuf_nonblocking, false},
    {"wall-clock", "set while threads sleep by it", &wall_clock, false},
};

}  // namespace

std::span<const Scenario> waiting() {
  return kScenarios;
}

}  // namespace sim
