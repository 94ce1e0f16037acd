// SPDX-License-Identifier: GPL-2.0
// Storage for an object that is built when its time has come: globals without dynamic
// initialisation, two-phase construction. In-band only, before and after anybody uses the object.
#ifndef EVL_BASE_IN_PLACE_H
#define EVL_BASE_IN_PLACE_H

#include "base/proof.h"
#include "base/types.h"
#include "kapi/memory.h"

namespace evl {

// Has no destructor of its own: a namespace-scope InPlace registers nothing. Who built, destroys.
template <typename T>
class InPlace final : Immovable {
 public:
  constexpr InPlace() noexcept = default;

  template <typename... Args>
  T& build(Args&&... args) noexcept {
    EVL_ASSERT(!built_);
    T* const object = ::new (static_cast<void*>(storage_)) T(std::forward<Args>(args)...);
    built_ = true;
    return *object;
  }
  void destroy() noexcept {
    (**this).~T();
    built_ = false;
  }
  [[nodiscard]] bool built() const noexcept { return built_; }
  [[nodiscard]] T& operator*() noexcept {
    EVL_ASSERT(built_);
    return *std::launder(reinterpret_cast<T*>(storage_));
  }
  [[nodiscard]] T* operator->() noexcept { return &**this; }

 private:
  alignas(T) std::byte storage_[sizeof(T)]{};
  bool built_{false};
};

// Builds a T on the kernel heap; nullptr when memory is short. The core defines no operator new:
// this and discard() are the only way, and they need the in-band stage.
template <typename T, typename... Args>
[[nodiscard]] T* create(const InbandStage&, Args&&... args) noexcept {
  static_assert(alignof(T) <= KAPI_CACHE_LINE);
  void* const block = kapi_alloc(sizeof(T));
  return block == nullptr ? nullptr : ::new (block) T(std::forward<Args>(args)...);
}
// The same for upcalls, which may not sleep.
template <typename T, typename... Args>
[[nodiscard]] T* create_nowait(const InbandStage&, Args&&... args) noexcept {
  static_assert(alignof(T) <= alignof(u64));
  void* const block = kapi_alloc_nowait(sizeof(T));
  return block == nullptr ? nullptr : ::new (block) T(std::forward<Args>(args)...);
}
template <typename T>
void discard(const InbandStage&, T* object) noexcept {
  if (object == nullptr) return;
  object->~T();
  kapi_free(object);
}

}  // namespace evl

#endif  // EVL_BASE_IN_PLACE_H
