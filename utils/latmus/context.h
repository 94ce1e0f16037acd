// SPDX-License-Identifier: MIT
// What answers to the timer while latmus measures, and on which CPU.
#ifndef UTILS_LATMUS_CONTEXT_H
#define UTILS_LATMUS_CONTEXT_H

#include <optional>
#include <set>
#include <string>

namespace utils::latmus {

enum class Context { irq, kernel, user, sirq, fifo, oob_gpio, inband_gpio };

[[nodiscard]] const char* name_of(Context context);

/// Does a thread with a priority answer? Interrupt handlers have none.
[[nodiscard]] constexpr bool has_priority(Context context) {
  return context != Context::irq && context != Context::sirq;
}
/// Can it be measured without a core? These run on a stock kernel.
[[nodiscard]] constexpr bool is_inband(Context context) {
  return context == Context::fifo || context == Context::inband_gpio;
}
[[nodiscard]] constexpr bool is_gpio(Context context) {
  return context == Context::oob_gpio || context == Context::inband_gpio;
}

struct CpuChoice {
  int cpu{};
  bool isolated{false};
  std::string note;  // What the user has to know about it; empty if all is as asked for.
};

// What the system offers. An empty set: the kernel says nothing about it.
struct CpuOffer {
  std::set<int> online;
  std::set<int> oob;
  std::set<int> isolated;
  int current{};
};

/// The responder's CPU: the one asked for; else the first that is isolated and of the core, else of
/// the core, else isolated, else the current one. A CPU that the core does not have is replaced for
/// out-of-band contexts unless it is forced. Nothing if the CPU asked for is not online.
[[nodiscard]] std::optional<CpuChoice> choose_cpu(Context context, std::optional<int> asked,
                                                  bool force, const CpuOffer& offer);

}  // namespace utils::latmus

#endif  // UTILS_LATMUS_CONTEXT_H
