// SPDX-License-Identifier: MIT
// One axis of a plot: from values to pixels, with ticks at round numbers.
#ifndef UTILS_LATMUS_AXIS_H
#define UTILS_LATMUS_AXIS_H

#include <string>
#include <vector>

namespace utils::latmus {

struct Tick {
  double value;
  std::string label;
};

class Axis final {
 public:
  enum class Scale { linear, logarithmic };

  /// Values in [low, high] go to pixels from `at_low` to `at_high`, which may be the smaller one. A
  /// logarithmic axis starts above zero. An empty range is widened.
  Axis(Scale scale, double low, double high, double at_low, double at_high);

  /// The pixel of a value; values outside of the range go to its ends.
  [[nodiscard]] double at(double value) const;
  /// Linear: about `wanted` steps of 1, 2 or 5 times a power of ten. Logarithmic: the powers of
  /// ten.
  [[nodiscard]] std::vector<Tick> ticks(int wanted) const;
  [[nodiscard]] double low() const { return low_; }
  [[nodiscard]] double high() const { return high_; }

 private:
  Scale scale_;
  double low_;
  double high_;
  double at_low_;
  double at_high_;
};

}  // namespace utils::latmus

#endif  // UTILS_LATMUS_AXIS_H
