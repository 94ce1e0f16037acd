// SPDX-License-Identifier: GPL-2.0
// What an in-band poll handler answers: the words of <asm-generic/poll.h>, which the core does not
// include.
#ifndef EVL_DEVICE_POLL_H
#define EVL_DEVICE_POLL_H

namespace evl {

inline constexpr unsigned kPollIn = 0x0001 | 0x0040;   // POLLIN, POLLRDNORM
inline constexpr unsigned kPollOut = 0x0004 | 0x0100;  // POLLOUT, POLLWRNORM

}  // namespace evl

#endif  // EVL_DEVICE_POLL_H
