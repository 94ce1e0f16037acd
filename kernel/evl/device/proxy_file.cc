// SPDX-License-Identifier: GPL-2.0
// The class of proxies: creation, and their files.
#include "base/in_place.h"
#include "device/proxy.h"
#include "element/element_file.h"

namespace evl {
namespace {

Status open_side(Proxy::Side& side, const char* name, u32 size,
                 const InbandStage& inband) noexcept {
  side.queue = kapi_workqueue_create(name);
  if (side.queue == nullptr) return Errno::nomem;
  side.stream = EVL_TRY(Stream::make(name, size, inband));
  return kOk;
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

  kapi_file* const target = kapi_get_file(static_cast<int>(wanted.fd));
  if (target == nullptr) return Errno::badf;
  Proxy::Side output{};
  Proxy::Side input{};
  std::byte* bounce = nullptr;
  Status status = kOk;
  if ((directions & EVL_CLONE_OUTPUT) != 0)
    status = open_side(output, "evl-proxy.O", wanted.bufsz, inband);
  if (status.ok() && (directions & EVL_CLONE_INPUT) != 0) {
    status = open_side(input, "evl-proxy.I", wanted.bufsz, inband);
    bounce = static_cast<std::byte*>(
        kapi_alloc(granularity > Proxy::kBounce ? granularity : Proxy::kBounce));
    if (bounce == nullptr) status = Errno::nomem;
  }
  Proxy* proxy = nullptr;
  if (status.ok()) {
    proxy = create<Proxy>(inband, factory, clone_flags, target, granularity, output, input, bounce);
    if (proxy != nullptr) return proxy;
  }
  for (const Proxy::Side& side : {output, input}) {
    if (side.queue != nullptr) kapi_workqueue_destroy(side.queue);
    Stream::drop(side.stream, inband);
  }
  kapi_free(bounce);
  kapi_put_file(target);
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

long oob_read(void* object, kapi_file* file, void* buf, size_t bytes) {
  const auto stream = ElementFile::element<Proxy>(object).input(bytes);
  if (!stream.ok()) return code_of(Status{stream.error()});
  return outcome(stream.value()->read(OobStage::at_entry(), *current_thread(), UserBytes{buf},
                                      bytes, Stream::Want::some, nonblock(file)));
}

long read(void* object, kapi_file* file, void* buf, size_t bytes) {
  const auto stream = ElementFile::element<Proxy>(object).input(bytes);
  if (!stream.ok()) return code_of(Status{stream.error()});
  return outcome(stream.value()->read(InbandStage::at_entry(), UserBytes{buf}, bytes,
                                      Stream::Want::some, nonblock(file)));
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
