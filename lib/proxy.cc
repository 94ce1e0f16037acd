// SPDX-License-Identifier: MIT
// File proxies, and printf() through them.

#include "evl/proxy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "cancel.h"
#include "current.h"
#include "element.h"
#include "process.h"

namespace evl {
namespace {

constexpr size_t kLargestRing = size_t{1} << 30;
constexpr unsigned int kDirections = EVL_CLONE_INPUT | EVL_CLONE_OUTPUT;
constexpr unsigned int kProxyFlags = kDirections | EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK;

// The longest output of one call, with its terminating zero.
constexpr size_t kLongestLine = 1024;

// The attributes the core will accept; flags gets the default direction.
int check_attributes(size_t bytes, size_t granularity, unsigned int* flags) noexcept {
  if ((*flags & ~kProxyFlags) != 0) return -EINVAL;
  if (bytes > kLargestRing || granularity > bytes) return -EINVAL;
  if (granularity > 1 && bytes % granularity != 0) return -EINVAL;
  if (bytes == 0) return (*flags & kDirections) != 0 ? -EINVAL : 0;
  if ((*flags & kDirections) == 0) *flags |= EVL_CLONE_OUTPUT;
  return 0;
}

// Before evl_init() there is no proxy, and no thread is out-of-band: standard error is at hand.
ssize_t write_without_proxy(const char* text, size_t length) noexcept {
  return current.inband() ? kernel::write(STDERR_FILENO, text, length) : -EBADFD;
}

}  // namespace
}  // namespace evl

using namespace evl;

EVL_API int evl_create_proxy(int targetfd, size_t bufsz, size_t granularity, int flags,
                             const char* fmt, ...) {
  auto bits = static_cast<unsigned int>(flags);
  if (const int status = check_attributes(bufsz, granularity, &bits); status < 0) return status;
  ElementName name;
  va_list arguments;
  va_start(arguments, fmt);
  const int status = name.expand(static_cast<int>(bits), fmt, arguments);
  va_end(arguments);
  if (status < 0) return status;
  const evl_proxy_attrs attributes{static_cast<__u32>(targetfd), static_cast<__u32>(bufsz),
                                   static_cast<__u32>(granularity)};
  evl_element_ids ids{};
  return create_element(EVL_PROXY_DEV, name, &attributes, &ids);
}

EVL_API ssize_t evl_write_proxy(int proxyfd, const void* buf, size_t count) {
  if (current.inband()) return kernel::write(proxyfd, buf, count);
  CancelRegion region;
  return kernel::oob_write(proxyfd, buf, count);
}

EVL_API ssize_t evl_read_proxy(int proxyfd, void* buf, size_t count) {
  if (current.inband()) return kernel::read(proxyfd, buf, count);
  CancelRegion region;
  return kernel::oob_read(proxyfd, buf, count);
}

EVL_API ssize_t evl_vprint_proxy(int proxyfd, const char* fmt, va_list ap) {
  char line[kLongestLine];  // On the stack, so that a signal handler may print too.
  const int saved = errno;
  const int length = vsnprintf(line, sizeof(line), fmt, ap);
  const int error = errno;
  errno = saved;
  if (length < 0) return -error;
  const auto wanted = static_cast<size_t>(length);
  const size_t bytes = wanted < sizeof(line) ? wanted : sizeof(line) - 1;
  return proxyfd < 0 ? write_without_proxy(line, bytes) : evl_write_proxy(proxyfd, line, bytes);
}

EVL_API ssize_t evl_print_proxy(int proxyfd, const char* fmt, ...) {
  va_list arguments;
  va_start(arguments, fmt);
  const ssize_t written = evl_vprint_proxy(proxyfd, fmt, arguments);
  va_end(arguments);
  return written;
}

EVL_API ssize_t evl_printf(const char* fmt, ...) {
  va_list arguments;
  va_start(arguments, fmt);
  const ssize_t written = evl_vprint_proxy(process.output, fmt, arguments);
  va_end(arguments);
  return written;
}

EVL_API ssize_t evl_eprintf(const char* fmt, ...) {
  va_list arguments;
  va_start(arguments, fmt);
  const ssize_t written = evl_vprint_proxy(process.errors, fmt, arguments);
  va_end(arguments);
  return written;
}

EVL_API int evl_stdout() {
  return process.output;
}

EVL_API int evl_stderr() {
  return process.errors;
}
