// SPDX-License-Identifier: MIT

#include "latmus/context.h"

#include "common/text.h"

namespace utils::latmus {
namespace {

int default_cpu(Context context, const CpuOffer& offer) {
  if (!is_inband(context)) {
    for (const int cpu : offer.oob) {
      if (offer.isolated.contains(cpu)) return cpu;
    }
    if (!offer.oob.empty()) return *offer.oob.begin();
  }
  if (!offer.isolated.empty()) return *offer.isolated.begin();
  return offer.current;
}

}  // namespace

const char* name_of(Context context) {
  switch (context) {
    case Context::irq:
      return "irq";
    case Context::kernel:
      return "kernel";
    case Context::user:
      return "user";
    case Context::sirq:
      return "sirq";
    case Context::fifo:
      return "fifo";
    case Context::oob_gpio:
      return "oob-gpio";
    case Context::inband_gpio:
      return "inband-gpio";
  }
  return "?";
}

std::optional<CpuChoice> choose_cpu(Context context, std::optional<int> asked, bool force,
                                    const CpuOffer& offer) {
  CpuChoice choice;
  choice.cpu = asked.value_or(default_cpu(context, offer));
  if (asked) {
    if (!offer.online.empty() && !offer.online.contains(*asked)) return std::nullopt;
    const bool foreign = !is_inband(context) && !offer.oob.empty() && !offer.oob.contains(*asked);
    if (foreign && !force) {
      choice.cpu = default_cpu(context, offer);
      choice.note = format("CPU%d is not one of the core's: using CPU%d", *asked, choice.cpu);
    }
  }
  choice.isolated = offer.isolated.contains(choice.cpu);
  return choice;
}

}  // namespace utils::latmus
