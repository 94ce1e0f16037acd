// SPDX-License-Identifier: GPL-2.0
// Typed addresses of user space: nothing but a copy can be done with them. Task context of either
// stage, irqs on, no hard lock. A copy on the oob stage may end on the other one: kapi/memory.h.
#ifndef EVL_BASE_USER_PTR_H
#define EVL_BASE_USER_PTR_H

#include "base/proof.h"
#include "base/result.h"
#include "kapi/memory.h"

namespace evl {

// Bytes of user space.
class UserBytes {
 public:
  constexpr UserBytes() noexcept = default;
  explicit UserBytes(unsigned long address) noexcept : address_{address} {}
  explicit UserBytes(const void* address) noexcept
      : address_{reinterpret_cast<unsigned long>(address)} {}

  [[nodiscard]] constexpr bool is_null() const noexcept { return address_ == 0; }
  [[nodiscard]] UserBytes advanced(size_t bytes) const noexcept {
    return UserBytes{address_ + bytes};
  }
  // EFAULT: not accessible.
  [[nodiscard]] Status read(void* to, size_t bytes) const noexcept {
    return status_of(kapi_copy_from_user(to, reinterpret_cast<const void*>(address_), bytes));
  }
  [[nodiscard]] Status write(const void* from, size_t bytes) const noexcept {
    return status_of(kapi_copy_to_user(reinterpret_cast<void*>(address_), from, bytes));
  }

 private:
  unsigned long address_{0};
};

// A T of the ABI in user space.
template <typename T>
requires std::is_trivially_copyable_v<T>
class UserPtr {
 public:
  constexpr UserPtr() noexcept = default;
  explicit UserPtr(unsigned long address) noexcept : bytes_{address} {}
  // From a u64 `*_ptr` field of the ABI.
  [[nodiscard]] static UserPtr from(u64 field) noexcept {
    return UserPtr{static_cast<unsigned long>(field)};
  }

  [[nodiscard]] constexpr bool is_null() const noexcept { return bytes_.is_null(); }
  [[nodiscard]] Result<T> read() const noexcept {
    T value{};
    const Status status = bytes_.read(&value, sizeof(value));
    if (!status.ok()) return status.error();
    return value;
  }
  // For a handler that has done nothing yet, and may sleep afterwards. EINTR: a signal that came
  // with a page fault has taken the caller in-band, where it serves that first.
  [[nodiscard]] Result<T> read(const OobStage&) const noexcept {
    const Result<T> value = read();
    if (value.ok() && !kapi_running_oob()) return Errno::intr;
    return value;
  }
  [[nodiscard]] Result<T> read(const InbandStage&) const noexcept { return read(); }
  [[nodiscard]] Status write(const T& value) const noexcept {
    return bytes_.write(&value, sizeof(value));
  }

 private:
  UserBytes bytes_;
};

}  // namespace evl

#endif  // EVL_BASE_USER_PTR_H
