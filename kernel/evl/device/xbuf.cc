// SPDX-License-Identifier: GPL-2.0
// The class of cross-buffers: creation, reading and writing on both stages, poll, sysfs.
#include "device/xbuf.h"

#include "boot/core.h"
#include "device/poll.h"
#include "element/element_file.h"

namespace evl {
namespace {

Result<Element*> build(Factory& factory, UserBytes attrs, u32 clone_flags, u32&,
                       const InbandStage& inband) noexcept {
  evl_xbuf_attrs wanted{};
  if (attrs.is_null()) return Errno::inval;
  (void)EVL_TRY(attrs.read(&wanted, sizeof(wanted)));
  if (wanted.i_bufsz > Xbuf::kMaxSize || wanted.o_bufsz > Xbuf::kMaxSize) return Errno::inval;
  if (wanted.i_bufsz == 0 && wanted.o_bufsz == 0) return Errno::inval;
  Stream* inbound = nullptr;
  Stream* outbound = nullptr;
  if (wanted.i_bufsz != 0) inbound = EVL_TRY(Stream::make("xbuf-inbound", wanted.i_bufsz, inband));
  if (wanted.o_bufsz != 0) {
    const auto made = Stream::make("xbuf-outbound", wanted.o_bufsz, inband);
    if (made.ok()) outbound = made.value();
  }
  Xbuf* xbuf = nullptr;
  if (wanted.o_bufsz == 0 || outbound != nullptr)
    xbuf = create<Xbuf>(inband, factory, clone_flags, inbound, outbound);
  if (xbuf != nullptr) return xbuf;
  Stream::drop(inbound, inband);
  Stream::drop(outbound, inband);
  return Errno::nomem;
}

void dispose(Element& element, const InbandStage& inband) noexcept {
  auto& xbuf = static_cast<Xbuf&>(element);
  Stream* const inbound = xbuf.inbound();
  Stream* const outbound = xbuf.outbound();
  discard(inband, &xbuf);
  Stream::drop(inbound, inband);
  Stream::drop(outbound, inband);
}

void release(void* object, kapi_file* file) {
  ElementFile::begin_release(object);
  ElementFile::element<Xbuf>(object).flush(ThreadInfo::rmid);
  ElementFile::release(object, file);
}

bool nonblock(kapi_file* file) noexcept {
  return (kapi_file_flags(file) & kOpenNonblock) != 0;
}

long oob_write(void* object, kapi_file* file, const void* buf, size_t bytes) {
  Stream* const stream = ElementFile::element<Xbuf>(object).inbound();
  if (stream == nullptr) return -ENOBUFS;
  return code_of(stream->write(OobStage::at_entry(), *current_thread(), UserBytes{buf}, bytes,
                               nonblock(file)));
}

long oob_read(void* object, kapi_file* file, void* buf, size_t bytes) {
  Stream* const stream = ElementFile::element<Xbuf>(object).outbound();
  if (stream == nullptr) return -ENOBUFS;
  return code_of(
      stream->read(OobStage::at_entry(), *current_thread(), UserBytes{buf}, bytes, nonblock(file)));
}

long write(void* object, kapi_file* file, const void* buf, size_t bytes) {
  Stream* const stream = ElementFile::element<Xbuf>(object).outbound();
  if (stream == nullptr) return -ENOBUFS;
  return code_of(stream->write(InbandStage::at_entry(), UserBytes{buf}, bytes, nonblock(file)));
}

long read(void* object, kapi_file* file, void* buf, size_t bytes) {
  Stream* const stream = ElementFile::element<Xbuf>(object).inbound();
  if (stream == nullptr) return -ENOBUFS;
  return code_of(stream->read(InbandStage::at_entry(), UserBytes{buf}, bytes, nonblock(file)));
}

unsigned poll(void* object, kapi_file* file, kapi_poll_table* table) {
  auto& xbuf = ElementFile::element<Xbuf>(object);
  unsigned ready = 0;
  if (Stream* const inbound = xbuf.inbound(); inbound != nullptr) {
    inbound->poll(file, table);
    if (inbound->fill().filled > 0) ready |= kPollIn;
  }
  if (Stream* const outbound = xbuf.outbound(); outbound != nullptr) {
    outbound->poll(file, table);
    if (outbound->fill().room > 0) ready |= kPollOut;
  }
  return ready;
}

long show_rings(void* object, char* buf, size_t capacity) {
  const auto& xbuf = static_cast<Xbuf&>(*static_cast<Element*>(object));
  const Stream::Fill none{};
  const Stream::Fill in = xbuf.inbound() != nullptr ? xbuf.inbound()->fill() : none;
  const Stream::Fill out = xbuf.outbound() != nullptr ? xbuf.outbound()->fill() : none;
  return kapi_format(buf, capacity, "%u %u %u %u\n", in.filled, in.size, out.filled, out.size);
}

constexpr kapi_attribute kAttributes[] = {
    {.name = "rings", .mode = 0444, .show = show_rings, .store = nullptr},
    {.name = nullptr, .mode = 0, .show = nullptr, .store = nullptr},
};

constexpr kapi_file_ops kOps = {
    .open = ElementFile::open,
    .release = release,
    .read = read,
    .write = write,
    .poll = poll,
    .oob_read = oob_read,
    .oob_write = oob_write,
};

}  // namespace

Result<size_t> Xbuf::push_inbound(std::span<const std::byte> data) noexcept {
  if (inbound_ == nullptr) return Errno::nobufs;
  return static_cast<size_t>(EVL_TRY(inbound_->push(data)));
}

void Xbuf::flush(InfoFlags reasons) noexcept {
  if (inbound_ != nullptr) inbound_->flush(reasons);
  if (outbound_ != nullptr) outbound_->flush(reasons);
}

Xbuf* xbuf_of(const FileRef& file) noexcept {
  if (!file) return nullptr;
  void* const object = file.object<void>(kOps);
  return object == nullptr ? nullptr : &ElementFile::element<Xbuf>(object);
}

constinit const ElementClass kXbufClass = {
    .name = EVL_XBUF_DEV,
    .shape = ElementClass::Shape::clonable,
    .has_fundles = false,
    .clone_flags = 0,
    .build = build,
    .dispose = dispose,
    .ops = &kOps,
    .attributes = kAttributes,
};

}  // namespace evl
