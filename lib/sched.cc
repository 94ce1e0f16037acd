// SPDX-License-Identifier: MIT
// Scheduling attributes, the state of CPUs, yielding.

#include "evl/sched.h"

#include <errno.h>

#include "current.h"
#include "process.h"

using namespace evl;

EVL_API int evl_set_schedattr(int efd, const evl_sched_attrs* attrs) {
  return any_ioctl(efd, EVL_THRIOC_SET_SCHEDPARAM, attrs);
}

EVL_API int evl_get_schedattr(int efd, evl_sched_attrs* attrs) {
  return any_ioctl(efd, EVL_THRIOC_GET_SCHEDPARAM, attrs);
}

EVL_API int evl_get_cpustate(int cpu, int* state_r) {
  if (process.control < 0) return -ENXIO;
  __u32 state = 0;
  evl_cpu_state request{};
  request.cpu = static_cast<__u32>(cpu);
  request.state_ptr = reinterpret_cast<__u64>(&state);
  const int status = any_ioctl(process.control, EVL_CTLIOC_GET_CPUSTATE, &request);
  if (status >= 0) *state_r = static_cast<int>(state);
  return status;
}

EVL_API int evl_yield() {
  return attached_ioctl(current.efd, EVL_THRIOC_YIELD, nullptr);
}
