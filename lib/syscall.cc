// SPDX-License-Identifier: MIT
// Out-of-band read, write and ioctl, with the conventions of their in-band counterparts.

#include "evl/syscall.h"

#include <errno.h>
#include <stdarg.h>

#include "cancel.h"
#include "current.h"

namespace {

template <typename Result>
Result with_errno(Result result) noexcept {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace

EVL_API ssize_t oob_read(int efd, void* buf, size_t count) {
  evl::CancelRegion region;
  return with_errno(evl::kernel::oob_read(efd, buf, count));
}

EVL_API ssize_t oob_write(int efd, const void* buf, size_t count) {
  evl::CancelRegion region;
  return with_errno(evl::kernel::oob_write(efd, buf, count));
}

EVL_API int oob_ioctl(int efd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  const auto argument = reinterpret_cast<const void*>(va_arg(arguments, long));
  va_end(arguments);

  evl::CancelRegion region;
  return with_errno(evl::kernel::oob_ioctl(efd, request, argument));
}
