// SPDX-License-Identifier: MIT
// Who switches to whom, and what the FPU registers hold meanwhile.
#ifndef UTILS_HECTIC_PATTERN_H
#define UTILS_HECTIC_PATTERN_H

#include <cstdint>
#include <string>
#include <vector>

namespace utils::hectic {

// One turn of a thread.
struct Turn {
  uint32_t to;        // The thread's own number: whoever switched to it.
  bool change_stage;  // After this turn, for those who alternate.
};

// By turn number modulo 3: back to who switched to me; on to the next thread; that one once more.
// `count` is at least 2.
class Pattern final {
 public:
  Pattern(uint32_t self, uint32_t count) : self_{self}, count_{count}, to_{self} {}

  [[nodiscard]] uint32_t iteration() const { return iteration_; }
  Turn next() {
    const uint32_t phase = iteration_ % 3;
    if (phase == 1) to_ = successor();
    // A multiple of 3, so that the phases go on; below what 1000 times it needs of 32 bits.
    iteration_ = (iteration_ + 1) % 3'000'000;
    return {.to = phase == 0 ? self_ : to_, .change_stage = phase == 2};
  }
  /// For the threads which only ever pass on: the sleeper and the switcher.
  uint32_t next_in_turn() {
    iteration_ = (iteration_ + 1) % 3'000'000;
    return to_ = successor();
  }

 private:
  [[nodiscard]] uint32_t successor() const {
    uint32_t next = (to_ + 1) % count_;
    if (next == self_) next = (next + 1) % count_;
    return next;
  }

  uint32_t self_;
  uint32_t count_;
  uint32_t to_;
  uint32_t iteration_{0};
};

/// What a thread puts into its registers: every thread and turn has a value of its own.
[[nodiscard]] constexpr uint32_t fpu_value(uint32_t index, uint32_t iteration) {
  return index + 1000 * iteration;
}

// Who wrote a value: a thread, or the driver on its behalf, which adds 500 to the number.
struct FpuWriter {
  uint32_t index;
  bool kernel;

  [[nodiscard]] static constexpr FpuWriter of(uint32_t value) {
    const uint32_t rest = value % 1000;
    return {.index = rest % 500, .kernel = rest >= 500};
  }
};

/// A report of a corrupted register, by the names of the threads.
[[nodiscard]] std::string describe_corruption(const std::vector<std::string>& names, uint32_t from,
                                              uint32_t to, uint32_t found, const char* where);

}  // namespace utils::hectic

#endif  // UTILS_HECTIC_PATTERN_H
