// SPDX-License-Identifier: MIT
// Creating and opening monitors. See monitor.h.

#include "monitor.h"

#include <errno.h>
#include <pthread.h>

#include "element.h"
#include "process.h"

namespace evl {
namespace {

constinit pthread_mutex_t completion = PTHREAD_MUTEX_INITIALIZER;

int adopt(int efd, const evl_element_ids& ids, Monitor* monitor) noexcept {
  auto* const state = process.shared<evl_monitor_state>(ids.state_offset);
  if (state == nullptr) {
    kernel::close(efd);
    return -ENOEXEC;  // A core which speaks another ABI than it says.
  }
  // Maps the page now, in-band, rather than by a fault at the first access from out-of-band.
  (void)SharedWord{state->flags}.load(std::memory_order_relaxed);
  *monitor = {ids.fundle, state, efd};
  return efd;
}

}  // namespace

CompletionLock::CompletionLock() noexcept {
  pthread_mutex_lock(&completion);
}

CompletionLock::~CompletionLock() {
  pthread_mutex_unlock(&completion);
}

void CompletionLock::renew() noexcept {
  completion = PTHREAD_MUTEX_INITIALIZER;
}

int create_monitor(const MonitorKind& kind, int clockfd, unsigned int initval, int clone_flags,
                   const char* format, va_list arguments, Monitor* made) noexcept {
  if (!process.initialized()) return -ENXIO;
  ElementName name;
  if (const int status = name.expand(clone_flags, format, arguments); status < 0) return status;
  evl_monitor_attrs attributes{};
  attributes.clockfd = static_cast<__u32>(clockfd);
  attributes.type = kind.type & 3;
  attributes.protocol = kind.protocol & 0xf;
  attributes.initval = initval;
  evl_element_ids ids{};
  const int efd = create_element(EVL_MONITOR_DEV, name, &attributes, &ids);
  return efd < 0 ? efd : adopt(efd, ids, made);
}

int open_monitor(unsigned int type, const char* format, va_list arguments, Monitor* opened,
                 unsigned int* protocol) noexcept {
  if (!process.initialized()) return -ENXIO;
  ElementName name;
  if (const int status = name.expand(EVL_CLONE_PUBLIC, format, arguments); status < 0) {
    return status;
  }
  const int efd = open_element(EVL_MONITOR_DEV, name.text());
  if (efd < 0) return efd;
  evl_monitor_binding binding{};
  int status = kernel::ioctl(efd, EVL_MONIOC_BIND, &binding);
  if (status >= 0 && binding.type != type) status = -EINVAL;
  if (status < 0) {
    kernel::close(efd);
    return status;
  }
  *protocol = binding.protocol;
  return adopt(efd, binding.eids, opened);
}

}  // namespace evl
