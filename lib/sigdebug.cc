// SPDX-License-Identifier: MIT
// A ready-made handler for the reports of the health monitor. Runs in signal context, in-band.

#include <string.h>
#include <unistd.h>

#include <array>

#include "current.h"
#include "evl/evl.h"

namespace {

// By code; an overrun is too frequent to be worth a line.
constexpr std::array<const char*, EVL_HMDIAG_OVERRUN + 1> kCauses{
    nullptr,
    "evl: switched in-band: a signal had to be handled\n",
    "evl: switched in-band: a system call was made\n",
    "evl: switched in-band: the thread caused a fault\n",
    "evl: the watchdog fired: the thread kept its CPU for too long\n",
    "evl: switched in-band while owning a mutex\n",
    "evl: unlocked a mutex which the thread does not own\n",
    "evl: went to sleep while owning a mutex\n",
    "evl: was delayed by in-band code in a section of mutual exclusion\n",
    nullptr,
};

}  // namespace

EVL_API void evl_sigdebug_handler(int, siginfo_t* si, void*) {
  if (!sigdebug_marked(si)) return;
  const auto cause = static_cast<size_t>(sigdebug_cause(si));
  const char* const text = cause < kCauses.size() ? kCauses[cause] : nullptr;
  if (text != nullptr) (void)evl::kernel::write(STDOUT_FILENO, text, strlen(text));
}
