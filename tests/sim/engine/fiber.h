// SPDX-License-Identifier: MIT
//
// Fiber: a flow of control with a stack of its own, continued and left by hand. The machine makes
// one per simulated task; everything runs in one host thread, so a switch happens only where
// switch_to() is called.
//
// F1  Exactly one fiber of the process runs. The others are inside switch_to(), or have not begun.
// F2  A fiber that is destroyed before its end is abandoned: destructors of what lives on its stack
// do not run. Code on
//     a fiber therefore owns no host memory through its stack (simulated memory belongs to the
//     machine, which frees it).
//
// AddressSanitizer is told of each switch; a switch costs about ten instructions without it.

#pragma once

#include <cstddef>

namespace sim {

class Fiber final {
 public:
  using Entry = void (*)(void* argument);

  /// The flow that runs already: the host's own stack.
  Fiber() noexcept = default;
  /// A new flow. `entry` must not return: it ends by leaving for another fiber for good.
  Fiber(Entry entry, void* argument);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Continues `next`; returns when somebody switches back to this one. Called on this fiber.
  void switch_to(Fiber& next) noexcept { swap(next, false); }
  /// As switch_to(), but this fiber will never be continued.
  [[noreturn]] void leave_for(Fiber& next) noexcept;

  static constexpr std::size_t kStackBytes = 128 * 1024;

 private:
  static void begin(Fiber* self) noexcept asm("sim_fiber_begin");
  void swap(Fiber& next, bool for_good) noexcept;
  static void arrived(Fiber& self) noexcept;

  void* stack_pointer_{nullptr};
  char* stack_{nullptr};  // Lowest address; null for the host's own.
  const void* bottom_{nullptr};
  std::size_t size_{0};
  void* fake_stack_{nullptr};  // AddressSanitizer's.
  Entry entry_{nullptr};
  void* argument_{nullptr};
};

}  // namespace sim
