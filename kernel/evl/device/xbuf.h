// SPDX-License-Identifier: GPL-2.0
// Cross-buffer: two byte rings between the stages. Inbound: oob_write to read; outbound: write to
// oob_read.
#ifndef EVL_DEVICE_XBUF_H
#define EVL_DEVICE_XBUF_H

#include <evl/xbuf-abi.h>

#include "device/ring.h"
#include "element/factory.h"
#include "file/oob_file.h"
#include "sync/wait.h"

namespace evl {

// XB1  Writes are all or nothing, and never interleave.
// XB2  No deadlock by halves: when a reader would block while a writer of the same ring is blocked,
//      the reader returns what there is.
class Xbuf final : public Element {
 public:
  static constexpr u32 kMaxSize = u32{1} << 30;
  // One direction: its ring, the oob side and the in-band side that sleep on it.
  struct Path;

  /// Bytes moved. Errors: ENOBUFS the ring is absent; EINVAL more than the ring; EAGAIN nonblock;
  /// EINTR (in-band ERESTARTSYS); EIDRM; EFAULT.
  [[nodiscard]] Result<size_t> oob_write(const OobStage& oob, Thread& self, UserBytes from,
                                         size_t bytes, bool nonblock) noexcept;
  [[nodiscard]] Result<size_t> oob_read(const OobStage& oob, Thread& self, UserBytes to,
                                        size_t bytes, bool nonblock) noexcept;
  [[nodiscard]] Result<size_t> write(const InbandStage& inband, UserBytes from, size_t bytes,
                                     bool nonblock) noexcept;
  [[nodiscard]] Result<size_t> read(const InbandStage& inband, UserBytes to, size_t bytes,
                                    bool nonblock) noexcept;
  // The same from kernel memory, any stage, never blocking: latmus sends its results so.
  [[nodiscard]] Result<size_t> push_inbound(std::span<const std::byte> data) noexcept;

  void flush(InfoFlags reasons) noexcept;

 private:
  Xbuf(Factory& factory, u32 clone_flags, Path* inbound, Path* outbound) noexcept;
  Path* const inbound_;  // nullptr: absent.
  Path* const outbound_;
};

extern const ElementClass kXbufClass;

// For drivers: the xbuf behind a descriptor, with a reference on its file; null if it is none.
[[nodiscard]] Xbuf* xbuf_of(const FileRef& file) noexcept;

}  // namespace evl

#endif  // EVL_DEVICE_XBUF_H
