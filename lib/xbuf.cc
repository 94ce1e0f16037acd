// SPDX-License-Identifier: MIT
// Cross-buffers. Everything but the creation goes through the file.

#include "evl/xbuf.h"

#include <errno.h>
#include <stdarg.h>

#include "current.h"
#include "element.h"

namespace {

constexpr size_t kLargestRing = size_t{1} << 30;

}  // namespace

using namespace evl;

EVL_API int evl_create_xbuf(size_t i_bufsz, size_t o_bufsz, int flags, const char* fmt, ...) {
  if (i_bufsz > kLargestRing || o_bufsz > kLargestRing) return -EINVAL;
  if (i_bufsz == 0 && o_bufsz == 0) return -EINVAL;
  if ((static_cast<unsigned int>(flags) & ~(EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK)) != 0) {
    return -EINVAL;
  }
  ElementName name;
  va_list arguments;
  va_start(arguments, fmt);
  const int status = name.expand(flags, fmt, arguments);
  va_end(arguments);
  if (status < 0) return status;
  const evl_xbuf_attrs attributes{static_cast<__u32>(i_bufsz), static_cast<__u32>(o_bufsz)};
  evl_element_ids ids{};
  return create_element(EVL_XBUF_DEV, name, &attributes, &ids);
}
