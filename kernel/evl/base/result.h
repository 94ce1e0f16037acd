// SPDX-License-Identifier: GPL-2.0
// Errors as values. `-errno` exists only at the edges: in kapi, and where a request ends.
#ifndef EVL_BASE_RESULT_H
#define EVL_BASE_RESULT_H

#include <linux/errno.h>

#include "base/assert.h"
#include "base/types.h"

namespace evl {

// The kernel's numbers. Those above 511 are Linux's own and never reach user space as such.
enum class Errno : int {
  perm = EPERM,
  noent = ENOENT,
  intr = EINTR,
  io = EIO,
  nxio = ENXIO,
  badf = EBADF,
  again = EAGAIN,
  nomem = ENOMEM,
  fault = EFAULT,
  busy = EBUSY,
  exist = EEXIST,
  nodev = ENODEV,
  inval = EINVAL,
  notty = ENOTTY,
  fbig = EFBIG,
  range = ERANGE,
  deadlk = EDEADLK,
  nametoolong = ENAMETOOLONG,
  nosys = ENOSYS,
  idrm = EIDRM,
  badfd = EBADFD,
  opnotsupp = EOPNOTSUPP,
  nobufs = ENOBUFS,
  timedout = ETIMEDOUT,
  inprogress = EINPROGRESS,
  stale = ESTALE,
  ownerdead = EOWNERDEAD,
  restartsys = 512,  // ERESTARTSYS: in-band signal code restarts the call, or turns it into EINTR.
};

// A value or an Errno; two words, returned in registers. Any stage.
template <typename T>
class [[nodiscard]] Result {
  static_assert(std::is_trivially_copyable_v<T>, "return values, never owners");

 public:
  constexpr Result(T value) noexcept : value_{value} {}
  constexpr Result(Errno error) noexcept : errno_{static_cast<int>(error)} {}

  [[nodiscard]] constexpr bool ok() const noexcept { return errno_ == 0; }
  [[nodiscard]] constexpr T value() const noexcept {
    EVL_ASSERT(ok());
    return value_;
  }
  [[nodiscard]] constexpr Errno error() const noexcept {
    EVL_ASSERT(!ok());
    return static_cast<Errno>(errno_);
  }
  [[nodiscard]] constexpr bool is(Errno error) const noexcept {
    return errno_ == static_cast<int>(error);
  }

 private:
  T value_{};
  int errno_{0};
};

struct Done {};
using Status = Result<Done>;
inline constexpr Status kOk{Done{}};

// Enters the core from kapi: `code` is 0 or above, or -errno.
[[nodiscard]] constexpr Status status_of(long code) noexcept {
  return code >= 0 ? kOk : Status{static_cast<Errno>(-code)};
}

// Leaves the core, to kapi or to user space.
[[nodiscard]] constexpr long code_of(Status status) noexcept {
  return status.ok() ? 0 : -static_cast<long>(status.error());
}
template <std::integral T>
[[nodiscard]] constexpr long code_of(Result<T> result) noexcept {
  return result.ok() ? static_cast<long>(result.value()) : -static_cast<long>(result.error());
}

}  // namespace evl

// Value of `expr`, or return of its error from the enclosing function.
#define EVL_TRY(expr)                          \
  __extension__({                              \
    const auto evl_try = (expr);               \
    if (!evl_try.ok()) return evl_try.error(); \
    evl_try.value();                           \
  })

#endif  // EVL_BASE_RESULT_H
