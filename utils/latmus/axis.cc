// SPDX-License-Identifier: MIT

#include "latmus/axis.h"

#include <algorithm>
#include <cmath>

#include "common/text.h"

namespace utils::latmus {

Axis::Axis(Scale scale, double low, double high, double at_low, double at_high)
    : scale_{scale}, low_{low}, high_{high}, at_low_{at_low}, at_high_{at_high} {
  if (scale_ == Scale::logarithmic) {
    low_ = std::max(low_, 1e-3);
    if (high_ <= low_) high_ = low_ * 10;
  } else if (high_ <= low_) {
    high_ = low_ + 1;
  }
}

double Axis::at(double value) const {
  value = std::clamp(value, low_, high_);
  const double share = scale_ == Scale::linear ? (value - low_) / (high_ - low_)
                                               : std::log(value / low_) / std::log(high_ / low_);
  return at_low_ + share * (at_high_ - at_low_);
}

std::vector<Tick> Axis::ticks(int wanted) const {
  std::vector<Tick> ticks;
  if (scale_ == Scale::logarithmic) {
    for (double value = std::pow(10, std::ceil(std::log10(low_) - 1e-9));
         value <= high_ * (1 + 1e-9); value *= 10) {
      ticks.push_back({value, format("%g", value)});
    }
    return ticks;
  }
  const double rough = (high_ - low_) / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double lead = rough / power;
  const double step = power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
  // Counted, not added up: no error grows along the axis.
  for (double n = std::ceil(low_ / step - 1e-9); n * step <= high_ + step * 1e-9; ++n) {
    const double value = n == 0 ? 0.0 : n * step;
    ticks.push_back({value, format("%g", value)});
  }
  return ticks;
}

}  // namespace utils::latmus
