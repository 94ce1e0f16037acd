// SPDX-License-Identifier: GPL-2.0
// Element: a kernel object with a file descriptor, a sysfs folder and, if its class says so, a
// handle. Base of every element class. References: any stage. Building and disposing: in-band, may
// sleep.
#ifndef EVL_ELEMENT_ELEMENT_H
#define EVL_ELEMENT_ELEMENT_H

#include <evl/factory-abi.h>

#include "base/atomic.h"
#include "base/list.h"
#include "base/proof.h"
#include "base/rb_tree.h"
#include "kapi/device.h"
#include "kapi/inband.h"
#include "kapi/irq.h"

namespace evl {

class Factory;

// Invariants:
//   E1  refs_ starts at 1, for the clone file (threads: for the running thread); every open file
//       adds one. At 0 it never rises again, and dispose() runs exactly once.
//   E2  Dispose runs in-band and may sleep. When the last put comes from where that is allowed
//       (kapi_may_dispose()), it is synchronous: create, close, create of one name works. Else it
//       goes to the core's disposal queue, by irq_work when it comes from the oob stage.
//   E3  name_ is unique in its factory from Factory::create() to dispose().
//   E4  fundle_ is indexed exactly while the element can be found: from publish() to withdraw().
class Element : Immovable {
 public:
  static constexpr size_t kNameLength = 255;

  // Takes a reference unless the element is dying. Any stage. O(1).
  [[nodiscard]] bool try_get() noexcept;
  // The caller knows that there is a reference.
  void get() noexcept;
  // Any stage, any irq state; E2.
  void put() noexcept;

  [[nodiscard]] Factory& factory() const noexcept { return factory_; }
  [[nodiscard]] unsigned minor() const noexcept { return minor_; }
  [[nodiscard]] fundle_t fundle() const noexcept { return fundle_; }
  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] bool is_public() const noexcept { return (clone_flags_ & EVL_CLONE_PUBLIC) != 0; }
  [[nodiscard]] u32 clone_flags() const noexcept { return clone_flags_; }

 protected:
  explicit Element(Factory& factory, u32 clone_flags) noexcept;
  ~Element();

 private:
  friend class ElementIndex;
  friend class Factory;
  static void on_irq_work(kapi_irq_work* work) noexcept;
  static void on_work(kapi_work* work) noexcept;

  Atomic<s32> refs_{1};
  fundle_t fundle_{EVL_NO_HANDLE};
  RbHook index_hook_;   // Under the index lock.
  ListHook name_hook_;  // Under the factory's mutex.
  Factory& factory_;
  unsigned minor_{~0U};
  const u32 clone_flags_;
  kapi_device* device_{nullptr};
  kapi_irq_work dispose_irq_work_{};
  kapi_work dispose_work_{};
  char name_[kNameLength + 1]{};
};

// A reference that gives itself back. Move-only; any stage.
template <typename E>
class [[nodiscard]] Ref final {
 public:
  constexpr Ref() noexcept = default;
  // Takes over a reference the caller has.
  [[nodiscard]] static Ref adopt(E& element) noexcept { return Ref{&element}; }
  Ref(Ref&& other) noexcept : element_{std::exchange(other.element_, nullptr)} {}
  Ref& operator=(Ref&& other) noexcept {
    if (this != &other) {
      reset();
      element_ = std::exchange(other.element_, nullptr);
    }
    return *this;
  }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  ~Ref() { reset(); }

  void reset() noexcept {
    if (E* const element = std::exchange(element_, nullptr)) element->put();
  }
  [[nodiscard]] explicit operator bool() const noexcept { return element_ != nullptr; }
  [[nodiscard]] E* operator->() const noexcept { return element_; }
  [[nodiscard]] E& operator*() const noexcept { return *element_; }
  [[nodiscard]] E* release() noexcept { return std::exchange(element_, nullptr); }

 private:
  explicit Ref(E* element) noexcept : element_{element} {}
  E* element_{nullptr};
};

}  // namespace evl

#endif  // EVL_ELEMENT_ELEMENT_H
