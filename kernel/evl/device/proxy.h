// SPDX-License-Identifier: GPL-2.0
// File proxy: lets oob threads write to, and read from, any Linux file, through a ring that a
// worker empties or fills in-band.
#ifndef EVL_DEVICE_PROXY_H
#define EVL_DEVICE_PROXY_H

#include <evl/proxy-abi.h>

#include "device/ring.h"
#include "element/factory.h"
#include "file/oob_file.h"
#include "sync/work.h"

namespace evl {

// PX1  Each transfer to or from the target is a multiple of the granularity.
// PX2  Output is in the order of the writes; POLLOUT says that all of it was sent.
class Proxy final : public Element {
 public:
  struct Channel;  // One direction: ring, worker, sleepers of both stages.

  /// Errors: EFBIG larger than the ring; ENXIO no such direction; EAGAIN full and nonblock; EBADF
  /// closed meanwhile; EINVAL not a multiple; EINTR, EFAULT.
  [[nodiscard]] Result<size_t> oob_write(const OobStage& oob, Thread& self, UserBytes from,
                                         size_t bytes, bool nonblock) noexcept;
  // 0: end of file. Errors of the target are latched and returned once.
  [[nodiscard]] Result<size_t> oob_read(const OobStage& oob, Thread& self, UserBytes to,
                                        size_t bytes, bool nonblock) noexcept;
  [[nodiscard]] Result<size_t> write(const InbandStage& inband, UserBytes from, size_t bytes,
                                     bool nonblock) noexcept;
  [[nodiscard]] Result<size_t> read(const InbandStage& inband, UserBytes to, size_t bytes,
                                    bool nonblock) noexcept;

 private:
  Proxy(Factory& factory, u32 clone_flags, kapi_file* target, Channel* out, Channel* in) noexcept;
  kapi_file* const target_;  // A reference.
  Channel* const output_;    // nullptr: absent.
  Channel* const input_;
};

extern const ElementClass kProxyClass;

}  // namespace evl

#endif  // EVL_DEVICE_PROXY_H
