// SPDX-License-Identifier: GPL-2.0
// Assertions: what cannot happen. Checked with CONFIG_EVL_DEBUG_CORE, and always on the host; the
// expression is compiled, but not evaluated, elsewhere. Any stage, any irq state.
#ifndef EVL_BASE_ASSERT_H
#define EVL_BASE_ASSERT_H

#include "kapi/trace.h"

namespace evl {

// always_inline: objtool takes no weak copy of a function for noreturn.
[[noreturn, gnu::always_inline]] inline void assertion_failed(const char* expression,
                                                              const char* file, int line) noexcept {
  kapi_bug(expression, file, line);
  __builtin_trap();
}

#ifdef CONFIG_EVL_DEBUG_CORE
inline constexpr bool kDebugCore = true;
#define EVL_ASSERT(expression) \
  ((expression) ? (void)0 : ::evl::assertion_failed(#expression, __FILE__, __LINE__))
#else
inline constexpr bool kDebugCore = false;
#define EVL_ASSERT(expression) ((void)sizeof(!(expression)))
#endif

// Bound of a loop that runs with hard irqs off. The bound is part of the source, is checked in
// debug builds, and is where the simulator sees that a loop grew:
//
//   LoopBound bound{kMaxChainDepth};
//   while (next != nullptr) { bound.step(); ... }
class LoopBound {
 public:
  constexpr explicit LoopBound(unsigned max) noexcept : left_{max} {}
  constexpr void step() noexcept {
    if constexpr (kDebugCore) {
      EVL_ASSERT(left_ > 0);
      --left_;
    }
  }

 private:
  unsigned left_;
};

}  // namespace evl

#endif  // EVL_BASE_ASSERT_H
