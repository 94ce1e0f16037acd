// SPDX-License-Identifier: MIT
// Stops the kernel's tracer when a latency is above the limit, so that the cause is in its buffer.
#ifndef UTILS_LATMUS_FREEZER_H
#define UTILS_LATMUS_FREEZER_H

#include <string>

#include "common/system.h"

namespace utils::latmus {

// The core fires the tracepoint evl_trigger at each new maximum. Where the kernel can take
// snapshots, one is taken at that moment: what comes between the peak and our stopping the tracer
// is not in it.
class TraceFreezer final {
 public:
  /// Opens the switch of the tracer now: freeze() may be called by a real-time thread.
  explicit TraceFreezer(const System& system);
  ~TraceFreezer();
  TraceFreezer(const TraceFreezer&) = delete;
  TraceFreezer& operator=(const TraceFreezer&) = delete;

  [[nodiscard]] bool available() const { return switch_ >= 0; }
  /// Stops the tracer. Any in-band thread; the first call counts.
  void freeze();
  /// What the user can look at now.
  [[nodiscard]] std::string advice() const;

 private:
  std::string folder_;
  int switch_{-1};
  bool snapshots_{false};
  bool frozen_{false};
};

}  // namespace utils::latmus

#endif  // UTILS_LATMUS_FREEZER_H
