// SPDX-License-Identifier: MIT
// The seam between the library and the kernel: every request leaves through here, and nowhere else.
//
// Two implementations: kernel.cc, and the fake core of tests/unit/lib. Results are those of the
// kernel, zero or positive, or a negated errno; errno itself is not touched. Context: any thread,
// any stage, unless a function says otherwise.
#ifndef LIB_KERNEL_H
#define LIB_KERNEL_H

#include <sys/types.h>
#include <time.h>

#include <cstddef>

namespace evl::kernel {

// Out-of-band requests. A caller that is in-band is moved out-of-band first. EPERM: not attached.
[[nodiscard]] ssize_t oob_read(int fd, void* buffer, size_t bytes) noexcept;
[[nodiscard]] ssize_t oob_write(int fd, const void* buffer, size_t bytes) noexcept;
[[nodiscard]] int oob_ioctl(int fd, unsigned long request, const void* argument) noexcept;

// In-band system calls. A caller that is out-of-band is moved in-band first.
[[nodiscard]] int open(const char* path, int flags) noexcept;
[[nodiscard]] int ioctl(int fd, unsigned long request, const void* argument) noexcept;
[[nodiscard]] ssize_t read(int fd, void* buffer, size_t bytes) noexcept;
[[nodiscard]] ssize_t write(int fd, const void* buffer, size_t bytes) noexcept;
[[nodiscard]] int set_nonblocking(int fd) noexcept;
int close(int fd) noexcept;

// Maps bytes of fd, shared and writable; nullptr and the errno in *error if that fails.
[[nodiscard]] void* map(int fd, size_t bytes, int* error) noexcept;
void unmap(void* address, size_t bytes) noexcept;
[[nodiscard]] int lock_memory() noexcept;

// In-band policy and priority of the calling thread.
[[nodiscard]] int get_scheduling(int* policy, int* priority) noexcept;

[[nodiscard]] int get_time(clockid_t clock, timespec* time) noexcept;  // The fallback of the vDSO.
[[nodiscard]] int set_time(clockid_t clock, const timespec& time) noexcept;
[[nodiscard]] int get_resolution(clockid_t clock, timespec* resolution) noexcept;

}  // namespace evl::kernel

#endif  // LIB_KERNEL_H
