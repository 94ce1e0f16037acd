// SPDX-License-Identifier: GPL-2.0
// The element of a clock: /dev/evl/clock/<name>, its requests, its attribute `gravity`. Made by the
// core at boot.
#ifndef EVL_TIME_CLOCK_ELEMENT_H
#define EVL_TIME_CLOCK_ELEMENT_H

#include "element/factory.h"
#include "time/clock.h"

namespace evl {

class ClockElement final : public Element {
 public:
  ClockElement(Factory& factory, Clock& clock) noexcept
      : Element{factory, EVL_CLONE_PUBLIC}, clock_{clock} {}

  /// Makes the element and its device. Holds one reference, for close(). ENOMEM, and of the device.
  [[nodiscard]] static Result<ClockElement*> open(Factory& factory, Clock& clock,
                                                  const InbandStage& inband) noexcept;
  [[nodiscard]] Clock& clock() noexcept { return clock_; }

 private:
  Clock& clock_;
};

// The clock that a request names: by its number, or by the descriptor of its element. It lives for
// ever. Any stage. Errors: EBADF; EINVAL not a clock, no such number.
[[nodiscard]] Result<Clock*> clock_behind(int clockfd) noexcept;

}  // namespace evl

#endif  // EVL_TIME_CLOCK_ELEMENT_H
