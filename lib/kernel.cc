// SPDX-License-Identifier: MIT
// The real kernel behind the seam. See kernel.h.

#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "evl/syscall-abi.h"

// An installed system may lack the header of a kernel with Dovetail; the number is part of the ABI.
#if __has_include(<asm-generic/dovetail.h>)
#include <asm-generic/dovetail.h>
static_assert(PR_OOB_SYSCALL == 0x4f4f4243);
#endif

namespace evl::kernel {
namespace {

constexpr long kOobSyscall = 0x4f4f4243;

// An out-of-band request, without the C library: its wrapper would store to errno.
long oob_call(long number, long a0, const void* a1, long a2) noexcept {
#ifdef __x86_64__
  long result = SYS_prctl;
  register long r10 asm("r10") = reinterpret_cast<long>(a1);
  register long r8 asm("r8") = a2;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(kOobSyscall), "S"(number), "d"(a0), "r"(r10), "r"(r8)
               : "rcx", "r11", "memory");
  return result;
#else
  const int saved = errno;
  long result = ::syscall(SYS_prctl, kOobSyscall, number, a0, a1, a2);
  if (result < 0) result = -errno;
  errno = saved;
  return result;
#endif
}

// The result of a call of the C library, as the kernel gave it.
template <typename Call>
auto in_band(Call call) noexcept -> decltype(call()) {
  const int saved = errno;
  auto result = call();
  if (result < 0) result = -errno;
  errno = saved;
  return result;
}

}  // namespace

ssize_t oob_read(int fd, void* buffer, size_t bytes) noexcept {
  return oob_call(sys_evl_read, fd, buffer, static_cast<long>(bytes));
}

ssize_t oob_write(int fd, const void* buffer, size_t bytes) noexcept {
  return oob_call(sys_evl_write, fd, buffer, static_cast<long>(bytes));
}

int oob_ioctl(int fd, unsigned long request, const void* argument) noexcept {
  const auto code = reinterpret_cast<const void*>(request);
  return static_cast<int>(oob_call(sys_evl_ioctl, fd, code, reinterpret_cast<long>(argument)));
}

int open(const char* path, int flags) noexcept {
  return in_band([=] { return ::open(path, flags | O_CLOEXEC); });
}

int ioctl(int fd, unsigned long request, const void* argument) noexcept {
  return in_band([=] { return ::ioctl(fd, request, argument); });
}

ssize_t read(int fd, void* buffer, size_t bytes) noexcept {
  return in_band([=] { return ::read(fd, buffer, bytes); });
}

ssize_t write(int fd, const void* buffer, size_t bytes) noexcept {
  return in_band([=] { return ::write(fd, buffer, bytes); });
}

int set_nonblocking(int fd) noexcept {
  return in_band([=] {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags < 0 ? flags : ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  });
}

int close(int fd) noexcept {
  return in_band([=] { return ::close(fd); });
}

void* map(int fd, size_t bytes, int* error) noexcept {
  const int saved = errno;
  void* const address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  *error = address == MAP_FAILED ? errno : 0;
  errno = saved;
  return address == MAP_FAILED ? nullptr : address;
}

void unmap(void* address, size_t bytes) noexcept {
  ::munmap(address, bytes);
}

int lock_memory() noexcept {
  return in_band([] { return ::mlockall(MCL_CURRENT | MCL_FUTURE); });
}

int get_scheduling(int* policy, int* priority) noexcept {
  sched_param parameters{};
  const int result = in_band([] { return ::sched_getscheduler(0); });
  if (result < 0) return result;
  const int status = in_band([&] { return ::sched_getparam(0, &parameters); });
  if (status < 0) return status;
  *policy = result & ~SCHED_RESET_ON_FORK;
  *priority = parameters.sched_priority;
  return 0;
}

int get_time(clockid_t clock, timespec* time) noexcept {
  return in_band([=] { return ::clock_gettime(clock, time); });
}

int set_time(clockid_t clock, const timespec& time) noexcept {
  return in_band([&] { return ::clock_settime(clock, &time); });
}

int get_resolution(clockid_t clock, timespec* resolution) noexcept {
  return in_band([=] { return ::clock_getres(clock, resolution); });
}

}  // namespace evl::kernel
