// SPDX-License-Identifier: GPL-2.0
// The class of proxies: creation, and their files.
#include "base/in_place.h"
#include "device/proxy.h"
#include "element/element_file.h"

namespace evl {
namespace {

Status make_rings(Proxy::Parts& parts, u32 bytes, u32 directions,
                  const InbandStage& inband) noexcept {
  if ((directions & EVL_CLONE_OUTPUT) != 0)
    parts.output = EVL_TRY(Stream::make("evl-proxy.O", bytes, inband));
  if ((directions & EVL_CLONE_INPUT) == 0) return kOk;
  parts.input = EVL_TRY(Stream::make("evl-proxy.I", bytes, inband));
  const size_t piece = parts.granularity > Proxy::kBounce ? parts.granularity : Proxy::kBounce;
  parts.bounce = static_cast<std::byte*>(kapi_alloc(piece));
  return parts.bounce != nullptr ? kOk : Status{Errno::nomem};
}

Result<Element*> build(Factory& factory, UserBytes attrs, u32 clone_flags, u32&,
                       const InbandStage& inband) noexcept {
  evl_proxy_attrs wanted{};
  if (attrs.is_null()) return Errno::inval;
  (void)EVL_TRY(attrs.read(&wanted, sizeof(wanted)));
  const u32 granularity = wanted.granularity == 0 ? 1 : wanted.granularity;
  u32 directions = clone_flags & (EVL_CLONE_INPUT | EVL_CLONE_OUTPUT);
  if (wanted.bufsz > Proxy::kMaxSize || wanted.bufsz % granularity != 0) return Errno::inval;
  if (wanted.bufsz == 0 && (directions != 0 || granularity > 1)) return Errno::inval;
  if (wanted.bufsz != 0 && directions == 0) directions = EVL_CLONE_OUTPUT;

  Proxy::Parts parts{.target = kapi_get_file(static_cast<int>(wanted.fd)),
                     .granularity = granularity};
  if (parts.target == nullptr) return Errno::badf;
  const Status status = make_rings(parts, wanted.bufsz, directions, inband);
  Proxy* const proxy = status.ok() ? create<Proxy>(inband, factory, clone_flags, parts) : nullptr;
  if (proxy != nullptr) return proxy;
  parts.drop(inband);
  return Errno::nomem;
}

void dispose(Element& element, const InbandStage& inband) noexcept {
  static_cast<Proxy&>(element).drop_parts(inband);
}

void release(void* object, kapi_file* file) {
  ElementFile::begin_release(object);
  ElementFile::element<Proxy>(object).flush(ThreadInfo::rmid);
  ElementFile::release(object, file);
}

bool nonblock(kapi_file* file) noexcept {
  return (kapi_file_flags(file) & kOpenNonblock) != 0;
}

// Who slept on a ring when it was closed.
long outcome(Result<long> result) noexcept {
  return result.is(Errno::idrm) ? -EBADF : code_of(result);
}

long written(Proxy& proxy, Result<long> result) noexcept {
  if (result.ok() && result.value() > 0) proxy.send();
  return outcome(result);
}

long oob_write(void* object, kapi_file* file, const void* buf, size_t bytes) {
  auto& proxy = ElementFile::element<Proxy>(object);
  const auto stream = proxy.output(bytes);
  if (!stream.ok()) return code_of(Status{stream.error()});
  return written(proxy, stream.value()->write(OobStage::at_entry(), *current_thread(),
                                              UserBytes{buf}, bytes, nonblock(file)));
}

long write(void* object, kapi_file* file, const void* buf, size_t bytes) {
  auto& proxy = ElementFile::element<Proxy>(object);
  const auto stream = proxy.output(bytes);
  if (!stream.ok()) return code_of(Status{stream.error()});
  return written(
      proxy, stream.value()->write(InbandStage::at_entry(), UserBytes{buf}, bytes, nonblock(file)));
}

// Nothing to be had without waiting is no error of a proxy. PX1 keeps what there is rounded.
long was_read(Result<long> result) noexcept {
  return result.is(Errno::again) ? 0 : outcome(result);
}

long oob_read(void* object, kapi_file* file, void* buf, size_t bytes) {
  const auto stream = ElementFile::element<Proxy>(object).input(bytes);
  if (!stream.ok()) return code_of(Status{stream.error()});
  return was_read(stream.value()->read(OobStage::at_entry(), *current_thread(), UserBytes{buf},
                                       bytes, nonblock(file)));
}

long read(void* object, kapi_file* file, void* buf, size_t bytes) {
  const auto stream = ElementFile::element<Proxy>(object).input(bytes);
  if (!stream.ok()) return code_of(Status{stream.error()});
  return was_read(
      stream.value()->read(InbandStage::at_entry(), UserBytes{buf}, bytes, nonblock(file)));
}

unsigned poll(void* object, kapi_file* file, kapi_poll_table* table) {
  return ElementFile::element<Proxy>(object).poll(file, table);
}

int mmap(void* object, kapi_file*, kapi_vma* vma) {
  return kapi_map_forward(vma, ElementFile::element<Proxy>(object).target());
}

constexpr kapi_file_ops kOps = {
    .open = ElementFile::open,
    .release = release,
    .read = read,
    .write = write,
    .poll = poll,
    .mmap = mmap,
    .oob_read = oob_read,
    .oob_write = oob_write,
};

}  // namespace

constinit const ElementClass kProxyClass = {
    .name = EVL_PROXY_DEV,
    .shape = ElementClass::Shape::clonable,
    .has_fundles = false,
    .clone_flags = EVL_CLONE_INPUT | EVL_CLONE_OUTPUT,
    .build = build,
    .dispose = dispose,
    .ops = &kOps,
    .attributes = nullptr,
};

}  // namespace evl
