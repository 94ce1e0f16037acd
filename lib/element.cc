// SPDX-License-Identifier: MIT
// Elements: the clone device of a class, and the nodes of public elements. See element.h.

#include "element.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <atomic>

#include "current.h"
#include "evl/sys.h"

namespace evl {
namespace {

constexpr unsigned int kNonblocking = EVL_CLONE_NONBLOCK;

void hint_stopped_core() noexcept {
  static constinit std::atomic_flag hinted;
  if (hinted.test_and_set(std::memory_order_relaxed)) return;
  fprintf(stderr,
          "evl: the real-time core is not running; if it was stopped, write 'start' to "
          "/sys/devices/virtual/evl/control/state\n");
}

// The descriptor of the new element, for a private one; -1 for a public one.
int clone_element(const char* type, evl_clone_req* request) noexcept {
  const int device = open_element(type, "clone");
  if (device < 0) {
    if (device == -ENXIO) hint_stopped_core();
    return device;
  }
  const int status = kernel::ioctl(device, EVL_IOC_CLONE, request);
  if (status < 0) {
    kernel::close(device);
    if (status == -ENXIO) hint_stopped_core();
    return status;
  }
  int efd = static_cast<int>(request->efd);
  if ((request->clone_flags & EVL_CLONE_PUBLIC) != 0) {
    // The clone file holds the element until its node is open.
    efd = open_element(type, reinterpret_cast<const char*>(request->name_ptr));
    // Otherwise it goes with the clone file; but a thread lives without one. ENOTTY: it is none.
    if (efd < 0) (void)kernel::ioctl(device, EVL_THRIOC_DETACH_SELF, nullptr);
  }
  kernel::close(device);
  return efd;
}

}  // namespace

int open_element(const char* type, const char* name) noexcept {
  DevicePath path;
  if (const int status = path.set(type, name); status < 0) return status;
  return kernel::open(path.text(), O_RDWR);
}

int create_element(const char* type, const ElementName& name, const void* attributes,
                   evl_element_ids* ids) noexcept {
  const auto flags = static_cast<unsigned int>(name.clone_flags());
  evl_clone_req request{};
  request.name_ptr = reinterpret_cast<__u64>(name.text());
  request.attrs_ptr = reinterpret_cast<__u64>(attributes);
  request.clone_flags = flags & EVL_CLONE_MASK & ~kNonblocking;

  const int efd = clone_element(type, &request);
  if (efd < 0) return efd;
  if ((flags & kNonblocking) != 0) {
    if (const int status = kernel::set_nonblocking(efd); status < 0) {
      kernel::close(efd);
      return status;
    }
  }
  *ids = request.eids;
  return efd;
}

}  // namespace evl

using namespace evl;

EVL_API int evl_create_element(const char* type, const char* name, void* attrs, int clone_flags,
                               evl_element_ids* eids) {
  ElementName element_name;
  if (const int status = element_name.set(name, clone_flags); status < 0) return status;
  evl_element_ids ids{};
  const int efd = create_element(type, element_name, attrs, &ids);
  if (efd >= 0 && eids != nullptr) *eids = ids;
  return efd;
}

EVL_API int evl_open_element_vargs(const char* type, const char* fmt, va_list ap) {
  ElementName name;
  // The flags do not matter here, but a name to be opened is that of a public element.
  if (const int status = name.expand(EVL_CLONE_PUBLIC, fmt, ap); status < 0) return status;
  return open_element(type, name.text());
}

EVL_API int evl_open_element(const char* type, const char* path, ...) {
  va_list arguments;
  va_start(arguments, path);
  const int efd = evl_open_element_vargs(type, path, arguments);
  va_end(arguments);
  return efd;
}

EVL_API int evl_open_raw(const char* type) {
  return open_element(type, nullptr);
}

EVL_API int evl_get_current_mode() {
  return static_cast<int>(current.state());
}
