// SPDX-License-Identifier: MIT
// Timers, which are files.

#include "evl/timer.h"

#include <errno.h>

#include "current.h"
#include "process.h"
#include "timespec.h"

using namespace evl;

EVL_API int evl_new_timer(int clockfd) {
  if (!process.initialized()) return -ENXIO;
  int efd = -1;
  const int status = kernel::ioctl(process.clock(clockfd), EVL_CLKIOC_NEW_TIMER, &efd);
  return status < 0 ? status : efd;
}

EVL_API int evl_set_timer(int efd, const itimerspec* value, itimerspec* ovalue) {
  const __evl_itimerspec setting = to_core(*value);
  __evl_itimerspec before{};
  evl_timerfd_setreq request{};
  request.value_ptr = reinterpret_cast<__u64>(&setting);
  request.ovalue_ptr = ovalue == nullptr ? 0 : reinterpret_cast<__u64>(&before);
  const int status = any_ioctl(efd, EVL_TFDIOC_SET, &request);
  if (status >= 0 && ovalue != nullptr) *ovalue = from_core(before);
  return status;
}

EVL_API int evl_get_timer(int efd, itimerspec* value) {
  __evl_itimerspec setting{};
  const int status = any_ioctl(efd, EVL_TFDIOC_GET, &setting);
  if (status >= 0) *value = from_core(setting);
  return status;
}
