// SPDX-License-Identifier: GPL-2.0
// Cross-buffer: two byte rings between the stages. Inbound: oob_write to read; outbound: write to
// oob_read.
#ifndef EVL_DEVICE_XBUF_H
#define EVL_DEVICE_XBUF_H

#include <evl/xbuf-abi.h>

#include "device/stream.h"
#include "element/factory.h"
#include "file/oob_file.h"

namespace evl {

// XB1  Writes are all or nothing, and never interleave.
// XB2  No deadlock by halves: when a reader would block while a writer of the same ring is blocked,
//      the reader returns what there is.
class Xbuf final : public Element {
 public:
  static constexpr u32 kMaxSize = u32{1} << 30;
  // Takes over the streams; nullptr: no such direction (ENOBUFS).
  Xbuf(Factory& factory, u32 clone_flags, Stream* inbound, Stream* outbound) noexcept
      : Element{factory, clone_flags}, inbound_{inbound}, outbound_{outbound} {}

  [[nodiscard]] Stream* inbound() const noexcept { return inbound_; }
  [[nodiscard]] Stream* outbound() const noexcept { return outbound_; }

  // What an oob_write() of `data` does, from kernel memory, on any stage, never blocking: latmus
  // sends its results so. ENOBUFS, EAGAIN, EINVAL. A scheduling point is the caller's.
  [[nodiscard]] Result<size_t> push_inbound(std::span<const std::byte> data) noexcept;

  void flush(InfoFlags reasons) noexcept;

 private:
  Stream* const inbound_;
  Stream* const outbound_;
};

extern const ElementClass kXbufClass;

// For drivers: the xbuf behind a descriptor, with a reference on its file; null if it is none.
[[nodiscard]] Xbuf* xbuf_of(const FileRef& file) noexcept;

}  // namespace evl

#endif  // EVL_DEVICE_XBUF_H
