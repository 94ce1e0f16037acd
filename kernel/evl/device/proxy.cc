// SPDX-License-Identifier: GPL-2.0
// File proxies: their workers, which alone touch the target, and what both stages ask of the rings.
#include "device/proxy.h"

#include "base/in_place.h"
#include "boot/core.h"
#include "device/poll.h"

namespace evl {

Proxy::Proxy(Factory& factory, u32 clone_flags, const Parts& parts) noexcept
    : Element{factory, clone_flags},
      parts_{parts},
      output_work_{&Proxy::empty, core().proxy_queue(), this},
      input_work_{&Proxy::fill, core().proxy_queue(), this} {
  if (parts_.input != nullptr) parts_.input->set_feeder(input_work_);
}

Result<Stream*> Proxy::check(Stream* stream, size_t bytes) const noexcept {
  if (stream == nullptr) return Errno::nxio;
  if (bytes > stream->size()) return Errno::fbig;
  if (bytes % parts_.granularity != 0) return Errno::inval;
  return stream;
}

Result<Stream*> Proxy::output(size_t bytes) const noexcept {
  return check(parts_.output, bytes);
}

Result<Stream*> Proxy::input(size_t bytes) const noexcept {
  return check(parts_.input, bytes);
}

// What the target refuses is dropped: nobody is left to hear of it.
void Proxy::empty(Work& work, const InbandStage&) noexcept {
  Proxy& self = owner_of<Proxy, &Proxy::output_work_>(work);
  Stream& stream = *self.parts_.output;
  for (;;) {
    const std::span<std::byte> piece = stream.take(self.parts_.granularity, Proxy::kMaxSize);
    if (piece.empty()) return;
    size_t sent = 0;
    while (sent < piece.size()) {
      const long done =
          kapi_kernel_write(self.parts_.target, piece.data() + sent, piece.size() - sent);
      if (done <= 0) break;
      sent += static_cast<size_t>(done);
    }
    stream.taken();
  }
}

// A target may give less than it was asked for, a pipe does: what follows completes the unit. What
// has come when the target ends, or fails, is all that comes of it. Returns the bytes in
// parts_.bounce.
u32 Proxy::fetch(u32 bytes, long& last) noexcept {
  u32 got = 0;
  do {
    last = kapi_kernel_read(parts_.target, parts_.bounce + got, bytes - got);
    if (last <= 0) break;
    got += static_cast<u32>(last);
  } while (got % parts_.granularity != 0);
  return got;
}

void Proxy::fill(Work& work, const InbandStage&) noexcept {
  Proxy& self = owner_of<Proxy, &Proxy::input_work_>(work);
  Stream& stream = *self.parts_.input;
  u32 bytes = stream.wanted();
  if (bytes == 0) return;
  // In this order: before, it may be the room of a ring that was full, and that somebody has
  // emptied since, and asked for more than is left. He would be given nothing, and his call be
  // forgotten.
  const u32 room = stream.fill().room;
  if (bytes > room) bytes = room;
  if (bytes > kBounce) bytes = kBounce;
  if (bytes < self.parts_.granularity && room >= self.parts_.granularity)
    bytes = self.parts_.granularity;
  bytes -= bytes % self.parts_.granularity;
  if (bytes == 0) return;
  long last = 0;
  const u32 got = self.fetch(bytes, last);
  // The only one who writes to the ring: there is room.
  if (got > 0) (void)stream.push({self.parts_.bounce, got});
  if (last <= 0) stream.end(status_of(last));
  schedule();
}

unsigned Proxy::poll(kapi_file* file, kapi_poll_table* table) noexcept {
  if (parts_.output == nullptr && parts_.input == nullptr)
    return kapi_poll_forward(parts_.target, table);
  unsigned ready = 0;
  if (parts_.output != nullptr) {
    parts_.output->poll(file, table);
    if (parts_.output->fill().idle) ready |= kPollOut;
  }
  if (parts_.input != nullptr) {
    parts_.input->poll(file, table);
    parts_.input->want(parts_.granularity);  // Who polls wants to know whether there is some.
    if (parts_.input->is_readable()) ready |= kPollIn;
  }
  return ready;
}

void Proxy::flush(InfoFlags reasons) noexcept {
  if (parts_.output != nullptr) parts_.output->flush(reasons);
  if (parts_.input != nullptr) parts_.input->flush(reasons);
}

void Proxy::Parts::drop(const InbandStage& inband) const noexcept {
  Stream::drop(output, inband);
  Stream::drop(input, inband);
  kapi_free(bounce);
  if (target != nullptr) kapi_put_file(target);
}

void Proxy::drop_parts(const InbandStage& inband) noexcept {
  const Parts parts = parts_;
  discard(inband, this);
  parts.drop(inband);
}

}  // namespace evl
