// SPDX-License-Identifier: MIT
// libFuzzer target: scheduling attributes and times as requests bring them to the core. What is
// accepted keeps its limits, and says the same when it is given back.

#include <string.h>

#include <cstdint>

#include "base/time.h"
#include "sched/params.h"

namespace {

void expect(bool holds) {
  if (!holds) __builtin_trap();
}

void check_params(const evl_sched_attrs& attrs, const evl::SchedParams& present) {
  const auto params = evl::params_from(attrs, present);
  if (!params.ok()) {
    expect(params.is(evl::Errno::inval) || params.is(evl::Errno::opnotsupp));
    return;
  }
  const evl::SchedParams& taken = params.value();
  expect(taken.quantum >= evl::Duration{});
  expect(taken.policy == evl::PolicyId::fifo || taken.quantum.is_zero());
  // A round trip ends where it began. Round robin by default names its slice from then on.
  const auto again = evl::params_from(evl::attrs_from(taken), present);
  expect(again.ok() && again.value() == taken);
}

void check_times(const __evl_timespec& spec) {
  const bool valid = spec.tv_sec >= 0 && spec.tv_nsec >= 0 && spec.tv_nsec < evl::kNsPerSecond;
  const auto date = evl::Date::from(spec);
  const auto deadline = evl::Deadline::from(spec);
  const auto span = evl::duration_from(spec);
  expect(date.ok() == valid && deadline.ok() == valid && span.ok() == valid);
  if (!valid) return;
  expect(date.value() >= evl::Date{} && span.value() >= evl::Duration{});
  expect(deadline.value().is_never() || deadline.value().date() == date.value());
  const __evl_timespec back = evl::to_timespec(date.value().ns());
  const bool same = back.tv_sec == spec.tv_sec && back.tv_nsec == spec.tv_nsec;
  expect(same || date.value().is_forever());
}

}  // namespace

extern "C" void kapi_bug(const char*, const char*, int) {
  __builtin_trap();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  struct Input {
    evl_sched_attrs attrs;
    __evl_timespec spec;
    int64_t quantum_ns;
  } input{};
  memcpy(&input, data, size < sizeof(input) ? size : sizeof(input));
  evl::SchedParams present{.policy = evl::PolicyId::fifo, .prio = 1};
  if (input.quantum_ns >= 0) present.quantum = evl::Duration::ns(input.quantum_ns);
  check_params(input.attrs, present);
  check_times(input.spec);
  check_times(input.attrs.sched_rr_quantum);
  return 0;
}
