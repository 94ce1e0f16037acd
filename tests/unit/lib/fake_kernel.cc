// SPDX-License-Identifier: MIT
// The seam of the library (lib/kernel.h) over the fake core.

#include <errno.h>
#include <unistd.h>

#include "fake_core.h"
#include "kernel.h"

namespace evl::kernel {

ssize_t oob_read(int, void*, size_t) noexcept {
  return -EINVAL;
}

ssize_t oob_write(int fd, const void* buffer, size_t bytes) noexcept {
  return fake::core().write(fd, buffer, bytes, true);
}

int oob_ioctl(int fd, unsigned long request, const void* argument) noexcept {
  return fake::core().oob_ioctl(fd, request, const_cast<void*>(argument));
}

int open(const char* path, int) noexcept {
  return fake::core().open(path);
}

int ioctl(int fd, unsigned long request, const void* argument) noexcept {
  return fake::core().ioctl(fd, request, const_cast<void*>(argument));
}

ssize_t read(int, void*, size_t) noexcept {
  return -EINVAL;
}

ssize_t write(int fd, const void* buffer, size_t bytes) noexcept {
  return fake::core().write(fd, buffer, bytes, false);
}

int set_nonblocking(int fd) noexcept {
  return fake::core().set_nonblocking(fd);
}

int close(int fd) noexcept {
  return fake::core().close(fd);
}

void* map(int, size_t bytes, int* error) noexcept {
  void* const address = fake::core().map(bytes);
  *error = address == nullptr ? EINVAL : 0;
  return address;
}

void unmap(void*, size_t) noexcept {
  ++fake::core().unmapped;
}

int lock_memory() noexcept {
  return fake::core().lock_memory_result;
}

int get_scheduling(int* policy, int* priority) noexcept {
  *policy = fake::core().policy;
  *priority = fake::core().priority;
  return 0;
}

int get_time(clockid_t clock, timespec* time) noexcept {
  return clock_gettime(clock, time);
}

int set_time(clockid_t, const timespec&) noexcept {
  return -EPERM;
}

int get_resolution(clockid_t, timespec* resolution) noexcept {
  *resolution = {0, 1};
  return 0;
}

}  // namespace evl::kernel
