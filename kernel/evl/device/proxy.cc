// SPDX-License-Identifier: GPL-2.0
// File proxies: their workers, which alone touch the target, and what both stages ask of the rings.
#include "device/proxy.h"

#include "base/in_place.h"
#include "device/poll.h"

namespace evl {

Proxy::Proxy(Factory& factory, u32 clone_flags, kapi_file* target, u32 granularity, Side output,
             Side input, std::byte* bounce) noexcept
    : Element{factory, clone_flags},
      target_{target},
      granularity_{granularity},
      output_{output},
      input_{input},
      bounce_{bounce},
      output_work_{&Proxy::empty, output.queue, this},
      input_work_{&Proxy::fill, input.queue, this} {
  if (input_.stream != nullptr) input_.stream->set_feeder(input_work_);
}

Result<Stream*> Proxy::check(const Side& side, size_t bytes) const noexcept {
  if (side.stream == nullptr) return Errno::nxio;
  if (bytes > side.stream->size()) return Errno::fbig;
  if (bytes % granularity_ != 0) return Errno::inval;
  return side.stream;
}

Result<Stream*> Proxy::output(size_t bytes) const noexcept {
  return check(output_, bytes);
}

Result<Stream*> Proxy::input(size_t bytes) const noexcept {
  return check(input_, bytes);
}

// What the target refuses is dropped: nobody is left to hear of it.
void Proxy::empty(Work& work, const InbandStage&) noexcept {
  Proxy& self = owner_of<Proxy, &Proxy::output_work_>(work);
  Stream& stream = *self.output_.stream;
  for (;;) {
    const std::span<std::byte> piece = stream.take(self.granularity_, Proxy::kMaxSize);
    if (piece.empty()) return;
    size_t sent = 0;
    while (sent < piece.size()) {
      const long done = kapi_kernel_write(self.target_, piece.data() + sent, piece.size() - sent);
      if (done <= 0) break;
      sent += static_cast<size_t>(done);
    }
    stream.taken();
  }
}

void Proxy::fill(Work& work, const InbandStage&) noexcept {
  Proxy& self = owner_of<Proxy, &Proxy::input_work_>(work);
  Stream& stream = *self.input_.stream;
  const u32 room = stream.fill().room;
  u32 bytes = stream.wanted();
  if (bytes > room) bytes = room;
  if (bytes > kBounce) bytes = kBounce;
  if (bytes < self.granularity_ && room >= self.granularity_) bytes = self.granularity_;
  bytes -= bytes % self.granularity_;
  if (bytes == 0) return;
  const long got = kapi_kernel_read(self.target_, self.bounce_, bytes);
  // The only one who writes to the ring: there is room.
  if (got > 0)
    (void)stream.push({self.bounce_, static_cast<size_t>(got)});
  else
    stream.end(status_of(got));
  schedule();
}

unsigned Proxy::poll(kapi_file* file, kapi_poll_table* table) noexcept {
  if (output_.stream == nullptr && input_.stream == nullptr)
    return kapi_poll_forward(target_, table);
  unsigned ready = 0;
  if (output_.stream != nullptr) {
    output_.stream->poll(file, table);
    if (output_.stream->fill().idle) ready |= kPollOut;
  }
  if (input_.stream != nullptr) {
    input_.stream->poll(file, table);
    input_.stream->want(granularity_);  // Who polls wants to know whether there is some.
    if (input_.stream->is_readable()) ready |= kPollIn;
  }
  return ready;
}

void Proxy::flush(InfoFlags reasons) noexcept {
  if (output_.stream != nullptr) output_.stream->flush(reasons);
  if (input_.stream != nullptr) input_.stream->flush(reasons);
}

void Proxy::drop_parts(const InbandStage& inband) noexcept {
  kapi_file* const target = target_;
  std::byte* const bounce = bounce_;
  const Side sides[] = {output_, input_};
  discard(inband, this);
  for (const Side& side : sides) {
    if (side.queue != nullptr) kapi_workqueue_destroy(side.queue);
    Stream::drop(side.stream, inband);
  }
  kapi_free(bounce);
  if (target != nullptr) kapi_put_file(target);
}

}  // namespace evl
