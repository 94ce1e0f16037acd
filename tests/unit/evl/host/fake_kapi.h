// SPDX-License-Identifier: MIT
// The part of kapi that the base headers need, single-threaded: enough to test containers, time and
// guards. The whole of kapi is simulated in tests/sim.
#ifndef TESTS_UNIT_EVL_HOST_FAKE_KAPI_H
#define TESTS_UNIT_EVL_HOST_FAKE_KAPI_H

namespace fake {

struct State {
  bool irqs_off = false;
  bool oob = false;
  unsigned cpu = 0;
  int locks_held = 0;
  int allocations_until_refusal = -1;  // -1: never refuses.
};
State& state();

}  // namespace fake

#endif  // TESTS_UNIT_EVL_HOST_FAKE_KAPI_H
