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

// PX1  Each transfer to the target is a multiple of the granularity; each one asked of it, too.
// PX2  Output is in the order of the writes; POLLOUT says that all of it was sent.
// A worker that waits for input of the target keeps the element alive until there is some.
class Proxy final : public Element {
 public:
  static constexpr u32 kMaxSize = u32{1} << 30;
  static constexpr u32 kBounce = 4096;  // Input comes in pieces of at most so much.

  // One direction. Without a ring: absent.
  struct Side {
    Stream* stream{nullptr};
    kapi_workqueue* queue{nullptr};
  };
  // Takes over all of it. `bounce`: for input, kBounce bytes or the granularity, the larger one.
  Proxy(Factory& factory, u32 clone_flags, kapi_file* target, u32 granularity, Side output,
        Side input, std::byte* bounce) noexcept;
  void drop_parts(const InbandStage& inband) noexcept;  // By dispose, at the end. Sleeps.

  /// The stream of a transfer that is legal. Errors: ENXIO no such direction; EFBIG larger than the
  /// ring; EINVAL not a multiple of the granularity.
  [[nodiscard]] Result<Stream*> output(size_t bytes) const noexcept;
  [[nodiscard]] Result<Stream*> input(size_t bytes) const noexcept;
  void send() noexcept { output_work_.call(); }  // There is output. Any stage.

  [[nodiscard]] unsigned poll(kapi_file* file, kapi_poll_table* table) noexcept;
  [[nodiscard]] kapi_file* target() const noexcept { return target_; }
  void flush(InfoFlags reasons) noexcept;

 private:
  static void empty(Work& work, const InbandStage& inband) noexcept;
  static void fill(Work& work, const InbandStage& inband) noexcept;
  [[nodiscard]] Result<Stream*> check(const Side& side, size_t bytes) const noexcept;

  kapi_file* const target_;  // A reference.
  const u32 granularity_;
  const Side output_;
  const Side input_;
  std::byte* const bounce_;
  Work output_work_;
  Work input_work_;
};

extern const ElementClass kProxyClass;

}  // namespace evl

#endif  // EVL_DEVICE_PROXY_H
