// SPDX-License-Identifier: GPL-2.0
// File proxy: lets oob threads write to, and read from, any Linux file, through a ring that a
// worker empties or fills in-band.
#ifndef EVL_DEVICE_PROXY_H
#define EVL_DEVICE_PROXY_H

#include <evl/proxy-abi.h>

#include "device/stream.h"
#include "element/factory.h"
#include "file/oob_file.h"
#include "sync/work.h"

namespace evl {

// PX1  Each transfer to the target is a multiple of the granularity; so is what the input ring
// gets,
//      but for the last piece before the end of the target.
// PX2  Output is in the order of the writes; POLLOUT says that all of it was sent.
// A worker that waits for input of the target keeps the element alive until there is some.
class Proxy final : public Element {
 public:
  static constexpr u32 kMaxSize = u32{1} << 30;
  static constexpr u32 kBounce = 4096;  // Input comes in pieces of at most so much.

  // What it is made of. Without a ring, a direction is absent.
  struct Parts {
    kapi_file* target{nullptr};  // A reference.
    u32 granularity{1};
    Stream* output{nullptr};
    Stream* input{nullptr};
    std::byte* bounce{nullptr};  // For input: kBounce bytes or the granularity, the larger one.

    void drop(const InbandStage& inband) const noexcept;  // Sleeps.
  };
  Proxy(Factory& factory, u32 clone_flags, const Parts& parts) noexcept;  // Takes them over.
  void drop_parts(const InbandStage& inband) noexcept;  // By dispose, at the end. Sleeps.

  /// The stream of a transfer that is legal. Errors: ENXIO no such direction; EFBIG larger than the
  /// ring; EINVAL not a multiple of the granularity.
  [[nodiscard]] Result<Stream*> output(size_t bytes) const noexcept;
  [[nodiscard]] Result<Stream*> input(size_t bytes) const noexcept;
  void send() noexcept { output_work_.call(); }  // There is output. Any stage.

  [[nodiscard]] unsigned poll(kapi_file* file, kapi_poll_table* table) noexcept;
  [[nodiscard]] kapi_file* target() const noexcept { return parts_.target; }
  void flush(InfoFlags reasons) noexcept;

 private:
  static void empty(Work& work, const InbandStage& inband) noexcept;
  static void fill(Work& work, const InbandStage& inband) noexcept;
  [[nodiscard]] u32 fetch(u32 bytes, long& last) noexcept;
  [[nodiscard]] Result<Stream*> check(Stream* stream, size_t bytes) const noexcept;

  const Parts parts_;
  Work output_work_;
  Work input_work_;
};

extern const ElementClass kProxyClass;

}  // namespace evl

#endif  // EVL_DEVICE_PROXY_H
